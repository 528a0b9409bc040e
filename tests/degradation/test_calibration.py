"""θ from operating data: found where the data determine it, refused where they do not; held-out tests, bootstrap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stowatt.degradation.calibration_bootstrap import bootstrap
from stowatt.degradation.calibration_fit import Fit, fit
from stowatt.degradation.calibration_held_out import held_out
from stowatt.degradation.calibration_identify import UnidentifiedError
from stowatt.degradation.calibration_model import NAMES, Design, whole_theta
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.operating_data import OperatingData
from wear_calibration import FULL_PLAN, TRUE, synthetic

CALENDAR_GIVEN = {name: value for name, value in TRUE.items() if name.startswith("calendar")}
HOME = ((25.0, 0.8, 1.0),)
"""One battery in use, of which each month is an interval."""


def test_without_noise_the_truth_comes_back() -> None:
    found = fit(synthetic(0, spread=0, noise=0))
    for name, value in TRUE.items():
        assert found[name].value == pytest.approx(value, rel=1e-4)
    assert found.rmse < 1e-6


def test_the_jacobian_is_the_derivative() -> None:
    design = Design(synthetic(1, season=5.0))
    theta = whole_theta({**TRUE, "cycle_bend": 3.0})
    jacobian = design.jacobian(theta)
    for at in range(len(NAMES)):
        step = np.zeros(len(NAMES))
        step[at] = 1e-6
        slope = (design.predict(theta + step) - design.predict(theta - step)) / 2e-6
        assert np.allclose(jacobian[:, at], slope, rtol=1e-5, atol=1e-9), NAMES[at]


def test_a_cell_that_begins_used_has_the_same_theta() -> None:
    """Cutting off the first checks and telling what came before changes no law."""
    data = synthetic(0, spread=0, noise=0)
    assert data.full_cycles is not None and data.days is not None
    design = Design(data)
    late = np.flatnonzero(np.arange(len(data)) - design.first[data.of_cell] >= 4)
    begin = design.first + 4
    cut = replace(
        data.rows(late),
        start_full_cycles=design.cycles[0][begin] * 100,
        start_days=design.days[0][begin] * 365,
    )
    assert fit(cut)["cycle_shape"].value == pytest.approx(TRUE["cycle_shape"], rel=1e-4)
    wrong = replace(cut, start_full_cycles=None, start_days=None)
    assert fit(wrong)["cycle_shape"].value != pytest.approx(TRUE["cycle_shape"], rel=1e-2)


# ---- refusals ----


def refused(data: OperatingData, **fixed: float) -> UnidentifiedError:
    """The refusal that the data have to meet."""
    with pytest.raises(UnidentifiedError) as caught:
        fit(data, fixed)
    return caught.value


def names(error: UnidentifiedError) -> set[str]:
    """All parameters that were refused."""
    return {name for one in error.found for name in one.names}


def plan_with(celsius: float | None = None, dod: float | None = None, rate: float | None = None) -> OperatingData:
    """The full plan with one stress held constant."""
    plan = tuple((celsius or t, (dod or d) if u else d, (rate or u) if u else u) for t, d, u in FULL_PLAN)
    return synthetic(3, plan=plan * 2)


def test_one_temperature_has_no_activation() -> None:
    error = refused(plan_with(celsius=25.0))
    assert names(error) == {"cycle_activation", "calendar_activation"}
    assert "25.0 °C in all rows" in str(error)
    assert "--fix cycle_activation=… --fix calendar_activation=…" in error.way_out
    found = fit(plan_with(celsius=25.0), {"cycle_activation": 25, "calendar_activation": 45})
    assert found["cycle_activation"].status == "fixed"
    assert found["cycle_rate"].low <= TRUE["cycle_rate"] <= found["cycle_rate"].high


def test_one_depth_has_no_exponent() -> None:
    assert names(refused(plan_with(dod=0.8))) == {"depth_exponent"}


def test_one_rate_has_no_exponent() -> None:
    assert names(refused(plan_with(rate=1.0))) == {"utilisation_exponent"}


def test_two_temperatures_have_no_bend() -> None:
    data = synthetic(0, plan=tuple(row for row in FULL_PLAN * 3 if row[0] != 25.0))
    with pytest.raises(UnidentifiedError, match="only two temperatures"):
        fit(data, free=["cycle_bend"])


def test_storage_only_has_no_cycle_rate() -> None:
    data = synthetic(0, plan=((5.0, 0, 0), (25.0, 0, 0), (45.0, 0, 0)) * 4)
    assert names(refused(data)) == {"cycle_rate"}
    found = fit(data, {"cycle_rate": 0.0})
    assert found["calendar_rate"].low <= TRUE["calendar_rate"] <= found["calendar_rate"].high
    assert found["cycle_shape"].status == "absent"


def test_cycles_in_step_with_time_cannot_be_told_from_it() -> None:
    """Every cell one full cycle a day and straight both: which of the two wears is anyone's guess."""
    true = {**TRUE, "utilisation_exponent": 0.0, "depth_exponent": 0.0, "cycle_activation": 30.0}
    true |= {"calendar_activation": 30.0, "cycle_shape": 0.8, "calendar_shape": 0.8}
    plan = tuple((celsius, 1.0, 1.0) for celsius in (5, 25, 45)) * 6
    data = synthetic(2, plan=plan, true=true)
    error = refused(data, utilisation_exponent=0, depth_exponent=0)
    assert names(error) & {"calendar_rate", "calendar_shape", "calendar_activation", "cycle_rate", "cycle_shape"}
    shapes = {"cycle_shape": 0.8, "calendar_shape": 0.8, "cycle_activation": 30.0, "calendar_activation": 30.0}
    error = refused(data, utilisation_exponent=0, depth_exponent=0, **shapes)
    assert names(error) == {"cycle_rate", "calendar_rate"}
    assert "storage without cycling" in str(error)


def test_one_home_cannot_tell_time_from_cycles() -> None:
    for seed in range(10):
        refused(synthetic(seed, plan=HOME, checks=60, days=30, spread=0, noise=0.001, season=12))


def test_no_calendar_loss_to_be_seen() -> None:
    data = synthetic(4, true={**TRUE, "calendar_rate": 0.0}, plan=tuple(row for row in FULL_PLAN * 3 if row[2]))
    error = refused(data)
    assert any(name.startswith("calendar") for name in names(error))


def test_depth_and_rate_that_change_together() -> None:
    plan = tuple((celsius, dod, 2 * dod) for celsius in (5, 25, 45) for dod in (0.2, 0.5, 0.9)) * 3
    error = refused(synthetic(5, plan=plan), **CALENDAR_GIVEN)
    assert {"depth_exponent", "utilisation_exponent"} <= names(error)
    assert "do not change together" in str(error)


def test_fewer_checks_than_parameters() -> None:
    data = synthetic(0, plan=((5.0, 0.3, 0.4), (25.0, 0.9, 1.2)), checks=2)
    assert names(refused(data))


def test_noise_alone_is_refused() -> None:
    data = synthetic(0)
    random = np.random.default_rng(1)
    refused(replace(data, soh_loss=random.normal(0, 0.003, len(data))))


def test_losses_of_zero_are_refused() -> None:
    data = synthetic(0)
    refused(replace(data, soh_loss=np.zeros(len(data))))


def test_lives_until_one_loss_have_no_shape() -> None:
    data = synthetic(0, checks=1)
    lives = replace(
        data.rows(np.flatnonzero(np.asarray(data.full_cycles) > 0)),
        measured="life",
        days=None,
        temperature_k=None,
        dod=None,
    )
    lives = replace(lives, soh_loss=np.full(len(lives), 0.2))
    assert names(refused(lives)) == {"cycle_shape"}


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"depth": 1.0}, "no parameter 'depth'"),
        ({"cycle_rate": -0.1}, "out of range"),
        ({"cycle_shape": 0.0}, "out of range"),
        ({name: 1.0 for name in NAMES}, "every parameter is fixed"),
    ],
)
def test_values_that_cannot_be_fixed(fixed: dict[str, float], message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        fit(synthetic(0), fixed)


def test_a_parameter_that_is_not_optional_cannot_be_freed() -> None:
    with pytest.raises(CalibrationError, match="not an optional parameter"):
        fit(synthetic(0), free=["cycle_shape"])


# ---- held out, bootstrap ----


@pytest.fixture(scope="module")
def found() -> Fit:
    """The fit of one synthetic test."""
    return fit(synthetic(7))


def test_held_out_cells_are_predicted_about_as_well(found: Fit) -> None:
    result = held_out(found)
    assert len(result.groups) == 30 and not result.refused
    assert result.rmse is not None
    assert found.rmse < result.rmse < 2 * found.rmse


def test_held_out_says_what_the_rest_cannot_identify() -> None:
    plan = tuple(row for row in FULL_PLAN * 3 if row[0] != 25.0)
    result = held_out(fit(synthetic(1, plan=plan)), "temperature")
    assert not result.groups and result.rmse is None
    assert set(result.refused) == {"5 °C", "45 °C"}
    assert "cycle_activation" in result.refused["5 °C"]


def test_held_out_never_sees_what_it_predicts(found: Fit) -> None:
    """Spoiling one cell changes the prediction of that cell by nothing but its own measurement."""
    rows = found.data.groups("cell")["1"]
    spoiled = found.data.soh_loss.copy()
    spoiled[rows] += 0.05
    other = replace(found, data=replace(found.data, soh_loss=spoiled))
    honest, spoilt = (next(g for g in held_out(one).groups if g.name == "1") for one in (found, other))
    expected = np.cumsum(np.full(len(rows), 0.05)).mean()
    assert spoilt.bias - honest.bias == pytest.approx(expected, rel=1e-6)


def test_held_out_by_a_label_that_is_not_there(found: Fit) -> None:
    with pytest.raises(CalibrationError, match="no label 'site'; choose one of cell, temperature"):
        held_out(found, "site")
    with pytest.raises(CalibrationError, match="the same temperature"):
        held_out(fit(plan_with(celsius=25.0), {"cycle_activation": 25, "calendar_activation": 45}), "temperature")


def test_the_bootstrap_repeats_itself(found: Fit) -> None:
    first, again, other = (bootstrap(found, 30, seed=seed) for seed in (5, 5, 6))
    assert first == again != other
    assert set(first) == set(TRUE)
    for name, (low, high) in first.items():
        assert low < found[name].value * 1.2 and high > found[name].value * 0.8
    with pytest.raises(CalibrationError, match="out of range"):
        bootstrap(found, 1)
    with pytest.raises(CalibrationError, match="too few groups"):
        data = synthetic(0, plan=HOME, checks=72, days=30, spread=0, noise=0.0005, season=12)
        bootstrap(fit(data, CALENDAR_GIVEN), 30)


def test_the_same_data_give_the_same_numbers() -> None:
    assert fit(synthetic(9)).estimates == fit(synthetic(9)).estimates
