"""The demo's evenings under several strategies of asking, and what each seller's battery goes through (for `wear`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from stowatt.clearing import PriceRule, Rules, WindowResult, clear
from stowatt.curves import Curve, Side
from stowatt.data import simbench
from stowatt.data.homes import Battery, Home, HomesError
from stowatt.degradation.ask import evening_asks
from stowatt.degradation.cell import CellModel, Floats, array
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.state import WearState
from stowatt.simulation.evening import Asks, Evening, EveningParameters, Stock, build_evening
from stowatt.simulation.worn import charged
from stowatt.units import PPM, ceil_div

NIGHT_ROWS: Final = 64
"""From 17:00 to 9:00: the home lives on the battery, as far as it lasts."""
ROWS_A_DAY: Final = 96
CHARGED: Final = 88
"""From 9:00 to 15:00 of the next day the battery is charged at an even rate to where it was."""


@dataclass(frozen=True, slots=True)
class Day:
    """The homes of the demo's grid on one day, with the morning after."""

    day: date
    homes: tuple[Home, ...]

    def cleared(self, asks: Asks) -> tuple[Evening, list[WindowResult]]:
        """The evening in which all sellers ask by one strategy, cleared at the lowest price."""
        evening = build_evening(self.homes, self.day, asks=within_charge(asks))
        return evening, [clear(window.book(), Rules(PriceRule.LOWEST)) for window in evening.windows]


def read_day(day: date) -> Day:
    """One day of SimBench."""
    return Day(day, tuple(simbench.read_homes(day + timedelta(days=1), days_before=4)))


def within_charge(asks: Asks) -> Asks:
    """The strategy, offering only what the charge at the evening's start gives: the same for all strategies."""

    def limited(stock: Stock, parameters: EveningParameters) -> list[Curve | None]:
        return asks(charged(stock), parameters)

    return limited


def one_price(stock: Stock, parameters: EveningParameters) -> list[Curve | None]:
    """All at the flat cost: wear by a fixed number of cycles, losses and charging, rounded up to a tick."""
    cost = parameters.costs.per_kwh(stock.battery.efficiency_ppm, parameters.tariff.feed_in)
    tick = ceil_div(cost, parameters.grid.tick_size)
    return [Curve.of(Side.SELL, [(tick, offer)]) if offer else None for offer in stock.offers]


def wear_aware(cell: CellModel, worn: WearState, rest_hours: float) -> Asks:
    """The strategy that asks what each Wh costs a battery of these cells in this state (28), (29)."""

    def asks(stock: Stock, parameters: EveningParameters) -> list[Curve | None]:
        costs = replace(Costs.of(parameters.costs, parameters.tariff), rest_hours=rest_hours)
        state = worn.at(stock.stored_wh / stock.battery.usable_wh)
        pack = Pack.of(stock.battery)
        fits = evening_asks(cell, state, pack, costs, stock.offers, stock.own_net_load, parameters.grid)
        return [fit.curve for fit in fits]

    return asks


def battery_of(home: Home) -> Battery:
    """A seller's battery."""
    if home.battery is None:
        raise HomesError(f"home {home.id} has no battery", "only homes with a battery sell")
    return home.battery


@dataclass(frozen=True, slots=True)
class Course:
    """A battery's day from 17:00 to 17:00."""

    times: Floats
    """Seconds."""
    soc: Floats
    """State of charge at these times."""
    served_wh: float
    """What the home itself drew, Wh at the terminals."""


def course(evening: Evening, home: Home, sold: Sequence[int]) -> Course:
    """The day of a battery that sells so much in each window: market first, then its home; then it is charged."""
    battery, energy = battery_of(home), float(evening.stored_wh[home.id])
    efficiency, most, served = battery.efficiency_ppm / PPM, battery.window_cap_wh(), 0.0
    first, stored = home.index(evening.windows[0].start), [energy]
    for row in range(NIGHT_ROWS):
        load, market = home.net_load_wh(first + row), sold[row] if row < len(sold) else 0
        own = max(0.0, min(load, most - market, energy * efficiency - market))
        charged = max(0, min(-load, most)) * efficiency
        energy = min(float(battery.usable_wh), max(0.0, energy - (market + own) / efficiency + charged))
        served += own
        stored.append(energy)
    for row in range(NIGHT_ROWS + 1, ROWS_A_DAY + 1):
        stored.append(energy + min(1.0, (row - NIGHT_ROWS) / (CHARGED - NIGHT_ROWS)) * (stored[0] - energy))
    return Course(array(range(ROWS_A_DAY + 1)) * 900.0, array(stored) / battery.usable_wh, served)
