"""Percentile bands by bootstrap over books (or runs), and slopes on logarithmic axes. Seeded."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES: Final = 1_000
BAND: Final = (2.5, 97.5)
"""Percentiles of the resampled figures: 95 % bands."""


class Banded(NamedTuple):
    """A figure with its band."""

    value: float
    low: float
    high: float


def weights(books: int, seed: int) -> Floats:
    """How often each resample draws each book (resamples × books)."""
    random = np.random.default_rng([seed, books])
    return random.multinomial(books, np.full(books, 1 / books), RESAMPLES).astype(np.float64)


def ratio(tops: Any, bottoms: Any, drawn: Floats) -> tuple[Banded, Floats]:
    """Σ tops / Σ bottoms over books, its band, and every resample; 0 where there is nothing to divide by."""
    top, bottom = np.asarray(tops, dtype=np.float64), np.asarray(bottoms, dtype=np.float64)
    resampled = _divide(drawn @ top, drawn @ bottom)
    value = float(_divide(top.sum(keepdims=True), bottom.sum(keepdims=True))[0])
    return band(value, resampled), resampled


def mean(values: Any, drawn: Floats) -> Banded:
    """The mean over books, with its band."""
    return ratio(values, np.ones(len(values)), drawn)[0]


def band(value: float, resampled: Floats) -> Banded:
    """A figure with the percentiles of its resamples."""
    low, high = np.percentile(resampled, BAND)
    return Banded(value, float(low), float(high))


def slope(rows: Sequence[tuple[int, float, Floats]]) -> Banded | None:
    """The exponent k of figure ∝ size^k, from (size, figure, resamples) rows; None for a figure that is 0.

    Least squares on logarithms; the band is that of the resamples' fits.
    """
    if len(rows) < 2 or min(value for _, value, _ in rows) <= 0:
        return None
    x = np.log([size for size, _, _ in rows])
    resampled = np.log(np.maximum(np.stack([resamples for _, _, resamples in rows]), 1e-300))
    fits = np.polyfit(x, resampled, 1)[0]
    return band(float(np.polyfit(x, np.log([value for _, value, _ in rows]), 1)[0]), fits)


def _divide(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
