"""§2: bids whose rows lie apart, or look wrong: found by hashes, then looked at exactly.

Price, volume and cohorts do not hang on where a bid's rows are. Two things do: the rules for a whole curve (one side,
at most 16 prices, no price too wide), and a bid's place in the order of its marginal cohort, which is that of its first
row.

`repeated`: the hashes that more than one run has. `collect`: all rows of those bids. `settle`: the rules on them, and
which of their rows share at the price. Memory is bounded by cutting the hashes into ranges, each looked at alone.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stowatt.bulk.job import Job
from stowatt.bulk.names import Words
from stowatt.bulk.rows import Ints, RowReader, run_hashes
from stowatt.bulk.source import Part
from stowatt.bulk.summing import hashes_of
from stowatt.units import MAX_SEGMENTS, MAX_WIDTH_WH

RECORD: Final = np.dtype(
    [("hash", "u8"), ("other", "u8"), ("row", "i8"), ("window", "i4"), ("tick", "u4"), ("width", "u4"), ("buy", "?")]
)
"""A row of a bid that is looked at. `row` counts in the book, `window` in its part."""
MOVED: Final = np.dtype([("window", "i8"), ("buy", "?"), ("first", "i8"), ("row", "i8"), ("width", "i8")])
"""A row that shares at the price, with the first row of its bid."""

Records = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Range:
    """The hashes from `low` up to `high`, both included, in so many parts."""

    number: int
    low: int
    high: int
    parts: int


def ranges(hashes: int, at_once: int, parts: int) -> list[Range]:
    """Hashes are spread evenly: ranges of one length have about as many each."""
    count = max(1, -(-hashes // at_once))
    step = -(-(2**64) // count)
    return [Range(n, n * step, min((n + 1) * step, 2**64) - 1, parts) for n in range(count)]


def repeated(job: Job, some: Range) -> int:
    """Keep as `apart` the hashes of the range that several runs have; how many there are."""
    found = []
    for hashes in [job.load("ends"), *(job.load("part", part, "hashes") for part in range(some.parts))]:
        found.append(np.array(hashes[_between(hashes, some)]))
    hashes = np.sort(np.concatenate(found))
    twice = hashes[1:][hashes[1:] == hashes[:-1]]
    twice = twice[np.append(twice[1:] != twice[:-1], True)[: len(twice)]]
    job.save("twice", some.number, rows=twice)
    return len(twice)


def _between(hashes: Words, some: Range) -> slice:
    low, high = np.uint64(some.low), np.uint64(some.high)
    return slice(int(np.searchsorted(hashes, low)), int(np.searchsorted(hashes, high, side="right")))


def collect(job: Job, part: Part) -> int:
    """Keep as `records` the rows of the bids in `apart`; how many there are. Rows from the book's first error on do
    not count: what comes before it is found first."""
    wanted: Words = job.load("apart")
    summed = job.value("part", part.number)
    found = [np.zeros(0, RECORD)]
    ends = [run["hash"] for run in (summed["head"], summed["tail"]) if run]
    own = np.concatenate((job.load("part", part.number, "hashes"), np.array(ends, np.uint64)))
    if _within(own, wanted).any():
        reader = RowReader(part, job.unit)
        for rows in reader.rows():
            if rows.before >= summed["rows"]:
                break
            hashes = hashes_of(job, reader, rows)
            runs = _within(hashes, wanted)
            if not runs.any():
                continue
            others = run_hashes(rows, reader.window_hashes(job.key ^ 2), job.key ^ 3)
            lengths = np.diff(rows.starts, append=len(rows))
            of_run = np.repeat(np.arange(len(rows.starts)), lengths)
            places = np.flatnonzero(runs[of_run])
            records = np.zeros(len(places), RECORD)
            records["hash"], records["other"] = hashes[of_run[places]], others[of_run[places]]
            records["row"] = part.row + rows.before + places
            records["window"], records["tick"] = rows.window[places], rows.ticks[places]
            records["width"], records["buy"] = rows.widths[places], rows.buys[places]
            found.append(records)
            if rows.before + len(rows) >= summed["rows"]:
                break
    records = np.concatenate(found)
    records = records[np.argsort(records["hash"], kind="stable")]
    job.save("records", part.number, rows=records, hashes=np.ascontiguousarray(records["hash"]))
    return len(records)


def _within(hashes: Words, wanted: Words) -> NDArray[np.bool_]:
    if len(wanted) == 0:
        return np.zeros(len(hashes), np.bool_)
    places = np.minimum(np.searchsorted(wanted, hashes), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[places] == hashes
    return found


Fault = tuple[int, str, int, int]
"""A row of the book that breaks a rule together with rows before it: the row, the column, the first row of the bid, and
the merged Wh if the column is `quantity`."""


def settle(job: Job, some: Range) -> Fault | None:
    """The first fault of the range's bids. Without one, keep as `moved` their rows that share at the price."""
    found = []
    for part in range(some.parts):
        own = np.array(job.load("records", part)[_between(job.load("records", part, "hashes"), some)])
        if len(own):
            own["window"] = job.load("windows", part)[own["window"]]
            found.append(own)
    records = np.concatenate([np.zeros(0, RECORD), *found])
    order = np.lexsort((records["row"], records["window"], records["other"], records["hash"]))
    records = records[order]
    heads = _heads(records)
    fault = min(_faults(records, heads), default=None)
    if fault is None:
        firsts = np.repeat(records["row"][heads], np.diff(heads, append=len(records)))
        job.save("moved", some.number, rows=_moved(job, records, firsts))
    return fault


def _heads(records: Records) -> Ints:
    """Where another bid begins."""
    starts = np.ones(len(records), np.bool_)
    starts[1:] = False
    for name in ("hash", "other", "window"):
        starts[1:] |= records[name][1:] != records[name][:-1]
    return np.flatnonzero(starts)


def _faults(records: Records, heads: Ints) -> list[Fault]:
    """The first fault of each bid that has one."""
    ends = np.append(heads[1:], len(records))
    lengths = ends - heads
    sides = np.repeat(records["buy"][heads], lengths)
    widths = records["width"].astype(np.int64)
    odd = (lengths > MAX_SEGMENTS) | (np.add.reduceat(widths, heads) > MAX_WIDTH_WH) if len(heads) else lengths > 0
    odd[np.searchsorted(heads, np.flatnonzero(records["buy"] != sides), side="right") - 1] = True
    found = []
    for bid in np.flatnonzero(odd).tolist():
        fault = _fault(records[heads[bid] : ends[bid]])
        if fault:
            found.append(fault)
    return found


def _fault(bid: Records) -> Fault | None:
    """As `BookReader` finds it."""
    steps: dict[int, int] = {}
    first, buy = int(bid["row"][0]), bool(bid["buy"][0])
    columns = (bid[name].tolist() for name in ("row", "buy", "tick", "width"))
    for row, side, tick, width in zip(*columns, strict=True):
        if side != buy:
            return row, "side", first, 0
        steps[tick] = steps.get(tick, 0) + width
        if len(steps) > MAX_SEGMENTS:
            return row, "price", first, 0
        if steps[tick] > MAX_WIDTH_WH:
            return row, "quantity", first, steps[tick]
    return None


def _moved(job: Job, records: Records, firsts: Ints) -> Records:
    """The rows at the price of a side that shares."""
    if not job.has("table"):
        return np.zeros(0, MOVED)
    table: Ints = job.load("table")[records["window"]]
    which = np.where(records["buy"], 4, 1)
    size, residual = (np.take_along_axis(table, (which + k)[:, np.newaxis], 1)[:, 0] for k in range(2))
    places = np.flatnonzero((records["tick"] == table[:, 0]) & (residual > 0) & (residual < size))
    found = np.zeros(len(places), MOVED)
    found["first"] = firsts[places]
    for name in ("window", "buy", "row", "width"):
        found[name] = records[name][places]
    return found
