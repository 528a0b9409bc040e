"""Signed transactions on the disk before they go on the wire.

After a crash the same bytes are sent again: a transaction is never signed a second time under another nonce because it
is not known whether the first arrived. One SQLite file, mode 0600, serves any number of keys, chains and processes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stowatt.private_files import make_private, private_folder

PENDING, DONE, FAILED = "pending", "done", "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored transaction."""

    hash: bytes
    nonce: int
    raw: bytes
    purpose: str | None
    """The caller's name for what the transaction is to achieve; at most one live entry has it."""
    state: str
    """pending: perhaps on its way; done: mined with success; failed: mined and reverted."""


class Outbox:
    """The stored transactions. A chain is named by its id and its first block's hash: a development chain that was
    set up anew is another chain, whatever its id."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        make_private(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS outbox (hash BLOB NOT NULL, chain TEXT NOT NULL, sender TEXT NOT NULL,"
            " nonce INTEGER NOT NULL, raw BLOB NOT NULL, purpose TEXT, state TEXT NOT NULL,"
            " PRIMARY KEY (chain, hash))"
        )

    def close(self) -> None:
        """Ends the connection."""
        self._db.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """While inside, no other process allocates a nonce; the entries stored inside become durable at the end."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def store(self, chain: str, sender: str, entry: Entry) -> None:
        """Adds a transaction."""
        self._db.execute(
            "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry.hash, chain, sender, entry.nonce, entry.raw, entry.purpose, entry.state),
        )

    def settle(self, chain: str, transaction_hash: bytes, state: str) -> None:
        """What became of a transaction."""
        self._db.execute("UPDATE outbox SET state = ? WHERE chain = ? AND hash = ?", (state, chain, transaction_hash))

    def drop(self, chain: str, transaction_hash: bytes) -> None:
        """Forgets a transaction that the chain has refused for good."""
        self._db.execute("DELETE FROM outbox WHERE chain = ? AND hash = ?", (chain, transaction_hash))

    def pending(self, chain: str, sender: str) -> list[Entry]:
        """Transactions whose fate is not known yet, by nonce."""
        return self._entries("chain = ? AND sender = ? AND state = 'pending' ORDER BY nonce", chain, sender)

    def find(self, chain: str, sender: str, purpose: str) -> Entry | None:
        """The transaction stored for that purpose, unless it failed."""
        found = self._entries("chain = ? AND sender = ? AND purpose = ? AND state != 'failed'", chain, sender, purpose)
        return found[-1] if found else None

    def _entries(self, where: str, *values: Any) -> list[Entry]:
        rows = self._db.execute(f"SELECT hash, nonce, raw, purpose, state FROM outbox WHERE {where}", values)
        return [Entry(*row) for row in rows]
