"""`stowatt wear fit`: its table, its JSON, its files, and one line for every mistake."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stowatt.cli import app
from stowatt.degradation.calibration_theta import read_theta
from stowatt.degradation.operating_data import OperatingData
from wear_calibration import FULL_PLAN, TRUE, synthetic


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process, as the installed command does."""

    def run_command(*arguments: object) -> Outcome:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["stowatt", "wear", "fit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        status = ended.value.code
        return Outcome(status if isinstance(status, int) else 0, captured.out, captured.err)

    return run_command


def as_csv(data: OperatingData) -> str:
    """The data as a file has them."""
    assert data.dod is not None and data.temperature_k is not None
    assert data.utilisation is not None and data.days is not None
    lines = ["cell,dod,temperature_k,utilisation,days,soh_loss"]
    columns = zip(data.of_cell, data.dod, data.temperature_k, data.utilisation, data.days, data.soh_loss, strict=True)
    lines += [f"{data.cell[row[0]]}," + ",".join(f"{value:.12g}" for value in row[1:]) for row in columns]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that determines all of θ."""
    path = tmp_path_factory.mktemp("data") / "good.csv"
    path.write_text(as_csv(synthetic(3)))
    return path


@pytest.fixture(scope="module")
def one_temperature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that does not."""
    path = tmp_path_factory.mktemp("data") / "one.csv"
    path.write_text(as_csv(synthetic(3, plan=tuple((25.0, depth, rate) for _, depth, rate in FULL_PLAN * 2))))
    return path


def test_the_table(run: Run, good: Path) -> None:
    outcome = run(good)
    assert outcome.status == 0 and outcome.err == ""
    for part in ("30 cells, 300 checks", *TRUE, "95 % interval", "in sample: RMSE", "held out by cell: RMSE"):
        assert part in outcome.out
    assert "left out: cycle_bend (not asked for)" in outcome.out


def test_json_has_everything(run: Run, good: Path) -> None:
    document = run(good, "--json", "--bootstrap", 20, "--seed", 4, "--held-out", "temperature").json()
    for name, value in TRUE.items():
        one = document["parameters"][name]
        assert one["low"] <= value <= one["high"] and one["status"] == "estimated"
        assert one["bootstrap"][0] < one["bootstrap"][1]
    assert document["parameters"]["cycle_bend"]["note"] == "not asked for"
    assert [group["name"] for group in document["held_out"]["groups"]] == ["5 °C", "25 °C", "45 °C"]
    assert document["held_out"]["rmse"] > document["rmse"] > 0
    assert (document["cells"], document["checks"]) == (30, 300)


def test_the_same_seed_gives_the_same_output(run: Run, good: Path) -> None:
    arguments = (good, "--json", "--bootstrap", 20, "--seed", 7, "--held-out", "none")
    assert run(*arguments).out == run(*arguments).out


def test_theta_and_picture_are_written(run: Run, good: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    theta, picture = tmp_path / "theta.json", tmp_path / "fit.svg"
    theta.write_text("old")
    assert run(good, "--out", theta, "--plot", picture, "--held-out", "none").status == 0
    assert read_theta(theta).ranges["dod"] == (0.3, 0.9)
    assert "<svg" in picture.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.svg", "theta.json"]
    first = picture.read_bytes()
    run(good, "--plot", picture, "--held-out", "none")
    assert picture.read_bytes() == first


def test_a_refusal_names_parameter_reason_and_remedy(run: Run, one_temperature: Path, tmp_path: Path) -> None:
    outcome = run(one_temperature, "--out", tmp_path / "theta.json")
    assert outcome.status == 1 and outcome.out == ""
    assert outcome.err.startswith("error: one.csv does not determine cycle_activation: the temperature is 25.0 °C")
    assert "two temperatures" in outcome.err and "--fix cycle_activation=…" in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "theta.json").exists()


def test_fixed_values_answer_the_refusal(run: Run, one_temperature: Path) -> None:
    fixed = ("--fix", "cycle_activation=25", "--fix", "calendar_activation = 45")
    document = run(one_temperature, *fixed, "--json").json()
    assert document["parameters"]["cycle_activation"]["value"] == 25
    assert document["parameters"]["cycle_activation"]["status"] == "fixed"
    assert "given by you" in run(one_temperature, *fixed).out


MISTAKES = [
    (("--fix", "cycle_shape"), 1, "has no value"),
    (("--fix", "cycle_shape=fast"), 1, "'fast' is not a number"),
    (("--fix", "cycle_shape=nan"), 1, "not a finite number"),
    (("--fix", "cycle_shape=1", "--fix", "cycle_shape=2"), 1, "given twice"),
    (("--fix", "colour=1"), 1, "no parameter 'colour'"),
    (("--free", "colour"), 1, "not an optional parameter"),
    (("--held-out", "site"), 1, "no label 'site'"),
    (("--confidence", "95"), 1, "confidence of 95"),
    (("--confidence", "nan"), 1, "confidence of nan"),
    (("--bootstrap", "5"), 1, "a bootstrap of 5 draws is out of range; choose 20"),
    (("--bootstrap", "-1"), 1, "a bootstrap of -1 draws is out of range; choose 20"),
    (("--plot", "fit.gif"), 1, "neither .svg nor .png"),
    (("--out", "/no/such/folder/theta.json"), 1, "cannot be written"),
    (("--kind", "mj1"), 1, "column 'replicate' is missing"),
    (("--kind", "colour"), 2, "colour"),
    (("--seed", "-1"), 2, "--seed"),
]


@pytest.mark.parametrize(("arguments", "status", "what"), MISTAKES)
def test_a_mistake_is_one_line(run: Run, good: Path, arguments: tuple[str, ...], status: int, what: str) -> None:
    outcome = run(good, *arguments)
    assert outcome.status == status and what in outcome.err
    assert outcome.err.startswith("error: ") and outcome.err.count("\n") == 1


def test_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    outcome = run(tmp_path / "none.csv")
    assert outcome.status == 1 and "no such file" in outcome.err


def test_without_scipy(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    outcome = run(good)
    assert outcome.status == 1 and "pip install 'stowatt[wear]'" in outcome.err
