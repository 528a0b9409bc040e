"""A sweep: every combination once, the same for any workers, finished run by run, never mixed with another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stowatt.errors import OutputError
from stowatt.parallel import Threads
from stowatt.scenarios import sweep
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.results import RUN_FILE
from stowatt.scenarios.scenario import Scenario, read_scenario
from stowatt.scenarios.sweep import collect, read_sweep, run_sweep, runs_of
from tests.scenarios.folder_of_homes import write_scenario

SWEEP = '[sweep]\n"tariff.evening" = [0.40, 0.50]\n"strategies.sellers" = ["reserve", "flat"]\n'


@dataclass
class Backwards:
    """Workers that do the last item first, and stop after so many."""

    stop: int = 1000
    count: int = 1

    def each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        for number in reversed(range(len(items))):
            if len(items) - number > self.stop:
                raise KeyboardInterrupt
            yield number, work(items[number])


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_scenario(write_scenario(tmp_path_factory.mktemp("scenario"), SWEEP))


@pytest.fixture(scope="module")
def done(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "sweep"
    run_sweep(scenario, folder, Threads(1))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every table of a sweep."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.parquet"))}


def test_every_combination_is_a_run(scenario: Scenario, done: Path) -> None:
    runs = runs_of(scenario)
    assert [run.name for run in runs] == [
        "1-evening=0.40,sellers=reserve",
        "2-evening=0.40,sellers=flat",
        "3-evening=0.50,sellers=reserve",
        "4-evening=0.50,sellers=flat",
    ]
    assert sorted(file.name for file in (done / "runs").iterdir()) == [run.name for run in runs]
    table = pl.read_parquet(done / "sweep.parquet")
    assert len(table) == 4 * 3
    assert table["tariff.evening"].unique(maintain_order=True).to_list() == ["0.40", "0.50"]
    assert table["strategies.sellers"].unique(maintain_order=True).to_list() == ["reserve", "flat"]
    prices = table.filter(pl.col("scheme") != "market")["mean_price"]
    assert prices.null_count() == len(prices)


@pytest.mark.parametrize("workers", [Threads(2), Backwards()], ids=["two threads", "backwards"])
def test_the_same_for_any_workers(scenario: Scenario, done: Path, tmp_path: Path, workers: Any) -> None:
    run_sweep(scenario, tmp_path / "sweep", workers)
    assert files(tmp_path / "sweep") == files(done)


def test_a_killed_sweep_goes_on_with_what_is_missing(
    scenario: Scenario, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sweep"
    with pytest.raises(KeyboardInterrupt):
        run_sweep(scenario, folder, Backwards(stop=3))
    assert not (folder / "sweep.parquet").exists() and len(list((folder / "runs").iterdir())) == 3
    (folder / "runs" / ".1-x.abc.new").mkdir()
    ran: list[Path] = []
    real = sweep.run_into
    monkeypatch.setattr(
        sweep, "run_into", lambda target, *rest, **more: (ran.append(target), real(target, *rest, **more))
    )
    told: list[tuple[str, int, int]] = []
    run_sweep(scenario, folder, Threads(1), progress=lambda *stage: told.append(stage))
    assert [target.name for target in ran] == ["1-evening=0.40,sellers=reserve"]
    assert told == [("runs", 3, 4), ("runs", 4, 4)]
    assert files(folder) == files(done)
    assert not list((folder / "runs").glob(".*"))
    run_sweep(scenario, folder, Threads(1))
    assert len(ran) == 1


def test_another_worker_was_faster(scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs_of(scenario)[0]
    real = sweep.run_into

    def twice(target: Path, *rest: Any, **more: Any) -> Any:
        real(target, *rest, **more)
        return real(target, *rest, **more)

    monkeypatch.setattr(sweep, "run_into", twice)
    sweep._work(tmp_path, None, False, run)
    assert (tmp_path / run.name / RUN_FILE).exists()


def test_a_folder_in_the_way_is_an_error(scenario: Scenario, tmp_path: Path) -> None:
    run = runs_of(scenario)[0]
    (tmp_path / run.name).mkdir()
    (tmp_path / run.name / "mine").write_text("x")
    with pytest.raises(OutputError, match="not empty"):
        sweep._work(tmp_path, None, False, run)


def test_another_sweep_is_refused(scenario: Scenario, done: Path, tmp_path: Path) -> None:
    other = read_scenario(write_scenario(tmp_path, '[sweep]\n"seed" = [1, 2]\n'))
    before = files(done)
    with pytest.raises(ScenarioError, match="holds another sweep"):
        run_sweep(other, done, Threads(1))
    assert files(done) == before


def test_workers_that_do_not_share_the_folder(scenario: Scenario, tmp_path: Path) -> None:
    class Elsewhere(Backwards):
        def each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
            yield from ((number, None) for number in range(len(items)))

    with pytest.raises(ScenarioError, match="has to be shared"):
        run_sweep(scenario, tmp_path / "sweep", Elsewhere())


def test_too_many_combinations(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "MOST_RUNS", 3)
    with pytest.raises(ScenarioError, match="more than 3"):
        runs_of(scenario)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "x"}'])
def test_a_sweep_file_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(ScenarioError):
        read_sweep(tmp_path)


def test_a_folder_without_a_sweep(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"holds no sweep\.json"):
        collect(tmp_path)


def test_names_are_fit_for_every_file_system() -> None:
    assert sweep._name("07", {"market.x": "a/b\\c:*?", "y": [1, 2]}) == "07-x=a-b-c-,y=1,2"
    assert sweep._name("1", {"s.sellers": {"flat": 0.5, "reserve": 0.5}}) == "1-sellers=flat=0.5,reserve=0.5"
    assert len(sweep._name("1", {"k": "v" * 500})) <= 80
