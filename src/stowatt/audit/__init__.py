"""The audit: from a market's events alone, every opening, clearing, fill, amount and movement of money done again.

    from stowatt.audit import Subject, audit
    from stowatt.audit.records import read_events

    report = audit(read_events(path), Subject(chain_id, market))
    report.verdict          # proved, open or mismatch
    report.mismatches       # each names event, field, found and expected value, and the rule

It talks to no chain: whoever has the events, as records of `stowatt.audit.events`, can audit.
"""

from stowatt.audit.report import AuditReport, Mismatch, Place, Totals, Verdict, WindowReport
from stowatt.audit.state import Subject

__all__ = ["AuditReport", "Mismatch", "Place", "Subject", "Totals", "Verdict", "WindowReport", "audit"]


def __getattr__(name: str) -> object:
    # the chain's decoder imports the records alone, and must not pay for the rules
    if name == "audit":
        from stowatt.audit.replay import audit

        return audit
    raise AttributeError(name)
