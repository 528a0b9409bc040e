"""How far the estimates could be off: covariance and degrees of freedom, for intervals that cover.

With enough groups of cells: a jackknife that leaves out one group at a time (CR3), and Student's t with the degrees of
freedom of each parameter's own variance estimate (Bell and McCaffrey's, for a working model in which each cell wears
faster or slower by a factor of its own); the variance is enlarged by groups/(groups − parameters), so that the
intervals are rather too wide than too narrow when groups are few. Cells of one kind differ by more than their
measurements err; the jackknife sees that, the Jacobian alone does not (docs/wear-calibration.md has the measured
coverage of both).

With too few groups the checks take their place. Errors that stay in the cell from check to check (a cell wears more
than the law says, and keeps it) would make them look like more evidence than they are: the search works with what is
new in each interval (`Design.memory` = 1), which costs precision if errors are only the checks' own and is right if
they stay; HC3 is widened for the correlation that is left, and a remark says that the interval holds for these cells
only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stowatt.degradation.calibration_model import Design
from stowatt.degradation.calibration_search import scipy, working_residuals
from stowatt.degradation.operating_data import Floats, Integers, OperatingData

LEAST_FREEDOM: Final = 2
"""With fewer groups beyond the number of parameters, intervals come from the checks."""

SINGULAR: Final = 1e14
"""Condition number above which the data without one group determine nothing."""


def few_groups(data: OperatingData, parameters: int) -> bool:
    """Whether there are too few groups of cells to judge so many parameters by."""
    return len(set(data.names(data.cluster))) - parameters < LEAST_FREEDOM


@dataclass(frozen=True)
class Spread:
    """Covariance of the estimated parameters, as worked with."""

    covariance: Floats
    freedom: Floats
    """Degrees of freedom of Student's t, for each parameter."""
    how: str
    notes: tuple[str, ...] = ()


def spread(design: Design, theta: Floats, jacobian: Floats) -> Spread:
    """The covariance at `theta`; `jacobian` has the columns of the estimated parameters."""
    data = design.data
    residuals = working_residuals(design, theta)
    if not few_groups(data, jacobian.shape[1]):
        groups = list(data.groups(data.cluster).values())
        effect = np.ones(len(data)) if data.measured == "life" else design.predict(theta) * design.weights
        found = _over_groups(jacobian, residuals, groups, effect)
        if found is not None:
            covariance, freedom = found
            how = f"jackknife over {len(groups)} groups ({data.cluster}), Student's t with {_range(freedom)} degrees"
            return Spread(covariance, freedom, how + " of freedom")
    return _over_checks(design, residuals, jacobian)


def _over_groups(
    jacobian: Floats, residuals: Floats, groups: Sequence[Integers], effect: Floats
) -> tuple[Floats, Floats] | None:
    """CR3 and its degrees of freedom: one Gauss-Newton step without each group. None if one group is needed.

    The step without group g is m_g·ε for errors ε: k_g = (J'J − J_g'J_g)⁻¹J_g' on the group's own rows, less
    l_g·J' with l_g = k_g J_g (J'J)⁻¹ because residuals are what the fit leaves of errors. With errors `effect` times
    one number for each group, the steps have the covariance B = (m u)(m u)', and t has tr(B)²/tr(B²) degrees.
    """
    many, parameters = len(groups), jacobian.shape[1]
    normal = jacobian.T @ jacobian
    inverse = np.linalg.inv(normal)
    steps = np.empty((many, parameters))
    own = np.empty((many, parameters))
    off = np.empty((many, parameters, parameters))
    pull = np.empty((many, parameters))
    for number, rows in enumerate(groups):
        part = jacobian[rows]
        rest = normal - part.T @ part
        if np.linalg.cond(rest) > SINGULAR:
            return None
        k = np.linalg.solve(rest, part.T)
        steps[number] = k @ residuals[rows]
        own[number] = k @ effect[rows]
        off[number] = k @ part @ inverse
        pull[number] = part.T @ effect[rows]
    freedom = np.empty(parameters)
    for at in range(parameters):
        moved = np.diag(own[:, at]) - off[:, at, :] @ pull.T
        both = moved @ moved.T
        freedom[at] = np.trace(both) ** 2 / max(float((both * both).sum()), 1e-300)
    covariance = many / (many - parameters) * steps.T @ steps
    return covariance, np.minimum(freedom, many - parameters)


def _over_checks(design: Design, residuals: Floats, jacobian: Floats) -> Spread:
    """HC3 over the checks, widened for the correlation of neighbours, whose number counts for less."""
    data, rows = design.data, len(design.data)
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    leverage = np.clip(np.einsum("ij,jk,ik->i", jacobian, inverse, jacobian), 0, 1 - 1e-9)
    moves = (jacobian @ inverse) * (residuals / (1 - leverage))[:, None]
    lag = _lag(residuals, data.of_cell, jacobian.shape[1])
    freedom = rows * (1 - lag) / (1 + lag) - jacobian.shape[1]
    note = f"{data.cells} cell{'s' * (data.cells != 1)}: too few for intervals that hold for others of the kind"
    how = f"HC3 over {rows} intervals with correlation {lag:.2f}, Student's t with {freedom:.1f}"
    how += " degrees of freedom"
    covariance = moves.T @ moves * (1 + lag) / (1 - lag)
    return Spread(covariance, np.full(jacobian.shape[1], freedom), how, (note,))


def _lag(residuals: Floats, of_cell: Integers, parameters: int) -> float:
    """Correlation of neighbouring checks. That of fitted residuals is too low: (1 + 4ρ)/n for each parameter more."""
    same = of_cell[1:] == of_cell[:-1]
    power = float(residuals @ residuals)
    if not same.any() or not power > 0:
        return 0.0
    lag = float((residuals[1:] * residuals[:-1])[same].sum()) / power
    return float(np.clip(lag + (1 + 4 * max(lag, 0.0)) * parameters / len(residuals), 0, 0.98))


def student(confidence: float, freedom: Floats) -> Floats:
    """The two-sided quantile of Student's t."""
    quantile: Any = scipy("special").stdtrit(freedom, (1 + confidence) / 2)
    return np.asarray(quantile)


def _range(freedom: Floats) -> str:
    low, high = float(freedom.min()), float(freedom.max())
    return f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}"
