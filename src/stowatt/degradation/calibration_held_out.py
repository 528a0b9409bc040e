"""How well θ predicts what it has not seen: every group of cells is left out once and predicted from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stowatt.degradation import calibration_identify as identify
from stowatt.degradation.calibration_fit import Fit, best_theta, residuals_of
from stowatt.degradation.calibration_identify import UnidentifiedError
from stowatt.degradation.calibration_model import NAMES, Design
from stowatt.degradation.calibration_table import CalibrationError

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class HeldOutGroup:
    """One group, predicted from all others."""

    name: str
    checks: int
    rmse: float
    """As `Fit.rmse`."""
    bias: float
    """Mean of measured − predicted: above 0, the prediction was too good for the battery."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Errors on groups that were left out."""

    label: str
    groups: tuple[HeldOutGroup, ...]
    refused: dict[str, str]
    """Groups without which θ cannot be identified, and why."""

    @property
    def rmse(self) -> float | None:
        """Over all checks of the groups that could be predicted; None if none could."""
        checks = sum(group.checks for group in self.groups)
        return float(np.sqrt(sum(group.checks * group.rmse**2 for group in self.groups) / checks)) if checks else None


def held_out(fit: Fit, label: str = "cell", progress: Progress | None = None) -> HeldOut:
    """Leave out each group of cells with the same `label` (`cell`, `temperature`, or a label of the data)."""
    data = fit.data
    groups = data.groups(label)
    if len(groups) < 2:
        raise CalibrationError(f"all cells of {data.source} have the same {label}", "leave out by another label")
    found, refused = [], {}
    everything = np.arange(len(data))
    free = [NAMES[at] for at in fit.free]
    for number, (name, rows) in enumerate(groups.items(), start=1):
        try:
            rest = data.rows(np.setdiff1d(everything, rows))
            if problems := identify.structure(rest, free):
                raise UnidentifiedError(data.source, problems)
            theta = best_theta(rest, fit.free, fit.fixed, fit.theta)[1]
        except UnidentifiedError as error:
            refused[name] = "; ".join(f"{' and '.join(one.names)}: {one.why}" for one in error.found)
        else:
            design = Design(data.rows(rows))
            errors = residuals_of(data, design.measured, design.predict(theta))
            rmse = float(np.sqrt((errors**2).mean()))
            found.append(HeldOutGroup(name, len(rows), rmse, float(errors.mean())))
        if progress is not None:
            progress(number, len(groups))
    return HeldOut(label, tuple(found), refused)
