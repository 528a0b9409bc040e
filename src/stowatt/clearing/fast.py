"""§3 for large books: the twin of `readable.py`, bit for bit the same, at the speed of memory.

Two passes over the rows and no sort: one checks them and sums widths by tick (`histogram.py`), from which price, volume
and values follow (`crossing.py`); one writes the fills. Beyond 2^16 ticks a third pass looks closer where the curves
cross. Rows are cut into one range for each core; the sums of a range at λ are the cohort's offset for the next.

The bounds are `histogram.py`'s; products that could pass 2^63 are taken in limbs. `plan.py` chooses threads and
kernels.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing.book import Book
from stowatt.clearing.columns import Columns, ColumnsResult, room
from stowatt.clearing.crossing import Crossing, cross
from stowatt.clearing.histogram import Histogram, Zoom
from stowatt.clearing.plan import Plan, current
from stowatt.clearing.result import Fill, WindowResult
from stowatt.clearing.rules import Rationing, Rules
from stowatt.clearing.shares import Ints, digit_bits

__all__ = ["Columns", "ColumnsResult", "clear_columns", "clear_fast", "cross_columns"]


def clear_fast(book: Book, rules: Rules) -> WindowResult:
    """Clear one window; the same result as `clear_readable`. Only the offsets need a sort."""
    columns = Columns.of(book)
    result = clear_columns(columns, rules)
    first_rows = np.cumsum([0, *(len(curve.segments) for _, curve in book.bids)])[:-1]
    quantities = np.add.reduceat(result.fills, first_rows).tolist() if book.bids else []
    return WindowResult(
        price=result.price,
        lowest=result.lowest,
        highest=result.highest,
        volume=result.volume,
        supply=result.supply,
        demand=result.demand,
        offsets=tuple(columns.offsets().tolist()),
        fills=tuple(
            Fill(participant, curve.side, quantity)
            for (participant, curve), quantity in zip(book.bids, quantities, strict=True)
        ),
        welfare=result.welfare,
        dual=result.dual,
    )


def clear_columns(columns: Columns, rules: Rules, out: NDArray[Any] | None = None) -> ColumnsResult:
    """Clear a book of columns: price, volume, a fill for each row (into `out`, of the widths' type), the values."""
    fills = room(columns.widths, out)
    places = [fills[rows] for rows, _ in columns.parts]
    return ColumnsResult.of(clear_pieces(_pieces(columns), places, rules), fills)


def cross_columns(columns: Columns, rules: Rules) -> Crossing:
    """Price, volume and values without the fills."""
    return _crossed(_pieces(columns), rules, current(), current().kernels(len(columns.ticks)))[0]


class Piece(NamedTuple):
    """Rows that one thread works on, in order of reveal on each side; pieces' sums add up to the book's."""

    ticks: NDArray[Any]
    widths: NDArray[Any]
    buys: NDArray[np.bool_]
    histogram: Histogram


def clear_pieces(pieces: Sequence[Piece], fills: Sequence[NDArray[Any]], rules: Rules) -> Crossing:
    """Clear a book of pieces; their fills go to `fills`."""
    plan, kernels = current(), current().kernels(_rows(pieces))
    crossing, zooms = _crossed(pieces, rules, plan, kernels)
    if crossing.price is None:
        for place in fills:
            place[:] = 0
        return crossing
    price: int = crossing.price
    seeded = rules.rationing is Rationing.SEEDED_ORDER

    def fill(part: tuple[Piece, NDArray[Any], Ints]) -> None:
        (ticks, widths, buys, _), place, cohorts = part
        own = ticks.dtype if price <= np.iinfo(ticks.dtype).max else np.dtype(np.int64)
        kernels.fill(ticks, widths, buys, place, own.type(price), cohorts, seeded)

    tables = _cohort_tables(crossing, [zoom.at(price) for zoom in zooms], rules)
    plan.run(fill, list(zip(pieces, fills, tables, strict=True)), _rows(pieces))
    return crossing


def _rows(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.ticks) for piece in pieces)


def _pieces(columns: Columns) -> list[Piece]:
    return [Piece(columns.ticks[rows], columns.widths[rows], columns.buys[rows], part) for rows, part in columns.parts]


def _crossed(pieces: Sequence[Piece], rules: Rules, plan: Plan, kernels: Any) -> tuple[Crossing, list[Zoom]]:
    """The crossing, and each piece's sums around it."""
    zooms: list[Zoom] = []

    def zoom(low: int, high: int) -> Zoom:
        def look(piece: Piece) -> Zoom:
            return Zoom.of(low, high, *piece[:3], kernels)

        zooms.extend(plan.run(look, pieces, _rows(pieces)))
        return sum(zooms[1:], zooms[0])

    histogram = sum((piece.histogram for piece in pieces[1:]), pieces[0].histogram)
    crossing = cross(histogram, rules, zoom)
    return crossing, zooms or [Zoom.whole(piece.histogram) for piece in pieces]


def _cohort_tables(crossing: Crossing, at: Sequence[tuple[int, int]], rules: Rules) -> list[Ints]:
    """For each part and side: T, R, φ, the cohort's Wh in earlier parts, and the long division's bits."""
    held, tables = [0, 0], []
    for sums in at:
        rows = [
            (cohort.size, cohort.residual, rules.seed % max(cohort.size, 1), before, _bits(*cohort[1:]))
            for cohort, before in zip((crossing.supply, crossing.demand), held, strict=True)
        ]
        tables.append(np.array(rows, dtype=np.int64))
        held = [before + here for before, here in zip(held, sums, strict=True)]
    return tables


def _bits(size: int, residual: int) -> int:
    return digit_bits(size, residual) if size else 0
