"""Batteries with a past: wear-aware asks (28) for the homes of an evening.

Cells and age are the battery's; that it made 250 full cycles a year and stands indoors at 20 °C is assumed. The ask is
the cost of each Wh (wear, losses, charging) and a margin.
"""

from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import Final

from stowatt.curves import Curve
from stowatt.data.homes import WINDOW_S, Battery, Home, trait
from stowatt.degradation.ask import evening_asks
from stowatt.degradation.cell import CellModel
from stowatt.degradation.cells import cell_of
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.marginal import Sale, total_cost
from stowatt.degradation.state import WearState
from stowatt.simulation.evening import EveningParameters, Stock

INDOORS_C: Final = 20.0
CYCLES_A_YEAR: Final = 250
MARGIN_MOST: Final = 60_000
"""The most that a home wants to earn on each kWh, base units: 6 ct."""
STEPS: Final = 6
"""Segments of an ask: the reveal of each costs gas."""


def _worn(battery: Battery) -> tuple[CellModel, WearState]:
    return _aged(battery.cells, battery.age_years)


@lru_cache(maxsize=64)
def _aged(cells: str, years: int) -> tuple[CellModel, WearState]:
    cell = cell_of(cells)
    days, cycles = 365.0 * years, float(CYCLES_A_YEAR * years)
    return cell, WearState.aged(cell, soc=1.0, temperature_c=INDOORS_C, days=days, fec=cycles)


def evening_cost(home: Home, stored_wh: int, own_wh: int, sold_wh: int, parameters: EveningParameters) -> int:
    """What giving `sold_wh` in an evening costs a home's battery: wear, losses, charging; base units, rounded up.

    The home's own use, `own_wh`, comes first: the sale is what makes the discharge deeper.
    """
    if home.battery is None or not sold_wh:
        return 0
    cell, worn = _worn(home.battery)
    pack = Pack.of(home.battery)
    state = worn.at(stored_wh / home.battery.usable_wh)
    own = min(own_wh, pack.deliverable_wh(state.soc) - sold_wh)
    sale = Sale(sold_wh, before_wh=max(0, own), window_s=parameters.windows * WINDOW_S)
    costs = Costs.of(parameters.costs, parameters.tariff)
    return ceil(total_cost(cell, state, pack, costs, sale))


def charged(stock: Stock) -> Stock:
    """The stock, offering only what the charge at the evening's start gives after the home's own need.

    Offers may count on sunshine of the evening itself; the price of wear is counted from the charge alone.
    """
    charge = Pack.of(stock.battery).deliverable_wh(stock.stored_wh / stock.battery.usable_wh)
    left, offers = charge - sum(max(0, load) for load in stock.own_net_load), []
    for offer in stock.offers:
        offers.append(max(0, min(offer, left)))
        left -= offers[-1]
    return replace(stock, offers=tuple(offers))


def worn_asks(stock: Stock, parameters: EveningParameters) -> list[Curve | None]:
    """An ask for each window that is never below what the sale costs the battery."""
    stock = charged(stock)
    cell, worn = _worn(stock.battery)
    costs = replace(
        Costs.of(parameters.costs, parameters.tariff), other=trait(stock.home.id, "margin", MARGIN_MOST + 1)
    )
    state = worn.at(stock.stored_wh / stock.battery.usable_wh)
    fits = evening_asks(
        cell, state, Pack.of(stock.battery), costs, stock.offers, stock.own_net_load, parameters.grid, segments=STEPS
    )
    return [fit.curve for fit in fits]
