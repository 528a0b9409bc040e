"""Where every part begins in the order of the marginal cohorts, and the fills of rows that are moved in it."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from stowatt.bulk.apart import MOVED, Records
from stowatt.bulk.crossings import Windows, at_price
from stowatt.bulk.faults import too_far_apart
from stowatt.bulk.job import Job
from stowatt.bulk.memory import BYTES_A_MOVE
from stowatt.bulk.places import fills_of, insertions, place_part
from stowatt.bulk.rows import Ints
from stowatt.bulk.source import Part
from stowatt.parallel import Workers


def order_moved(job: Job, windows: Windows, table: Ints, parts: Sequence[Part], workers: Workers) -> list[Ints]:
    """What the cohorts hold before each part, by its windows and side.

    Keeps for each part, if any row is moved, `inserted` (what is moved to it) and `moved-rows` (its rows that are
    moved, with their fills as `width`).
    """
    moved = _moved(job)
    at = [at_price(job, windows, part.number, table) for part in parts]
    if len(moved) == 0:
        return _before(windows, at)
    inserted, which = insertions(moved)
    starts = np.array([part.row for part in parts])
    from_, to = (np.searchsorted(starts, rows, side="right") - 1 for rows in (moved["row"], inserted["first"]))
    for part in parts:
        own = moved[from_ == part.number]
        job.save("inserted", part.number, rows=inserted[to == part.number])
        job.save("moved-rows", part.number, rows=own[np.argsort(own["row"])])
        _add(at[part.number], windows.numbers[part.number], own, -1)
    unmoved = _before(windows, at)
    places = np.zeros(len(inserted), np.int64)
    some = [parts[number] for number in np.unique(to).tolist()]
    for _ in workers.each(partial(place_part, job), some):
        pass
    for part in some:
        own_places = np.flatnonzero(to == part.number)
        rows = _local(windows.numbers[part.number], inserted["window"][own_places])
        sides = inserted["buy"][own_places].astype(np.int64)
        places[own_places] = job.load("places", part.number) + unmoved[part.number][rows, sides]
    filled = moved.copy()
    filled["width"] = fills_of(job, moved, places[which], table)
    for part in parts:
        own = filled[from_ == part.number]
        job.save("moved-rows", part.number, rows=own[np.argsort(own["row"])])
        _add(at[part.number], windows.numbers[part.number], inserted[to == part.number], 1)
    return _before(windows, at)


def _moved(job: Job) -> Records:
    """All moved rows, in order of window, side, first row of the bid, and row."""
    pieces = job.value("pieces", 0)
    count = sum(len(job.load("moved", piece)) for piece in range(pieces))
    if count * BYTES_A_MOVE > job.memory.all_room:
        raise too_far_apart(job, f"{count} rows that share at the price are of bids whose rows lie apart")
    moved = np.concatenate([np.zeros(0, MOVED), *(np.array(job.load("moved", piece)) for piece in range(pieces))])
    return moved[np.lexsort((moved["row"], moved["first"], moved["buy"], moved["window"]))]


def _before(windows: Windows, at: Sequence[Ints]) -> list[Ints]:
    """For each part, the sums of the parts before it."""
    held = np.zeros((len(windows.names), 2), np.int64)
    found = []
    for numbers, here in zip(windows.numbers, at, strict=True):
        found.append(held[numbers].copy())
        held[numbers] += here
    return found


def _local(numbers: Ints, windows: Ints) -> Ints:
    """The part's own numbers of windows that it has."""
    order = np.argsort(numbers)
    return order[np.searchsorted(numbers[order], windows)]


def _add(at: Ints, numbers: Ints, rows: Records, sign: int) -> None:
    np.add.at(at, (_local(numbers, rows["window"]), rows["buy"].astype(np.int64)), sign * rows["width"])
