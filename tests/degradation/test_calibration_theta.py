"""theta.json comes back as it was written, is checked when it is read, and gives a, b and φ of (28)."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.degradation.calibration_cost import BatteryNow, linear_wear, marginal_wear
from stowatt.degradation.calibration_fit import fit
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.calibration_theta import Theta, read_theta, theta_of
from wear_calibration import TRUE, synthetic

BATTERY = BatteryNow(
    usable_wh=10_000, worth=30_000, temperature_k=298.15, utilisation=0.8, full_cycles=200, days=400, depth=0.2
)


@pytest.fixture(scope="module")
def theta() -> Theta:
    """The law of one synthetic test without noise."""
    return theta_of(fit(synthetic(0, spread=0, noise=0)))


def saved(folder: Path, document: Any) -> Path:
    path = folder / "theta.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_it_comes_back_as_it_was_written(theta: Theta, tmp_path: Path) -> None:
    assert read_theta(saved(tmp_path, theta.document())) == theta


def test_the_range_is_that_of_the_data(theta: Theta) -> None:
    assert theta.ranges["dod"] == (0.3, 0.9)
    assert theta.ranges["utilisation"] == (0.4, 1.2)
    assert theta.ranges["temperature_k"] == pytest.approx((278.15, 318.15))
    assert theta.ranges["full_cycles"] == pytest.approx((0, 1080))
    assert theta.ranges["days"] == pytest.approx((0, 900))
    assert theta.outside(dod=0.5, temperature_k=300) == ()
    assert theta.outside(dod=0.95, temperature_k=260) == (
        "dod = 0.95: the data reach 0.3 to 0.9",
        "temperature_k = 260: the data reach 278.15 to 318.15",
    )
    with pytest.raises(CalibrationError, match="no condition 'soc'"):
        theta.outside(soc=0.5)


def test_losses_are_those_of_the_law(theta: Theta) -> None:
    assert theta.cycle_loss(1.0, 298.15, 1.0, (0, 100)) == pytest.approx(TRUE["cycle_rate"], rel=1e-3)
    assert theta.calendar_loss(298.15, (0, 365)) == pytest.approx(TRUE["calendar_rate"], rel=1e-3)
    parts = theta.cycle_loss(0.5, 300, 1, (0, 40)) + theta.cycle_loss(0.5, 300, 1, (40, 90))
    assert parts == pytest.approx(theta.cycle_loss(0.5, 300, 1, (0, 90)))
    assert theta.cycle_loss(0.5, 300, 1, (40, 40)) == 0


BROKEN = [
    (("schema",), "stowatt-theta-2", "schema"),
    (("parameters", "cycle_rate"), None, "cycle_rate"),
    (("parameters", "cycle_rate", "value"), "0.1", "cycle_rate.value"),
    (("parameters", "cycle_rate", "value"), float("nan"), "cycle_rate.value"),
    (("parameters", "cycle_rate", "value"), 10**400, "cycle_rate.value"),
    (("parameters", "cycle_rate", "value"), True, "cycle_rate.value"),
    (("parameters", "cycle_rate", "low"), 5.0, "low ≤ value ≤ high"),
    (("parameters", "cycle_rate", "status"), "guessed", "cycle_rate.status"),
    (("parameters", "knee"), {}, "give exactly"),
    (("range", "dod"), [0.9, 0.3], "range.dod"),
    (("range", "dod"), [0.9], "range.dod"),
    (("range",), {}, "give exactly"),
    (("confidence",), 95, "confidence"),
    (("rmse",), -1, "rmse"),
    (("utilisation_reference",), 0, "utilisation_reference"),
    (("measured",), "guess", "measured"),
    (("source",), 7, "source"),
]


@pytest.mark.parametrize(("place", "value", "what"), BROKEN)
def test_a_broken_file_is_refused(theta: Theta, tmp_path: Path, place: tuple[str, ...], value: Any, what: str) -> None:
    document = copy.deepcopy(theta.document())
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(CalibrationError, match=what) as caught:
        read_theta(saved(tmp_path, document))
    assert "theta.json" in str(caught.value)


def test_a_rate_out_of_range_is_refused(theta: Theta, tmp_path: Path) -> None:
    document = theta.document()
    document["parameters"]["cycle_shape"] = {"value": 9, "low": 9, "high": 9, "status": "fixed"}
    with pytest.raises(CalibrationError, match="cycle_shape = 9 is out of range"):
        read_theta(saved(tmp_path, document))


@given(text=st.one_of(st.text(max_size=50), st.just("[" * 100_000), st.just("1" * 5000)))
def test_any_text_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalibrationError):
        read_theta(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="no such file"):
        read_theta(tmp_path / "none.json")
    with pytest.raises(CalibrationError, match="cannot be read"):
        read_theta(tmp_path)


# ---- a, b and φ ----


def test_phi_is_the_derivative_of_the_loss_of_a_cycle(theta: Theta) -> None:
    """A cycle of depth D is D full cycles at depth D; going deeper by one Wh costs what its loss grows by."""

    def loss(depth: float) -> float:
        # A thousandth of the cycle, so that the slope of the shape is that of now.
        end = BATTERY.full_cycles + depth / 1000
        return 1000 * theta.cycle_loss(depth, BATTERY.temperature_k, BATTERY.utilisation, (BATTERY.full_cycles, end))

    step = 1e-3
    slope = (loss(0.5 + step) - loss(0.5 - step)) / (2 * step * BATTERY.usable_wh)
    assert marginal_wear(theta, BATTERY, 0.5) == pytest.approx(BATTERY.worth * slope, rel=1e-3)


def test_the_line_meets_the_curve_at_both_ends(theta: Theta) -> None:
    line = linear_wear(theta, BATTERY, 4_000)
    assert line.at(0) - line.a == pytest.approx(marginal_wear(theta, BATTERY, 0.2))
    assert line.at(4_000) - line.a == pytest.approx(marginal_wear(theta, BATTERY, 0.6))
    assert line.b > 0 and line.phi > 0
    for sold in range(0, 4_001, 250):
        assert line.at(sold) - line.a + line.below >= marginal_wear(theta, BATTERY, 0.2 + sold / 10_000) * (1 - 1e-6)


def test_a_is_the_calendar_wear_of_a_day(theta: Theta) -> None:
    line = linear_wear(theta, BATTERY, 1_000)
    day = theta.calendar_loss(BATTERY.temperature_k, (400, 401)) * BATTERY.worth
    assert line.a * BATTERY.utilisation * BATTERY.usable_wh == pytest.approx(day)


@pytest.mark.parametrize(
    ("change", "sale", "what"),
    [
        ({"usable_wh": 0.0}, 100.0, "usable_wh = 0"),
        ({"utilisation": 0.0}, 100.0, "utilisation = 0"),
        ({"depth": -0.1}, 100.0, "depth = -0.1"),
        ({"worth": float("nan")}, 100.0, "worth = nan"),
        ({}, 0.0, "sale_wh = 0"),
        ({}, 9_000.0, "deeper than the battery"),
    ],
)
def test_batteries_that_cannot_be(theta: Theta, change: dict[str, float], sale: float, what: str) -> None:
    from dataclasses import replace

    with pytest.raises(CalibrationError, match=what):
        linear_wear(theta, replace(BATTERY, **change), sale)
