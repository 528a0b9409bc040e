"""What is in a book file: who bids how much at which prices, and where the two sides meet.

Memory: 25 bytes a row and about 150 for each different window, participant, price and quantity; while the rows are
merged into segments, another 75 bytes a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from stowatt.clearing import Cohort
from stowatt.clearing.readable import Market, Steps
from stowatt.curves import Segment, Side
from stowatt.data.book_columns import Ints, read_columns
from stowatt.data.book_file import ROWS_PER_REPORT, Progress
from stowatt.data.book_rules import Numbers, Segments, merge, side_errors
from stowatt.data.book_stream import open_rows
from stowatt.data.decimals import DecimalUnit, parse_decimal
from stowatt.errors import BookFileError, UnitError
from stowatt.units import Tick, Wh

WINDOWS_PER_REPORT: Final = 64
FINEST: Final = -18
"""The exponent of ten of the finest tick size."""


@dataclass(frozen=True, slots=True)
class SideStats:
    """One side of a window, or of all."""

    participants: int
    segments: int
    """After rows at one price of a curve are merged."""
    wh: int
    prices: tuple[int, int, int, int, int] | None
    """Ticks: lowest, first quartile, median, third quartile, highest, each Wh counting alike; None without a bid."""


@dataclass(frozen=True, slots=True)
class AtPrice:
    """What one side has exactly at the clearing price: more than one segment is a tie."""

    segments: int
    cohort: Cohort

    @property
    def shares(self) -> bool:
        """Whether several segments share what is left for this side at the price."""
        return self.segments > 1 and self.cohort.residual < self.cohort.size


@dataclass(frozen=True, slots=True)
class WindowStats:
    """One window. The clearing is that of the rule `lowest`."""

    name: str
    sell: SideStats
    buy: SideStats
    price: int | None
    lowest: int
    highest: int | None
    volume: int
    sell_at_price: AtPrice
    buy_at_price: AtPrice

    @property
    def best_ask(self) -> int | None:
        """The lowest price of a seller."""
        return self.sell.prices[0] if self.sell.prices else None

    @property
    def best_bid(self) -> int | None:
        """The highest price of a buyer."""
        return self.buy.prices[-1] if self.buy.prices else None

    @property
    def tied(self) -> bool:
        """Whether a side's segments at the price have to share."""
        return self.sell_at_price.shares or self.buy_at_price.shares


@dataclass(frozen=True, slots=True)
class BookStats:
    """A whole file."""

    rows: int
    participants: int
    sell: SideStats
    buy: SideStats
    windows: list[WindowStats]


def infer_tick_size(path: Path, progress: Progress | None = None) -> DecimalUnit:
    """The coarsest power of ten, at most 1, that all prices are whole numbers of; what is no number is passed over."""
    seen: set[str] = set()
    finest = 0
    with open_rows(path) as source:
        for number, row in enumerate(source.rows, start=1):
            if row[4] not in seen:
                seen.add(row[4])
                finest = min(finest, _exponent(row[4].strip(" \t")))
            if progress and number % ROWS_PER_REPORT == 0:
                progress(row[0], source.total)
    return DecimalUnit(1, max(finest, FINEST))


def _exponent(text: str) -> int:
    """The last decimal place that is not zero, as an exponent of ten."""
    try:
        mantissa, exponent = parse_decimal(text)
    except UnitError:
        return 0
    while mantissa and exponent < 0 and mantissa % 10 == 0:
        mantissa, exponent = mantissa // 10, exponent + 1
    return exponent if mantissa else 0


def book_stats(
    path: Path, tick_size: DecimalUnit, reading: Progress | None = None, counting: Progress | None = None
) -> BookStats:
    """The figures of a file that keeps all rules; otherwise its first problem as an error."""
    with open_rows(path) as source:
        columns = read_columns(source, tick_size, reading)
        segments, faults = merge(source, columns, 1)
        _refuse([fault.error for fault in faults.first] + side_errors(source, segments))
        rows = len(columns)
        del columns
    windows = list(_windows(segments, counting))
    people = len(segments.participants)
    sell, buy = (_side_stats(segments, slice(None), side) for side in Side)
    return BookStats(rows, people, sell, buy, windows)


def _refuse(errors: list[BookFileError]) -> None:
    for error in errors:
        raise error


def _windows(segments: Segments, progress: Progress | None) -> Iterator[WindowStats]:
    starts = np.searchsorted(segments.window, np.arange(len(segments.windows) + 1, dtype=np.uint32)).tolist()
    for number, name in enumerate(segments.windows):
        rows = slice(starts[number], starts[number + 1])
        market = Market(_steps(segments, rows, Side.SELL), _steps(segments, rows, Side.BUY))
        lowest, highest = market.lowest_price(), market.highest_price()
        trades = highest is not None and min(market.supply(lowest), market.demand(lowest)) > 0
        supply, demand = market.cohorts(lowest if trades else None)
        yield WindowStats(
            name,
            _side_stats(segments, rows, Side.SELL),
            _side_stats(segments, rows, Side.BUY),
            lowest if trades else None,
            lowest,
            highest,
            supply.better + supply.residual,
            AtPrice(_number_at(segments, rows, Side.SELL, lowest) if trades else 0, supply),
            AtPrice(_number_at(segments, rows, Side.BUY, lowest) if trades else 0, demand),
        )
        if progress and number % WINDOWS_PER_REPORT == 0:
            progress(number, len(segments.windows))


def _on_side(segments: Segments, rows: slice, side: Side) -> Ints:
    return np.flatnonzero(segments.buy[rows] == bool(side))


def _steps(segments: Segments, rows: slice, side: Side) -> Steps:
    """One side's Wh by tick. They are added up here first, so that a large window is few Python objects."""
    on_side = _on_side(segments, rows, side)
    ticks, places = np.unique(segments.tick[rows][on_side], return_inverse=True)
    sums = np.zeros(len(ticks), dtype=np.int64)
    np.add.at(sums, places, segments.width[rows][on_side])
    return Steps(Segment(Tick(tick), Wh(width)) for tick, width in zip(ticks.tolist(), sums.tolist(), strict=True))


def _number_at(segments: Segments, rows: slice, side: Side, price: int) -> int:
    return int((segments.tick[rows][_on_side(segments, rows, side)] == price).sum())


def _side_stats(segments: Segments, rows: slice, side: Side) -> SideStats:
    on_side = _on_side(segments, rows, side)
    ticks, widths = segments.tick[rows][on_side], segments.width[rows][on_side]
    people = np.unique(segments.participant[rows][on_side])
    return SideStats(len(people), len(ticks), int(widths.sum()), _quartiles(ticks, widths))


def _quartiles(ticks: Numbers, widths: Ints) -> tuple[int, int, int, int, int] | None:
    """For k = 0 … 4 the least tick at or below which at least k quarters of the Wh lie (k = 0: the lowest tick)."""
    if len(ticks) == 0:
        return None
    order = np.argsort(ticks)
    ends = np.cumsum(widths[order])
    total = int(ends[-1])
    # ⌈k · total / 4⌉ Wh, and at least one.
    low, first, middle, third, high = (
        int(ticks[order[int(np.searchsorted(ends, max(1, -(-quarter * total // 4))))]]) for quarter in range(5)
    )
    return low, first, middle, third, high
