"""An evening of a real grid on a real EVM: from sealed bids to settled rights and the audit, troubles included.

`stowatt demo` runs it; docs/demo.md tells what it shows.
"""
