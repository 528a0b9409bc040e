"""θ from operating data: least squares, intervals that cover, and refusal where the data do not determine it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from stowatt.degradation import calibration_identify as identify
from stowatt.degradation.calibration_identify import UnidentifiedError
from stowatt.degradation.calibration_model import BY_NAME, NAMES, PARAMETERS, Design, check_fixed
from stowatt.degradation.calibration_search import search, weights, working_jacobian
from stowatt.degradation.calibration_spread import few_groups, spread, student
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.operating_data import Floats, OperatingData

CONFIDENCE: Final = 0.95
OPTIONAL: Final = ("cycle_bend",)
"""Parameters that are neutral unless they are asked for."""

Status = Literal["estimated", "fixed", "absent"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One parameter of θ, as people read it."""

    name: str
    value: float
    low: float
    high: float
    status: Status
    note: str = ""

    @property
    def unit(self) -> str:
        """Unit of value, low and high."""
        return BY_NAME[self.name].unit


@dataclass(frozen=True)
class Fit:
    """θ with its intervals, and what the law makes of the data."""

    data: OperatingData
    design: Design
    """The data as the search saw them."""
    theta: Floats
    """All parameters, as worked with."""
    free: tuple[int, ...]
    """Which of them were estimated."""
    covariance: Floats
    """Of the estimated ones, as worked with."""
    intervals: str
    """How the intervals were made."""
    confidence: float
    estimates: tuple[Estimate, ...]
    measured: Floats
    predicted: Floats
    """Cumulated losses of each cell (fractions)."""
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[NAMES.index(name)]

    @property
    def fixed(self) -> dict[str, float]:
        """The parameters that the user gave."""
        return {estimate.name: estimate.value for estimate in self.estimates if estimate.status == "fixed"}

    @property
    def residuals(self) -> Floats:
        """What the search made small: differences of losses, or of logarithms for lives."""
        return residuals_of(self.data, self.measured, self.predicted)

    @property
    def rmse(self) -> float:
        """Root of the mean squared residual: a loss as a fraction, or a relative error of the life."""
        return float(np.sqrt(np.mean(self.residuals**2)))


def residuals_of(data: OperatingData, measured: Floats, predicted: Floats) -> Floats:
    """measured − predicted, of losses or of the logarithms of losses (`OperatingData.measured`)."""
    if data.measured == "loss":
        return measured - predicted
    return np.asarray(np.log(measured) - np.log(predicted))


def fit(
    data: OperatingData,
    fixed: Mapping[str, float] | None = None,
    free: Sequence[str] = (),
    confidence: float = CONFIDENCE,
) -> Fit:
    """Estimate θ. `fixed` are parameters that the user knows; `free` asks for optional ones (`cycle_bend`).

    UnidentifiedError if the data do not determine a parameter that is neither fixed nor absent from the data.
    """
    given = check_fixed(fixed or {})
    missing = _not_estimated(data, given, free)
    names = [name for name in NAMES if name not in missing]
    if not names:
        raise CalibrationError("every parameter is fixed or has no data", "leave one of them to be estimated")
    if found := identify.structure(data, names):
        raise UnidentifiedError(data.source, found)
    positions = tuple(NAMES.index(name) for name in names)
    design, theta, jacobian = best_theta(data, positions, given)
    return _with_intervals(design, theta, positions, missing, jacobian, confidence)


def best_theta(
    data: OperatingData, free: Sequence[int], given: Mapping[str, float], start: Floats | None = None
) -> tuple[Design, Floats, Floats]:
    """The best θ without intervals, and the Jacobian of the free parameters; refuses what only the search can find."""
    design = Design(data)
    if data.measured == "life" and not (design.measured > 0).all():
        raise CalibrationError(f"{data.source} has a life until a loss of 0 or less", "give losses above 0")
    theta = search(design, free, given, start)
    if data.measured == "loss":
        # Cells of one kind differ in proportion to what they lost: their weights follow from the first θ.
        design.weights = weights(design, theta)
        design.memory = 1.0 if few_groups(data, len(free)) else 0.0
        theta = search(design, free, given, theta)
    jacobian = working_jacobian(design, theta)[:, list(free)]
    if found := identify.at_optimum(jacobian, theta, free):
        raise UnidentifiedError(data.source, found)
    return design, theta, jacobian


def _not_estimated(
    data: OperatingData, given: Mapping[str, float], free: Sequence[str]
) -> dict[str, tuple[Status, str]]:
    """The parameters that are not searched for, and why."""
    for name in free:
        if name not in OPTIONAL:
            raise CalibrationError(f"{name!r} is not an optional parameter", f"choose from {', '.join(OPTIONAL)}")
    missing: dict[str, tuple[Status, str]] = {name: ("absent", "not asked for") for name in OPTIONAL}
    for name in free:
        del missing[name]
    missing |= {name: ("absent", why) for name, why in identify.absent(data).items()}
    missing |= {name: ("fixed", "given") for name in given}
    for part in ("cycle", "calendar"):
        if given.get(f"{part}_rate") == 0:
            rest = [name for name in NAMES if (name in NAMES[:6]) == (part == "cycle") and name != f"{part}_rate"]
            missing |= {name: ("absent", f"{part}_rate is 0") for name in rest if name not in given}
    return missing


def _with_intervals(
    design: Design,
    theta: Floats,
    free: tuple[int, ...],
    missing: Mapping[str, tuple[Status, str]],
    jacobian: Floats,
    confidence: float,
) -> Fit:
    data = design.data
    found_spread = spread(design, theta, jacobian)
    if found_spread.freedom.min() < 1:
        why = f"{len(data)} checks leave no room to judge {len(free)} parameters"
        raise UnidentifiedError(
            data.source, [identify.Unidentified(tuple(NAMES[at] for at in free), why, "more checks")]
        )
    covariance = found_spread.covariance
    errors = np.sqrt(np.diag(covariance))
    halves = errors * student(confidence, found_spread.freedom)
    correlation = covariance / np.maximum(np.outer(errors, errors), 1e-300)
    if found := identify.too_wide(free, theta[list(free)], halves, correlation):
        raise UnidentifiedError(data.source, found)
    estimates = []
    for at, parameter in enumerate(PARAMETERS):
        value = parameter.shown(float(theta[at]))
        if at in free:
            half = float(halves[free.index(at)])
            low, high = (parameter.shown(float(theta[at]) + sign * half) for sign in (-1, 1))
            estimates.append(Estimate(parameter.name, value, low, high, "estimated"))
        else:
            status, note = missing[parameter.name]
            estimates.append(Estimate(parameter.name, value, value, value, status, note))
    return Fit(
        data=data,
        design=design,
        theta=theta,
        free=free,
        covariance=covariance,
        intervals=found_spread.how,
        confidence=confidence,
        estimates=tuple(estimates),
        measured=design.measured,
        predicted=design.predict(theta),
        notes=(*data.remarks, *found_spread.notes),
    )
