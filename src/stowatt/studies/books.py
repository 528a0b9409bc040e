"""Books of many windows as arrays, drawn from stated distributions and repeatable from a seed.

Every book has the demo's grid of 4,096 ticks of 0.0001 EUR/kWh. A curve is taken as its owner's truth: a study asks
what its owner gains by reporting another one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing import Book
from stowatt.curves import Curve, Side

Ints = NDArray[np.int64]

TICKS: Final = 4_096
TICK_SIZE: Final = 100
"""Base units per kWh and tick, as in the demo."""


@dataclass(frozen=True, slots=True, eq=False)
class Offers:
    """The curves of one side: a row for each participant, its segments in merit order, padded by widths of 0."""

    ticks: Ints
    widths: Ints

    @classmethod
    def of(cls, curves: list[Curve]) -> "Offers":
        """The rows of some curves of one side."""
        most = max((len(curve.segments) for curve in curves), default=1)
        ticks, widths = np.zeros((2, len(curves), most), dtype=np.int64)
        for row, curve in enumerate(curves):
            for column, (tick, width) in enumerate(curve.segments):
                ticks[row, column], widths[row, column] = tick, width
        return cls(ticks, widths)

    def curve(self, row: int, side: Side) -> Curve:
        """One row as a curve."""
        pairs = zip(self.ticks[row].tolist(), self.widths[row].tolist(), strict=True)
        return Curve.of(side, [(tick, width) for tick, width in pairs if width])

    def mirrored(self) -> "Offers":
        """The same with prices counted from the top of the grid: bids become asks, asks become bids."""
        return Offers(TICKS - 1 - self.ticks, self.widths)

    def joined(self, first: Ints, second: Ints) -> "Offers":
        """Pairs of rows as single sellers, their segments in merit order."""
        ticks = np.concatenate([self.ticks[first], self.ticks[second]], axis=1)
        widths = np.concatenate([self.widths[first], self.widths[second]], axis=1)
        order = np.argsort(ticks, axis=1, kind="stable")
        return Offers(np.take_along_axis(ticks, order, 1), np.take_along_axis(widths, order, 1))

    @property
    def totals(self) -> Ints:
        """Wh of each row."""
        return np.asarray(self.widths.sum(axis=1), dtype=np.int64)

    def surplus(self, price: int) -> Ints:
        """What each row gains as a seller at `price`, tick·Wh: Σ (price − tick)⁺ · width.

        Exact whatever the rationing: a segment at the price gains nothing, sold or not.
        """
        return np.asarray((np.maximum(price - self.ticks, 0) * self.widths).sum(axis=1), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SampleBook:
    """One window: asks, bids and the seed of its openings (63 bits are enough for every cohort)."""

    asks: Offers
    bids: Offers
    seed: int

    def book(self, side: Side, row: int, report: Curve | None) -> Book:
        """The book as the engine takes it, with `report` instead of the row's curve; the row reveals last."""
        entries = []
        for offers, own in ((self.asks, Side.SELL), (self.bids, Side.BUY)):
            for index in range(len(offers.ticks)):
                if (own, index) != (side, row):
                    entries.append((f"{own.word} {index}", offers.curve(index, own)))
        return Book.of(entries if report is None else [*entries, ("deviator", report)])


def random_book(size: int, random: np.random.Generator) -> SampleBook:
    """Half sellers, half buyers, each 1 to 4 segments of 100 to 1,500 Wh.

    The first segment of an ask is uniform in 0.05 to 0.25 EUR/kWh, that of a bid in 0.15 to 0.35; every further one is
    up to 0.025 worse.
    """
    asks, bids = (_curves(count, bottom, random) for count, bottom in ((size // 2, 500), (size - size // 2, 596)))
    # A bid is an ask seen from the top of the grid: 4,095 − 596 = 3,499 down to 1,500.
    return SampleBook(asks, bids.mirrored(), int(random.integers(2**63)))


def _curves(count: int, bottom: int, random: np.random.Generator) -> Offers:
    steps = random.integers(1, 251, (count, 4))
    steps[:, 0] = random.integers(bottom, bottom + 2_000, count)
    used = np.arange(4) < random.integers(1, 5, count)[:, None]
    return Offers(np.cumsum(steps, axis=1), random.integers(100, 1_501, (count, 4)) * used)


def lot_book(size: int, random: np.random.Generator) -> SampleBook:
    """The textbook's market: half sellers, half buyers, one lot of 1 kWh each, costs and values uniform on the grid.

    Supply and demand meet in whole lots, so that the optimal prices are an interval, and the price rule matters.
    """
    asks, bids = (
        Offers(random.integers(0, TICKS, (count, 1)), np.full((count, 1), 1_000))
        for count in (size // 2, size - size // 2)
    )
    return SampleBook(asks, bids, int(random.integers(2**63)))
