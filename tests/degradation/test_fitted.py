"""A battery's own law as a cell: the same losses as θ, and asks that are never below it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stowatt.cli.app import main
from stowatt.degradation.ask import wear_aware_ask
from stowatt.degradation.calibration_theta import Theta
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.errors import WearError
from stowatt.degradation.fitted import FittedCell
from stowatt.degradation.lfp import LFP
from stowatt.degradation.marginal import Sale
from stowatt.degradation.state import WearState

VALUES = {
    "cycle_rate": 0.006,
    "cycle_activation": 20.0,
    "depth_exponent": 0.5,
    "utilisation_exponent": 0.3,
    "cycle_shape": 0.8,
    "cycle_bend": 0.0,
    "calendar_rate": 0.01,
    "calendar_activation": 30.0,
    "calendar_shape": 0.6,
}


@pytest.fixture
def theta() -> Theta:
    """A law with wear by cycles and by time, from data between 10 and 40 °C and depths of 0.3 to 0.9."""
    ranges = {"temperature_k": (283.15, 313.15), "dod": (0.3, 0.9), "utilisation": (0.5, 2.0)}
    return Theta(
        VALUES,
        {name: (value, value) for name, value in VALUES.items()},
        dict.fromkeys(VALUES, "fixed"),
        {**ranges, "full_cycles": (0.0, 500.0), "days": (0.0, 500.0)},
        "cells.csv",
        "full cycles per day",
        1.0,
        0.95,
        0.001,
    )


@pytest.mark.parametrize("depth", [0.3, 0.6, 1.0])
def test_cycles_of_one_depth_lose_what_the_law_says(theta: Theta, depth: float) -> None:
    cell = FittedCell(theta, 25.0, 1.0)
    stress = float(cell.cycle_stress(np.array(depth))) * 300 / depth
    assert stress**cell.cycle_power == pytest.approx(theta.cycle_loss(depth, 298.15, 1.0, (0, 300)), rel=1e-9)


def test_days_lose_what_the_law_says_at_any_charge(theta: Theta) -> None:
    cell = FittedCell(theta, 25.0, 1.0)
    stress = cell.calendar_stress(np.array([0.1, 0.9, 0.9]), np.array([30.0, 30.0, 15.0])) * 1_000
    assert stress[0] == stress[1] > stress[2]
    assert stress[0] ** cell.calendar_power == pytest.approx(theta.calendar_loss(303.15, (0, 1_000)), rel=1e-9)


def test_an_ask_from_it_is_never_below_the_cost(theta: Theta) -> None:
    cell = FittedCell(theta, 25.0, 1.0)
    state = WearState.aged(cell, soc=0.9, temperature_c=25.0, days=400, fec=200)
    pack = Pack(10_000, 5_000, 950_000, 950_000)
    found = wear_aware_ask(cell, state, pack, Costs(), Sale(1_250), segments=5)
    assert found.curve is not None and found.curve.total == 1_250
    prices = np.repeat([100 * tick for tick, _ in found.curve.segments], [width for _, width in found.curve.segments])
    assert (prices >= found.marginal.exact).all()


def test_what_the_data_did_not_have_is_an_extrapolation(theta: Theta) -> None:
    assert FittedCell(theta, 25.0, 1.0).valid.outside(depth=0.99, temperature_c=60.0)
    assert not LFP().valid.outside(depth=0.99)
    one, none = ({**theta.ranges, "dod": dod} for dod in ((0.8, 0.8), None))
    outside = [FittedCell(replace(theta, ranges=r), 25.0, 1.0).valid.outside(depth=0.5) for r in (one, none)]
    assert outside == [
        ["depth = 0.5 is outside the tested 0.8, the only value"],
        ["depth = 0.5: the data have no depth"],
    ]
    with pytest.raises(WearError, match="the utilisation is 0"):
        FittedCell(theta, 25.0, 0.0)


def test_the_command_takes_what_the_fit_wrote(theta: Theta, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from stowatt.cli.app import app

    path = tmp_path / "theta.json"
    path.write_text(json.dumps(theta.document()), encoding="utf-8")
    options = ["--cycles", "200", "--years", "1", "--segments", "3", "--extrapolate", "--json"]
    app(["wear", "curve", "--theta", str(path), *options], standalone_mode=False)
    assert len(json.loads(capsys.readouterr().out)["ask"]) <= 3


def test_use_and_age_beyond_the_data_are_extrapolations(
    theta: Theta, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "theta.json"
    path.write_text(json.dumps(theta.document()), encoding="utf-8")
    inside = ["--cycles", "200", "--years", "1", "--soc", "0.7", "--depth", "0.3"]
    for words, note in (
        ([], None),
        (["--utilisation", "5"], "utilisation = 5: the data reach 0.5 to 2"),
        (["--cycles", "700"], "full_cycles = 700: the data reach 0 to 500"),
        (["--years", "2"], "days = 730.5: the data reach 0 to 500"),
    ):
        monkeypatch.setattr(sys, "argv", ["stowatt", "wear", "curve", "--theta", str(path), *inside, *words])
        with pytest.raises(SystemExit) as ended:
            main()
        err = capsys.readouterr().err
        assert (ended.value.code or 0, err) == (0, "") if note is None else note in err and ended.value.code == 1
