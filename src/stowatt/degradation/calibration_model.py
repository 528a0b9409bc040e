"""The law whose θ is estimated: loss of capacity from cycles and from time, the φ(DOD, T, u) of (28).

In an interval in which the cell goes from x0 to x1 full cycles and from t0 to t1 days, at depth DOD, temperature T and
utilisation u, it loses (fractions of the capacity when new)

    ΔSOH = cycle_rate · A_c(T) · DOD^depth_exponent · (u/u0)^utilisation_exponent · [(x1/100)^z − (x0/100)^z]
         + calendar_rate · A_cal(T) · [(t1/365)^y − (t0/365)^y]        z: cycle_shape, y: calendar_shape

    A(T) = exp(−activation/R · (1/T − 1/298.15 K));   A_c also · exp(cycle_bend · (1000 K/T − 1000 K/298.15 K)²)

so that `cycle_rate` is the loss of the first 100 full cycles at 25 °C, full depth and u = u0, and `calendar_rate` that
of the first 365 days at 25 °C. `cycle_bend` is 0 unless it is asked for: it lets cold and heat both wear.

What it cannot say: nothing about the state of charge in storage (no column of (28) has it), no knee after a straight
stretch (a power has no corner), and with stress that changes, the law adds intervals along cycles and days, not along
an age of its own. Outside the range of its data it is an extrapolation: `Theta.outside` tells when.

Rates are worked with as logarithms (they cannot be negative); all other parameters as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np

from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.operating_data import Floats, OperatingData

GAS_CONSTANT: Final = 8.314462618e-3
"""kJ/(mol K)."""
REFERENCE_K: Final = 298.15
REFERENCE_CYCLES: Final = 100.0
REFERENCE_DAYS: Final = 365.0


@dataclass(frozen=True, slots=True)
class Parameter:
    """One component of θ."""

    name: str
    unit: str
    start: float
    """Where the search starts, as worked with (the logarithm of a rate)."""
    low: float
    high: float
    """The range of the search; an estimate at its end is refused."""
    vague: float
    """An interval with a wider half than this says nothing, as worked with; of a stress only if it holds 0 too."""
    meaning: str

    @property
    def is_stress(self) -> bool:
        """A stress has an exponent (or an energy), which is 0 where it does not wear."""
        return self.name.endswith(("_exponent", "_activation", "_bend"))

    @property
    def is_rate(self) -> bool:
        """A rate is worked with as its logarithm."""
        return self.name.endswith("_rate")

    def shown(self, worked: float) -> float:
        """The value as people read it."""
        return exp(worked) if self.is_rate else worked

    def worked(self, shown: float) -> float:
        """The value as it is worked with; −∞ for a rate of 0."""
        if not self.is_rate:
            return shown
        return log(shown) if shown > 0 else -np.inf


_RATE: Final = (log(1e-9), log(10.0), log(5.0))

PARAMETERS: Final = (
    Parameter("cycle_rate", "loss in 100 full cycles", log(0.01), *_RATE, "25 °C, full depth, u = u0"),
    Parameter("cycle_activation", "kJ/mol", 0.0, -300, 300, 60, "above 0: heat wears, below 0: cold wears"),
    Parameter("cycle_bend", "10⁶ K²", 0.0, -200, 200, 60, "above 0: cold and heat both wear"),
    Parameter("depth_exponent", "", 0.0, -10, 10, 1, "loss of one full cycle ∝ DOD^exponent"),
    Parameter("utilisation_exponent", "", 0.0, -10, 10, 1, "loss of one full cycle ∝ u^exponent"),
    Parameter("cycle_shape", "", 0.9, 0.05, 5, 0.5, "1: straight, below 1: slows down, above 1: speeds up"),
    Parameter("calendar_rate", "loss in 365 days", log(0.01), *_RATE, "25 °C"),
    Parameter("calendar_activation", "kJ/mol", 0.0, -300, 300, 60, "above 0: heat wears"),
    Parameter("calendar_shape", "", 0.6, 0.05, 5, 0.5, "0.5: with the root of time"),
)
NAMES: Final = tuple(parameter.name for parameter in PARAMETERS)
BY_NAME: Final = {parameter.name: parameter for parameter in PARAMETERS}

CYCLE: Final = tuple(range(6))
"""Where the parameters of cycling stand in θ."""
CALENDAR: Final = (6, 7, 8)
SHAPES: Final = (5, 8)


def check_fixed(fixed: Mapping[str, float]) -> dict[str, float]:
    """The parameters that the user gives instead of the data."""
    for name, value in fixed.items():
        if name not in BY_NAME:
            raise CalibrationError(f"there is no parameter {name!r}", f"choose from {', '.join(NAMES)}")
        parameter = BY_NAME[name]
        low = 0.0 if parameter.is_rate else parameter.low
        if not low <= value <= parameter.shown(parameter.high):
            way_out = f"give {low:g} to {parameter.shown(parameter.high):g}"
            raise CalibrationError(f"{name} = {value:g} is out of range", way_out)
    return dict(fixed)


class Design:
    """The data prepared for the law: predicted losses and their derivatives for any θ, as worked with."""

    def __init__(self, data: OperatingData) -> None:
        rows = len(data)
        self.data = data
        self.first = np.searchsorted(data.of_cell, np.arange(data.cells)).astype(np.int64)
        """The first row of each cell."""
        inverse = np.zeros(rows) if data.temperature_k is None else 1 / data.temperature_k - 1 / REFERENCE_K
        heat = -inverse / GAS_CONSTANT
        full_cycles = np.zeros(rows) if data.full_cycles is None else data.full_cycles
        days = np.zeros(rows) if data.days is None else data.days
        self.cycling = full_cycles > 0
        ones = np.ones(rows)
        # What multiplies each cycle parameter in the exponent: the rate, T, T², ln DOD, ln u.
        self.stress = np.column_stack(
            (
                ones,
                heat,
                (1000 * inverse) ** 2,
                self._log(data.dod),
                self._log(data.utilisation, data.utilisation_reference),
            )
        )
        self.calendar_stress = np.column_stack((ones, heat))
        self.cycles = self._edges(full_cycles, data.start_full_cycles, REFERENCE_CYCLES)
        self.days = self._edges(days, data.start_days, REFERENCE_DAYS)
        self.measured = self.cumulated(data.soh_loss)
        """The loss of each cell since its first row, at the end of each row."""
        self.weights = np.ones(rows)
        """How much each check counts in the search."""
        self.memory = 0.0
        """How much of a check's error is still there at the next check of the cell; 1 where there are few cells."""

    def _log(self, column: Floats | None, reference: float = 1.0) -> Floats:
        """ln(column / reference) in the rows that cycle; 0 where nothing is known or nothing cycles."""
        if column is None:
            return np.zeros(len(self.cycling))
        return np.log(np.where(self.cycling, column / reference, 1.0))

    def _edges(self, steps: Floats, start: Floats | None, unit: float) -> tuple[Floats, Floats]:
        """Where each interval begins and ends on the way of its cell, in units of the reference."""
        ends = self.cumulated(steps)
        if start is not None:
            ends = ends + start[self.data.of_cell]
        begins = ends - steps
        begins[np.abs(begins) < 1e-9 * np.maximum(ends, 1e-9)] = 0.0
        return begins / unit, ends / unit

    def cumulated(self, steps: Floats) -> Floats:
        """Sums along each cell (of a column, or of each column of a matrix)."""
        sums = np.cumsum(steps, axis=0)
        before = sums[self.first] - steps[self.first]
        return np.asarray(sums - before[self.data.of_cell])

    def whitened(self, column: Floats) -> Floats:
        """What is new in each row: the row less `memory` times the row before it. Before its first row a cell has 0."""
        if not self.memory:
            return column
        fresh = column.copy()
        same = self.data.of_cell[1:] == self.data.of_cell[:-1]
        fresh[1:][same] -= self.memory * column[:-1][same]
        return fresh

    def predict(self, theta: Floats) -> Floats:
        """The loss of each cell since its first row, at the end of each row."""
        return self.cumulated(self.steps(theta))

    def steps(self, theta: Floats) -> Floats:
        """The loss in each interval."""
        cycle, _ = _growth(self.cycles, float(theta[5]))
        calendar, _ = _growth(self.days, float(theta[8]))
        return self._scale(theta) * cycle + self._calendar_scale(theta) * calendar

    def jacobian(self, theta: Floats) -> Floats:
        """Derivatives of `predict`, one column for each parameter."""
        scale, calendar_scale = self._scale(theta), self._calendar_scale(theta)
        cycle, cycle_slope = _growth(self.cycles, float(theta[5]))
        calendar, calendar_slope = _growth(self.days, float(theta[8]))
        columns = np.empty((len(self.data), len(PARAMETERS)))
        columns[:, :5] = self.stress * (scale * cycle)[:, None]
        columns[:, 5] = scale * cycle_slope
        columns[:, 6:8] = self.calendar_stress * (calendar_scale * calendar)[:, None]
        columns[:, 8] = calendar_scale * calendar_slope
        return self.cumulated(columns)

    def _scale(self, theta: Floats) -> Floats:
        return np.asarray(np.where(self.cycling, np.exp(self.stress @ theta[:5]), 0.0))

    def _calendar_scale(self, theta: Floats) -> Floats:
        return np.asarray(np.exp(self.calendar_stress @ theta[6:8]))


def _growth(edges: tuple[Floats, Floats], shape: float) -> tuple[Floats, Floats]:
    """end^shape − begin^shape and its derivative by the shape; 0^shape and its derivative are 0."""
    begin, end = edges
    values, slopes = [], []
    for edge in (begin, end):
        logarithm = np.log(np.where(edge > 0, edge, 1.0))
        power = np.where(edge > 0, np.exp(shape * logarithm), 0.0)
        values.append(power)
        slopes.append(power * logarithm)
    return values[1] - values[0], slopes[1] - slopes[0]


def whole_theta(values: Mapping[str, float]) -> Floats:
    """θ as worked with, from values as shown; what is missing is neutral (a rate 0, an exponent 0, a shape 1)."""
    neutral = {"cycle_shape": 1.0, "calendar_shape": 1.0}
    return np.array(
        [parameter.worked(values.get(parameter.name, neutral.get(parameter.name, 0.0))) for parameter in PARAMETERS]
    )
