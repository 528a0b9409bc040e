"""`stowatt simulate`: its folder, its tables and its errors, each of these in one line."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stowatt.cli import app
from stowatt.cli.simulate_show import markdown, sweep_markdown
from stowatt.studies.documents import marked
from tests.scenarios.folder_of_homes import write_scenario


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["stowatt", "simulate", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        status = ended.value.code
        return Outcome(status if isinstance(status, int) else 0, captured.out, captured.err)

    return run_command


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write_scenario(tmp_path)


SWEEP = '[sweep]\n"tariff.evening" = [0.40, 0.50]\n'


class TestOneRun:
    def test_the_default_folder_has_the_name_of_the_file(self, run: Run, scenario: Path, tmp_path: Path) -> None:
        done = run(scenario)
        assert (done.status, done.err) == (0, "")
        assert "the market gains the community" in done.out and "scenario-output/three" in done.out
        folder = tmp_path / "scenario-output" / "three"
        names = ["homes.parquet", "report.html", "run.json", "schemes.parquet", "windows.parquet"]
        assert sorted(file.name for file in folder.iterdir()) == names

    def test_json_and_nothing_else(self, run: Run, scenario: Path) -> None:
        done = run(scenario, "--json", "--out", "x")
        found = json.loads(done.out)
        assert found["folder"] == "x" and found["name"] == "Three homes"
        assert [row["scheme"] for row in found["schemes"]] == ["none", "market", "shared-battery"]

    def test_a_finished_run_is_not_done_again(self, run: Run, scenario: Path, tmp_path: Path) -> None:
        first = run(scenario, "--json")
        stamp = (tmp_path / "scenario-output" / "three" / "run.json").stat().st_mtime_ns
        assert run(scenario, "--json").out == first.out
        assert (tmp_path / "scenario-output" / "three" / "run.json").stat().st_mtime_ns == stamp

    def test_flows(self, run: Run, scenario: Path, tmp_path: Path) -> None:
        assert run(scenario, "--flows", "--out", "f").status == 0
        assert (tmp_path / "f" / "flows" / "market.parquet").exists()
        assert run(scenario, "--out", "g").status == 0
        assert "made without --flows" in run(scenario, "--flows", "--out", "g").err

    def test_a_page_is_renewed(self, run: Run, scenario: Path, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("Before.\n<!-- scenario: begin -->\nold\n<!-- scenario: end -->\nAfter.\n")
        found = json.loads(run(scenario, "--json", "--page", page).out)
        text = page.read_text()
        assert marked(text, "scenario") == markdown(found)
        assert text.startswith("Before.\n") and text.endswith("\nAfter.\n") and "| market |" in text


class TestSweep:
    def test_a_sweep(self, run: Run, tmp_path: Path) -> None:
        scenario = write_scenario(tmp_path, SWEEP)
        done = run(scenario)
        assert (done.status, done.err) == (0, "") and "Over 2 runs, the market gains" in done.out
        folder = tmp_path / "scenario-output" / "three"
        assert sorted(file.name for file in folder.iterdir()) == ["report.html", "runs", "sweep.json", "sweep.parquet"]
        assert (folder / "runs" / "1-evening=0.40" / "report.html").exists()
        again = json.loads(run(scenario, "--json").out)
        assert len(again["rows"]) == 6 and again["keys"] == ["tariff.evening"]
        assert "holds a sweep" in run(write_scenario(tmp_path)).err

    def test_a_page_is_renewed(self, run: Run, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        found = json.loads(run(write_scenario(tmp_path, SWEEP), "--json", "--page", page).out)
        assert marked(page.read_text(), "sweep") == sweep_markdown(found) and "| 0.40 |" in page.read_text()


class TestErrors:
    def test_a_folder_of_another_scenario(self, run: Run, scenario: Path, tmp_path: Path) -> None:
        assert run(scenario, "--out", "x").status == 0
        other = write_scenario(tmp_path, "[tariff]\nevening = 0.5\n")
        done = run(other, "--out", "x")
        assert done.status == 1 and "x holds another scenario" in done.err and done.err.count("\n") == 1

    @pytest.mark.parametrize("option", [("--workers", 2), ("--scheduler", "tcp://127.0.0.1:1")])
    def test_workers_are_for_sweeps(self, run: Run, scenario: Path, option: tuple[object, ...]) -> None:
        assert "three.toml is one run" in run(scenario, *option).err

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("name = ", "is no TOML"),
            ("", "name is missing"),
            ('name = "x"\ncolour = 1\n', "colour is no known key"),
            ('name = "x"\n[tariff]\nevening = "much"\n', "tariff.evening"),
        ],
    )
    def test_a_file_that_is_no_scenario(self, run: Run, tmp_path: Path, text: str, words: str) -> None:
        path = tmp_path / "bad.toml"
        path.write_text(text)
        done = run(path)
        assert done.status == 1 and words in done.err and done.err.count("\n") == 1
        assert not (tmp_path / "scenario-output").exists()

    def test_a_file_that_is_not_there(self, run: Run) -> None:
        assert "nix.toml cannot be read" in run("nix.toml").err

    def test_homes_that_are_not_there(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "lost.toml"
        path.write_text('name = "x"\n[community]\nsource = "folder"\nfolder = "nowhere"\n')
        done = run(path)
        assert done.status == 1 and "nowhere is not a folder" in done.err
        assert not list((tmp_path / "scenario-output").iterdir())

    @pytest.mark.parametrize("out", ["three.toml", "homes", "."])
    def test_a_folder_that_cannot_be_used(self, run: Run, scenario: Path, out: str) -> None:
        done = run(scenario, "--out", out)
        assert done.status == 1 and done.err.startswith("error: ") and done.err.count("\n") == 1

    def test_without_highs(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "highspy", None)
        path = write_scenario(tmp_path)
        path.write_text(path.read_text().replace('"shared-battery"]', '"optimum"]'))
        done = run(path)
        assert done.status == 1 and "install stowatt[study]" in done.err
