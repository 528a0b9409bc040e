"""Simple, stated strategies: what a home offers or asks for in one evening, and at which prices.

Seller (a home with a battery). What it offers is planned in `portfolio`: what its own net load does not need, as evenly
over the windows as its power allows, and never more than it can deliver. Here is its flat ask; `worn` has the one that
knows the battery's wear. The flat one rises in 3 to 5 steps: the first kWh would be left over in the morning and only
has to earn wear, losses and charging; the last would serve its own load at the day tariff, so it asks nearly that.

Buyer (a home without a battery and with a net load). Its bid falls in 1 to 4 steps: the inflexible part of its load is
worth the evening tariff less a margin of 1 to 5 ct; the flexible rest could be moved to the day tariff and is worth
less.

Both know their own profile (perfect foresight). How many steps and which margin follow from a hash of the home's id,
so a day can be repeated. No floats: prices are base units per kWh, asks round up to a tick and bids down, each against
its own chance of trading and never past its limit.
"""

from dataclasses import dataclass

from stowatt.curves import Curve, Side
from stowatt.data.homes import Battery, trait
from stowatt.simulation.tariff import BatteryCosts, Tariff, TariffError
from stowatt.units import GRID_MAX_TICKS, ceil_div

ASK_STEPS = (3, 4, 5)
BID_STEPS = (1, 2, 3, 4)
MARGIN_LEAST = 10_000
MARGIN_MOST = 50_000
"""Least and most that a buyer wants to save on each kWh, base units."""


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """The prices that a market knows: ticks 0 … ticks - 1."""

    tick_size: int = 100
    """Base units per kWh and tick; 100 is 0.0001 EUR/kWh with a token of six decimals."""
    ticks: int = 4_096
    """Number of ticks; 4,096 reach to 0.4095 EUR/kWh."""

    def __post_init__(self) -> None:
        if self.tick_size < 1 or not 1 <= self.ticks <= GRID_MAX_TICKS:
            raise TariffError(
                f"price grid: tick_size = {self.tick_size}, ticks = {self.ticks}",
                f"use a tick size from 1 and 1 to {GRID_MAX_TICKS} ticks",
            )


def ask(home: str, battery: Battery, offer: int, costs: BatteryCosts, tariff: Tariff, grid: PriceGrid) -> Curve | None:
    """The ask for `offer` Wh, or None for nothing.

    Step k of n asks cost + (k + ½)·(day − cost)/n, where cost is wear, losses and charging: between the cost and what
    the energy is worth to the home itself at the day tariff. A battery that costs more than that asks its cost. A step
    above the grid's highest tick is left out: it could only be offered at a loss.
    """
    if offer < 1:
        return None
    steps = ASK_STEPS[trait(home, "ask steps", len(ASK_STEPS))]
    cost = costs.per_kwh(battery.efficiency_ppm, tariff.feed_in)
    room = max(0, tariff.day - cost)
    ticks = [ceil_div(cost + ceil_div(room * (2 * k + 1), 2 * steps), grid.tick_size) for k in range(steps)]
    pairs = [(tick, width) for tick, width in zip(ticks, split(offer, steps), strict=True) if width]
    return _curve(Side.SELL, [(tick, width) for tick, width in pairs if tick < grid.ticks])


def bid(home: str, net_load: int, tariff: Tariff, grid: PriceGrid) -> Curve | None:
    """The bid for a net load of `net_load` Wh, or None for nothing.

    Step k of n bids avoided − margin − k·(evening − day)/n: from the evening price down towards the day price. A step
    above the grid's highest tick bids that tick.
    """
    if net_load < 1:
        return None
    steps = BID_STEPS[trait(home, "bid steps", len(BID_STEPS))]
    margin = MARGIN_LEAST + trait(home, "margin", MARGIN_MOST - MARGIN_LEAST + 1)
    drop = tariff.evening - tariff.day
    prices = [max(0, tariff.avoided - margin - ceil_div(drop * k, steps)) for k in range(steps)]
    ticks = [min(price // grid.tick_size, grid.ticks - 1) for price in prices]
    return _curve(Side.BUY, [(tick, width) for tick, width in zip(ticks, split(net_load, steps), strict=True) if width])


def _curve(side: Side, pairs: list[tuple[int, int]]) -> Curve | None:
    return Curve.of(side, pairs) if pairs else None


def split(total: int, parts: int) -> list[int]:
    """`total` in `parts` equal shares; the odd Wh go to the first ones."""
    share, odd = divmod(total, parts)
    return [share + (1 if part < odd else 0) for part in range(parts)]
