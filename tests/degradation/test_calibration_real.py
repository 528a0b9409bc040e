"""The real cells: docs/wear-calibration.md says what the code measures, and what it concludes holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import wear_calibration
from stowatt.degradation.calibration_fit import fit
from stowatt.degradation.calibration_held_out import held_out
from stowatt.degradation.calibration_identify import UnidentifiedError
from stowatt.degradation.calibration_sources import read_cycle_life, read_mj1
from stowatt.degradation.calibration_theta import theta_of
from wear_calibration import DOCUMENT, LIFE, LIFE_FIXED, MJ1, REAL, placed

SHARED = Path(os.environ.get("STOWATT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = pytest.mark.skipif(
    not (SHARED / MJ1).is_file() or not (SHARED / LIFE).is_file(),
    reason=f"the files of real cells are not in {SHARED} (STOWATT_SHARED_DATA names another folder)",
)


@pytest.mark.parametrize("name", REAL)
def test_the_document_has_the_measured_numbers(name: str) -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert placed(document, name, REAL[name](SHARED)) == document, "run scripts/wear_calibration.py"


def test_the_figure_is_there() -> None:
    assert "<svg" in wear_calibration.FIGURE.read_text(encoding="utf-8")


def test_cold_wears_the_mj1_cells() -> None:
    data = read_mj1(SHARED / MJ1)
    found = fit(data)
    assert data.cells == 9 and len(data) == 390
    assert found["cycle_activation"].high < 0
    assert theta_of(found).outside(temperature_k=308.15)


def test_a_bend_in_temperature_is_not_supported() -> None:
    data = read_mj1(SHARED / MJ1)
    straight, bent = fit(data), fit(data, free=["cycle_bend"])
    assert bent["cycle_bend"].low < 0 < bent["cycle_bend"].high
    assert bent.rmse < straight.rmse
    errors = [held_out(found).rmse for found in (straight, bent)]
    assert errors[0] is not None and errors[1] is not None and errors[0] < errors[1]
    with pytest.raises(UnidentifiedError, match="cycle_bend"):
        fit(data.rows(data.groups("temperature")["0 °C"]), free=["cycle_bend"])


def test_lives_have_no_shape_and_faster_charging_shortens_them() -> None:
    data = read_cycle_life(SHARED / LIFE)
    assert data.cells == 124
    with pytest.raises(UnidentifiedError, match="cycle_shape"):
        fit(data)
    found = fit(data, LIFE_FIXED)
    assert found["utilisation_exponent"].low > 0
    result = held_out(found, "policy")
    assert result.rmse is not None and found.rmse < result.rmse < 0.44
