"""The queue on the disk: sealed sub-slots before they are signed, signed readings before they are sent.

One SQLite file (mode 0600) for one device of one market. The state of the measurement, its books and the records that
it sealed are stored in one transaction, so that after a crash at any moment each sample and each Wh is in it once.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from stowatt.errors import KeyStoreError
from stowatt.gateway.errors import QueueError
from stowatt.gateway.slots import SlotRecord
from stowatt.private_files import make_private, private_folder
from stowatt.units import Wh

FORMAT: Final = "stowatt-gateway/1"


class State(StrEnum):
    """What became of a sub-slot."""

    SEALED = "sealed"
    """Measured, not signed yet."""
    SIGNED = "signed"
    """Signed and perhaps sent; the chain has not shown yet what it thinks of it."""
    ACCEPTED = "accepted"
    """On the chain."""
    EMPTY = "empty"
    """Nothing was measured: no reading is made of it."""
    UNNEEDED = "unneeded"
    """0 Wh, and the operator does not want to pay for such readings."""
    EXPIRED = "expired"
    """The window's readings had closed before it could be sent."""
    SUPERSEDED = "superseded"
    """The chain has a reading of this or a later sub-slot from elsewhere, so it takes this one no more."""
    REFUSED = "refused"
    """The chain refused it for another reason."""


OPEN: Final = (State.SEALED, State.SIGNED)


@dataclass(frozen=True, slots=True)
class Row:
    """A sub-slot in the queue."""

    position: int
    window: int
    sub_slot: int
    energy: Wh
    measured: int
    """Microseconds."""
    marks: tuple[str, ...]
    state: State
    reason: str
    """In words, of a refusal."""
    counter: int | None
    """Of the signed reading."""
    signature: bytes | None
    block: int | None
    """The chain's head when it was signed: its acceptance is in a later block."""


class SlotQueue:
    """The sub-slots of one device on one market."""

    def __init__(self, path: Path, identity: str) -> None:
        """`identity` names market and device; a queue of another one is refused."""
        private_folder(path.parent)
        self.path = path
        self._mutex = threading.Lock()
        self._lock = self._alone(path)
        try:
            make_private(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
            self._open(identity)
        except (sqlite3.Error, KeyStoreError, QueueError) as error:
            os.close(self._lock)
            if isinstance(error, sqlite3.Error):
                raise QueueError(f"the queue {path} cannot be read ({error})", "name another one") from None
            raise

    def _open(self, identity: str) -> None:
        db = self._db
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables - {"settings", "slots"}:
            raise QueueError(f"{self.path} is a database of something else", "name another --queue")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        db.execute(
            "CREATE TABLE IF NOT EXISTS slots (position INTEGER PRIMARY KEY, window INTEGER NOT NULL,"
            " sub_slot INTEGER NOT NULL, energy INTEGER NOT NULL, measured INTEGER NOT NULL, marks TEXT NOT NULL,"
            " state TEXT NOT NULL, reason TEXT NOT NULL, counter INTEGER, signature BLOB, block INTEGER)"
        )
        db.execute("CREATE INDEX IF NOT EXISTS slots_by_state ON slots (state, position)")
        for name, value in (("format", FORMAT), ("identity", identity)):
            db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, value))
            if (found := self.setting(name)) != value:
                raise QueueError(f"the queue {self.path} is for {found}, not {value}", "name another --queue")

    @staticmethod
    def _alone(path: Path) -> int:
        """One gateway at a time; the lock goes with its process, however that ends."""
        if path.is_dir():
            raise QueueError(f"the queue {path} is a folder", "name a file with --queue")
        lock = path.with_name(path.name + ".lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise QueueError(f"{lock} cannot be written: {error.strerror}", "name another --queue") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise QueueError(f"another gateway works on {path}", "stop it first, or name another --queue") from None
        return handle

    def close(self) -> None:
        """Ends the connection, and lets another process have the queue."""
        self._db.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ------------------------------------------------------------------ measuring

    def setting(self, name: str) -> str | None:
        """A stored text."""
        with self._mutex:
            row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, **settings: str) -> None:
        """Stores texts."""
        with self._transaction():
            self._set(settings)

    def commit(self, records: Sequence[SlotRecord], **settings: str) -> None:
        """Stores sealed sub-slots and the state that goes with them, at once or not at all."""
        with self._transaction():
            self._set(settings)
            self._db.executemany(
                "INSERT INTO slots VALUES (?, ?, ?, ?, ?, ?, ?, '', NULL, NULL, NULL)",
                [
                    (
                        r.position,
                        r.window,
                        r.sub_slot,
                        r.energy,
                        r.measured,
                        " ".join(r.marks),
                        State.EMPTY if r.empty else State.SEALED,
                    )
                    for r in records
                ],
            )

    def _set(self, settings: dict[str, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", list(settings.items()))

    # ------------------------------------------------------------------ posting

    def unsettled(self, limit: int) -> list[Row]:
        """The first sub-slots that are to be posted, in order."""
        return self.rows(f"state IN ('{State.SEALED}', '{State.SIGNED}') ORDER BY position LIMIT ?", limit)

    def rows(self, where: str = "1 ORDER BY position", *values: Any) -> list[Row]:
        """Sub-slots."""
        with self._mutex:
            found = self._db.execute(f"SELECT * FROM slots WHERE {where}", values).fetchall()
        return [
            Row(position, window, number, Wh(energy), measured, tuple(marks.split()), State(state), *rest)
            for position, window, number, energy, measured, marks, state, *rest in found
        ]

    def sign(self, signed: Sequence[tuple[int, int, bytes]], block: int) -> None:
        """Stores (position, counter, signature) of readings before they are sent."""
        with self._transaction():
            self._db.executemany(
                "UPDATE slots SET state = ?, counter = ?, signature = ?, block = coalesce(block, ?) WHERE position = ?",
                [(State.SIGNED, counter, signature, block, position) for position, counter, signature in signed],
            )

    def settle(self, positions: Sequence[int], state: State, reason: str = "") -> None:
        """What became of sub-slots."""
        with self._transaction():
            self._db.executemany(
                "UPDATE slots SET state = ?, reason = ? WHERE position = ?",
                [(state, reason, position) for position in positions],
            )

    def counts(self) -> dict[str, int]:
        """How many sub-slots are in which state."""
        with self._mutex:
            return dict(self._db.execute("SELECT state, count(*) FROM slots GROUP BY state ORDER BY state").fetchall())

    @property
    def waiting(self) -> int:
        """How many sub-slots are to be posted."""
        counts = self.counts()
        return sum(counts.get(state, 0) for state in OPEN)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._mutex, self._db:  # commits at the end, or rolls back
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise QueueError(
                f"the queue {self.path} cannot be written ({error})", "check the disk; what was stored is safe"
            ) from None
