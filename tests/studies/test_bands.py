"""Bands and slopes against what is known exactly."""

import numpy as np
import pytest

from stowatt.studies.bands import RESAMPLES, mean, ratio, slope, weights


def test_every_resample_draws_as_many_books_as_there_are():
    drawn = weights(7, 1)
    assert drawn.shape == (RESAMPLES, 7)
    assert (drawn.sum(axis=1) == 7).all()


def test_the_band_of_a_constant_has_no_width():
    assert mean([3.0] * 9, weights(9, 1)) == (3.0, 3.0, 3.0)


def test_a_ratio_of_sums_is_not_a_mean_of_ratios():
    figure, resamples = ratio([1, 8], [1, 2], weights(2, 1))
    assert figure.value == pytest.approx(3.0)
    assert figure.low == pytest.approx(1.0)
    assert figure.high == pytest.approx(4.0)
    assert len(resamples) == RESAMPLES


def test_nothing_to_divide_by_is_0():
    assert ratio([0, 0], [0, 0], weights(2, 1))[0] == (0.0, 0.0, 0.0)


def test_the_mean_lies_in_its_band_about_19_times_in_20():
    inside = 0
    for seed in range(200):
        figure = mean(np.random.default_rng(seed).normal(5, 1, 60), weights(60, seed))
        inside += figure.low <= 5 <= figure.high
    assert 180 <= inside <= 199


def test_the_slope_of_a_power_law_is_its_exponent():
    rows = [(size, 7 * size**-1.5, np.full(10, 7 * size**-1.5)) for size in (4, 16, 64)]
    found = slope(rows)
    assert found is not None
    assert found == pytest.approx((-1.5, -1.5, -1.5))


def test_there_is_no_slope_of_nothing():
    assert slope([(4, 0.0, np.zeros(3)), (8, 1.0, np.ones(3))]) is None
    assert slope([(4, 1.0, np.ones(3))]) is None
