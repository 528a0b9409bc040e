"""The openings of a participant's own bids: what must be kept secret until the reveal, and must not be lost before it.

A lost opening costs the bond (§6), so an opening is on the disk before its commitment goes on the wire: `seal` draws
the blinder, stores everything and returns only then. A replaced bid leaves several openings for one window; all are
kept, since only the chain decides which commitment stands. One SQLite file, mode 0600, flushed at every change.

Curve and blinder appear in no repr, log or error message.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from stowatt.commitments import BidContext, new_blinder
from stowatt.curves import Curve, Side
from stowatt.errors import CommitmentError
from stowatt.private_files import make_private, private_folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS openings (
    number INTEGER PRIMARY KEY, commitment BLOB NOT NULL UNIQUE, chain TEXT NOT NULL, market TEXT NOT NULL,
    window INTEGER NOT NULL, participant TEXT NOT NULL, side INTEGER NOT NULL, device INTEGER NOT NULL,
    fingerprint BLOB NOT NULL, curve BLOB NOT NULL, blinder BLOB NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """A sealed bid: the commitment is public, curve and blinder are not until the reveal."""

    context: BidContext
    commitment: int
    """The word that goes on the chain."""
    curve: Curve = field(repr=False)
    blinder: int = field(repr=False)


class OpeningStore:
    """The openings in one file."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        make_private(path)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=60)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_SCHEMA)
        except sqlite3.DatabaseError:
            self._db.close()
            raise CommitmentError(f"{path} holds no openings", "restore it from a copy, or name another file") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._db.close()

    def seal(self, context: BidContext, curve: Curve) -> Opening:
        """A bid under a fresh blinder, on the disk when this returns; only then may the commitment be sent."""
        return self.seal_many([(context, curve)])[0]

    def seal_many(self, bids: Iterable[tuple[BidContext, Curve]]) -> list[Opening]:
        """Bids under fresh blinders, all on the disk when this returns, or none: one flush for all of them."""
        sealed = []
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for context, curve in bids:
                blinder = new_blinder()
                sealed.append(Opening(context, context.commit(curve.encode(), blinder), curve, blinder))
                self.keep(sealed[-1])
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return sealed

    def keep(self, opening: Opening) -> None:
        """Stores an opening; storing it again changes nothing."""
        context, encoded = opening.context, opening.curve.encode()
        if opening.curve.side is not context.side or not context.verify(opening.commitment, encoded, opening.blinder):
            raise CommitmentError(
                f"the opening of window {context.window} does not open its commitment", "seal the bid anew"
            )
        self._db.execute(
            "INSERT OR IGNORE INTO openings VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                opening.commitment.to_bytes(32, "big"), str(context.chain_id), context.market, context.window,
                context.participant, int(context.side), context.device, context.fingerprint, encoded,
                opening.blinder.to_bytes(32, "big"),
            ),
        )  # fmt: skip

    def of_commitment(self, commitment: int) -> Opening | None:
        """The opening of that commitment."""
        return next(self._read("commitment = ?", commitment.to_bytes(32, "big")), None)

    def of_window(self, chain_id: int, market: str, window: int, participant: str | None = None) -> list[Opening]:
        """The openings for a window, the newest last."""
        where, values = "chain = ? AND market = ? COLLATE NOCASE AND window = ?", [str(chain_id), market, window]
        if participant is not None:
            where += " AND participant = ? COLLATE NOCASE"
            values.append(participant)
        return list(self._read(where, *values))

    def forget(self, commitment: int) -> None:
        """Removes an opening that no one needs any more: its window is settled, or its commitment replaced."""
        self._db.execute("DELETE FROM openings WHERE commitment = ?", (commitment.to_bytes(32, "big"),))

    def _read(self, where: str, *values: Any) -> Iterator[Opening]:
        rows = self._db.execute(
            "SELECT commitment, chain, market, window, participant, side, device, fingerprint, curve, blinder"
            f" FROM openings WHERE {where} ORDER BY number",
            values,
        ).fetchall()
        for commitment, chain, market, window, participant, side, device, fingerprint, curve, blinder in rows:
            context = BidContext(int(chain), market, window, participant, Side(side), device, fingerprint)
            yield Opening(
                context, int.from_bytes(commitment, "big"), Curve.decode(Side(side), curve),
                int.from_bytes(blinder, "big"),
            )  # fmt: skip
