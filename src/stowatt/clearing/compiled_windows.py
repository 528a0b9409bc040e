"""§3: many windows, one after the other in machine code.

A window of many rows for its ticks, which are below 2^16, is summed by tick. Any other takes no memory for its ticks,
however far apart they lie: λ_lo and λ_hi are found a byte of the tick at a time, by the sums of the 256 values of that
byte among the rows that agree in the bytes before it. Bounds, checked: those of `histogram.py`.
"""

from typing import Any, Final

import numpy as np

from stowatt.clearing.compiled import dense, fill, machine_code
from stowatt.clearing.compiled_price import pick, settle

COLUMNS: Final = 12
"""Of the table: status, λ (-1: none), λ_lo, λ_hi (-1: none), the cohorts (better, T, R) of asks and bids, and
the welfare as 2^32 · a + b."""
BAD_TICK: Final = 1
BAD_WIDTH: Final = 2
BAD_SIDE: Final = 3
SPARSE: Final = 4
"""Ticks for each row up to which walking over all ticks is cheaper than going through the rows several times."""

_CELLS: Final = 2**16
_MOST: Final = 2**56 - 1
_TICKS: Final = np.uint64(2**32)
_LOW32: Final = np.uint64(2**32 - 1)
_U8: Final = np.uint64(8)
_U32: Final = np.uint64(32)
_BYTE: Final = np.uint64(255)


@machine_code
def clear_each(
    ticks: Any, widths: Any, buys: Any, fills: Any, starts: Any, which: Any, rules: Any, seeds: Any, table: Any
) -> None:
    """Clear the windows `which`: rows starts[k] … starts[k + 1] by rules[k] = (price rule, rationing), seeds[k]."""
    cells, sums = np.zeros(256, np.int64), np.zeros(2 * _CELLS, np.int64)
    cohorts = np.zeros((2, 5), np.int64)
    for k in which:
        rows = slice(starts[k], starts[k + 1])
        tick, width, buy, row = ticks[rows], widths[rows], buys[rows], table[k]
        row[0] = -1
        if crowded(tick):
            row[0] = by_tick(tick, width, buy, sums, rules[k, 0], seeds[k], cohorts, row)
        if row[0] < 0:
            row[0] = by_row(tick, width, buy, cells, rules[k, 0], seeds[k], cohorts, row)
        if row[0] == 0:
            if row[1] < 0:
                fills[rows] = 0
            else:
                fill(tick, width, buy, fills[rows], row[1], cohorts, rules[k, 1] == 1)


@machine_code
def crowded(tick: Any) -> Any:
    """Whether the ticks are few for the rows."""
    top = np.uint64(0)
    for i in range(tick.size):
        top |= np.uint64(tick[i])
    return top < np.uint64(min(SPARSE * tick.size, _CELLS))


@machine_code
def by_tick(tick: Any, width: Any, buy: Any, sums: Any, price_rule: Any, seed: Any, cohorts: Any, row: Any) -> int:
    """Everything but the fills, from the sums of each tick, which are 0 before and after; -1 if this is no way."""
    top, bad = dense(tick, width, buy, sums)
    if top < 0 or bad != 0:
        sums[:] = 0
        return -1
    asks, bids = sums[: top + 1], sums[_CELLS : _CELLS + top + 1]
    supply, demand = asks.sum(), bids.sum()
    if max(supply, demand) > _MOST:
        sums[:] = 0
        return BAD_SIDE
    running, row[2], row[3] = np.int64(0), -1, -1
    for t in range(top + 1):
        running += asks[t] + bids[t]
        if row[2] < 0 and running >= demand:
            row[2] = t
        if running > demand:
            row[3] = t
            break
    price = pick(row[2], row[3], price_rule, seed)
    better, size, value = np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros(2, np.uint64)
    size[0], size[1] = asks[price], bids[price]
    better[0], better[1] = gain(asks[:price][::-1], value), gain(bids[price + 1 :], value)
    settle(price, better, size, value, seed, cohorts, row)
    asks[:] = 0
    bids[:] = 0
    return 0


@machine_code
def gain(sums: Any, value: Any) -> Any:
    """The sum of what lies 1, 2, … ticks from the price; adds the sum of its products with that distance to `value`.

    Both halves of a sum, below 2^24 and 2^32, times fewer than 2^16 ticks, and fewer than 2^16 of them.
    """
    total, high, low = np.int64(0), np.uint64(0), np.uint64(0)
    for i in range(sums.size):
        held, ticks = np.uint64(sums[i]), np.uint64(i + 1)
        total += sums[i]
        high += ticks * (held >> _U32)
        low += ticks * (held & _LOW32)
    value[0] += high + (low >> _U32)
    value[1] += low & _LOW32
    return total


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
    if max(supply, demand) > _MOST:
        return BAD_SIDE
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
def by_row(tick: Any, width: Any, buy: Any, cells: Any, price_rule: Any, seed: Any, cohorts: Any, row: Any) -> int:
    """The same from the rows. Products are added up in two limbs of 32 bits."""
    status = interval(tick, width, buy, cells, row)
    if status != 0:
        return status
    price = pick(row[2], row[3], price_rule, seed)
    better, size, value = np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros(2, np.uint64)
    for i in range(tick.size):
        t, w = np.int64(tick[i]), np.int64(width[i])
        if t == price:
            size[np.int64(buy[i])] += w
        elif (t > price) == buy[i]:
            better[np.int64(buy[i])] += w
            gain = np.uint64(abs(t - price)) * np.uint64(w)
            value[0] += gain >> _U32
            value[1] += gain & _LOW32
    settle(price, better, size, value, seed, cohorts, row)
    return 0
