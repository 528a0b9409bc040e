"""§3: the kernels as machine code, one pass over the rows each. Optional: `stowatt[fast]` brings numba.

They take int32, int64 and uint32 columns as they are, leave Python's lock while they run, and compute in 64 bits:
sums of fewer than 2^31 widths below 2^32 stay below 2^63. `vectors.py` has the same three kernels in numpy.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeVar, cast

import numpy as np

_F = TypeVar("_F", bound=Callable[..., Any])

_CELLS: Final = np.uint64(2**16)
_TICKS: Final = np.uint64(2**32)
_U16: Final = np.uint64(16)
_U17: Final = np.uint64(17)
_U32: Final = np.uint64(32)
_LOW16: Final = np.uint64(2**16 - 1)
_LOW32: Final = np.uint64(2**32 - 1)
_BLOCK: Final = 256
"""Rows filled at once without a branch; only blocks with a marginal row are gone through again, in cache."""


def machine_code(function: _F) -> _F:
    """The function, compiled when it is first called with a kind of column, and kept on disk."""
    return cast(_F, import_module("numba").njit(nogil=True, cache=True)(function))


@machine_code
def dense(ticks: Any, widths: Any, buys: Any, sums: Any) -> tuple[Any, Any]:
    """Add the widths to `sums[side · 2^16 + tick]`. The highest tick (-1 where one is ≥ 2^16), and bits of bad widths.

    Nothing is added beyond the first tick ≥ 2^16: the caller then takes `coarse` with new sums.
    """
    top, bad = np.uint64(0), np.int64(0)
    for i in range(ticks.size):
        tick, width = np.uint64(ticks[i]), np.int64(widths[i])
        if tick >= _CELLS:
            return -1, bad
        bad |= (width >> 32) | ((width - 1) >> 32)
        top = max(top, tick)
        sums[tick | (np.uint64(buys[i]) << _U16)] += width
    return np.int64(top), bad


@machine_code
def coarse(ticks: Any, widths: Any, buys: Any, sums: Any) -> tuple[Any, Any]:
    """The same by blocks of 2^16 ticks; -1 where a tick is out of range."""
    top, bad = np.uint64(0), np.int64(0)
    for i in range(ticks.size):
        tick, width = np.uint64(np.int64(ticks[i])), np.int64(widths[i])
        if tick >= _TICKS:
            return -1, bad
        bad |= (width >> 32) | ((width - 1) >> 32)
        top = max(top, tick)
        sums[(tick >> _U16) | (np.uint64(buys[i]) << _U16)] += width
    return np.int64(top), bad


@machine_code
def zoom(ticks: Any, widths: Any, buys: Any, low: int, high: int, sums: Any, values: Any) -> None:
    """Tick by tick inside the blocks `low` and `high`; Σ tick · width of asks below them and bids above them.

    `sums[which · 2^17 + side · 2^16 + tick]`, with `high` kept apart only if it is another block.
    `values[side]` = (units of 2^32, rest): each part of a product is below 2^32.
    """
    first, last = np.uint64(low), np.uint64(high)
    for i in range(ticks.size):
        tick, width, buy = np.uint64(ticks[i]), np.uint64(widths[i]), np.uint64(buys[i])
        block = tick >> _U16
        if block == first:
            sums[(tick & _LOW16) | (buy << _U16)] += np.int64(width)
        elif block == last:
            sums[(tick & _LOW16) | (buy << _U16) | (np.uint64(1) << _U17)] += np.int64(width)
        elif (block > last) if buys[i] else (block < first):
            value = tick * width
            values[buy, 0] += value >> _U32
            values[buy, 1] += value & _LOW32


@machine_code
def share(x: Any, size: Any, residual: Any, phase: Any, seeded: bool, digit_bits: Any) -> Any:
    """f(x) of `rationing.py`. `digit_bits` = 0: the product fits; else long division, as many bits at once as fit."""
    if seeded:
        return min(max(x - phase, 0), residual) + min(x, max(phase + residual - size, 0))
    if digit_bits == 0:
        return (x * residual + phase) // size
    quotient, rest, places = np.int64(0), np.int64(0), 56 - 56 % digit_bits
    while places >= 0:
        digit = (residual >> places) & ((np.int64(1) << digit_bits) - 1)
        numerator = (rest << digit_bits) + x * digit
        step = numerator // size
        rest = numerator - step * size
        quotient = (quotient << digit_bits) + step
        places -= digit_bits
    return quotient + (rest + phase) // size


@machine_code
def fill(ticks: Any, widths: Any, buys: Any, fills: Any, price: Any, cohorts: Any, seeded: bool) -> None:
    """Better rows whole, marginal ones by their share, the others nothing; `price` is of the ticks' own type.

    `cohorts[side]` = (T, R, φ, the Wh of the cohort before these rows, digit bits).
    """
    held = np.empty(2, np.int64)
    given = np.empty(2, np.int64)
    for side in range(2):
        size, residual, phase, before, digits = cohorts[side]
        held[side] = before
        given[side] = share(before, size, residual, phase, seeded, digits) if size > 0 else 0
    for start in range(0, ticks.size, _BLOCK):
        rows = slice(start, min(start + _BLOCK, ticks.size))
        # Slices and two loops without a branch: this is what the compiler makes vector code of.
        tick, width, buy, out = ticks[rows], widths[rows], buys[rows], fills[rows]
        for i in range(tick.size):
            out[i] = width[i] if (tick[i] != price) & ((tick[i] > price) == buy[i]) else 0
        marginal = False
        for i in range(tick.size):
            marginal |= tick[i] == price
        if not marginal:
            continue
        for i in range(tick.size):
            if tick[i] == price:
                which = np.int64(buy[i])
                size, residual, phase, before, digits = cohorts[which]
                held[which] += np.int64(width[i])
                if residual == size:
                    out[i] = width[i]
                elif residual > 0:
                    after = share(held[which], size, residual, phase, seeded, digits)
                    out[i] = after - given[which]
                    given[which] = after
