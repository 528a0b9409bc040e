"""A sweep: every combination of the values in `[sweep]` is one run, on any workers.

    DIR/sweep.json     the scenario, the swept keys, every run with its values and its digest
    DIR/runs/NAME/     a run's results (results.py), there whole or not at all
    DIR/sweep.parquet  one row a run and scheme: the swept values as they were written, and what schemes.parquet has

A run follows from its scenario alone, so any number of workers gives the same tables. What a killed sweep has finished
is not done again: the same command in the same folder does the rest. A sweep of another scenario is refused.
"""

import io
import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import polars as pl

from stowatt.errors import OutputError
from stowatt.parallel import Workers
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.results import Results, finished, load, new_folder, save
from stowatt.scenarios.run import Progress, check_extras, no_progress, plain, run_scenario, versions
from stowatt.scenarios.scenario import Scenario
from stowatt.scenarios.toml_table import shown
from stowatt.studies.documents import replace_file

FORMAT: Final = "stowatt scenario sweep 1"
SWEEP_FILE: Final = "sweep.json"
MOST_RUNS: Final = 10_000
_LONGEST_NAME: Final = 80

Page = Callable[[Results], str]
"""Makes a run's page: a function of a module, so that other processes find it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One combination."""

    name: str
    """Its folder under runs/."""
    values: dict[str, object]
    """The swept keys with this run's values, as TOML has them."""
    scenario: Scenario


def runs_of(scenario: Scenario) -> list[Run]:
    """Every combination, the last key fastest."""
    points = []
    for point in scenario.points():
        points.append(point)
        if len(points) > MOST_RUNS:
            raise ScenarioError(f"{scenario.place}: sweep has more than {MOST_RUNS} combinations", "sweep fewer values")
    digits = len(str(len(points)))
    return [
        Run(_name(f"{number:0{digits}}", values), values, scenario.variant(values))
        for number, values in enumerate(points, 1)
    ]


def run_sweep(
    scenario: Scenario,
    folder: Path,
    workers: Workers,
    page: Page | None = None,
    *,
    flows: bool = False,
    progress: Progress = no_progress,
) -> tuple[dict[str, Any], pl.DataFrame]:
    """What sweep.json and sweep.parquet hold, when every run is finished; both are in the folder then."""
    runs = runs_of(scenario)
    for run in runs:
        check_extras(run.scenario)
    digest = sha256("".join(run.scenario.digest() for run in runs).encode()).hexdigest()
    _open_folder(folder, digest, _document(scenario, runs, digest))
    missing = [run for run in runs if not finished(folder / "runs" / run.name, run.scenario.digest())]
    done = len(runs) - len(missing)
    progress("runs", done, len(runs))
    for _ in workers.each(partial(_work, folder / "runs", page, flows), missing):
        done += 1
        progress("runs", done, len(runs))
    return collect(folder)


def collect(folder: Path) -> tuple[dict[str, Any], pl.DataFrame]:
    """The table of a sweep whose runs are all finished; sweep.json then has what they assume and come from."""
    about = read_sweep(folder)
    if about is None:
        raise ScenarioError(f"{folder} holds no {SWEEP_FILE}", "name a folder that stowatt simulate wrote for a sweep")
    tables, first = [], None
    for run in about["runs"]:
        place = folder / "runs" / run["run"]
        if not finished(place, run["digest"]):
            raise ScenarioError(f"{place} is not there", "let the workers write to this folder: it has to be shared")
        results = load(place)
        first = first or results.run
        values = [pl.lit(str(value)).alias(key) for key, value in run["values"].items()]
        market = results.run.get("market", {})
        price = pl.when(pl.col("scheme") == "market").then(pl.lit(market.get("mean_price"), pl.Int64))
        tables.append(
            results.schemes.select(
                pl.lit(run["run"]).alias("run"), *values, pl.all(), price.alias("mean_price").cast(pl.Int64)
            )
        )
    if first is not None:
        about |= {"assumptions": first["assumptions"], "credit": first["community"]["credit"]}
    table = pl.concat(tables)
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    replace_file(folder / "sweep.parquet", buffer.getvalue())
    replace_file(folder / SWEEP_FILE, (json.dumps(about, ensure_ascii=False, indent=1) + "\n").encode())
    return about, table


def read_sweep(folder: Path) -> dict[str, Any] | None:
    """sweep.json of a folder; None if there is none."""
    try:
        about = json.loads((folder / SWEEP_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{folder / SWEEP_FILE} cannot be read: {error}"[:200], "name another folder") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ScenarioError(f"{folder / SWEEP_FILE} is no {FORMAT!r}", "name another folder with --out")
    return about


def _work(folder: Path, page: Page | None, flows: bool, run: Run) -> None:
    """Does one run, unless another worker was faster: its folder appears whole or not at all."""
    target, digest = folder / run.name, run.scenario.digest()
    if finished(target, digest):
        return
    try:
        run_into(target, run.scenario, page, flows=flows)
    except OutputError:
        if not finished(target, digest):
            raise


def run_into(
    folder: Path, scenario: Scenario, page: Page | None, *, flows: bool = False, progress: Progress = no_progress
) -> Results:
    """One run's results, in a folder that is there whole or not at all."""
    with new_folder(folder) as draft:
        results = run_scenario(scenario, progress, draft / "flows" if flows else None)
        save(results, draft, {} if page is None else {"report.html": page(results)})
    return results


def _open_folder(folder: Path, digest: str, document: dict[str, Any]) -> None:
    """A new folder for the sweep, or the one that it was begun in; drafts of killed runs are removed."""
    about = read_sweep(folder)
    if about is None:
        with new_folder(folder) as draft:
            (draft / "runs").mkdir()
            (draft / SWEEP_FILE).write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return
    if about["digest"] != digest:
        raise ScenarioError(
            f"{folder} holds another sweep ({str(about.get('name'))[:60]})",
            "name a new folder with --out, or remove that one",
        )
    with suppress(OSError):
        for draft in (folder / "runs").glob(".*.new"):
            shutil.rmtree(draft, ignore_errors=True)


def _document(scenario: Scenario, runs: list[Run], digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": scenario.name,
        "scenario": plain(scenario.document),
        "keys": [key for key, _ in scenario.sweep],
        "digest": digest,
        "versions": versions("highspy" if "optimum" in scenario.schemes else ""),
        "runs": [
            {
                "run": run.name,
                "values": {key: shown(value).strip("'") for key, value in run.values.items()},
                "digest": run.scenario.digest(),
            }
            for run in runs
        ],
    }


def _name(number: str, values: dict[str, object]) -> str:
    """A folder's name: the run's number and its values, in letters that every file system takes."""
    parts = [f"{key.split('.')[-1]}={shown(value)}" for key, value in values.items()]
    name = re.sub(r"['{}\[\] ]", "", f"{number}-{','.join(parts)}")
    return re.sub(r"[^A-Za-z0-9.=,_-]+", "-", name)[:_LONGEST_NAME].strip("-.")
