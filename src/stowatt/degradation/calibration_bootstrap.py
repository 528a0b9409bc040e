"""Intervals by drawing groups of cells again and again: a second opinion on the jackknife's, and slower.

It needs more groups than the jackknife to cover: docs/wear-calibration.md has the measured coverage of both.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp

import numpy as np

from stowatt.degradation.calibration_fit import Fit
from stowatt.degradation.calibration_model import PARAMETERS
from stowatt.degradation.calibration_search import search
from stowatt.degradation.calibration_spread import few_groups
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.operating_data import Floats

Progress = Callable[[int, int], None]

FEWEST_RESAMPLES = 20
MOST_RESAMPLES = 100_000


def bootstrap(
    fit: Fit, resamples: int = 500, seed: int = 0, progress: Progress | None = None
) -> dict[str, tuple[float, float]]:
    """The middle `fit.confidence` of each estimated parameter over the resamples. The same seed, the same intervals."""
    if not FEWEST_RESAMPLES <= resamples <= MOST_RESAMPLES:
        raise CalibrationError(
            f"a bootstrap of {resamples} draws is out of range",
            f"choose {FEWEST_RESAMPLES} to {MOST_RESAMPLES}, or leave it out",
        )
    data, design = fit.data, fit.design
    if few_groups(data, len(fit.free)):
        raise CalibrationError(f"{data.source} has too few groups of cells to draw from", "leave out --bootstrap")
    groups = list(data.groups(data.cluster).values())
    random = np.random.default_rng(seed)
    own: Floats = design.weights
    found = np.empty((resamples, len(fit.free)))
    try:
        for number in range(resamples):
            counts = np.bincount(random.integers(0, len(groups), len(groups)), minlength=len(groups))
            times = np.empty(len(data))
            for rows, count in zip(groups, counts, strict=True):
                times[rows] = count
            # A group drawn k times is a group whose squared residuals count k times.
            design.weights = own * np.sqrt(times)
            found[number] = search(design, fit.free, fit.fixed, fit.theta)[list(fit.free)]
            if progress is not None:
                progress(number + 1, resamples)
    finally:
        design.weights = own
    tail = (1 - fit.confidence) / 2
    low, high = np.quantile(found, (tail, 1 - tail), axis=0)
    intervals = {}
    for at, bottom, top in zip(fit.free, low, high, strict=True):
        parameter = PARAMETERS[at]
        intervals[parameter.name] = (exp(bottom), exp(top)) if parameter.is_rate else (float(bottom), float(top))
    return intervals
