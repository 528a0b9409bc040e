"""`stowatt wear curve`: table, JSON, picture, and one-line errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from stowatt.cli import app


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["stowatt", "wear", "curve", *words])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, err = run(capsys, monkeypatch)
    assert (status, err) == (0, "")
    assert "SOH 89.3%" in out
    assert "ticks" in out


def test_json_keeps_what_it_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, _ = run(
        capsys, monkeypatch, "--json", "--offer", "1", "--before", "3", "--soc", "0.8", "--segments", "5"
    )
    found = json.loads(out)
    assert status == 0
    assert sum(step["quantity_wh"] for step in found["ask"]) == found["offered_wh"] == 1000
    assert len(found["ask"]) <= 5
    assert found["overshoot_ticks"] < found["bound_ticks"]
    assert found["total_asked"] >= found["total_cost"]
    for step in found["ask"]:
        assert float(step["price"]) >= step["cost_last"]


def test_the_bound_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = run(capsys, monkeypatch, "--segments", "1")[1]
    assert any(line.startswith("Each Wh is asked") and line.endswith("above it.") for line in out.splitlines())


def test_a_worn_out_battery_is_priced_with_a_note(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ["--soh", "0.7", "--offer", "0.001"]
    status, out, _ = run(capsys, monkeypatch, *old)
    assert status == 0 and "less than 1 tick (" in out
    assert "note: a state of health of 70.0% is below the end of life of 80.0%" in out
    assert json.loads(run(capsys, monkeypatch, *old, "--json")[1])["worn_out"] is True
    assert "note" not in run(capsys, monkeypatch)[1]
    assert json.loads(run(capsys, monkeypatch, "--json")[1])["worn_out"] is False


@pytest.mark.parametrize("name", ["ask.svg", "ask.png"])
def test_picture(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    pytest.importorskip("matplotlib")
    files = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        assert run(capsys, monkeypatch, "--plot", str(tmp_path / folder / name))[0] == 0
        files.append((tmp_path / folder / name).read_bytes())
        assert [path.name for path in (tmp_path / folder).iterdir()] == [name]
    assert files[0] == files[1]
    assert 1_000 < len(files[0]) < 150_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--temperature", "298"], "not in kelvin"),
        (["--temperature", "-300"], "temperature of -300"),
        (["--temperature", "nan"], "temperature"),
        (["--utilisation", "2"], "give --theta FILE"),
        (["--temperature", "-20"], "add --extrapolate"),
        (["--soc", "80"], "state of charge is 80"),
        (["--soc", "0"], "nothing is left to offer: the charge gives 0 kWh"),
        (["--own", "3"], "the window's power 1.25 kWh, and 3 kWh are taken otherwise"),
        (["--offer", "0"], "offer at least 1 Wh"),
        (["--offer", "1.3"], "power carries 1250 Wh"),
        (["--offer", "1.2345"], "--offer is '1.2345'"),
        (["--capacity", "0"], "usable energy"),
        (["--soh", "0"], "state of health is 0"),
        (["--years", "0", "--cycles", "0", "--soh", "0.9"], "give its age"),
        (["--cycles", "1e6", "--chemistry", "nmc"], "nothing is left"),
        (["--efficiency", "1.1"], "efficiency"),
        (["--replacement", "-1"], "--replacement is '-1'"),
        (["--end-of-life", "1"], "end of life"),
        (["--tick-size", "0"], "tick_size = 0"),
        (["--ticks", "5"], "a kWh costs at least 0.088643, and the grid ends at 0.0004; use more --ticks"),
        (["--segments", "17"], "segments is 17"),
        (["--depth", "0.5"], "depth"),
        (["--rest", "inf"], "hours"),
        (["--window", "x"], "window is 'x'"),
        (["--capacity", "99999999"], "split the battery"),
        (["--chemistry", "lead"], "lead"),
        (["--plot", "ask.gif"], ".svg nor .png"),
    ],
)
def test_errors_are_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    status, out, err = run(capsys, monkeypatch, *words)
    assert status in (1, 2)
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_beyond_the_tests_only_when_asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, _ = run(capsys, monkeypatch, "--temperature", "-20", "--extrapolate", "--json")
    assert status == 0
    assert json.loads(out)["extrapolated"] == ["temperature_c = -20 is outside the tested 0 to 60"]
