"""The embedded ledger: py-evm and SQLite in one directory."""

from stowatt.chain.embedded.ledger import EmbeddedLedger

__all__ = ["EmbeddedLedger"]
