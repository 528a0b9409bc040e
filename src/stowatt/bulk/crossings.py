"""Between the passes: the cells of all parts together give each window's price, volume and cohorts, and where the
marginal cohorts stand at the beginning of each part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stowatt.bulk.job import Job
from stowatt.bulk.memory import BYTES_A_CELL
from stowatt.bulk.tally import SIDE_BIT, WINDOW_BITS, Ints, Keys, first_keys, merged
from stowatt.clearing.crossing import Crossing, cross
from stowatt.clearing.histogram import CELL_BITS, CELLS, Histogram, Zoom
from stowatt.clearing.result import Cohort
from stowatt.curves import Side
from stowatt.data.decimals import shown
from stowatt.errors import BookFileError
from stowatt.units import MAX_SIDE_WH

Chunk = tuple[Keys, Ints]
"""Cells of one window: side · 2^32 + tick, and the Wh."""

_INSIDE: Final = np.uint64((1 << WINDOW_BITS) - 1)
_TICK: Final = np.uint64((1 << SIDE_BIT) - 1)
_LOW32: Final = np.uint64(2**32 - 1)
_U32: Final = np.uint64(32)
TABLE: Final = 7
"""Columns of the table for pass 2: λ (-1: none), then T, R and φ of asks and of bids."""


@dataclass(slots=True)
class Windows:
    """All windows of the book, in order of first appearance."""

    names: list[str] = field(default_factory=list)
    numbers: list[Ints] = field(default_factory=list)
    """For each part, the windows that it has, by its own numbers."""
    _known: dict[str, int] = field(default_factory=dict)

    def add_part(self, names: Sequence[str]) -> Ints:
        """The windows of the next part."""
        for name in names:
            if name not in self._known:
                self._known[name] = len(self.names)
                self.names.append(name)
        self.numbers.append(np.array([self._known[name] for name in names], dtype=np.int64))
        return self.numbers[-1]


def cross_windows(job: Job, windows: Windows) -> list[Crossing]:
    """The crossing of each window."""
    totals = np.zeros(len(windows.names), np.int64)
    starts = []
    for part, numbers in enumerate(windows.numbers):
        starts.append(np.searchsorted(job.load("part", part, "keys"), first_keys(len(numbers))))
        totals[numbers] += np.diff(starts[-1])
    found: list[Crossing] = []
    for first, after in _groups(totals, job.memory.all_room // BYTES_A_CELL):
        chunks = list(_chunks(job, windows, starts, first, after)) if after - first > 1 else []
        keys, sums = merged(*_joined(chunks))
        ends = np.searchsorted(keys, first_keys(after - first))
        for window in range(first, after):
            if after - first == 1:
                source = _Source(job, windows, starts, window, None)
            else:
                own = slice(int(ends[window - first]), int(ends[window - first + 1]))
                source = _Source(job, windows, starts, window, (keys[own] & _INSIDE, sums[own]))
            found.append(_cross(job, source, windows.names[window]))
    return found


def _groups(totals: Ints, at_once: int) -> Iterator[tuple[int, int]]:
    """Windows that are looked at together: as many as have `at_once` cells, or one with more."""
    first = held = 0
    for window, cells in enumerate(totals.tolist()):
        if window > first and held + cells > at_once:
            yield first, window
            first, held = window, 0
        held += cells
    if len(totals):
        yield first, len(totals)


def _chunks(job: Job, windows: Windows, starts: list[Ints], first: int, after: int) -> Iterator[Chunk]:
    """Each part's cells of some windows, which are numbered from `first` on."""
    for part, numbers in enumerate(windows.numbers):
        own = np.flatnonzero((numbers >= first) & (numbers < after))
        if len(own) == 0:
            continue
        keys, sums = job.load("part", part, "keys"), job.load("part", part, "sums")
        # Windows that follow one another in the part are read at once.
        for some in np.split(own, np.flatnonzero(np.diff(own) > 1) + 1):
            rows = slice(int(starts[part][some[0]]), int(starts[part][some[-1] + 1]))
            lengths = np.diff(starts[part][some[0] : some[-1] + 2])
            shifts = np.repeat((numbers[some] - first).astype(np.uint64) << np.uint64(WINDOW_BITS), lengths)
            yield (keys[rows] & _INSIDE) | shifts, np.array(sums[rows])


def _joined(chunks: list[Chunk]) -> Chunk:
    keys = [np.zeros(0, np.uint64), *(chunk[0] for chunk in chunks)]
    return np.concatenate(keys), np.concatenate([np.zeros(0, np.int64), *(chunk[1] for chunk in chunks)])


@dataclass(frozen=True, slots=True)
class _Source:
    """One window's cells: in memory, or part after part."""

    job: Job
    windows: Windows
    starts: list[Ints]
    window: int
    held: Chunk | None

    def chunks(self) -> Iterator[Chunk]:
        if self.held is not None:
            yield self.held
        else:
            yield from _chunks(self.job, self.windows, self.starts, self.window, self.window + 1)


def _cross(job: Job, source: _Source, name: str) -> Crossing:
    top = max((int((keys & _TICK).max()) for keys, _ in source.chunks() if len(keys)), default=0)
    shift = 0 if top < CELLS else CELL_BITS
    sums = np.zeros((2, (top >> shift) + 1), np.int64)
    for keys, wh in source.chunks():
        sides, ticks = (keys >> np.uint64(SIDE_BIT)).astype(np.int64), (keys & _TICK).astype(np.int64)
        np.add.at(sums, (sides, ticks >> shift), wh)
    for side, total in zip(Side, sums.sum(axis=1).tolist(), strict=True):
        if total > MAX_SIDE_WH:
            what = f"{side.word} bids of window {shown(name)} add up to {total} Wh"
            raise BookFileError(job.book, what, f"the most is {MAX_SIDE_WH} Wh")

    def zoom(low: int, high: int) -> Zoom:
        return _zoom(source, low, high)

    return cross(Histogram(sums, shift == 0), job.rules, zoom)


def _zoom(source: _Source, low: int, high: int) -> Zoom:
    """The same as `Zoom.of`, from cells."""
    blocks = list(dict.fromkeys((low, high)))
    sums = np.zeros((len(blocks), 2, CELLS), np.int64)
    values = np.zeros((2, 2), np.uint64)
    for keys, wh in source.chunks():
        sides, ticks = (keys >> np.uint64(SIDE_BIT)).astype(np.int64), (keys & _TICK).astype(np.int64)
        cells = ticks >> CELL_BITS
        for which, block in enumerate(blocks):
            inside = np.flatnonzero(cells == block)
            np.add.at(sums[which], (sides[inside], ticks[inside] & (CELLS - 1)), wh[inside])
        for side, better in enumerate(((sides == 0) & (cells < low), (sides == 1) & (cells > high))):
            tick, held = ticks[better].astype(np.uint64), wh[better].astype(np.uint64)
            products = tick * (held & _LOW32)
            # tick < 2^32 and the upper part of the Wh < 2^24.
            values[side, 0] += (products >> _U32).sum() + (tick * (held >> _U32)).sum()
            values[side, 1] += (products & _LOW32).sum()
    return Zoom(low, high, sums, values)


def table_of(job: Job, found: Sequence[Crossing]) -> Ints:
    """What pass 2 must know of each window: see TABLE."""
    table = np.full((len(found), TABLE), -1, np.int64)
    for row, crossing in zip(table, found, strict=True):
        if crossing.price is not None:
            row[:] = [crossing.price, *_cohort(job, crossing.supply), *_cohort(job, crossing.demand)]
    return table


def _cohort(job: Job, cohort: Cohort) -> tuple[int, int, int]:
    return cohort.size, cohort.residual, job.rules.seed % max(cohort.size, 1)


def at_price(job: Job, windows: Windows, part: int, table: Ints) -> Ints:
    """The Wh of a part that are exactly at the price, by its windows and side."""
    numbers = windows.numbers[part]
    keys, sums = job.load("part", part, "keys"), job.load("part", part, "sums")
    prices = table[numbers, 0]
    found = np.zeros((len(numbers), 2), np.int64)
    for side in range(2):
        wanted = first_keys(len(numbers))[:-1] | np.uint64(side << SIDE_BIT) | np.maximum(prices, 0).astype(np.uint64)
        places = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        hit = (keys[places] == wanted) & (prices >= 0) if len(keys) else np.zeros(len(numbers), np.bool_)
        found[hit, side] = sums[places[hit]]
    return found
