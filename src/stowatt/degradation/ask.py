"""§2: a wear-aware ask: marginal costs as at most 16 steps on the price grid, never below the cost of any Wh.

Each Wh's cost is rounded *up* to a tick. A segment's tick is that of its dearest Wh, so the cheaper ones in it are
asked a little too much; the break points are chosen so that the most that any Wh is overcharged is as small as 16
steps allow. If the ticks within one segment differ by at most D, every Wh is asked at least its cost and less than
D + 1 ticks more: that is the bound stated with each curve.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stowatt.curves import Curve, Side
from stowatt.degradation.cell import CellModel, whole
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.errors import WearError
from stowatt.degradation.marginal import Discharge, Marginal, Sale
from stowatt.degradation.state import WearState
from stowatt.simulation.strategies import PriceGrid
from stowatt.units import MAX_SEGMENTS


@dataclass(frozen=True, slots=True)
class AskFit:
    """An ask, and how near it is to the cost."""

    curve: Curve | None
    """The ask; None if nothing can be offered on the grid."""
    bound_ticks: int
    """Every Wh is asked at least its cost (the envelope's) and less than this many ticks above it."""
    overshoot_ticks: float
    """The most that any Wh is asked above its cost."""
    left_out_wh: int
    """What costs more than the grid's highest tick and is not offered."""
    marginal: Marginal
    """The costs that it was made from."""


def fit_ask(marginal: Marginal, grid: PriceGrid, segments: int = MAX_SEGMENTS) -> AskFit:
    """The best ask of at most `segments` steps."""
    whole("the number of segments", segments, 1, MAX_SEGMENTS)
    cost = np.maximum(0.0, marginal.ask)
    ticks = np.ceil(cost / grid.tick_size)
    offered = int(np.searchsorted(ticks, grid.ticks, side="left"))
    if not offered:
        return AskFit(None, 0, 0.0, len(cost), marginal)
    levels, first = np.unique(ticks[:offered], return_index=True)
    values = [int(level) for level in levels]
    starts = [*(int(place) for place in first), offered]
    spread = _least_spread(values, segments)
    # Filling the segments from below or from above keeps the bound alike; the one that asks less in all is taken.
    ends = min(
        (_partition(values, spread), _partition_down(values, spread)), key=lambda ends: _asked(values, starts, ends)
    )
    pairs, begin, overshoot = [], 0, 0.0
    for end in ends:
        tick = values[end - 1]
        pairs.append((tick, starts[end] - starts[begin]))
        overshoot = max(overshoot, tick - float(cost[starts[begin]]) / grid.tick_size)
        begin = end
    return AskFit(Curve.of(Side.SELL, pairs), spread + 1, overshoot, len(cost) - offered, marginal)


def _least_spread(values: Sequence[int], segments: int) -> int:
    """The least D for which runs of levels within D of each other are at most `segments`."""
    low, high = 0, values[-1] - values[0]
    while low < high:
        middle = (low + high) // 2
        if len(_partition(values, middle)) <= segments:
            high = middle
        else:
            low = middle + 1
    return low


def _partition(values: Sequence[int], spread: int) -> list[int]:
    """Where the segments end when each takes as many levels as `spread` allows."""
    ends, begin = [], 0
    while begin < len(values):
        begin = bisect_right(values, values[begin] + spread)
        ends.append(begin)
    return ends


def _partition_down(values: Sequence[int], spread: int) -> list[int]:
    """The same, filling the segments from the highest level down."""
    ends, end = [], len(values)
    while end:
        ends.append(end)
        end = bisect_left(values, values[end - 1] - spread)
    return ends[::-1]


def _asked(values: Sequence[int], starts: Sequence[int], ends: Sequence[int]) -> int:
    """Σ tick × width of a partition."""
    return sum(values[end - 1] * (starts[end] - starts[begin]) for begin, end in zip((0, *ends), ends, strict=False))


def wear_aware_ask(
    cell: CellModel,
    state: WearState,
    pack: Pack,
    costs: Costs,
    sale: Sale,
    grid: PriceGrid | None = None,
    *,
    segments: int = MAX_SEGMENTS,
) -> AskFit:
    """The ask for one window from one state."""
    reach = sale.before_wh + sale.own_wh + sale.offer_wh
    discharge = Discharge(cell, state, pack, costs, reach_wh=reach)
    return fit_ask(discharge.marginal(sale), grid or PriceGrid(), segments)


def evening_asks(
    cell: CellModel,
    state: WearState,
    pack: Pack,
    costs: Costs,
    offers: Sequence[int],
    own: Sequence[int] = (),
    grid: PriceGrid | None = None,
    *,
    segments: int = MAX_SEGMENTS,
) -> list[AskFit]:
    """An ask for each of several windows in a row.

    `own` is the home's net load in each window until its evening ends (it may be longer than `offers`). Each window is
    priced as if all earlier offers had been sold and all of the home's need had been drawn, and the envelope covers
    every case between that and nothing at all. So no window is below cost whichever of the others are sold.
    """
    needs = [max(0, load) for load in own] + [0] * max(0, len(offers) - len(own))
    discharge = Discharge(cell, state, pack, costs)
    fits, sold, total = [], 0, sum(needs)
    for offer, need in zip(offers, needs, strict=False):
        if offer == 0:
            fits.append(fit_ask(discharge.marginal(Sale(0)), grid or PriceGrid(), segments))
            continue
        later = min(pack.window_cap_wh(), max(needs[len(fits) + 1 :], default=0))
        own_here = min(need, max(0, pack.window_cap_wh() - offer))
        sale = Sale(offer, own_here, sold + total - need, later_own_wh=later)
        fits.append(fit_ask(discharge.marginal(sale), grid or PriceGrid(), segments))
        sold += offer
    return fits


def require_curve(fit: AskFit, grid: PriceGrid) -> Curve:
    """The curve, or an error that says why there is none."""
    if fit.curve is None:
        least = float(fit.marginal.ask[0]) if len(fit.marginal.ask) else 0.0
        raise WearError(
            f"a kWh costs at least {least:.0f} base units, the grid ends at {(grid.ticks - 1) * grid.tick_size}"
            if fit.left_out_wh
            else "there is nothing to offer",
            "use more ticks or a larger tick" if fit.left_out_wh else "offer at least 1 Wh",
        )
    return fit.curve
