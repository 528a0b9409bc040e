"""§3 (19)–(22) on a histogram: the price interval, the price, the volume, both cohorts and the two values.

With F(l) = supply at ticks ≤ l + demand at ticks ≤ l,

    D(λ+) ≤ S(λ)  ⟺  F(λ) ≥ D_tot,    S(λ-) ≤ D(λ)  ⟺  F(λ - 1) ≤ D_tot,

so λ_lo is the first tick where F reaches D_tot and λ_hi the first where it passes it. F < 2^57.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.clearing.histogram import CELL_BITS, Histogram, Zoom
from stowatt.clearing.result import NO_COHORT, Cohort
from stowatt.clearing.rules import Rules
from stowatt.clearing.shares import Ints
from stowatt.units import Tick, Wh

_LEAF: Final = (1 << CELL_BITS) - 1


@dataclass(frozen=True, slots=True)
class Crossing:
    """What the sums alone decide; fields as in `WindowResult`."""

    price: Tick | None
    lowest: Tick
    highest: Tick | None
    volume: Wh
    supply: Cohort
    demand: Cohort
    welfare: int
    dual: int


def cross(histogram: Histogram, rules: Rules, zoom: Callable[[int, int], Zoom]) -> Crossing:
    """Clear a histogram. `zoom(low, high)` is asked for the ticks of two blocks if the histogram has blocks only."""
    supply, demand = histogram.totals
    blocks = histogram.blocks().sums
    low = _first(blocks, demand)
    high = _first(blocks, demand + 1) if supply else low
    near = Zoom.whole(histogram) if histogram.by_tick else zoom(low, high)
    lowest, after = _ticks(blocks, near, low, demand)
    if not supply:
        return _no_trade(lowest, None)
    highest = after if high == low else _ticks(blocks, near, high, demand)[1]
    price = rules.price_rule.pick(lowest, highest, rules.seed)
    asks, bids = _cohorts(blocks, near, price, demand)
    volume = asks.better + asks.residual
    if volume == 0:
        return _no_trade(lowest, highest)
    ask_values, bid_values = near.better_values(price)
    return Crossing(
        price=Tick(price),
        lowest=lowest,
        highest=highest,
        volume=Wh(volume),
        supply=asks,
        demand=bids,
        welfare=bid_values + price * bids.residual - ask_values - price * asks.residual,
        dual=(bid_values - price * bids.better) + (price * asks.better - ask_values),
    )


def _no_trade(lowest: Tick, highest: Tick | None) -> Crossing:
    """Nobody gains at λ_lo when no ask meets a bid: Φ = 0 there."""
    return Crossing(None, lowest, highest, Wh(0), NO_COHORT, NO_COHORT, 0, 0)


def _first(sums: Ints, target: int) -> int:
    """The first cell up to which both sides together reach `target`; 0 of none."""
    return int(np.searchsorted(np.cumsum(sums[0] + sums[1]), target))


def _ticks(blocks: Ints, near: Zoom, block: int, demand: int) -> tuple[Tick, Tick]:
    """The first ticks where F reaches D_tot and where it passes it, if that is in `block`."""
    sums, before = near.block(block), int(blocks[:, :block].sum())
    leaf, after = np.searchsorted(np.cumsum(sums[0] + sums[1]), (demand - before, demand + 1 - before)).tolist()
    return Tick(block << CELL_BITS | leaf), Tick(block << CELL_BITS | after)


def _cohorts(blocks: Ints, near: Zoom, price: int, all_demand: int) -> tuple[Cohort, Cohort]:
    """Both sides around the price, with R_S = V - S(λ-) and R_B = V - D(λ+) for V = min(S(λ), D(λ))."""
    block = price >> CELL_BITS
    below = blocks[:, :block].sum(axis=1) + near.block(block)[:, : price & _LEAF].sum(axis=1)
    supply_at, demand_at = near.at(price)
    s, d = int(below[0]), all_demand - int(below[1]) - demand_at
    volume = min(s + supply_at, d + demand_at)
    return (
        Cohort(Wh(s), Wh(supply_at), Wh(volume - s)),
        Cohort(Wh(d), Wh(demand_at), Wh(volume - d)),
    )
