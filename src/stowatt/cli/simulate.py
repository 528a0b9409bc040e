"""`stowatt simulate`: a community over a year of windows, under the market and what else there could be."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from stowatt.cli.progress import staged

if TYPE_CHECKING:
    from stowatt.parallel import Workers
    from stowatt.scenarios.results import Results
    from stowatt.scenarios.scenario import Scenario

PARENT: Final = Path("scenario-output")
MARK: Final = "scenario"
"""The markers of a Markdown page between which a run's tables are renewed …"""
SWEEP_MARK: Final = "sweep"
"""… and a sweep's."""


def simulate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="The scenario (docs/scenarios.md).")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of results (default scenario-output/SCENARIO).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")] = False,
    flows: Annotated[bool, typer.Option("--flows", help="Keep every home's energy in every window, too.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes for the runs of a sweep (default: this one).")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler for the runs of a sweep, tcp://HOST:8786.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Renew the tables between the markers of a Markdown page.")
    ] = None,
) -> None:
    """Simulate a community: no sharing, the market, a community battery, and what perfect foresight could do.

    The folder holds the results as Parquet tables and one HTML report. A run that is finished is shown, not done again;
    a sweep goes on where it was stopped.
    """
    from stowatt.cli import simulate_show as show
    from stowatt.scenarios.errors import ScenarioError
    from stowatt.scenarios.scenario import read_scenario
    from stowatt.studies.documents import check_page, renew_page

    read = read_scenario(scenario.absolute())
    folder = PARENT / (re.sub(r"[^A-Za-z0-9._-]+", "-", scenario.stem).strip(".") or "scenario") if out is None else out
    if not read.sweep and (workers is not None or scheduler is not None):
        raise ScenarioError(f"{scenario.name} is one run", "leave --workers and --scheduler out, or add a [sweep]")
    if page is not None:
        check_page(page, SWEEP_MARK if read.sweep else MARK)
    if read.sweep:
        with staged() as progress, _workers(workers, scheduler) as who:
            from stowatt.report.page import write_page
            from stowatt.report.scenario_page import render_scenario
            from stowatt.report.sweep_page import render_sweep
            from stowatt.scenarios.sweep import run_sweep

            about, table = run_sweep(read, folder.absolute(), who, render_scenario, flows=flows, progress=progress)
            write_page(render_sweep(about, table), folder / "report.html")
        if page is not None:
            renew_page(page, SWEEP_MARK, show.sweep_markdown(show.sweep_document(about, table)))
        show.show_sweep(about, table, folder, as_json=as_json)
        return
    results = _run(read, folder, flows)
    if page is not None:
        renew_page(page, MARK, show.markdown(show.document(results)))
    show.show_run(results, folder, as_json=as_json)


def _run(scenario: "Scenario", folder: Path, flows: bool) -> "Results":
    """The results in the folder, or new ones."""
    from stowatt.report.scenario_page import render_scenario
    from stowatt.scenarios.errors import ScenarioError
    from stowatt.scenarios.results import finished, load
    from stowatt.scenarios.sweep import read_sweep, run_into

    if read_sweep(folder) is not None:
        raise ScenarioError(f"{folder} holds a sweep", "name a new folder with --out")
    if finished(folder, scenario.digest()):
        if flows and not (folder / "flows").is_dir():
            raise ScenarioError(f"{folder} was made without --flows", "name a new folder with --out")
        return load(folder)
    with staged() as progress:
        return run_into(folder, scenario, render_scenario, flows=flows, progress=progress)


@contextmanager
def _workers(count: int | None, scheduler: str | None) -> Iterator["Workers"]:
    """This process, processes of this machine, or a running scheduler's."""
    if scheduler is None and count in (None, 1):
        from stowatt.parallel import Threads

        yield Threads(1)
        return
    from stowatt.parallel.cluster import cluster

    with cluster(scheduler, count or 1) as found:
        yield found
