"""The truth is in the 95 % interval in at least 95 % of 200 trials, for every parameter."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from wear_calibration import TRIALS, TRUE, coverage, random_coverage, synthetic

LEAST_HITS = 190
"""95 % of 200."""

CALENDAR_GIVEN = {name: value for name, value in TRUE.items() if name.startswith("calendar")}
HOME = ((25.0, 0.8, 1.0),)
"""One battery in use, of which each month is an interval."""


def show(name: str, hits: Mapping[str, int], trials: int) -> None:
    print(f"{name}: " + ", ".join(f"{parameter} {hit}/{trials}" for parameter, hit in hits.items()))


def test_the_truth_is_in_the_interval_in_95_percent_of_200_trials() -> None:
    hits, refused = coverage(synthetic)
    show("ageing test of 30 cells", hits, TRIALS)
    assert refused == 0
    assert set(hits) == set(TRUE)
    assert min(hits.values()) >= LEAST_HITS, hits


def test_coverage_with_nine_cells_only() -> None:
    plan = tuple((celsius, 1.0, 1.0) for celsius in (0, 10, 25) for _ in range(3))
    fixed = {"calendar_rate": 0.0, "depth_exponent": 0.0, "utilisation_exponent": 0.0}
    true = {**TRUE, **fixed}
    hits, refused = coverage(
        lambda seed: synthetic(seed, plan=plan, checks=30, days=10, true=true, spread=0.06, noise=0.002),
        true=true,
        fixed=fixed,
    )
    show("nine cells at three temperatures", hits, TRIALS)
    assert refused == 0
    assert min(hits.values()) >= LEAST_HITS, hits


@pytest.mark.parametrize("walk", [0.0, 0.0005])
def test_coverage_with_one_home(walk: float) -> None:
    """Whether the errors are the checks' own or stay in the battery."""
    hits, refused = coverage(
        lambda seed: synthetic(seed, plan=HOME, checks=72, days=30, spread=0, noise=0.0005, walk=walk, season=12),
        fixed=CALENDAR_GIVEN,
    )
    fitted = TRIALS - refused
    show(f"one home, walk {walk}, {refused} refused", hits, fitted)
    assert fitted >= 0.9 * TRIALS
    assert min(hits.values()) >= 0.95 * fitted, hits


def test_what_is_not_refused_holds_whatever_the_design() -> None:
    """Random conditions, random laws: nothing is passed off as determined that is not."""
    hits, intervals, refused = random_coverage(120)
    print(f"random designs: {hits} of {intervals} intervals, {refused} of 120 refused")
    assert 20 <= refused <= 100
    assert hits >= 0.95 * intervals
