"""HiGHS through `highspy`, for the linear programmes of this package: the only module that imports it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stowatt.scenarios.community import Int64s
from stowatt.scenarios.errors import ScenarioError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """An optimum of min cost·x, A x ≤ b, 0 ≤ x ≤ upper."""

    x: Floats
    y: Floats
    """Multipliers of the rows, ≥ 0: what one more unit of b would save."""


def load_highs() -> Any:
    """The module `highspy`, or an error that says how to get it."""
    try:
        import highspy
    except ImportError as error:
        raise ScenarioError("the optimum needs HiGHS, which is not installed", "install stowatt[study]") from error
    return highspy


def solve(cost: Floats, upper: Floats, start: Int64s, index: Int64s, value: Floats, b: Floats) -> Solution:
    """The dual simplex method on one thread; A by rows: row r holds entries start[r] … start[r + 1] - 1."""
    highspy = load_highs()
    if not len(cost):
        return Solution(cost, np.zeros_like(b))
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = len(cost), len(b)
    programme.col_cost_, programme.col_lower_, programme.col_upper_ = cost, np.zeros_like(cost), upper
    programme.row_lower_, programme.row_upper_ = np.full_like(b, -highspy.kHighsInf), b
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_ = start.astype(np.int32)
    programme.a_matrix_.index_ = index.astype(np.int32)
    programme.a_matrix_.value_ = value
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("solver", "simplex")
    highs.setOptionValue("threads", 1)
    highs.passModel(programme)
    highs.run()
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise ScenarioError(
            f"HiGHS ends with {highs.modelStatusToString(status)!r}, not with an optimum",
            "report this with the scenario",
        )
    solution = highs.getSolution()
    return Solution(np.array(solution.col_value), np.maximum(0.0, -np.array(solution.row_dual)))
