"""Chances that can be repeated: every number is a hash of the seed, of what it is for, and of whom it concerns.

So a home's lot does not depend on how many homes there are before it, a share of 30 % is contained in one of 50 %, and
no version of a library changes a result.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stowatt.scenarios.community import Int64s
from stowatt.scenarios.settings import Shares
from stowatt.units import PPM

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_WORDS: Final = 32


def lot(seed: int, purpose: str, name: str) -> int:
    """A number of 256 bits."""
    return int.from_bytes(sha256(f"stowatt scenario {seed}\0{purpose}\0{name}".encode()).digest())


def ranking(seed: int, purpose: str, names: Sequence[str]) -> list[int]:
    """The places of the names, in the order of their lots."""
    return sorted(range(len(names)), key=lambda place: (lot(seed, purpose, names[place]), names[place]))


def count_of(share_ppm: int, total: int) -> int:
    """How many of `total` a share is, to the nearest, half up."""
    return (2 * total * share_ppm + PPM) // (2 * PPM)


def assigned(seed: int, purpose: str, names: Sequence[str], shares: Shares) -> list[str]:
    """For each name one of the strategies, by its share: cut at the rounded running sum, so that all are assigned."""
    found, order = [""] * len(names), ranking(seed, purpose, names)
    start = running = 0
    for strategy, share in shares:
        running += share
        end = count_of(running, len(names))
        for place in order[start:end]:
            found[place] = strategy
        start = end
    return found


def happens(seed: int, purpose: str, names: Sequence[str], windows: int, probability_ppm: int) -> NDArray[np.bool_]:
    """For each window and name whether something of this probability happens: SplitMix64, a stream for each name.

    A word is below probability · 2^32 in its upper 32 bits; the bias is less than 2^-32.
    """
    if not probability_ppm:
        return np.zeros((windows, len(names)), np.bool_)
    keys = np.array([lot(seed, purpose, name) & (2**64 - 1) for name in names], np.uint64)
    x = (np.arange(1, windows + 1, dtype=np.uint64) * _GOLDEN)[:, np.newaxis] + keys
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    words: Int64s = ((x ^ (x >> np.uint64(31))) >> np.uint64(_WORDS)).astype(np.int64)
    return words < (probability_ppm << _WORDS) // PPM
