"""`stowatt demo` as a command: folders, bad input, interruption, the exit status."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stowatt.cli.demo import demo
from stowatt.demo.settings import DemoSettings
from stowatt.demo.source import read_source
from stowatt.errors import StowattError
from tests.demo import process

SMALL = ("--homes", process.EXAMPLES, "--windows", "1")


def test_twice_in_a_row_each_in_a_folder_of_its_own(tmp_path: Path) -> None:
    first, second = (process.run(*SMALL, cwd=tmp_path) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    folders = sorted(path.name for path in (tmp_path / "demo-output").iterdir())
    assert folders == ["2026-04-21-1", "2026-04-21-2"]
    assert (
        "\x1b" not in first.stdout
        and "proved" in first.stdout
        and "demo-output/2026-04-21-1/report.html" in first.stdout
    )
    assert not first.stderr


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    done = process.run(*SMALL, "--out", "mine", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "letter.txt" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


UGLY = {
    "missing column": ("birk.csv", "load_kwh", "load", "load_kwh"),
    "text in a number": ("birk.csv", "T17:00,0.", "T17:00,O.", "birk.csv, row"),
    "not a number": ("birk.csv", "T17:00,0.", "T17:00,NaN0.", "birk.csv, row"),
    "negative": ("birk.csv", "T17:00,0.", "T17:00,-0.", "birk.csv, row"),
    "a million MWh": ("birk.csv", "T17:00,0.", "T17:00,9000000000.", "birk.csv, row"),
    "no such home": ("homes.csv", "anna,", "dora,", "homes.csv, row 2"),
    "efficiency above 1": ("homes.csv", "0.95", "95", "homes.csv, row 2"),
}


@pytest.mark.parametrize("case", UGLY)
def test_ugly_homes_end_in_one_line_that_names_the_row(case: str, tmp_path: Path) -> None:
    file, old, new, named = UGLY[case]
    shutil.copytree(process.EXAMPLES, tmp_path / "homes")
    spoil(tmp_path / "homes", file, old, new)
    with pytest.raises(StowattError) as refused:
        read_source(DemoSettings(homes=tmp_path / "homes"))
    assert named in str(refused.value) and "\n" not in str(refused.value)


BAD = {
    "nowhere is not a folder": ("--homes", "nowhere"),
    "no profile": ("--homes", process.EXAMPLES, "--date", "2026-04-22"),
    "no evening": ("--homes", process.EXAMPLES, "--first", "23:00"),
    "unknown time zone": ("--homes", process.EXAMPLES, "--zone", "Mars/Base"),
    "not a date": ("--date", "20.10.2016"),
    "choose a date in 2016": ("--date", "2017-01-01"),
    "not a time of day": ("--first", "5pm"),
    "start at :00": ("--first", "17:07"),
    "nobody sells": ("--date", "2016-01-03", "--windows", "1"),
    "cannot be used": ("--out", "/dev/null/x", "--windows", "1"),
}


@pytest.mark.parametrize("words", BAD)
def test_bad_choices_end_in_one_line(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = typer.Typer(add_completion=False)
    command.command()(demo)
    result = CliRunner().invoke(command, list(map(str, BAD[words])))
    assert isinstance(result.exception, StowattError) and words in str(result.exception)
    assert not result.output and "\n" not in str(result.exception)
    assert not list(tmp_path.iterdir()), "an error before the beginning makes no folder"


def test_an_error_is_one_line_and_status_1(tmp_path: Path) -> None:
    done = process.run("--homes", "nowhere", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_a_wrong_number_of_windows_is_a_usage_error(tmp_path: Path) -> None:
    done = process.run("--windows", "97", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_demo_says_one_line_and_the_next_one_works(
    how: signal.Signals, status: int, tmp_path: Path
) -> None:
    with subprocess.Popen(
        process.command("demo", "--homes", process.EXAMPLES, "--windows", "12"),
        cwd=tmp_path, env=process.ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None and child.stderr is not None
        while "sealed (Pedersen" not in child.stdout.readline():
            assert child.poll() is None
        child.send_signal(how)
        child.stdout.read()
        words = child.stderr.read()
    assert child.returncode == status
    if how is not signal.SIGKILL:
        assert words.count("\n") == 1 and "demo-output/2026-04-21-1" in words
    again = process.run(*SMALL, "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["files"]["report"] == "demo-output/2026-04-21-2/report.html"
