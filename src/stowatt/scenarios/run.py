"""One run: the community is built, every scheme is simulated, judged, accounted for and summed up.

    results = run_scenario(read_scenario(Path("week.toml")))

A scheme's flows are checked (`Flows.check`) before anything is made of them. "No sharing" is always among the schemes:
gains are measured against it.
"""

import json
import platform
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from stowatt import __version__
from stowatt.scenarios.accounts import keep_accounts
from stowatt.scenarios.alone import run_alone
from stowatt.scenarios.assumptions import assumptions_of
from stowatt.scenarios.build import build
from stowatt.scenarios.community import Community, Prices
from stowatt.scenarios.everything import bound_everything
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.highs import load_highs
from stowatt.scenarios.market import MarketRecord, run_market
from stowatt.scenarios.optimum import Optimum, run_optimum
from stowatt.scenarios.results import FORMAT, Results
from stowatt.scenarios.scenario import Scenario
from stowatt.scenarios.shared_battery import run_shared_battery
from stowatt.scenarios.tables import (
    Bounds,
    Sums,
    homes_table,
    row_of,
    schemes_table,
    sums_of,
    windows_table,
    write_flows,
)

Progress = Callable[[str, int, int], None]
"""Told of a stage, what of it is done and what there is to do."""

ALWAYS: Final = "none"


def no_progress(stage: str, done: int, total: int) -> None:
    """For those who do not want to know."""


def check_extras(scenario: Scenario) -> None:
    """Refuse what could not be computed, before the work is done."""
    if "optimum" in scenario.schemes:
        load_highs()


def run_scenario(scenario: Scenario, progress: Progress = no_progress, flows_to: Path | None = None) -> Results:
    """The results of a scenario without a sweep; with `flows_to`, every scheme's flows as Parquet in that folder."""
    check_extras(scenario)
    progress("profiles", 0, 1)
    begin = time.perf_counter()
    community, prices = build(scenario)
    run = _Run(community, prices, progress, flows_to)
    run.seconds["profiles"] = round(time.perf_counter() - begin, 2)
    progress("profiles", 1, 1)
    records: list[MarketRecord] = []

    def market() -> Flows:
        told = partial(_told, progress, "market", community.windows)
        flows, record = run_market(community, prices, scenario.settings, scenario.seed, told)
        records.append(record)
        return flows

    run.add(ALWAYS, lambda: run_alone(community))
    if "market" in scenario.schemes:
        run.add("market", market)
    if "shared-battery" in scenario.schemes:
        run.add("shared-battery", lambda: run_shared_battery(community, prices))
    if "shared-storage" in scenario.schemes:
        run.add("shared-storage", lambda: run_shared_battery(community, prices, direct=False))
    bounds = Bounds()
    if "optimum" in scenario.schemes:
        found: list[Optimum] = []

        def optimum() -> Flows:
            found.append(run_optimum(community, prices, partial(_told, progress, "optimum", community.windows)))
            return found[0].flows

        run.add("optimum", optimum)
        begin = time.perf_counter()
        told = partial(_told, progress, "bound", community.windows)
        bounds = Bounds(found[0].bound, bound_everything(community, prices, told))
        run.seconds["bound"] = round(time.perf_counter() - begin, 2)
    record = records[0] if records else None
    homes = homes_table(community, run.sums, record)
    windows = windows_table(community, prices, record, run.sums)
    schemes = schemes_table(run.rows, homes, bounds)
    about = _about(scenario, community)
    if record is not None:
        about["market"] = _market(community, record)
    if bounds.optimum is not None and bounds.everything is not None:
        alone = run.rows[0]["cost"]
        about["most"] = {"market": alone - bounds.optimum, "everything": alone - bounds.everything}
    return Results({**about, "seconds": run.seconds}, schemes, windows, homes)


class _Run:
    """What is kept while the schemes are simulated one after the other."""

    def __init__(self, community: Community, prices: Prices, progress: Progress, flows_to: Path | None) -> None:
        self._community, self._prices = community, prices
        self._progress, self._flows_to = progress, flows_to
        self.sums: dict[str, Sums] = {}
        self.rows: list[dict[str, Any]] = []
        self.seconds: dict[str, float] = {}

    def add(self, name: str, work: Callable[[], Flows]) -> None:
        """Simulates a scheme, judges it and sums it up."""
        self._progress(name, 0, self._community.windows)
        begin = time.perf_counter()
        flows = work()
        flows.check(self._community)
        accounts = keep_accounts(self._community, self._prices, flows)
        self.sums[name] = sums_of(name, self._community, flows, accounts)
        self.rows.append(row_of(name, accounts, self.sums[name]))
        self.seconds[name] = round(time.perf_counter() - begin, 2)
        if self._flows_to is not None:
            self._flows_to.mkdir(exist_ok=True)
            write_flows(self._flows_to / f"{name}.parquet", self._community, flows)
        self._progress(name, self._community.windows, self._community.windows)


def _told(progress: Progress, stage: str, windows: int, done: int) -> None:
    progress(stage, done, windows)


def _about(scenario: Scenario, community: Community) -> dict[str, Any]:
    """run.json without times."""
    storage, source = community.storage, scenario.source
    data = sha256()
    for table in (community.load_wh, community.pv_wh, storage.usable_wh, storage.cap_wh, storage.stored_wh):
        data.update(table.tobytes())
    kept = {
        "simbench": f"SimBench {source.grid}, Meinecke et al. 2020, Open Database License 1.0",
        "folder": f"the user's own homes in {Path(source.folder).name}/",
    }
    return {
        "format": FORMAT,
        "name": scenario.name,
        "scenario": plain(scenario.document),
        "settings": json.loads(scenario.canonical()),
        "digest": scenario.digest(),
        "seeds": {"scenario": scenario.seed},
        "versions": versions("highspy" if "optimum" in scenario.schemes else ""),
        "community": {
            "homes": len(community.homes),
            "batteries": int((storage.usable_wh > 0).sum()),
            "usable_wh": int(storage.usable_wh.sum()),
            "cap_wh": int(storage.cap_wh.sum()),
            "pv_homes": int(community.pv_wh.any(axis=0).sum()),
            "load_wh": int(community.load_wh.sum()),
            "pv_wh": int(community.pv_wh.sum()),
            "windows": community.windows,
            "first": f"{community.at(0):%Y-%m-%d %H:%M}",
            "last": f"{community.at(community.windows - 1):%Y-%m-%d %H:%M}",
            "zone": community.zone,
            "credit": kept[source.kind],
            "sha256": data.hexdigest(),
        },
        "assumptions": assumptions_of(scenario, community),
    }


def _market(community: Community, record: MarketRecord) -> dict[str, Any]:
    """The market's year in a few figures."""
    traded = np.flatnonzero(record.volume)
    volume = int(record.volume.sum())
    turnover = sum((record.price[traded] * record.volume[traded]).tolist())
    return {
        "volume_wh": volume,
        "turnover": turnover,
        "traded": len(traded),
        "mean_price": turnover // volume if volume else None,
        "welfare": sum(record.welfare.tolist()),
        "missing_wh": int(record.missing.sum()),
        "sellers": int((record.sold > 0).sum()),
        "buyers": int((record.bought > 0).sum()),
        "strategies": {
            side: {name: kinds.count(name) for name in sorted(set(kinds)) if name}
            for side, kinds in (("sellers", record.sellers), ("buyers", record.buyers))
        },
        "forecast_error_ppm": record.forecast.error_ppm,
    }


def versions(*more: str) -> dict[str, str]:
    """What computed a result."""
    known = {"stowatt": __version__, "Python": platform.python_version()}
    return known | {name: version(name) for name in ("numpy", "polars", *more) if name}


def plain(value: Any) -> Any:
    """A TOML value as JSON has it: numbers as they were written, dates as text."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value if isinstance(value, bool | int | str) else str(value)
