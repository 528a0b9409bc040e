"""The cell models: their units, their limits, and the tables they stand for."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.degradation import nmc
from stowatt.degradation.ageing import after, constant_duty, duty_of, triangle
from stowatt.degradation.cell import array
from stowatt.degradation.cells import CELLS, cell_of
from stowatt.degradation.cycles import count_cycles, full_equivalent
from stowatt.degradation.errors import OutOfRangeError, WearError
from stowatt.degradation.lfp import LFP
from stowatt.degradation.marginal import wear_of
from stowatt.degradation.nmc import NMC
from stowatt.degradation.state import Past, WearState

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real data beside the checkout (../shared/data)")


def loss(cell: LFP | NMC, days: float, soc: float, temperature: float) -> float:
    return float((cell.calendar_stress(array(soc), array(temperature)) * days) ** cell.calendar_power)


def test_lfp_calendar_is_per_unit_and_cycles_are_percent() -> None:
    """The two units of the source: a full year stored full at 25 °C near 7 %, 1,000 full cycles at 1 C near 7 %."""
    assert loss(LFP(), 365.25, 1.0, 25.0) == pytest.approx(0.0678, abs=1e-4)
    stress = float(LFP().cycle_stress(array(1.0)) * LFP().rate_factor(array(1.0)))
    assert (1000 * stress) ** 0.5 == pytest.approx(0.0683, abs=1e-4)


def test_lfp_by_hand() -> None:
    """Naumann's formulas written out once more, with plain floats."""
    k_t = 1.2571e-5 * np.exp(-17126 / 8.3144598 * (1 / 313.15 - 1 / 298.15))
    assert loss(LFP(), 100.0, 0.3, 40.0) == pytest.approx(
        k_t * (2.8575 * (0.3 - 0.5) ** 3 + 0.60225) * (100 * 86400) ** 0.5, rel=1e-12
    )
    percent = (0.063 * 0.5 + 0.0971) * (4.0253 * (0.4 - 0.6) ** 3 + 1.0923) * (500 * 0.4) ** 0.5
    stress = float(LFP().cycle_stress(array(0.4)) * LFP().rate_factor(array(0.5)))
    assert 100 * (500 * stress) ** 0.5 == pytest.approx(percent, rel=1e-12)


def test_nmc_reaches_80_percent_after_about_a_thousand_full_cycles() -> None:
    stress = float(NMC().cycle_stress(array(1.0)))
    assert 900 < 0.2 ** (1 / nmc.CYCLE_POWER) / stress < 1100


@needs_data
def test_nmc_knots_against_all_rows_of_the_table() -> None:
    with (SHARED / "ageing_nmc_dod_stress.csv").open() as file:
        rows = [(float(row["DOD"]), float(row["f_capacity_cyc"])) for row in csv.DictReader(file)]
    depth, table = np.array(rows).T
    ours = np.interp(depth, nmc.DEPTH_KNOTS, nmc.DEPTH_FACTORS)
    assert len(rows) == 1001
    assert np.max(np.abs(ours - table)) <= nmc.DEPTH_ERROR
    assert np.max(np.abs(ours[1:] / table[1:] - 1)) < 0.0015


@needs_data
def test_lfp_parameters_are_the_row_named_naumann() -> None:
    from stowatt.degradation import lfp

    with (SHARED / "ageing_lfp_sony_params.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["Q fade"] == "Naumann")
    ours = (lfp.K_REF, lfp.EA, lfp.C_CAL, lfp.D_CAL, lfp.A_CYC, lfp.B_CYC, lfp.C_CYC, lfp.D_CYC)
    assert ours == pytest.approx([float(value) for name, value in row.items() if name != "Q fade"], rel=1e-12)


@pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))
def test_more_of_anything_wears_more(cell: LFP | NMC) -> None:
    grid = np.linspace(0, 1, 501)
    for values in (
        cell.cycle_stress(grid),
        cell.rate_factor(2 * grid),
        cell.calendar_stress(grid, np.full_like(grid, 25.0)),
        cell.calendar_stress(np.full_like(grid, 0.5), 10 + 40 * grid),
    ):
        assert np.all(np.diff(values) >= 0)
        assert np.all(np.isfinite(values))
        assert values[0] >= 0


@pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))
@given(blocks=st.lists(st.tuples(st.floats(0.01, 1.0), st.integers(1, 200)), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_equivalent_cycles_one_by_one_give_the_same(cell: LFP | NMC, blocks: list[tuple[float, int]]) -> None:
    """Stress adds up: the equivalent-time method step by step, in any order, ends at the same loss."""
    power = cell.cycle_power

    def stepwise(order: list[tuple[float, int]]) -> float:
        lost = 0.0
        for depth, number in order:
            factor = float(cell.cycle_stress(array(depth))) ** power
            lost = factor * ((lost / factor) ** (1 / power) + number) ** power
        return lost

    summed = sum(float(cell.cycle_stress(array(depth))) * number for depth, number in blocks) ** power
    assert stepwise(blocks) == pytest.approx(summed, rel=1e-9)
    assert stepwise(blocks[::-1]) == pytest.approx(summed, rel=1e-9)


@pytest.mark.parametrize("temperature", [298.15, float("nan"), 1e9, -100.0])
def test_no_temperature_of_a_battery(temperature: float) -> None:
    with pytest.raises(WearError, match="temperature"):
        WearState(0.5, temperature)


def test_kelvin_is_recognised() -> None:
    with pytest.raises(WearError, match="not in kelvin"):
        WearState(0.5, 298.15)


@pytest.mark.parametrize(
    "wrong",
    [
        {"soc": 1.01},
        {"soc": -0.1},
        {"calendar_loss": -0.1},
        {"cycle_loss": 1.2},
        {"soc": 0.9, "depth": 0.2},
        {"soc": True},
    ],
)
def test_impossible_states(wrong: dict[str, float]) -> None:
    with pytest.raises(WearError):
        WearState(**({"soc": 0.5, "temperature_c": 25.0} | wrong))


def test_the_state_of_health_is_never_negative() -> None:
    assert WearState(0.5, 25.0, 0.7, 0.7).soh == 0.0
    assert after(NMC(), constant_duty(NMC(), 1.0, 50.0), 36_000).soh == 0.0


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(WearError, match="nothing is left"):
        WearState.aged(NMC(), soc=0.5, temperature_c=25, fec=1e6, past=Past(depth=1.0))


@given(soh=st.floats(0.5, 1.0), days=st.floats(1, 5000), fec=st.floats(0, 3000))
@settings(max_examples=50, deadline=None)
def test_a_measured_health_is_kept(soh: float, days: float, fec: float) -> None:
    assert WearState.aged(LFP(), soc=0.5, temperature_c=25, days=days, fec=fec, soh=soh).soh == pytest.approx(soh)


def test_health_without_age_is_refused() -> None:
    with pytest.raises(WearError, match="give its age"):
        WearState.aged(LFP(), soc=0.5, temperature_c=25, soh=0.9)


def test_an_old_cell_wears_less_with_the_same_cycle() -> None:
    new = WearState(1.0, 25.0)
    old = WearState.aged(LFP(), soc=1.0, temperature_c=25, days=2000, fec=2000)
    assert wear_of(LFP(), new, 0.8) > wear_of(LFP(), old, 0.8) > 0


def test_outside_the_tests() -> None:
    assert LFP().valid.outside(temperature_c=25.0, c_rate=0.5) == []
    assert NMC().valid.outside(temperature_c=0.0) == ["temperature_c = 0 is outside the tested 10 to 50"]
    with pytest.raises(OutOfRangeError, match="c_rate = 3"):
        LFP().valid.require("LFP", temperature_c=25.0, c_rate=3.0)


def test_unknown_chemistry() -> None:
    with pytest.raises(WearError, match="lfp, nmc"):
        cell_of("lead")


def test_cycles_of_a_day() -> None:
    cycles = count_cycles([1.0, 0.2, 0.6, 0.4, 0.9, 0.0, 1.0])
    found = sorted((round(c.depth, 9), round(c.mean, 9), c.count) for c in cycles)
    assert found == [(0.2, 0.5, 1.0), (0.7, 0.55, 1.0), (1.0, 0.5, 0.5), (1.0, 0.5, 0.5)]
    assert full_equivalent(cycles) == pytest.approx(1.9)


@given(st.lists(st.floats(0, 1), max_size=60))
@settings(max_examples=100, deadline=None)
def test_counted_cycles_carry_all_of_the_throughput(soc: list[float]) -> None:
    """No energy is lost in counting: Σ count × depth is half the way that the charge goes."""
    assert full_equivalent(count_cycles(soc)) == pytest.approx(float(np.sum(np.abs(np.diff(soc)))) / 2, abs=1e-9)


@pytest.mark.parametrize("series", [[50.0, 60.0], [0.5, float("nan")], [[0.5, 0.6]]])
def test_no_series_of_charges(series: list[float]) -> None:
    with pytest.raises(WearError):
        count_cycles(series)


def test_a_profile_must_go_forward() -> None:
    for times in ([0.0, 0.0, 1.0], [0.0, 1.0], [0.0, -1.0, 2.0]):
        with pytest.raises(WearError, match="profile"):
            duty_of(LFP(), times, [0.1, 0.2, 0.3], 25.0)


def test_one_day_of_an_even_cycle() -> None:
    duty = constant_duty(LFP(), 0.8, 25.0)
    assert duty.days == pytest.approx(1.0)
    assert duty.fec == pytest.approx(0.8)
    expected = float(LFP().cycle_stress(array(0.8)) * LFP().rate_factor(array(0.8 / 12)))
    assert duty.cycle == pytest.approx(expected)
    assert triangle(0.8, 0.5)[1].min() == pytest.approx(0.1)


def test_a_duty_marks_what_was_never_tested() -> None:
    times, soc = triangle(0.8, 0.5)
    assert duty_of(NMC(), times, soc, 0.0).outside == ("temperature_c = 0 is outside the tested 10 to 50",)
    assert any("c_rate" in note for note in duty_of(LFP(), times / 100, soc, 25.0).outside)
