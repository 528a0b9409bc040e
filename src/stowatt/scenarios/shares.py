"""Splitting whole Wh by weights, window by window, without favour: sums are exact, nobody is rounded down for ever.

As §3 rations a cohort: lay the weights end to end over [0, T), and let a piece [a, a + w) get f(a + w) − f(a) of the
quantity R with f(x) = ⌊(x·R + φ) / T⌋. The pieces add up to R, each is within one Wh of w·R/T and never above w when
R ≤ T. The phase φ moves on by the golden section of T from window to window, so the odd Wh go round.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from stowatt.scenarios.community import Int64s
from stowatt.scenarios.errors import ScenarioError

PARTS: Final = 10**9
"""What the weights of a fixed key add up to."""
MOST: Final = 2**31
"""The most that is split, and the most that weights add up to: products stay below 2^62."""
_GOLDEN: Final = 618_033_989
"""The golden section of `PARTS`; the two have no common factor."""


def key(weights: Int64s) -> Int64s:
    """A fixed key: weights in proportion, that add up to `PARTS`."""
    if not int(weights.sum()) > 0:
        raise ScenarioError("a sharing key of weights that are all 0", "give one above 0")
    return portions(PARTS, weights)


def portions(total: int, weights: Int64s) -> Int64s:
    """One sum, of either sign, by weights, in whole numbers of any size; equal portions where all weights are 0."""
    parts = weights.tolist() if weights.any() else [1] * len(weights)
    whole = sum(parts)
    ends = [0]
    for part in parts:
        ends.append(ends[-1] + part)
    upto = [end * total // whole for end in ends]
    return np.array([end - start for start, end in pairwise(upto)], np.int64)


def split(quantity: Int64s, weights: Int64s, first: int = 0) -> Int64s:
    """`quantity` (one for each window) by `weights` (windows × homes, or one row for all); 0 where all weights are 0.

    `first` is the number of the first window, which fixes the phase.
    """
    ends = np.cumsum(weights, axis=-1)
    total = np.atleast_1d(ends[..., -1])
    if int(total.max(initial=0)) > MOST or int(quantity.max(initial=0)) > MOST:
        raise ScenarioError(f"more than {MOST} Wh are shared in one window", "check the unit of the profiles")
    size = np.broadcast_to(np.maximum(total, 1), quantity.shape)
    phase = _phase(np.arange(first, first + len(quantity)), size)
    upto: Int64s = (ends * quantity[:, None] + phase[:, None]) // size[:, None]
    upto[:, 1:] -= upto[:, :-1].copy()
    return upto


def _phase(window: Int64s, size: Int64s) -> Int64s:
    """A number in 0 … size - 1 that goes round evenly with the windows."""
    return (window * _GOLDEN % PARTS) * size // PARTS
