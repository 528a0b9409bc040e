"""The rules that only many rows together can break: one side, at most 16 prices and no segment too wide for each curve.

They are those of `book_file.BookReader`, on the columns of a whole file at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stowatt.curves import Side
from stowatt.data.book_columns import BookColumns, Ints
from stowatt.data.book_file import RowSource
from stowatt.data.decimals import shown
from stowatt.errors import BookFileError
from stowatt.units import MAX_SEGMENTS, MAX_SIDE_WH, MAX_WIDTH_WH

Flags = NDArray[np.bool_]
Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Each curve's segments, rows at one price merged, in order of window, then participant, then price."""

    windows: list[str]
    participants: list[str]
    window: Numbers
    participant: Numbers
    buy: Flags
    tick: Numbers
    width: Ints

    def __len__(self) -> int:
        return len(self.window)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that breaks a rule together with rows before it."""

    row: int
    """Its index in the columns."""
    column: str
    value: int
    """The merged Wh of `quantity`, the tick of `price`, the side of `side`."""
    error: BookFileError


@dataclass(frozen=True, slots=True)
class Faults:
    """How many faults there are, and the first of them in the file's order."""

    count: int
    first: list[Fault]


def merge(source: RowSource, columns: BookColumns, most: int) -> tuple[Segments, Faults]:
    """The segments of all curves, and the faults, of which at most `most` are made.

    A row on the other side than its curve's first is one fault each; a 17th price and a segment too wide are one fault
    each for their curve, at the first row that goes too far.
    """
    curves = columns.curves()
    order: Ints = np.lexsort((columns.tick, curves))
    key = curves[order]
    del curves
    heads = _heads(key)
    # A curve's first row in the file's order gives its side.
    firsts = np.minimum.reduceat(order, heads) if len(heads) else heads
    fits = columns.buy[order] == np.repeat(columns.buy[firsts], np.diff(heads, append=len(order)))
    turned = order[~fits]
    if len(turned):
        order, key = order[fits], key[fits]
    tick, width = columns.tick[order], columns.width[order].astype(np.int64)
    heads = np.flatnonzero(_starts(key) | _starts(tick))
    sums = np.add.reduceat(width, heads) if len(heads) else width
    wide = _too_wide(order, width, heads, sums)
    many = _seventeenths(order[heads], key[heads])
    del key, width
    faults = [(int(row), "side", int(columns.buy[row])) for row in np.sort(turned)[:most]]
    faults += [(row, "quantity", held) for row, held in sorted(wide)[:most]]
    faults += [(int(row), "price", int(columns.tick[row])) for row in np.sort(many)[:most]]
    made = [_fault(source, columns, fault) for fault in sorted(faults)[:most]]
    rows = order[heads]
    segments = Segments(
        columns.windows,
        columns.participants,
        columns.window[rows],
        columns.participant[rows],
        columns.buy[rows],
        tick[heads],
        sums,
    )
    return segments, Faults(len(turned) + len(wide) + len(many), made)


def _too_wide(order: Ints, width: Ints, heads: Ints, sums: Ints) -> list[tuple[int, int]]:
    """For each segment that is too wide, the row at which it becomes so, and what it holds then."""
    found = []
    for group in np.flatnonzero(sums > MAX_WIDTH_WH):
        # Rows at one price are in the file's order: the sort is stable.
        held = np.cumsum(width[heads[group] :][: _length(heads, len(order), int(group))])
        at = int(np.argmax(held > MAX_WIDTH_WH))
        found.append((int(order[heads[group] + at]), int(held[at])))
    return found


def _length(heads: Ints, end: int, group: int) -> int:
    return int(heads[group + 1] if group + 1 < len(heads) else end) - int(heads[group])


def _seventeenths(firsts: Ints, curves: Ints) -> Ints:
    """Of the first rows of each price of each curve, the one in the file's order that is a price too many."""
    heads = _heads(curves)
    lengths = np.diff(heads, append=len(curves))
    found = [
        np.sort(firsts[head : head + length])[MAX_SEGMENTS]
        for head, length in zip(heads[lengths > MAX_SEGMENTS], lengths[lengths > MAX_SEGMENTS], strict=True)
    ]
    return np.array(found, dtype=np.int64)


def side_errors(source: RowSource, segments: Segments) -> list[BookFileError]:
    """The windows of which one side adds up to more than a clearing can take."""
    errors = []
    for side in Side:
        rows = segments.buy == bool(side)
        totals = np.zeros(len(segments.windows), dtype=np.int64)
        np.add.at(totals, segments.window[rows], segments.width[rows])
        for window in np.flatnonzero(totals > MAX_SIDE_WH):
            what = f"{side.word} bids of window {shown(segments.windows[window])} add up to {totals[window]} Wh"
            errors.append(BookFileError(source.path, what, f"the most is {MAX_SIDE_WH} Wh"))
    return errors


def _fault(source: RowSource, columns: BookColumns, fault: tuple[int, str, int]) -> Fault:
    row, column, value = fault
    place = int(columns.place[row])
    participant = columns.participants[columns.participant[row]]
    window = columns.windows[columns.window[row]]
    if column == "side":
        error = source.two_sides(place, participant, window, Side(1 - value))
    elif column == "price":
        error = source.too_many_prices(place, participant, window)
    else:
        error = source.too_wide(place, participant, value)
    return Fault(row, column, value, error)


def _starts(sorted_keys: NDArray[np.integer]) -> Flags:
    """Where another key begins."""
    starts = np.ones(len(sorted_keys), dtype=np.bool_)
    starts[1:] = sorted_keys[1:] != sorted_keys[:-1]
    return starts


def _heads(sorted_keys: Ints) -> Ints:
    return np.flatnonzero(_starts(sorted_keys))
