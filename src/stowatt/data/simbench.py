"""Homes of a SimBench low-voltage grid, read from the CSV files inside the `simbench` package.

The package is located, never imported: importing it needs pandapower. SimBench is Meinecke et al., Energies 13 (2020)
3290, doi:10.3390/en13123290; its data is under the Open Database License 1.0 and is not shipped with Stowatt.

What is read, and how:

- A grid code `1-LV-rural3--1-sw` is version, voltage level, type, future scenario, switches. The scenario names the
  folder; version and type name the subnet (rural3 is LV3.101), as in simbench's own extraction.
- Every load of the subnet is one home (charging points and heat pumps are loads of their own). A PV plant belongs
  to the household load at its bus.
- A `PV_Storage` element is a PV plant *and* its battery, run for self-consumption: its name gives the shapes of PV
  and load (`Storage_PV3_H0-G`), its rated power is that of both, its `eStore` the battery's energy. The home gets the
  two parts back, since the published sum leaves nothing to decide. `etaStore` is taken as one-way efficiency; the
  self-discharge (0.13 % a day) is left out.
- Energy of a quarter of an hour = profile × rated power × 0.25 h, to the nearest Wh (half up, at most 0.5 Wh off); the
  few slightly negative load values (-0.000012 of the rating) count as 0.
- The clock of the files is German local time *with* summer time: 27 March 2016 has 92 rows, 30 October 100, and row k
  is the quarter of an hour that starts at 2015-12-31 23:00 UTC + 15 min × k. Every row's label is checked against that.

What it cannot do: the profiles are standardised shapes, so homes with the same shape move together.
"""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from stowatt.data.homes import WINDOW, WINDOW_S, Battery, Home, HomesError, to_wh, trait
from stowatt.units import PPM

GRID = "1-LV-rural3--1-sw"
DEMO_DAY = date(2016, 10, 20)
"""A Thursday in autumn with both kinds of window: enough storage for all who bid, and too little."""
ZONE = ZoneInfo("Europe/Berlin")
FIRST_ROW = datetime(2015, 12, 31, 23, tzinfo=UTC)
ROWS = 366 * 96

_CODE = re.compile(r"1-LV-(rural1|rural2|rural3|semiurb4|semiurb5|urban6)--([012])-(?:no_)?sw")
_STORAGE_PROFILE = re.compile(r"Storage_(PV\d+)_(.+)")
_HOUSEHOLD = "H0-"
_HOURS = Decimal(WINDOW_S) / 3600
_KW_PER_MW = 1000

_COLUMNS = {
    "Load.csv": ["id", "node", "profile", "pLoad", "subnet"],
    "RES.csv": ["id", "node", "profile", "pRES", "subnet"],
    "Storage.csv": ["id", "node", "type", "profile", "pStor", "eStore", "etaStore", "subnet"],
}

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Grid:
    """The elements of one low-voltage grid, as in the files."""

    subnet: str
    loads: tuple[Row, ...]
    plants: tuple[Row, ...]
    storages: tuple[Row, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class Site:
    """One home before its profiles are read: a load, the PV at its bus, its battery."""

    load: Row
    pv: tuple[tuple[str, Decimal], ...]
    """Profile and rated power (MW) of each PV plant."""
    battery: Battery | None


def find_networks() -> Path:
    """The folder `networks` of the installed package."""
    spec = importlib.util.find_spec("simbench")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "networks").is_dir():
            return Path(place) / "networks"
    raise HomesError(
        "the package simbench is not installed",
        "run `pip install --no-deps simbench==1.6.3`, or give a folder of your own profiles with --homes",
    )


def read_grid(code: str = GRID, networks: Path | None = None) -> Grid:
    """The loads, PV plants and storage units of a low-voltage grid."""
    match = _CODE.fullmatch(code)
    if not match:
        raise HomesError(f"{code!r} is not the code of a SimBench low-voltage grid", f"write one like {GRID}")
    kind, scenario = match.groups()
    number = int(kind[-1])
    subnet = f"LV{number}.{201 if number >= 5 else 101}"
    folder = (networks or find_networks()) / f"1-complete_data-mixed-all-{scenario}-sw"
    storages = _elements(folder / "Storage.csv", subnet) if scenario != "0" else ()
    return Grid(subnet, _elements(folder / "Load.csv", subnet), _elements(folder / "RES.csv", subnet), storages, folder)


def read_homes(day: date, grid: Grid | None = None, *, days_before: int = 3) -> list[Home]:
    """All homes of the grid, with profiles from `days_before` days before `day` to the end of `day`.

    The batteries are empty in the first row; the days before let them reach the state of an ordinary day.
    """
    grid = grid or read_grid()
    midnight = [datetime.combine(day + timedelta(days=n), time(), ZONE) for n in (-days_before, 0, 1)]
    first, on_day, last = [(at.astimezone(UTC) - FIRST_ROW) // WINDOW for at in midnight]
    if on_day < 0 or last > ROWS:
        raise HomesError(f"SimBench has no profile for {day.isoformat()}", "choose a date in 2016")
    first = max(first, 0)
    start = FIRST_ROW + first * WINDOW
    sites = sites_of(grid)
    loads = _profiles(grid.folder / "LoadProfile.csv", {f"{s.load['profile']}_pload" for s in sites}, first, last)
    plants = _profiles(grid.folder / "RESProfile.csv", {name for s in sites for name, _ in s.pv}, first, last)
    return [
        Home(
            id=site.load["id"].removeprefix(f"{grid.subnet} "),
            start=start,
            load_wh=_energy([(loads[f"{site.load['profile']}_pload"], rating(site.load, "pLoad"))], last - first),
            pv_wh=_energy([(plants[name], rated) for name, rated in site.pv], last - first),
            battery=site.battery,
        )
        for site in sites
    ]


def _elements(file: Path, subnet: str) -> tuple[Row, ...]:
    """The rows of one subnet."""
    return tuple(read_table(file, _COLUMNS[file.name]).filter(pl.col("subnet") == subnet).to_dicts())


def sites_of(grid: Grid) -> list[Site]:
    """Each load with the PV and the battery that belong to it, by the load's number."""
    loads = sorted(grid.loads, key=lambda load: int(load["id"].rsplit(" ", 1)[1]))
    pv: dict[str, list[tuple[str, Decimal]]] = {load["id"]: [] for load in loads}
    batteries: dict[str, Battery] = {}
    for plant in grid.plants:
        pv[_household(loads, plant["node"])["id"]].append((plant["profile"], rating(plant, "pRES")))
    for storage in grid.storages:
        match = _STORAGE_PROFILE.fullmatch(storage["profile"])
        if storage["type"] != "PV_Storage" or not match:
            raise HomesError(f"{storage['id']}: unknown kind of storage {storage['profile']!r}", "use simbench 1.6.3")
        shape, household = match.groups()
        home = _household(loads, storage["node"], household)["id"]
        rated = abs(rating(storage, "pStor"))
        pv[home].append((shape, rated))
        batteries[home] = Battery(
            cells="nmc" if trait(home, "cells", 4) == 0 else "lfp",
            age_years=1 + trait(home, "age", 8),
            usable_wh=int(rating(storage, "eStore") * PPM),
            power_w=int(rated * PPM),
            efficiency_ppm=int(rating(storage, "etaStore") * PPM),
            energy_wh=0,
        )
    return [Site(load, tuple(pv[load["id"]]), batteries.get(load["id"])) for load in loads]


def _household(loads: Sequence[Row], node: str, profile: str = "") -> Row:
    """The household at a bus, with the given profile if there is one; the first load if no household is there."""
    here = [load for load in loads if load["node"] == node]
    households = [load for load in here if load["profile"].startswith(profile or _HOUSEHOLD)]
    if not here or (profile and not households):
        raise HomesError(f"no load {profile or 'at all'} at {node} for its PV or storage", "use simbench 1.6.3")
    return (households or here)[0]


def rating(row: Row, column: str) -> Decimal:
    """A cell of an element: rated power in MW, energy in MWh, or an efficiency."""
    try:
        return Decimal(row[column])
    except InvalidOperation as error:
        raise HomesError(
            f"{row['id']}: {column} = {row[column]!r} is not a number", "reinstall simbench 1.6.3"
        ) from error


def _profiles(file: Path, names: set[str], first: int, last: int) -> dict[str, list[Decimal]]:
    """Rows first..last of the named columns, per unit of rated power, after a check of the clock."""
    table = read_table(file, ["time", *sorted(names)], first, last - first)
    labels = [(FIRST_ROW + WINDOW * row).astimezone(ZONE).strftime("%d.%m.%Y %H:%M") for row in range(first, last)]
    if table["time"].to_list() != labels:
        raise HomesError(f"{file.name}: the rows from {labels[0]} are not where they should be", "use simbench 1.6.3")
    try:
        return {name: [Decimal(value) for value in table[name].to_list()] for name in names}
    except (InvalidOperation, TypeError) as error:
        raise HomesError(
            f"{file.name}: a profile holds something that is not a number", "use simbench 1.6.3"
        ) from error


def _energy(parts: Sequence[tuple[Sequence[Decimal], Decimal]], rows: int) -> tuple[int, ...]:
    """Wh in each window of the sum of (profile per unit, rated power in MW)."""
    return tuple(
        max(0, to_wh(sum((profile[row] * rated for profile, rated in parts), Decimal(0)) * _KW_PER_MW * _HOURS))
        for row in range(rows)
    )


def read_table(file: Path, columns: list[str] | None = None, skip: int = 0, rows: int | None = None) -> pl.DataFrame:
    """A table of SimBench as text: numbers stay decimals until they are rounded once."""
    try:
        return pl.read_csv(
            file, separator=";", columns=columns, infer_schema=False, skip_rows_after_header=skip, n_rows=rows
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise HomesError(
            f"{file.name} of simbench cannot be read ({error})"[:200], "reinstall simbench 1.6.3"
        ) from error
