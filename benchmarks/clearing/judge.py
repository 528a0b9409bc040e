"""What a right clearing is, by the definitions of §3 and by no engine's method.

Φ is summed at every tick; the prices are where it is least. The largest volume is the greatest min(S(λ), D(λ)) of all
ticks. Fills are optimal if they lie on their segments, sold = bought, and their welfare is Φ's least value.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clearing.books import Segments

TOLERANCE = 1e-7
"""Relative, for engines in floating point; integers are right only if they are equal."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What an engine says."""

    price: float | None
    volume: float
    fills: NDArray[Any] | tuple[NDArray[Any], NDArray[Any]] | None = None
    """For each row, or for each ask and for each bid; None if the engine gives none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is right; None for what the engine does not give."""

    price: bool
    volume: bool
    balance: bool | None
    """Sold = bought = volume."""
    optimal: bool | None

    @property
    def good(self) -> bool:
        return all(part is not False for part in (self.price, self.volume, self.balance, self.optimal))


@dataclass(frozen=True, slots=True)
class Truth:
    """The dual interval, the largest volume and the greatest welfare of a book."""

    lowest: int
    highest: int
    volume: int
    welfare: int


def truth(segments: Segments) -> Truth:
    """By definition, tick by tick."""
    ticks, widths, buys = segments.ticks, segments.widths, segments.buys
    asks, bids = (np.zeros(segments.grid + 1, dtype=np.int64) for _ in range(2))
    np.add.at(asks, ticks[~buys], widths[~buys])
    np.add.at(bids, ticks[buys], widths[buys])
    supply = np.cumsum(asks)  # S(λ)
    demand = np.cumsum(bids[::-1])[::-1]  # D(λ)
    # Φ(λ) = Σ (λ - tick)⁺ of the asks + Σ (tick - λ)⁺ of the bids, from Φ(0) by its slopes S(λ) - D(λ + 1)
    start = int(ticks[buys] @ widths[buys])
    dual = start + np.concatenate(([0], np.cumsum(supply[:-1] - demand[1:])))
    best = np.flatnonzero(dual == dual.min())
    return Truth(int(best[0]), int(best[-1]), int(np.minimum(supply, demand).max()), int(dual.min()))


def judge(segments: Segments, right: Truth, outcome: Outcome) -> Verdict:
    """Compares; without a trade no price is asked for."""
    price = right.volume == 0 or (outcome.price is not None and _within(outcome.price, right.lowest, right.highest))
    volume = _equal(outcome.volume, right.volume)
    if outcome.fills is None:
        return Verdict(price, volume, None, None)
    buys = segments.buys
    if isinstance(outcome.fills, tuple):
        fills = np.empty(len(buys), dtype=outcome.fills[0].dtype)
        fills[~buys], fills[buys] = outcome.fills
    else:
        fills = outcome.fills
    sold, bought = fills[~buys].sum(), fills[buys].sum()
    feasible = bool((fills >= -TOLERANCE).all() and (fills <= segments.widths + TOLERANCE).all())
    welfare = (segments.ticks[buys] * fills[buys]).sum() - (segments.ticks[~buys] * fills[~buys]).sum()
    return Verdict(
        price, volume, _equal(sold, bought) and _equal(sold, outcome.volume),
        feasible and _equal(welfare, right.welfare),
    )  # fmt: skip


def _within(price: Any, lowest: int, highest: int) -> bool:
    if np.issubdtype(type(price), np.integer):
        return lowest <= int(price) <= highest
    slack = TOLERANCE * max(1.0, highest)
    return lowest - slack <= float(price) <= highest + slack


def _equal(value: Any, expected: Any) -> bool:
    if all(np.issubdtype(type(number), np.integer) for number in (value, expected)):
        return int(value) == int(expected)
    return abs(float(value) - float(expected)) <= TOLERANCE * max(1.0, abs(float(expected)))
