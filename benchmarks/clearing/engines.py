"""Stowatt and its peers, each as one would write it. A new peer is a function and a row in ENGINES;
one whose library Stowatt does not run on goes to `benchmarks.peers`.

The peers are told the right definitions (D(λ+) in (19), the largest volume), use no floating point where numpy lets
them, and share a marginal cohort by cumulative rounding, so that their fills add up. Those that like asks and bids
apart get them so, made before the clock runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.clearing.books import HalfBook, Segments
from benchmarks.clearing.judge import Outcome
from stowatt.clearing import Rules, clear_fast, clear_readable
from stowatt.clearing.fast import Columns, clear_columns, cross_columns
from stowatt.clearing.plan import Plan, using
from stowatt.clearing.sides import Sides, clear_sides

RULES = Rules(seed=0x5EED)


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to clear a book."""

    label: str
    gives: str
    """What it yields."""
    run: Callable[[Segments], Outcome]
    module: str = "numpy"
    """What must be installed for it."""


def stowatt(book: Segments, compiled: bool) -> Outcome:
    """The engine on columns, with its checks of the input: in machine code, or with numpy's kernels."""
    with using(Plan(compiled=compiled)):
        result = clear_columns(Columns(book.ticks, book.widths, book.buys), RULES)
    return Outcome(result.price, result.volume, result.fills)


def stowatt_price(book: Segments, compiled: bool) -> Outcome:
    """The same without the fills."""
    with using(Plan(compiled=compiled)):
        result = cross_columns(Columns(book.ticks, book.widths, book.buys), RULES)
    return Outcome(result.price, result.volume)


def stowatt_sides(book: Segments, compiled: bool) -> Outcome:
    """The same with fills from asks and bids apart, as the peers may have them."""
    with using(Plan(compiled=compiled)):
        sides = Sides(book.asks.ticks, book.asks.widths, book.bids.ticks, book.bids.widths)
        result = clear_sides(sides, RULES)
    return Outcome(result.crossing.price, result.crossing.volume, (result.sold, result.bought))


def one_pass(book: Segments) -> np.ndarray:
    """No clearing: one np.bincount pass over the columns of all rows, to compare with."""
    return np.bincount(book.ticks, book.widths)


def bincount(book: Segments) -> Outcome:
    """Price and volume from sums by tick. np.bincount adds weights in floating point: exact below 2^53 Wh."""
    supply, demand_above, demand, price = _crossing(book.asks, book.bids)
    return Outcome(price, int(min(supply[price], demand_above[price] + demand[price])))


def bincount_fills(book: Segments) -> Outcome:
    """The same, and every fill: better segments whole, the marginal cohort pro rata. Asks' and bids' come apart."""
    price, volume, sold, bought = _with_fills(book.asks, book.bids)
    return Outcome(price, volume, (sold, bought))


def bincount_mixed(book: Segments) -> Outcome:
    """The same from one column with a flag to one fill for each row, which is what Stowatt takes and gives."""
    buys, sells = book.buys, ~book.buys
    asks, bids = (HalfBook(book.ticks[side], book.widths[side]) for side in (sells, buys))
    price, volume, sold, bought = _with_fills(asks, bids)
    fills = np.empty_like(book.widths)
    fills[sells], fills[buys] = sold, bought
    return Outcome(price, volume, fills)


def _with_fills(asks: HalfBook, bids: HalfBook) -> tuple[int, int, np.ndarray, np.ndarray]:
    supply, demand_above, demand, price = _crossing(asks, bids)
    volume = int(min(supply[price], demand_above[price] + demand[price]))
    sold = np.where(asks.ticks < price, asks.widths, 0)
    bought = np.where(bids.ticks > price, bids.widths, 0)
    sold_whole, bought_whole = int(supply[price - 1]) if price else 0, int(demand_above[price])
    for half, fills, residual in ((asks, sold, volume - sold_whole), (bids, bought, volume - bought_whole)):
        rows = np.flatnonzero(half.ticks == price)
        ends = np.cumsum(half.widths[rows])
        if len(ends):
            fills[rows] = np.diff(ends * residual // ends[-1], prepend=0)
    return price, volume, sold, bought


def _crossing(asks: HalfBook, bids: HalfBook) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """S(λ), D(λ+), the demand at each tick, and the first tick where D(λ+) ≤ S(λ)."""
    grid = max(asks.ticks.max(), bids.ticks.max()) + 1
    supply = np.cumsum(np.bincount(asks.ticks, asks.widths, grid))
    demand = np.bincount(bids.ticks, bids.widths, grid)
    demand_above = demand.sum() - np.cumsum(demand)
    return supply, demand_above, demand, int(np.argmax(demand_above <= supply))


def sort_cumsum(book: Segments) -> Outcome:
    """Price and volume by merit order: both sides sorted, their running sums walked up to the crossing."""
    asks, bids = book.asks, book.bids
    ask_order, bid_order = np.argsort(asks.ticks, kind="stable"), np.argsort(-bids.ticks, kind="stable")
    ask_ticks, bid_ticks = asks.ticks[ask_order], bids.ticks[bid_order]
    offered, wanted = np.cumsum(asks.widths[ask_order]), np.cumsum(bids.widths[bid_order])
    # levels at which a curve steps: the quantity q is traded if its ask is not dearer than its bid
    levels = np.concatenate((offered, wanted))
    levels = np.sort(levels[levels <= min(offered[-1], wanted[-1])])
    worth = ask_ticks[np.searchsorted(offered, levels)] <= bid_ticks[np.searchsorted(wanted, levels)]
    traded = int(np.searchsorted(~worth, True))
    if traded == 0:
        return Outcome(None, 0)
    volume = int(levels[traded - 1])
    price = int(ask_ticks[np.searchsorted(offered, volume)])
    refused = int(np.searchsorted(wanted, volume, side="right"))
    if refused < len(bid_ticks):
        price = max(price, int(bid_ticks[refused]))
    return Outcome(price, volume)


def highs(book: Segments) -> Outcome:
    """The welfare problem as a linear programme: scipy's linprog with HiGHS; the price is the balance's dual."""
    from scipy.optimize import linprog

    signs = np.where(book.buys, -1.0, 1.0)
    bounds = np.column_stack((np.zeros(len(signs)), book.widths))
    solved = linprog(signs * book.ticks, A_eq=signs[None, :], b_eq=[0.0], bounds=bounds, method="highs")
    return Outcome(float(solved.eqlin.marginals[0]), float(solved.x[~book.buys].sum()), solved.x)


_PROOF = "welfare, dual"
ENGINES: dict[str, Engine] = {
    "stowatt": Engine(
        "**Stowatt** `clear_columns`", f"price, volume, fills, {_PROOF}", partial(stowatt, compiled=True), "numba"
    ),
    "stowatt_price": Engine(
        "**Stowatt** `cross_columns`", f"price, volume, {_PROOF}", partial(stowatt_price, compiled=True), "numba"
    ),
    "stowatt_sides": Engine(
        "**Stowatt** `clear_sides`", f"price, volume, fills, {_PROOF}", partial(stowatt_sides, compiled=True), "numba"
    ),
    "stowatt_numpy": Engine(
        "**Stowatt** `clear_columns`, numpy only", f"price, volume, fills, {_PROOF}", partial(stowatt, compiled=False)
    ),
    "stowatt_numpy_price": Engine(
        "**Stowatt** `cross_columns`, numpy only", f"price, volume, {_PROOF}", partial(stowatt_price, compiled=False)
    ),
    "bincount": Engine("np.bincount on ticks", "price, volume", bincount),
    "bincount_fills": Engine("np.bincount + pro-rata fills, sides apart", "price, volume, fills", bincount_fills),
    "bincount_mixed": Engine("np.bincount + pro-rata fills, one column", "price, volume, fills", bincount_mixed),
    "sort": Engine("numpy sort + cumsum", "price, volume", sort_cumsum),
    "highs": Engine("scipy linprog (HiGHS)", "price, volume, fills", highs, "scipy"),
}
OBJECTS: dict[str, tuple[str, Callable[..., object], int]] = {
    "objects": ("**Stowatt** `clear_fast`, objects in and out", clear_fast, 1_000_000),
    "readable": ("**Stowatt** `clear_readable`, objects in and out", clear_readable, 100_000),
}
"""With Python objects as books and results, and the largest book."""
