"""§3: many windows of few rows each, one after the other in machine code, every one within the processor's cache.

A window takes no memory for its ticks, however far apart they lie: λ_lo and λ_hi are found a byte of the tick at a
time, by the sums of the 256 values of that byte among the rows that agree in the bytes before it.

With fewer than 2^24 rows of widths below 2^32 no side can pass 2^56.
"""

from typing import Any, Final

import numpy as np

from stowatt.clearing.compiled import fill, machine_code

COLUMNS: Final = 12
"""Of the table: status, λ (-1: none), λ_lo, λ_hi (-1: none), the cohorts (better, T, R) of asks and bids, and
the welfare as 2^32 · a + b."""
BAD_TICK: Final = 1
BAD_WIDTH: Final = 2

_TICKS: Final = np.uint64(2**32)
_LOW32: Final = np.uint64(2**32 - 1)
_U8: Final = np.uint64(8)
_U32: Final = np.uint64(32)
_BYTE: Final = np.uint64(255)
_MIDPOINT: Final = 1
_SEED: Final = 2


@machine_code
def clear_each(
    ticks: Any, widths: Any, buys: Any, fills: Any, starts: Any, which: Any, rules: Any, seeds: Any, table: Any
) -> None:
    """Clear the windows `which`: rows starts[k] … starts[k + 1] by rules[k] = (price rule, rationing), seeds[k]."""
    cells = np.zeros(256, np.int64)
    cohorts = np.zeros((2, 5), np.int64)
    for k in which:
        rows = slice(starts[k], starts[k + 1])
        tick, width, buy, row = ticks[rows], widths[rows], buys[rows], table[k]
        row[0] = interval(tick, width, buy, cells, row)
        if row[0] == 0:
            choose(tick, width, buy, rules[k, 0], seeds[k], cohorts, row)
            if row[1] < 0:
                fills[rows] = 0
            else:
                fill(tick, width, buy, fills[rows], row[1], cohorts, rules[k, 1] == 1)


@machine_code
def interval(tick: Any, width: Any, buy: Any, cells: Any, row: Any) -> int:
    """Check the rows, and write λ_lo and λ_hi; the status."""
    supply, demand, top, bad = np.int64(0), np.int64(0), np.uint64(0), np.int64(0)
    for i in range(tick.size):
        t, w = np.uint64(np.int64(tick[i])), np.int64(width[i])
        top |= t
        bad |= (w >> 32) | ((w - 1) >> 32)
        demand += w * buy[i]
        supply += w * (not buy[i])
    if top >= _TICKS:
        return BAD_TICK
    if bad != 0:
        return BAD_WIDTH
    reached = np.int64(0)
    row[2], row[3] = 0, -1
    if demand > 0:
        row[2], reached = descend(tick, width, cells, top, demand)
    if supply > 0:
        row[3] = row[2]
        if reached <= demand:
            row[3], reached = descend(tick, width, cells, top, demand + 1)
    return 0


@machine_code
def descend(tick: Any, width: Any, cells: Any, top: Any, target: Any) -> tuple[Any, Any]:
    """min { l : F(l) ≥ target } and F there. F's last value reaches the target; `top` has the bits of all ticks."""
    shift, before, prefix = np.uint64(0), np.int64(0), np.uint64(0)
    while top >> (shift + _U8) != 0:
        shift += _U8
    while True:
        cells[:] = 0
        for i in range(tick.size):
            t = np.uint64(tick[i])
            if t >> (shift + _U8) == prefix:
                cells[(t >> shift) & _BYTE] += np.int64(width[i])
        place = 0
        while before + cells[place] < target:
            before += cells[place]
            place += 1
        prefix = (prefix << _U8) | np.uint64(place)
        if shift == 0:
            return np.int64(prefix), before + cells[place]
        shift -= _U8


@machine_code
def choose(tick: Any, width: Any, buy: Any, price_rule: Any, seed: Any, cohorts: Any, row: Any) -> None:
    """The price, both cohorts and Φ(λ) = the welfare, which products in two limbs of 32 bits add up to."""
    lowest, highest, price = row[2], row[3], row[2]
    if price_rule == _MIDPOINT:
        price = (lowest + highest) // 2
    elif price_rule == _SEED:
        price = lowest + modulo(seed, max(highest - lowest, 0) + 1)
    better, size = np.zeros(2, np.int64), np.zeros(2, np.int64)
    high, low = np.uint64(0), np.uint64(0)
    for i in range(tick.size):
        t, w = np.int64(tick[i]), np.int64(width[i])
        if t == price:
            size[np.int64(buy[i])] += w
        elif (t > price) == buy[i]:
            better[np.int64(buy[i])] += w
            value = np.uint64(abs(t - price)) * np.uint64(w)
            high += value >> _U32
            low += value & _LOW32
    volume = min(better[0] + size[0], better[1] + size[1])
    row[1] = price
    row[10], row[11] = np.int64(high + (low >> _U32)), np.int64(low & _LOW32)
    if highest < 0 or volume == 0:
        row[1] = -1
        row[4:] = 0
        return
    for side in range(2):
        residual = volume - better[side]
        row[4 + 3 * side], row[5 + 3 * side], row[6 + 3 * side] = better[side], size[side], residual
        cohorts[side] = 0
        cohorts[side, 0], cohorts[side, 1] = size[side], residual
        if size[side] > 0:
            cohorts[side, 2] = modulo(seed, size[side])
            bits = length(size[side])
            cohorts[side, 4] = 0 if bits + length(residual) <= 62 else 62 - bits


@machine_code
def modulo(seed: Any, divisor: Any) -> Any:
    """The seed, big-endian bytes, modulo a divisor below 2^56: no step passes 2^64."""
    rest = np.uint64(0)
    for byte in seed:
        rest = ((rest << _U8) | np.uint64(byte)) % np.uint64(divisor)
    return np.int64(rest)


@machine_code
def length(number: Any) -> Any:
    """Bits of a number ≥ 0."""
    bits = np.int64(0)
    while number > 0:
        number >>= 1
        bits += 1
    return bits
