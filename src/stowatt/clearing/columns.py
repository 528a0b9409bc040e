"""§3: a large book as columns, checked and summed by one pass over the rows, and its result."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing.book import Book
from stowatt.clearing.crossing import Crossing
from stowatt.clearing.histogram import Histogram
from stowatt.clearing.plan import current
from stowatt.clearing.result import Cohort
from stowatt.clearing.shares import Ints
from stowatt.errors import BookError
from stowatt.units import Tick, Wh

Flags = NDArray[np.bool_]

MAX_ROWS: Final = 2**31 - 1
_AS_THEY_ARE: Final = (np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.uint32))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A book as columns, one row for each segment, in order of reveal.

    int32, int64 and uint32 are taken as they are, without a copy; do not change the arrays before the book is cleared.
    Other integers and columns with gaps are copied to int64.
    """

    ticks: NDArray[Any]
    widths: NDArray[Any]
    buys: Flags
    """True for demand."""
    parts: tuple[tuple[slice, Histogram], ...] = field(init=False, repr=False)
    """The sums of each range of rows."""

    def __post_init__(self) -> None:
        ticks, widths, buys = usable(self.ticks, self.widths, self.buys)
        for name, column in ("ticks", ticks), ("widths", widths), ("buys", buys):
            object.__setattr__(self, name, column)
        plan = current()
        kernels = plan.kernels(len(ticks))

        def summed(rows: slice) -> tuple[slice, Histogram]:
            return rows, Histogram.of(ticks[rows], widths[rows], buys[rows], kernels)

        object.__setattr__(self, "parts", tuple(plan.run(summed, plan.parts(len(ticks)))))
        self.histogram()  # also checks the sides' sums

    def histogram(self) -> Histogram:
        """Of all rows."""
        return sum((part for _, part in self.parts[1:]), self.parts[0][1])

    @classmethod
    def of(cls, book: Book) -> "Columns":
        """The columns of a book."""
        segments = [segment for _, curve in book.bids for segment in curve.segments]
        ticks, widths = np.array(segments, dtype=np.int64).reshape(-1, 2).T
        sides = np.array([curve.side for _, curve in book.bids], dtype=np.bool_)
        lengths = np.array([len(curve.segments) for _, curve in book.bids], dtype=np.int64)
        return cls(np.ascontiguousarray(ticks), np.ascontiguousarray(widths), np.repeat(sides, lengths))

    def offsets(self) -> Ints:
        """For each row: what its side held at its tick before it (`Book.offsets`). This needs a sort."""
        widths = self.widths.astype(np.int64, copy=False)
        if len(widths) == 0:
            return widths
        key = 2 * self.ticks.astype(np.int64, copy=False) + self.buys
        order = np.argsort(key, kind="stable")
        starts = np.cumsum(widths[order]) - widths[order]
        heads = np.flatnonzero(np.diff(key[order], prepend=-1))
        lengths = np.diff(heads, append=len(order))
        offsets = np.empty_like(starts)
        offsets[order] = starts - np.repeat(starts[heads], lengths)
        return offsets


def usable(ticks: Any, widths: Any, buys: Any) -> tuple[NDArray[Any], NDArray[Any], Flags]:
    """The columns as the kernels take them, copied only where they must be."""
    if not len(ticks) == len(widths) == len(buys) <= MAX_ROWS:
        raise BookError(f"{len(ticks)} segments", f"give columns of one length, at most {MAX_ROWS} rows")
    if any(column.dtype.kind not in "iu" for column in (ticks, widths)) or buys.dtype != np.bool_:
        raise BookError("a column is of another kind", "give integers as ticks and widths, booleans as sides")
    made = (column if column.dtype in _AS_THEY_ARE else column.astype(np.int64) for column in (ticks, widths))
    first, second = (np.ascontiguousarray(column) for column in made)
    return first, second, np.ascontiguousarray(buys)


def room(widths: NDArray[Any], out: NDArray[Any] | None) -> NDArray[Any]:
    """Where the fills go: into `out` if given, which must be such that nothing can be lost or written beside it."""
    if out is None:
        return np.empty_like(widths)
    if out.shape != widths.shape or out.dtype != widths.dtype or not (out.flags.c_contiguous and out.flags.writeable):
        raise BookError("the fills do not go into `out`", f"give {len(widths)} places of {widths.dtype}, without gaps")
    return out


@dataclass(frozen=True, slots=True, eq=False)
class ColumnsResult:
    """The result for columns: as `WindowResult`, with one fill for each row, in the widths' type."""

    price: Tick | None
    lowest: Tick
    highest: Tick | None
    volume: Wh
    supply: Cohort
    demand: Cohort
    fills: NDArray[Any]
    welfare: int
    dual: int

    @classmethod
    def of(cls, crossing: Crossing, fills: NDArray[Any]) -> "ColumnsResult":
        """A crossing with its fills."""
        return cls(
            price=crossing.price,
            lowest=crossing.lowest,
            highest=crossing.highest,
            volume=crossing.volume,
            supply=crossing.supply,
            demand=crossing.demand,
            fills=fills,
            welfare=crossing.welfare,
            dual=crossing.dual,
        )
