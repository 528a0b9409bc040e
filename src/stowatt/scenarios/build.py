"""From a scenario to a community and its prices: profiles from SimBench or from a folder, PV and batteries as drawn.

Ownership. With a share of PV, exactly the drawn homes have a plant of the stated size, and no other has one; so with
batteries. Who is drawn follows from the seed and the home's name alone (`draws.py`): a share contains every smaller
one. A drawn plant gets the shape of one of the data's plants, also by lot. SimBench's shapes are per unit of rated
power; of a folder's home only its Wh are known, so its highest quarter of an hour is taken for the rated power, and
drawn plants yield somewhat more than those of the data. Wh are rounded to the nearest, half up.

Batteries that the data has keep what is stored in the first row (in the scenario's first window, if that is later);
drawn ones are empty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from stowatt.data import simbench
from stowatt.data.folder import read_folder
from stowatt.data.homes import WINDOW, WINDOW_S, Battery, Home
from stowatt.scenarios.community import MOST_WH, Community, Int64s, Prices, Storage
from stowatt.scenarios.draws import count_of, lot, ranking
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.hours import local_hours
from stowatt.scenarios.scenario import Ownership, Scenario, TimeOfUse
from stowatt.scenarios.simbench_year import Profiles, read_year
from stowatt.simulation.tariff import BatteryCosts
from stowatt.units import PPM, SECONDS_PER_HOUR

Plant = Callable[[int], Int64s]
"""Wh in each window of a plant of the given rated power, W."""


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Homes as the data has them."""

    homes: tuple[str, ...]
    start: datetime
    load_wh: Int64s
    pv_wh: Int64s
    batteries: tuple[Battery | None, ...]
    plants: tuple[Plant, ...]
    """Shapes that a drawn plant can have."""


def build(scenario: Scenario) -> tuple[Community, Prices]:
    """The community and the prices of a scenario."""
    data = _simbench(scenario) if scenario.source.kind == "simbench" else _folder(scenario)
    data = owned(data, scenario.ownership, scenario.seed)
    storage = storage_of(data.batteries, scenario.battery)
    zone = scenario.source.zone
    community = Community(data.homes, data.start, zone, data.load_wh, data.pv_wh, storage)
    return community, prices_of(scenario.tariff, community)


def prices_of(tariff: TimeOfUse, community: Community) -> Prices:
    """The time-of-use price of each window on the community's clock."""
    hours = local_hours(community)
    evening = (hours >= tariff.evening_from) & (hours < tariff.evening_to)
    retail = np.where(evening, np.int64(tariff.evening), np.int64(tariff.day))
    return Prices(retail, tariff.feed_in, tariff.levy)


def storage_of(batteries: Sequence[Battery | None], costs: BatteryCosts) -> Storage:
    """The batteries as arrays, with what their wear costs."""
    rows = [
        (b.usable_wh, b.window_cap_wh(), b.efficiency_ppm, b.energy_wh, costs.wear(b.efficiency_ppm))
        if b and b.window_cap_wh()
        else (0, 0, PPM, 0, 0)
        for b in batteries
    ]
    return Storage(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def owned(data: Data, ownership: Ownership, seed: int) -> Data:
    """The homes with PV and batteries as drawn; what has no share stays as it is."""
    if ownership.pv_ppm is not None:
        pv = np.zeros_like(data.pv_wh)
        drawn = ranking(seed, "pv", data.homes)[: count_of(ownership.pv_ppm, len(data.homes))]
        if drawn and not data.plants:
            raise ScenarioError("no home has PV whose shape a drawn plant could have", "leave ownership.pv out")
        for place in drawn:
            plant = data.plants[lot(seed, "shape", data.homes[place]) % len(data.plants)]
            pv[:, place] = plant(ownership.pv_wp)
        data = replace(data, pv_wh=pv)
    if ownership.battery_ppm is not None:
        sunny = (data.pv_wh.max(axis=0) > 0).tolist()
        order = sorted(ranking(seed, "battery", data.homes), key=lambda place: not sunny[place])
        chosen = set(order[: count_of(ownership.battery_ppm, len(data.homes))])
        battery = Battery(ownership.battery_wh, ownership.battery_w, ownership.efficiency_ppm, energy_wh=0)
        data = replace(data, batteries=tuple(battery if place in chosen else None for place in range(len(data.homes))))
    return data


def _simbench(scenario: Scenario) -> Data:
    source = scenario.source
    if source.zone != simbench.ZONE.key:
        raise _wrong(scenario, f"community.zone = {source.zone!r}", f"SimBench's clock is {simbench.ZONE.key}")
    year = read_year(simbench.read_grid(source.grid), source.start or date(2016, 1, 1), source.days or 1)

    def plant(shapes: Profiles, name: str, rated_w: int) -> Int64s:
        return shapes.energy(((name, Decimal(rated_w) / PPM),))

    plants = tuple(partial(plant, year.shapes, name) for name in year.shapes.names)
    return Data(year.homes, year.start, year.load_wh, year.pv_wh, year.batteries, plants)


def _folder(scenario: Scenario) -> Data:
    source = scenario.source
    homes = read_folder(scenario.folder / source.folder, source.zone)
    start, end = _span(scenario, homes)
    rows = (end - start) // WINDOW
    load, pv = (
        np.stack([np.array(profile, np.int64)[first : first + rows] for profile, first in profiles], axis=1)
        for profiles in (
            [(home.load_wh, home.index(start)) for home in homes],
            [(home.pv_wh, home.index(start)) for home in homes],
        )
    )
    batteries = tuple(home.battery for home in homes)
    peaks = [(np.array(home.pv_wh, np.int64), pv[:, place]) for place, home in enumerate(homes)]
    plants = tuple(partial(_scaled, shape, int(whole.max())) for whole, shape in peaks if whole.any())
    return Data(tuple(home.id for home in homes), start, load, pv, batteries, plants)


def _scaled(shape: Int64s, peak_wh: int, rated_w: int) -> Int64s:
    """A plant's Wh as if its highest quarter of an hour were its rated power; to the nearest, half up."""
    top = rated_w * WINDOW_S // SECONDS_PER_HOUR
    if peak_wh * top * 2 > MOST_WH**2:
        raise ScenarioError(f"a plant of {rated_w} W from one that reaches {peak_wh} Wh", "give a smaller pv_kwp")
    scaled: Int64s = (2 * shape * top + peak_wh) // (2 * peak_wh)
    return scaled


def _span(scenario: Scenario, homes: Sequence[Home]) -> tuple[datetime, datetime]:
    """Start and end, UTC: whole local days within what all profiles cover."""
    source = scenario.source
    try:
        zone = ZoneInfo(source.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _wrong(scenario, f"community.zone = {source.zone!r}", "use a name like Europe/Berlin") from error
    first, last = max(home.start for home in homes), min(home.end for home in homes)
    day = source.start or (first.astimezone(zone) + timedelta(days=1) - timedelta(microseconds=1)).date()

    def midnight(days: int) -> datetime:
        return datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC)

    days = source.days or (last.astimezone(zone).date() - day).days
    if days < 1 or midnight(0) < first or midnight(days) > last:
        raise _wrong(
            scenario,
            f"community.start = {day.isoformat()} with {days} days",
            f"all profiles cover {first.isoformat()} to {last.isoformat()} only",
        )
    return midnight(0), midnight(days)


def _wrong(scenario: Scenario, what: str, way_out: str) -> ScenarioError:
    return ScenarioError(f"{scenario.place}: {what}", way_out)
