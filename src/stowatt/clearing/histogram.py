"""§3: a book's widths by side and tick. Histograms add up: a book may be cut anywhere, in any order.

Below 2^16 ticks the cells are ticks. Beyond, they are blocks of 2^16 ticks, so that no price grid takes more than 2^17
cells; a `Zoom` then gives the ticks of the one or two blocks where the curves cross, by a second pass over the rows.

Bounds, checked on entry: ticks and widths < 2^32, rows < 2^31 (hence every sum < 2^63), a side's sum < 2^56.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing.shares import Ints
from stowatt.errors import BookError
from stowatt.units import MAX_SIDE_WH, MAX_TICK, MAX_WIDTH_WH

CELL_BITS: Final = 16
CELLS: Final = 1 << CELL_BITS
_PLACES: Final = np.arange(CELLS, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Sums in Wh: `sums[side, cell]`, up to the last cell that holds anything."""

    sums: Ints
    by_tick: bool
    """Cells are ticks; else blocks of 2^16 ticks."""

    @classmethod
    def empty(cls) -> "Histogram":
        """Of no rows: adding it changes nothing."""
        return cls(np.zeros((2, 0), dtype=np.int64), True)

    @classmethod
    def of(cls, ticks: Any, widths: Any, buys: Any, kernels: Any) -> "Histogram":
        """Of rows, which are checked."""
        if len(ticks) == 0:
            return cls.empty()
        for by_tick, add in ((True, kernels.dense), (False, kernels.coarse)):
            sums = np.zeros(2 * CELLS, dtype=np.int64)
            top, bad = add(ticks, widths, buys, sums)
            if bad:
                raise BookError("a width is out of range", f"a width is 1 to {MAX_WIDTH_WH} Wh (§2)")
            if top >= 0:
                cells = (top if by_tick else top >> CELL_BITS) + 1
                return cls(sums.reshape(2, CELLS)[:, :cells], by_tick)._checked()
        raise BookError("a tick is out of range", f"ticks run from 0 to {MAX_TICK}")

    def __add__(self, other: "Histogram") -> "Histogram":
        """Of both books together; associative and commutative."""
        by_tick = self.by_tick and other.by_tick
        a, b = (self, other) if by_tick else (self.blocks(), other.blocks())
        if a.sums.shape[1] < b.sums.shape[1]:
            a, b = b, a
        sums = a.sums.copy()
        sums[:, : b.sums.shape[1]] += b.sums
        return Histogram(sums, by_tick)._checked()

    def blocks(self) -> "Histogram":
        """The same by blocks of 2^16 ticks."""
        if not self.by_tick:
            return self
        sums = self.sums.sum(axis=1, keepdims=True) if self.sums.shape[1] else self.sums
        return Histogram(sums, False)

    @property
    def totals(self) -> tuple[int, int]:
        """S_tot and D_tot."""
        supply, demand = self.sums.sum(axis=1).tolist()
        return supply, demand

    def _checked(self) -> "Histogram":
        if (most := max(self.totals)) > MAX_SIDE_WH:
            raise BookError(f"one side adds up to {most} Wh", f"the most is {MAX_SIDE_WH} Wh")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Zoom:
    """The ticks of the blocks `low` ≤ `high`, and what lies better than both. Zooms of the same blocks add up."""

    low: int
    high: int
    sums: Ints
    """`sums[which, side, tick - start of the block]` in Wh; `which` is 0 for `low`, 1 for another `high`."""
    values: NDArray[np.uint64]
    """Σ tick · width of asks below `low` and of bids above `high`: (units of 2^32, rest) by side."""

    @classmethod
    def of(cls, low: int, high: int, ticks: Any, widths: Any, buys: Any, kernels: Any) -> "Zoom":
        """Of rows that a histogram has checked."""
        sums = np.zeros((1 + (low != high)) * 2 * CELLS, dtype=np.int64)
        values = np.zeros((2, 2), dtype=np.uint64)
        kernels.zoom(ticks, widths, buys, low, high, sums, values)
        return cls(low, high, sums.reshape(-1, 2, CELLS), values)

    @classmethod
    def whole(cls, histogram: Histogram) -> "Zoom":
        """Of a histogram by tick: all of it is in block 0."""
        return cls(0, 0, histogram.sums[np.newaxis], np.zeros((2, 2), dtype=np.uint64))

    def __add__(self, other: "Zoom") -> "Zoom":
        """Of both books together."""
        return Zoom(self.low, self.high, self.sums + other.sums, self.values + other.values)

    def block(self, index: int) -> Ints:
        """The sums of a block by side and tick; none of a block that holds nothing or was not zoomed into."""
        none: Ints = np.zeros((2, 0), dtype=np.int64)
        sums: Ints = self.sums[0] if index == self.low else self.sums[-1] if index == self.high else none
        return sums

    def at(self, tick: int) -> tuple[int, int]:
        """The asks and the bids exactly at a tick of the blocks."""
        cells = self.block(tick >> CELL_BITS)
        leaf = tick & (CELLS - 1)
        return (int(cells[0, leaf]), int(cells[1, leaf])) if leaf < cells.shape[1] else (0, 0)

    def better_values(self, price: int) -> tuple[int, int]:
        """Σ tick · width of asks below and of bids above a price in [λ_lo, λ_hi], in tick·Wh, of any size."""
        asks, bids = ((int(high) << 32) + int(low) for high, low in self.values)
        for index in {self.low, self.high}:
            cells, start = self.block(index), index << CELL_BITS
            leaf = min(max(price - start, 0), cells.shape[1])
            asks += _value(cells[0, :leaf], start)
            after = min(max(price + 1 - start, 0), cells.shape[1])
            bids += _value(cells[1, after:], start + after)
        return asks, bids


def _value(sums: Ints, first: int) -> int:
    """Σ tick · sum of consecutive ticks from `first`; in two limbs of 28 bits if sums of products could pass 2^63."""
    places, total = _PLACES[: len(sums)], int(sums.sum())
    if total < 1 << (63 - CELL_BITS):
        return first * total + int(sums @ places)
    inside = (int((sums >> 28) @ places) << 28) + int((sums & ((1 << 28) - 1)) @ places)
    return first * total + inside
