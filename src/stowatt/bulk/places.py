"""Pass 2a, only if bids at the price have rows that lie apart: where these rows stand in their cohort.

A cohort's order is that of the bids' first rows. A row of a bid whose rows lie apart is *moved*: it counts behind the
first row of its bid, before whatever follows that, and not where it stands.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stowatt.bulk.apart import Records
from stowatt.bulk.job import Job
from stowatt.bulk.kept import kept_rows
from stowatt.bulk.rows import Ints, Rows
from stowatt.bulk.source import Part
from stowatt.clearing.rules import Rationing
from stowatt.clearing.shares import share_pro_rata, share_seeded_order

INSERTED: Any = np.dtype([("window", "i8"), ("buy", "?"), ("first", "i8"), ("width", "i8")])
"""What is moved behind a row."""


@dataclass(slots=True)
class Marginal:
    """Finds the rows at the price, batch after batch; rows that are moved do not count."""

    part: Part
    prices: Ints
    """By the part's windows; -1 without a trade."""
    moved: Ints
    """The moved rows of the book, sorted."""

    def groups(self, rows: Rows) -> list[tuple[int, int, Ints]]:
        """(window of the part, side, rows of the batch) wherever there are any, rows in order."""
        one = int(rows.window[0])
        if (rows.window == one).all():
            price = int(self.prices[one])
            at = np.flatnonzero(rows.ticks == price) if price >= 0 else np.zeros(0, np.int64)
        else:
            at = np.flatnonzero(rows.ticks == self.prices[rows.window])
        if len(self.moved) and len(at):
            at = at[~np.isin(at + (self.part.row + rows.before), self.moved)]
        if len(at) == 0:
            return []
        key = 2 * rows.window[at].astype(np.int64) + rows.buys[at]
        order = np.argsort(key, kind="stable")
        heads = np.flatnonzero(np.diff(key[order], prepend=-1))
        return [(int(key[some[0]]) >> 1, int(key[some[0]]) & 1, at[some]) for some in np.split(order, heads[1:])]


def place_part(job: Job, part: Part) -> int:
    """Keep as `places` what the cohorts hold in this part, without moved rows, up to each row of `inserted`."""
    inserted, numbers = job.load("inserted", part.number), job.load("windows", part.number)
    prices: Ints = job.load("table")[numbers, 0]
    marginal = Marginal(part, prices, np.array(job.load("moved-rows", part.number)["row"]))
    held = np.zeros(len(inserted), np.int64)
    cohorts, firsts = cohorts_of(inserted), np.array(inserted["first"])
    for rows in kept_rows(job, part):
        for window, side, at in marginal.groups(rows):
            mine = of_cohort(cohorts, int(numbers[window]), side)
            sums = np.concatenate(([0], np.cumsum(rows.widths[at], dtype=np.int64)))
            held[mine] += sums[np.searchsorted(at + (part.row + rows.before), firsts[mine], side="right")]
    job.save("places", part.number, rows=held)
    return part.rows


def cohorts_of(inserted: Records) -> Ints:
    """A number for the window and side of each insertion; they are in this order."""
    cohorts: Ints = 2 * inserted["window"] + inserted["buy"]
    return cohorts


def of_cohort(cohorts: Ints, window: int, side: int) -> slice:
    """The insertions of a window and side."""
    first, after = np.searchsorted(cohorts, (2 * window + side, 2 * window + side + 1)).tolist()
    return slice(first, after)


def insertions(moved: Records) -> tuple[Records, Ints]:
    """Moved rows, in order of window, side and first row, as one insertion for each bid; and each row's insertion."""
    heads = np.ones(len(moved), np.bool_)
    heads[1:] = False
    for name in ("window", "buy", "first"):
        heads[1:] |= moved[name][1:] != moved[name][:-1]
    firsts = np.flatnonzero(heads)
    found = np.zeros(len(firsts), INSERTED)
    for name in ("window", "buy", "first"):
        found[name] = moved[name][firsts]
    if len(moved):
        found["width"] = np.add.reduceat(moved["width"], firsts)
    return found, np.cumsum(heads) - 1


def fills_of(job: Job, moved: Records, before: Ints, table: Ints) -> Ints:
    """The fills of moved rows, in order of window, side, first row and row; `before` is what the cohort holds, without
    moved rows, up to the first row of the bid."""
    fills = np.zeros(len(moved), np.int64)
    cohorts = cohorts_of(moved)
    for key in np.unique(cohorts).tolist():
        mine = of_cohort(cohorts, key >> 1, key & 1)
        size, residual, phase = table[key >> 1, 1 + 3 * (key & 1) :][:3].tolist()
        ends = np.cumsum(moved["width"][mine])
        starts = before[mine] + ends - moved["width"][mine]
        share = share_of(job)
        fills[mine] = share(starts + moved["width"][mine], size, residual, phase) - share(starts, size, residual, phase)
    return fills


def share_of(job: Job) -> Any:
    """The rationing's function."""
    return share_seeded_order if job.rules.rationing is Rationing.SEEDED_ORDER else share_pro_rata
