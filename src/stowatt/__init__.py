"""Stowatt: a sealed-bid market for shared battery storage.

The modules follow the rules in docs/rules.md: units (§1), curves and devices (§2), clearing (§3), commitments (§5),
settlement and metering (§6). Rules never import the chain; the applications (cli, demo, report) import everything else.
"""

__version__ = "0.1.0"
