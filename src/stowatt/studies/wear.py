"""The same evenings with flat asks and with wear-aware asks: welfare, price, trade, and the capacity left in ten years.

The demo's grid (14 batteries) on twelve Thursdays from April to September, twelve windows each, price rule `lowest`.
Four ways to ask for the same energy, and a fifth to compare:

- *flat*: one price, wear counted as the replacement cost over 6,000 full cycles;
- *flat, stepped*: the demo's, rising from that price to what the energy is worth to the home itself;
- *wear-aware*: `degradation.ask.evening_asks`, what each Wh costs this battery in its state, with the credit for
  ageing less at a lower charge for 4 hours (the model's default), or for 16, as long as the night is;
- *no market*: the batteries serve their own homes only.

True cost of what was sold, two years and 400 full cycles old: the capacity that the day takes with the sales and not
without them, by the cell's model, in money (cycles and age apart: an empty battery ages less until it is charged);
what the home has to buy at night because the battery is empty, at the day tariff; and charging with its losses for the
rest. Capacity in ten years: a new battery that lives these twelve days over and over (`degradation.ageing`), at a
constant cell temperature.

What it cannot say: the model judges itself (its asks are priced by the model that measures the wear); what the other
months do; how sellers who learn their wear would ask strategically.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from stowatt.curves import Side
from stowatt.degradation.ageing import Duty, after, duty_of
from stowatt.degradation.cell import CellModel
from stowatt.degradation.cells import CELLS
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.state import WearState
from stowatt.simulation.evening import Asks, flat_asks
from stowatt.simulation.tariff import BatteryCosts, Tariff
from stowatt.studies import bands
from stowatt.studies.books import TICK_SIZE
from stowatt.studies.errors import StudyError
from stowatt.studies.evenings import Day, battery_of, course, one_price, read_day, wear_aware
from stowatt.units import WH_PER_KWH

FIRST_DAY: Final = date(2016, 4, 14)
APART: Final = timedelta(days=14)
TEN_YEARS: Final = 3652.5
DAYS, FEC = 730.0, 400.0
"""The batteries' state in the evenings: two years and 400 full cycles, lived as `degradation.state.Past` has it."""
REST_HOURS: Final = {"wear-aware": 4.0, "wear-aware, 16 h": 16.0}
ASKS: Final = ("flat", "flat, stepped", *REST_HOURS)
NO_MARKET: Final = "no market"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line chooses."""

    cells: tuple[str, ...] = ("lfp", "nmc")
    temperatures: tuple[float, ...] = (10.0, 25.0, 40.0)
    """Cell temperatures, °C."""
    days: int = 12
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.cells or set(self.cells) - set(CELLS):
            raise StudyError(f"cells {list(self.cells)}", "choose among " + ", ".join(CELLS))
        if not self.temperatures or not all(-20 <= degrees <= 60 for degrees in self.temperatures):
            raise StudyError(f"temperatures {list(self.temperatures)}", "give cell temperatures of -20 to 60 °C")
        if not 1 <= self.days <= 14 or self.seed < 0:
            raise StudyError(f"{self.days} days, seed {self.seed}", "give 1 to 14 days and a seed from 0")


def run(settings: Settings, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """The whole study as a document of plain values: a cell for each chemistry, temperature and way to ask."""
    steps = settings.days * (1 + len(settings.cells) * len(settings.temperatures))
    days = []
    for number in range(settings.days):
        days.append(read_day(FIRST_DAY + number * APART))
        progress(number + 1, steps)
    drawn = bands.weights(settings.days, settings.seed)
    cells, done = [], settings.days
    for name in settings.cells:
        for temperature in settings.temperatures:
            found: dict[str, list[dict[str, Any]]] = {asks: [] for asks in (*ASKS, NO_MARKET)}
            for day in days:
                for asks, rows in found.items():
                    rows.append(evening(day, asks, CELLS[name], temperature))
                progress(done := done + 1, steps)
            cells += [
                {"cell": name, "temperature": temperature, "asks": asks, **summary(rows, CELLS[name], drawn)}
                for asks, rows in found.items()
            ]
    return {
        "study": "wear",
        "parameters": {
            "days": [(FIRST_DAY + number * APART).isoformat() for number in range(settings.days)],
            "seed": settings.seed,
            "cells": list(settings.cells),
            "temperatures": list(settings.temperatures),
            "age": {"days": DAYS, "fec": FEC},
        },
        "cells": cells,
    }


def evening(day: Day, asks: str, cell: CellModel, temperature: float) -> dict[str, Any]:
    """One evening with one way to ask: totals in base units and Wh, and each battery's duty."""
    worn = WearState.aged(cell, soc=0.5, temperature_c=temperature, days=DAYS, fec=FEC)
    played, results = day.cleared(_strategy(asks, cell, worn))
    sellers = played.sellers
    if asks == NO_MARKET:
        results = []
    fills = [{name: quantity for name, _, quantity in result.fills} for result in results]
    sold = {home.id: [fill.get(home.id, 0) for fill in fills] for home in sellers}
    value = sum(
        curve.value(fill.quantity)
        for window, result in zip(played.windows, results, strict=False)
        for (_, curve), fill in zip(window.book().bids, result.fills, strict=True)
        if curve.side is Side.BUY
    )
    paid = sum((result.price or 0) * result.volume for result in results)
    duties, cycles, age, other = {}, 0.0, 0.0, 0.0
    for home in sellers:
        pack, costs = Pack.of(battery_of(home)), Costs.of(BatteryCosts(), Tariff())
        ours, alone = course(played, home, sold[home.id]), course(played, home, [])
        with_sales, without = (duty_of(cell, one.times, one.soc, temperature) for one in (ours, alone))
        per_loss = costs.per_loss(pack, worn.soh)
        cycles += per_loss * _beyond(worn.cycle_stress(cell), with_sales.cycle, without.cycle, cell.cycle_power)
        age += per_loss * _beyond(
            worn.calendar_stress(cell), with_sales.calendar, without.calendar, cell.calendar_power
        )
        bought = alone.served_wh - ours.served_wh
        other += (bought * Tariff().day + (sum(sold[home.id]) - bought) * costs.base(pack)) / WH_PER_KWH
        duties[home.id] = with_sales
    return {
        "traded": sum(result.volume for result in results),
        "paid": paid * TICK_SIZE / WH_PER_KWH,
        "value": value * TICK_SIZE / WH_PER_KWH,
        "cycles": cycles,
        "age": age,
        "other": other,
        "duties": duties,
    }


def _strategy(asks: str, cell: CellModel, worn: WearState) -> Asks:
    if asks in REST_HOURS:
        return wear_aware(cell, worn, REST_HOURS[asks])
    return one_price if asks == "flat" else flat_asks


def _beyond(before: float, more: float, less: float, power: float) -> float:
    """Capacity that one day's stress takes beyond another's, from the same stress before; a share of the new one."""
    lost: float = (before + more) ** power - (before + less) ** power
    return lost


def ten_years(cell: CellModel, duties: Sequence[Duty]) -> float:
    """State of health of a new battery after ten years of these days over and over."""
    total = Duty(
        sum(duty.days for duty in duties),
        sum(duty.fec for duty in duties),
        sum(duty.calendar for duty in duties),
        sum(duty.cycle for duty in duties),
    )
    return after(cell, total, TEN_YEARS).soh


def summary(rows: list[dict[str, Any]], cell: CellModel, drawn: bands.Floats) -> dict[str, Any]:
    """Means for an evening with bands over days; money per kWh in base units."""
    sums = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0] if name != "duties"}
    kwh = sums["traded"] / WH_PER_KWH
    one = np.ones(len(rows))

    def share(top: Any, bottom: Any) -> dict[str, float]:
        figures = bands.ratio(top, bottom, drawn)[0]._asdict()
        return {name: float(f"{figure:.5g}") for name, figure in figures.items()}

    health = [ten_years(cell, [row["duties"][home] for row in rows]) for home in rows[0]["duties"]]
    cost = sums["cycles"] + sums["age"] + sums["other"]
    return {
        "traded_kwh": share(kwh, one),
        "price": share(sums["paid"], kwh),
        "cycles": share(sums["cycles"], kwh),
        "age": share(sums["age"], kwh),
        "other": share(sums["other"], kwh),
        "welfare": share(sums["value"] - cost, one),
        "buyers": share(sums["value"] - sums["paid"], one),
        "sellers": share(sums["paid"] - cost, one),
        "soh": round(float(np.mean(health)), 5),
        "soh_least": round(float(np.min(health)), 5),
    }
