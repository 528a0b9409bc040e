"""§3: a large book whose asks and bids are arrays of their own, which spares the caller to join and flag them.

    sides = Sides(ask_ticks, ask_widths, bid_ticks, bid_widths)
    result = clear_sides(sides, rules)
    result.crossing.price, result.sold, result.bought

The same result as `clear_columns` gives for both joined, in any order that keeps each side's: a cohort is of one side.
It is hardly quicker than `clear_columns`; joining the columns would take longer than to clear them.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing.columns import MAX_ROWS, room, usable
from stowatt.clearing.crossing import Crossing
from stowatt.clearing.fast import Piece, clear_pieces
from stowatt.clearing.histogram import Histogram
from stowatt.clearing.plan import current
from stowatt.clearing.rules import Rules
from stowatt.errors import BookError

Places = tuple[NDArray[Any], NDArray[Any]]
"""Where the asks' and the bids' fills go."""


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """One row for each segment, each side in order of reveal; kinds of columns as in `Columns`."""

    ask_ticks: NDArray[Any]
    ask_widths: NDArray[Any]
    bid_ticks: NDArray[Any]
    bid_widths: NDArray[Any]
    pieces: tuple[tuple[int, slice, Piece], ...] = field(init=False, repr=False)
    """Each with its side and its rows."""

    def __post_init__(self) -> None:
        asks = usable(self.ask_ticks, self.ask_widths, np.zeros(len(self.ask_ticks), np.bool_))
        bids = usable(self.bid_ticks, self.bid_widths, np.ones(len(self.bid_ticks), np.bool_))
        names = "ask_ticks", "ask_widths", "bid_ticks", "bid_widths"
        for name, column in zip(names, (*asks[:2], *bids[:2]), strict=True):
            object.__setattr__(self, name, column)
        if len(self) > MAX_ROWS:
            raise BookError(f"{len(self)} segments", f"give at most {MAX_ROWS}")
        plan = current()
        kernels = plan.kernels(len(self))

        def summed(part: tuple[int, slice]) -> tuple[int, slice, Piece]:
            side, rows = part
            ticks, widths, buys = (column[rows] for column in (asks, bids)[side])
            return side, rows, Piece(ticks, widths, buys, Histogram.of(ticks, widths, buys, kernels))

        parts = [(side, rows) for side in (0, 1) for rows in plan.parts(len((asks, bids)[side][0]), len(self))]
        object.__setattr__(self, "pieces", tuple(plan.run(summed, parts, len(self))))

    def __len__(self) -> int:
        return len(self.ask_ticks) + len(self.bid_ticks)


@dataclass(frozen=True, slots=True, eq=False)
class SidesResult:
    """Price, volume, cohorts and values; a fill for each ask and each bid, in the widths' types."""

    crossing: Crossing
    sold: NDArray[Any]
    bought: NDArray[Any]


def clear_sides(sides: Sides, rules: Rules, out: Places | None = None) -> SidesResult:
    """Clear a book of sides; the fills into `out` if given."""
    first, second = out or (None, None)
    sold, bought = room(sides.ask_widths, first), room(sides.bid_widths, second)
    places = [(sold, bought)[side][rows] for side, rows, _ in sides.pieces]
    return SidesResult(clear_pieces([piece for *_, piece in sides.pieces], places, rules), sold, bought)
