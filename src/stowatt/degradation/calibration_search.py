"""The search for the best θ: weighted least squares with scipy, from a few starts.

The residuals are cumulated losses (predicted − measured, since the first row of the cell), because the noise of a
capacity check is new at each check while a difference of checks would count it twice. They are weighted: cells of one
kind differ in proportion to what they lost. For lives until one loss the residuals are the logarithms of the loss,
which for a fixed shape is a regression of the life's logarithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from stowatt.degradation.calibration_model import PARAMETERS, Design, whole_theta
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.operating_data import Floats

_STARTS: Final = ((0.9, 0.6), (0.5, 0.9))
"""Shapes (cycles, time) from which the search starts."""


def search(design: Design, free: Sequence[int], given: Mapping[str, float], start: Floats | None = None) -> Floats:
    """The θ with the least squared residuals, from `start` or from the best of a few starts."""
    base = whole_theta(given)
    if start is not None:
        base[list(free)] = start[list(free)]
        return _descend(design, base, free)[0]
    found = []
    for cycle_shape, calendar_shape in _STARTS[: 1 + (5 in free or 8 in free)]:
        theta = base.copy()
        for at, shape in ((5, cycle_shape), (8, calendar_shape)):
            if at in free:
                theta[at] = shape
        found.append(_descend(design, _scaled(design, theta, free), free))
    return min(found, key=lambda pair: pair[1])[0]


def _scaled(design: Design, theta: Floats, free: Sequence[int]) -> Floats:
    """The same start with rates that give the data's size: a linear fit of the two parts, each at least a little."""
    rates = [at for at in (0, 6) if at in free]
    for at in rates:
        theta[at] = 0.0
    alone = []
    for at in rates:
        only = theta.copy()
        only[[other for other in (0, 6) if other != at]] = -np.inf
        alone.append(design.predict(only))
    if rates:
        parts = np.column_stack(alone)
        size = float(np.abs(design.measured).max()) or 1.0
        amounts = np.linalg.lstsq(parts, design.measured, rcond=None)[0]
        for number, at in enumerate(rates):
            least = 0.02 * size / max(float(parts[:, number].max()), 1e-12)
            low, high = PARAMETERS[at].low + 1.0, PARAMETERS[at].high - 0.1
            theta[at] = np.clip(np.log(max(float(amounts[number]), least, 1e-9)), low, high)
    return theta


def _descend(design: Design, start: Floats, free: Sequence[int]) -> tuple[Floats, float]:
    """scipy's least squares within the parameters' ranges."""
    optimize = scipy("optimize")
    positions = list(free)
    low = np.array([PARAMETERS[at].low for at in positions])
    high = np.array([PARAMETERS[at].high for at in positions])
    theta = start.copy()

    def whole(part: Floats) -> Floats:
        theta[positions] = part
        return theta

    result = optimize.least_squares(
        lambda part: working_residuals(design, whole(part)),
        np.clip(start[positions], low + 1e-6, high - 1e-6),
        jac=lambda part: working_jacobian(design, whole(part))[:, positions],
        bounds=(low, high),
        x_scale="jac",
        ftol=1e-10,
        xtol=1e-10,
        gtol=1e-12,
        max_nfev=300,
    )
    return whole(result.x).copy(), float(result.cost)


_LEAST_LOSS: Final = 1e-12
_LEAST_PART: Final = 0.05


def working_residuals(design: Design, theta: Floats) -> Floats:
    """predicted − measured, or its logarithms."""
    predicted = design.predict(theta)
    if design.data.measured == "loss":
        return design.whitened((predicted - design.measured) * design.weights)
    return np.asarray(np.log(np.maximum(predicted, _LEAST_LOSS)) - np.log(design.measured)) * design.weights


def working_jacobian(design: Design, theta: Floats) -> Floats:
    """Derivatives of the working residuals by every parameter."""
    jacobian = design.jacobian(theta)
    if design.data.measured == "life":
        jacobian = jacobian / np.maximum(design.predict(theta), _LEAST_LOSS)[:, None]
    return design.whitened(jacobian * design.weights[:, None])


def weights(design: Design, theta: Floats) -> Floats:
    """1/σ of each check, σ² = noise² + (spread · predicted loss)², both from the residuals; 1 in the mean square."""
    predicted = design.predict(theta)
    squares = (predicted - design.measured) ** 2
    mean = float(squares.mean())
    if not mean > 0:
        return np.ones(len(squares))
    size = float((predicted**2).mean())
    parts = np.column_stack((np.full(len(squares), mean), predicted**2 * mean / size))
    amounts = scipy("optimize").nnls(parts, squares)[0]
    # A little of both always: no check counts for everything, and none for nothing.
    variances = parts @ np.maximum(amounts, _LEAST_PART)
    found = 1 / np.sqrt(variances)
    return np.asarray(found / np.sqrt((found**2).mean()))


def scipy(module: str) -> Any:
    """A part of scipy, which comes with the extra `wear`."""
    from importlib import import_module

    try:
        return import_module(f"scipy.{module}")
    except ImportError:
        raise CalibrationError("scipy, which fits wear, is not installed", "pip install 'stowatt[wear]'") from None
