"""A scenario: one TOML file that says who lives in a community, what things cost, and which schemes to compare.

    scenario = read_scenario(Path("year.toml"))
    scenario.settings, scenario.seed                      # what `run_market` takes
    for values in scenario.points():                      # the sweep: every combination of its values
        scenario.variant(values).digest()                 # the same digest, the same result

Units: EUR and kWh in the file, as decimals that are read exactly; base units (10^-6 EUR), Wh and ppm here.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Final

from stowatt.clearing.rules import PriceRule, Rationing
from stowatt.data import simbench
from stowatt.data.homes import WINDOW_S
from stowatt.errors import StowattError
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.settings import BUYERS, FORECASTS, HOURS, SELLERS, MarketSettings
from stowatt.scenarios.toml_table import Table, Values, shown, word
from stowatt.simulation.strategies import PriceGrid
from stowatt.simulation.tariff import BatteryCosts
from stowatt.units import GRID_MAX_TICKS, PPM, SECONDS_PER_HOUR

SCHEMES: Final = ("none", "market", "shared-battery", "shared-storage", "optimum")
"""What can be compared, in the order of the table."""
SOURCES: Final = ("simbench", "folder")
MOST_DAYS: Final = 3_660
MOST_PRICE_EUR: Final = 1_000
_EUR: Final = 6
_KILO: Final = 3
_MOST_KILO: Final = 1_000_000
_NOT_SWEPT: Final = ("name", "compare", "sweep")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the homes and their profiles come from."""

    kind: str
    """`simbench` or `folder`."""
    grid: str = simbench.GRID
    folder: str = ""
    """Of profiles (docs/homes.md); relative to the scenario's own folder."""
    start: date | None = None
    """First local day; None: the first that all profiles of the folder have whole."""
    days: int | None = None
    """Local days; None: as many as all profiles of the folder have."""
    zone: str = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns PV and batteries. A share of None leaves it as the data has it."""

    pv_ppm: int | None = None
    pv_wp: int = 5_000
    """Rated power of each drawn PV plant."""
    battery_ppm: int | None = None
    """Drawn among the homes with PV first: a battery without PV has nothing to charge from."""
    battery_wh: int = 10_000
    """Usable energy of each drawn battery."""
    battery_w: int = 5_000
    efficiency_ppm: int = 950_000
    """One way."""


@dataclass(frozen=True, slots=True)
class TimeOfUse:
    """Prices outside the market, base units per kWh."""

    evening: int = 380_000
    day: int = 300_000
    feed_in: int = 80_000
    levy: int = 0
    evening_from: int = 17
    """Local hour from which the evening price holds."""
    evening_to: int = 22
    """Local hour before which it ends."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a run follows from."""

    name: str
    seed: int
    source: Source
    ownership: Ownership
    tariff: TimeOfUse
    battery: BatteryCosts
    settings: MarketSettings
    schemes: tuple[str, ...]
    sweep: tuple[tuple[str, tuple[object, ...]], ...] = ()
    """Keys such as `ownership.battery`, each with its values as written."""
    document: Values = field(default_factory=dict, compare=False, repr=False)
    """The file's tables."""
    place: str = field(default="scenario", compare=False)
    """The file's name, for errors."""
    folder: Path = field(default=Path(), compare=False)
    """The file's folder."""

    def canonical(self) -> str:
        """All that a result depends on, defaults included, as JSON with sorted keys. The name and the sweep do not."""
        parts = {
            key: asdict(getattr(self, key)) for key in ("source", "ownership", "tariff", "battery", "settings")
        } | {"seed": self.seed, "schemes": self.schemes}
        return json.dumps(parts, sort_keys=True, default=lambda value: value.isoformat(), separators=(",", ":"))

    def digest(self) -> str:
        """SHA-256 of `canonical`: runs with the same digest give the same result from the same data."""
        return sha256(self.canonical().encode()).hexdigest()

    def points(self) -> Iterator[dict[str, object]]:
        """Every combination of the sweep's values, the last key fastest; one empty combination without a sweep."""
        keys = [key for key, _ in self.sweep]
        for values in product(*(values for _, values in self.sweep)):
            yield dict(zip(keys, values, strict=True))

    def variant(self, values: Mapping[str, object]) -> "Scenario":
        """This scenario with other values and without the sweep."""
        document: dict[str, object] = {key: deepcopy(value) for key, value in self.document.items() if key != "sweep"}
        for path, value in values.items():
            table, _, key = path.rpartition(".")
            into = document.setdefault(table, {}) if table else document
            if not isinstance(into, dict):
                raise ScenarioError(
                    f"{self.place}: {word(table)} = {shown(into)} is not a table", f"write [{word(table)}]"
                )
            into[key] = value
        return parse_scenario(document, self.place, self.folder)


def read_scenario(path: Path) -> Scenario:
    """A scenario from its file."""
    try:
        document = tomllib.loads(path.read_bytes().decode(), parse_float=Decimal)
    except OSError as error:
        raise ScenarioError(f"{path.name} cannot be read ({error.strerror})", "give a scenario's TOML file") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path.name} is no UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    except (tomllib.TOMLDecodeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ScenarioError(f"{path.name} is no TOML: {str(error)[:120]}", "see examples/scenarios") from error
    return parse_scenario(document, path.name, path.parent)


def parse_scenario(document: Values, place: str = "scenario", folder: Path = Path()) -> Scenario:
    """A scenario from its tables; `place` names them in errors, `folder` is where relative paths start."""
    top = Table(place, "", document)

    def table(name: str) -> Table:
        return Table(place, name, document.get(name, {}) if top.has(name) else {})

    try:
        scenario = Scenario(
            name=top.text("name"),
            seed=top.whole("seed", 0, 2**64 - 1, 1),
            source=_source(table("community")),
            ownership=_ownership(table("ownership")),
            tariff=_tariff(table("tariff")),
            battery=_battery(table("battery")),
            settings=_settings(table("market"), table("strategies")),
            schemes=_schemes(table("compare")),
            sweep=_sweep(table("sweep")),
            document=document,
            place=place,
            folder=folder,
        )
    except ScenarioError:
        raise
    except StowattError as error:
        raise ScenarioError(f"{place}: {error.what}", error.way_out) from error
    top.finish()
    for key, values in scenario.sweep:
        for value in values:
            try:
                scenario.variant({key: value})
            except ScenarioError as error:
                raise ScenarioError(f"{error.what} ({word(f'sweep.{key}')})", error.way_out) from error
    return scenario


def _source(table: Table) -> Source:
    kind = table.choice("source", SOURCES, "simbench")
    start, days = table.day("start"), table.whole("days", 1, MOST_DAYS, 365) if table.has("days") else None
    zone = table.text("zone", "Europe/Berlin")
    grid = folder = ""
    if kind == "simbench":
        grid, start, days = table.text("grid", simbench.GRID), start or date(2016, 1, 1), days or 365
    else:
        folder = table.text("folder")
    table.finish()
    return Source(kind, grid, folder, start, days, zone)


def _ownership(table: Table) -> Ownership:
    plain = Ownership()
    found = Ownership(
        pv_ppm=table.share("pv", 0) if table.has("pv") else None,
        pv_wp=table.decimal("pv_kwp", _KILO, 1, _MOST_KILO, plain.pv_wp),
        battery_ppm=table.share("battery", 0) if table.has("battery") else None,
        battery_wh=table.decimal("battery_kwh", _KILO, 1, _MOST_KILO, plain.battery_wh),
        battery_w=table.decimal("battery_kw", _KILO, SECONDS_PER_HOUR // WINDOW_S, _MOST_KILO, plain.battery_w),
        efficiency_ppm=table.decimal("efficiency", 6, 1, PPM, plain.efficiency_ppm),
    )
    table.finish()
    return found


def _tariff(table: Table) -> TimeOfUse:
    plain, most = TimeOfUse(), MOST_PRICE_EUR * PPM
    found = TimeOfUse(
        evening=table.decimal("evening", _EUR, 0, most, plain.evening),
        day=table.decimal("day", _EUR, 0, most, plain.day),
        feed_in=table.decimal("feed_in", _EUR, 0, most, plain.feed_in),
        levy=table.decimal("levy", _EUR, 0, most, plain.levy),
        evening_from=table.whole("evening_from", 0, HOURS, plain.evening_from),
        evening_to=table.whole("evening_to", 0, HOURS, plain.evening_to),
    )
    table.finish()
    if found.evening < found.day:
        raise table.error("evening", "is below the day price", "the evening price is the highest")
    if found.feed_in > found.day:
        raise table.error("feed_in", "is above the day price", "give at most the day price")
    if found.evening_from > found.evening_to:
        raise table.error("evening_from", "is after evening_to", "give hours from 0 to 24 that rise")
    return found


def _battery(table: Table) -> BatteryCosts:
    plain, most = BatteryCosts(), 1_000_000 * PPM
    replacement = table.decimal("replacement", _EUR, 0, most, plain.replacement)
    found = BatteryCosts(replacement, table.whole("cycle_life", 1, 1_000_000, plain.cycle_life))
    table.finish()
    return found


def _settings(market: Table, strategies: Table) -> MarketSettings:
    plain, most = MarketSettings(), MOST_PRICE_EUR * PPM
    rule = market.choice("price_rule", [rule.name.lower() for rule in PriceRule], plain.price_rule.name.lower())
    rationing = market.choice("rationing", [rule.name.lower() for rule in Rationing], plain.rationing.name.lower())
    grid = PriceGrid(
        market.decimal("tick_size", _EUR, 1, most, plain.grid.tick_size),
        market.whole("ticks", 1, GRID_MAX_TICKS, plain.grid.ticks),
    )
    first = market.whole("first", 0, HOURS - 1, plain.first)
    found = MarketSettings(
        grid=grid,
        price_rule=PriceRule[rule.upper()],
        rationing=Rationing[rationing.upper()],
        first=first,
        last=market.whole("last", first + 1, HOURS, plain.last),
        outages_ppm=market.share("outages", plain.outages_ppm),
        deposit_ppm=market.share("deposit", plain.deposit_ppm),
        sellers=strategies.shares("sellers", SELLERS, plain.sellers),
        buyers=strategies.shares("buyers", BUYERS, plain.buyers),
        forecast=strategies.choice("forecast", FORECASTS, plain.forecast),
    )
    market.finish()
    strategies.finish()
    return found


def _schemes(table: Table) -> tuple[str, ...]:
    found = table.names("schemes", SCHEMES, SCHEMES)
    table.finish()
    return tuple(scheme for scheme in SCHEMES if scheme in found)


def _sweep(table: Table) -> tuple[tuple[str, tuple[object, ...]], ...]:
    """Keys with their values: `"market.outages" = […]`, or as TOML nests it without the quotes."""
    found: dict[str, tuple[object, ...]] = {}
    for key, values in table.values.items():
        inner = values if isinstance(values, Mapping) else {"": values}
        for last, listed in inner.items():
            path = f"{key}.{last}" if last else key
            if path.split(".")[0] in _NOT_SWEPT:
                raise table.error(key, "cannot be swept", "sweep a key that changes a result")
            if not isinstance(listed, list) or not listed:
                raise table.error(key, "is no list of values", f'write "{word(path)}" = [0.1, 0.3]')
            if len({shown(value) for value in listed}) < len(listed):
                raise table.error(key, "names a value twice", "name each once")
            found[path] = tuple(listed)
    return tuple(found.items())
