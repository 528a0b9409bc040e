"""Pass 2: go through what pass 1 kept of a part, and write the fill of each row.

Left behind for each part: `proof` (what its fills add up to, by window and side), `chunks` (where the row groups' pages
are), then `fills`, these pages. The sums are taken from the fills as they are written, so they prove them.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from stowatt.bulk.job import Job
from stowatt.bulk.kept import kept_rows
from stowatt.bulk.pages import write_page
from stowatt.bulk.places import Marginal, cohorts_of, of_cohort, share_of
from stowatt.bulk.rows import Ints, Rows
from stowatt.bulk.source import Part

_LOW32: Final = np.uint64(2**32 - 1)
_U32: Final = np.uint64(32)
_SAFE: Final = 2**46
"""Fewer than 2^17 products below it add up to less than 2^63."""


def fill_part(job: Job, part: Part) -> int:
    """Do the pass on one part, unless it was done; the part's rows."""
    if job.has("fills", part.number, "bin"):
        return part.rows
    numbers = job.load("windows", part.number)
    table: Ints = job.load("table")[numbers]
    filler = Filler(job, part, numbers, table, np.array(job.load("held", part.number)))
    proof = Proof(len(numbers))
    with job.appearing(job.path("fills", part.number, "bin")) as draft:
        chunks: list[list[int]] = []
        with draft.open("wb") as file:
            last = -1
            for rows in kept_rows(job, part):
                fills = filler.fills(rows)
                proof.add(rows, fills)
                if rows.group != last:
                    chunks.append([file.tell(), 0, 0, 0])
                    last = rows.group
                stored, plain = write_page(file, fills)
                for which, size in enumerate((stored, plain, len(rows)), start=1):
                    chunks[-1][which] += size
        made = {"sums": proof.array(), "chunks": np.array(chunks, np.int64).reshape(-1, 4)}
        job.save("proof", part.number, lasts=True, **made)
    return part.rows


@dataclass(slots=True)
class Filler:
    """The fills of one part, batch after batch."""

    job: Job
    part: Part
    numbers: Ints
    table: Ints
    held: Ints
    """By window of the part and side: what the cohort holds before the next batch."""
    inserted: Any = None
    cohorts: Any = None
    """Of what is inserted."""
    moved: Any = None
    marginal: Marginal = field(init=False)

    def __post_init__(self) -> None:
        if self.job.has("inserted", self.part.number):
            self.inserted = self.job.load("inserted", self.part.number)
            self.cohorts = cohorts_of(self.inserted)
            self.moved = self.job.load("moved-rows", self.part.number)
        moved = np.zeros(0, np.int64) if self.moved is None else np.array(self.moved["row"])
        self.marginal = Marginal(self.part, self.table[:, 0], moved)

    def fills(self, rows: Rows) -> Ints:
        """Better rows whole, marginal ones by their share, the others nothing; in Wh."""
        window = int(rows.window[0])
        one = not (rows.window != window).any()
        price: Any = self.table[window, 0] if one else self.table[rows.window, 0]
        trades = price >= 0
        # In the ticks' own type, or numpy widens every column first.
        price = price.astype(np.uint32)
        better = (rows.ticks > price) == rows.buys
        better &= rows.ticks != price
        better &= trades
        fills: Ints = (rows.widths * better).astype(np.int64)
        for own, side, at in self.marginal.groups(rows):
            fills[at] = self._shares(own, side, at + (self.part.row + rows.before), rows.widths[at].astype(np.int64))
        if self.moved is not None and len(self.moved):
            start = self.part.row + rows.before
            mine = slice(*np.searchsorted(self.moved["row"], (start, start + len(rows))).tolist())
            fills[self.moved["row"][mine] - start] = self.moved["width"][mine]
        return fills

    def _shares(self, window: int, side: int, rows: Ints, widths: Ints) -> Ints:
        """What the rows of one cohort get."""
        size, residual, phase = self.table[window, 1 + 3 * side :][:3].tolist()
        if residual in (0, size):
            return widths if residual else np.zeros(len(rows), np.int64)
        ends = np.cumsum(widths)
        starts = self.held[window, side] + ends - widths
        self.held[window, side] += int(ends[-1])
        if self.inserted is not None:
            mine = of_cohort(self.cohorts, int(self.numbers[window]), side)
            sums = np.concatenate(([0], np.cumsum(self.inserted["width"][mine])))
            starts += sums[np.searchsorted(self.inserted["first"][mine], rows)]
        share = share_of(self.job)
        shares: Ints = share(starts + widths, size, residual, phase) - share(starts, size, residual, phase)
        return shares


class Proof:
    """Sums of fills by window and side, in Wh, and of tick · fill as (units of 2^32, rest)."""

    def __init__(self, windows: int) -> None:
        self.sums = np.zeros((3, 2 * windows), np.int64)

    def add(self, rows: Rows, fills: Ints) -> None:
        """One batch."""
        window = int(rows.window[0])
        if int(rows.ticks.max()) * int(fills.max()) < _SAFE and not (rows.window != window).any():
            ticks, bought = rows.ticks.astype(np.int64), fills * rows.buys
            for side, some in enumerate((fills - bought, bought)):
                value = int(some @ ticks)
                self.sums[:, 2 * window + side] += (int(some.sum()), value >> 32, value & int(_LOW32))
            return
        filled = np.flatnonzero(fills)
        wh = fills[filled].astype(np.uint64)
        products = rows.ticks[filled] * wh
        keys = 2 * rows.window[filled] + rows.buys[filled]
        # Sums of a batch stay below 2^17 · 2^32, which a float64 counts exactly.
        for which, values in enumerate((wh, products >> _U32, products & _LOW32)):
            self.sums[which] += np.bincount(keys, values, self.sums.shape[1]).astype(np.int64)

    def array(self) -> Ints:
        """One row for each window and side: Wh, units of 2^32 tick·Wh, rest."""
        return np.ascontiguousarray(self.sums.T)
