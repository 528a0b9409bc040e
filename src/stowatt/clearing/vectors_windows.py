"""§3: many windows at once in numpy, for where numba is not installed; what `compiled_windows.py` does one by one.

One sort by (window, tick) of all rows and their running sums: every λ and every cohort is then a place in them that a
binary search finds, for all windows in one go. Ticks may lie as far apart as they like.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing.shares import Ints

BAD_TICK: Final = 1
BAD_WIDTH: Final = 2
BAD_SIDE: Final = 3
_MOST: Final = 2**56 - 1
_LIMIT: Final = 2**32
_PRODUCT: Final = 2**62
_LOW32: Final = np.uint64(2**32 - 1)
_U8: Final = np.uint64(8)
_U32: Final = np.uint64(32)
_MIDPOINT: Final = 1


def clear_each(
    ticks: Any, widths: Any, buys: Any, fills: Any, starts: Any, which: Any, rules: Any, seeds: Any, table: Any
) -> None:
    """See `compiled_windows.clear_each`. Windows with a status other than 0 are not filled."""
    lengths = np.diff(starts)[which]
    first = np.cumsum(lengths) - lengths
    rows = np.repeat(starts[:-1][which] - first, lengths) + np.arange(lengths.sum())
    some = _Some(
        ticks[rows].astype(np.int64, copy=False), widths[rows].astype(np.int64, copy=False), buys[rows], lengths
    )
    found = some.crossed(rules[which, 0], seeds[which])
    table[which] = found
    fills[rows] = some.filled(found, rules[which, 1] == 1, seeds[which])


class _Some:
    """Windows next to one another: window k has `lengths[k]` of the rows."""

    def __init__(self, ticks: Ints, widths: Ints, buys: NDArray[np.bool_], lengths: Ints) -> None:
        self.ticks, self.widths, self.buys = ticks, widths, buys
        self.windows = np.repeat(np.arange(len(lengths)), lengths)
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self.status = np.zeros(len(lengths), dtype=np.int64)
        bad_tick, bad_width = (ticks < 0) | (ticks >= _LIMIT), (widths < 1) | (widths >= _LIMIT)
        if bad_tick.any() or bad_width.any():
            self.status[self.windows[bad_width]] = BAD_WIDTH
            self.status[self.windows[bad_tick]] = BAD_TICK
            self.ticks, self.widths = np.where(bad_tick, 0, ticks), np.where(bad_width, 1, widths)

    def crossed(self, price_rules: Ints, seeds: NDArray[np.uint8]) -> Ints:
        """The table's rows."""
        key = (self.windows << 32) | self.ticks
        order = np.argsort(key, kind="stable")
        key, width = key[order], self.widths[order]
        asks, bids = _running(np.where(self.buys[order], 0, width)), _running(np.where(self.buys[order], width, 0))
        supply, demand = (held[self.ends] - held[self.starts] for held in (asks, bids))
        self.status[(np.maximum(supply, demand) > _MOST) & (self.status == 0)] = BAD_SIDE
        table = np.zeros((len(self.ends), 12), dtype=np.int64)
        both = (asks + bids)[1:]
        target = (asks + bids)[self.starts] + demand
        last = np.append(key & (_LIMIT - 1), 0)
        table[:, 2] = np.where(demand > 0, last[np.searchsorted(both, target)], 0)
        table[:, 3] = np.where(supply > 0, last[np.searchsorted(both, target, side="right")], -1)
        price = self._pick(table[:, 2], table[:, 3], price_rules, seeds)
        place = (np.arange(len(self.ends)) << 32) | price
        below, above = (np.searchsorted(key, place, side=side) for side in ("left", "right"))
        better = np.stack((asks[below] - asks[self.starts], bids[self.ends] - bids[above]), axis=1)
        size = np.stack((asks[above] - asks[below], bids[above] - bids[below]), axis=1)
        volume = (better + size).min(axis=1)
        table[:, 1] = price
        table[:, 4:10] = np.stack((better, size, volume[:, np.newaxis] - better), axis=2).reshape(-1, 6)
        table[:, 10], table[:, 11] = self._welfare(price)
        none = (table[:, 3] < 0) | (volume == 0)
        table[none, 1], table[none, 4:] = -1, 0
        table[:, 0] = self.status
        return table

    def _pick(self, lowest: Ints, highest: Ints, price_rules: Ints, seeds: NDArray[np.uint8]) -> Ints:
        drawn = lowest + _modulo(seeds, np.maximum(highest - lowest + 1, 1)) if (price_rules > _MIDPOINT).any() else 0
        picked: Ints = np.where(price_rules == _MIDPOINT, (lowest + highest) // 2, drawn)
        return np.where((highest < 0) | (price_rules < _MIDPOINT), lowest, picked)

    def _better(self, price: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The rows that are filled whole, and those at the price."""
        own = np.repeat(price, self.ends - self.starts)
        at = self.ticks == own
        return ~at & ((self.ticks > own) == self.buys), at

    def _welfare(self, price: Ints) -> tuple[Ints, Ints]:
        """Φ(λ) in two limbs of 32 bits."""
        better, _ = self._better(price)
        away = np.abs(self.ticks - np.repeat(price, self.ends - self.starts)).astype(np.uint64)
        gain = away * np.where(better, self.widths, 0).astype(np.uint64)
        high, low = _running(gain >> _U32), _running(gain & _LOW32)
        high, low = (sums[self.ends] - sums[self.starts] for sums in (high, low))
        return (high + (low >> _U32)).astype(np.int64), (low & _LOW32).astype(np.int64)

    def filled(self, table: Ints, seeded: NDArray[np.bool_], seeds: NDArray[np.uint8]) -> Ints:
        """Every row's fill."""
        price = table[:, 1]
        better, at = self._better(price)
        fills: Ints = np.where(better & np.repeat(price >= 0, self.ends - self.starts), self.widths, 0)
        for side in range(2):
            rows = np.flatnonzero(at & (self.buys == bool(side)))
            size, residual = table[:, 5 + 3 * side], table[:, 6 + 3 * side]
            phase = _modulo(seeds, np.maximum(size, 1))
            windows = self.windows[rows]
            running = _running(self.widths[rows])
            first = np.searchsorted(windows, windows)
            after = running[1:] - running[first]
            cohort = size[windows], residual[windows], phase[windows], seeded[windows]
            fills[rows] = _share(after, *cohort) - _share(after - self.widths[rows], *cohort)
        return fills


def _running(values: Any) -> Any:
    """Sums before each row, and of all."""
    sums = np.zeros(len(values) + 1, dtype=values.dtype)
    np.cumsum(values, out=sums[1:])
    return sums


def _share(x: Ints, size: Ints, residual: Ints, phase: Ints, seeded: NDArray[np.bool_]) -> Ints:
    """f(x) of `rationing.py`, each row by its own cohort; in Python's integers where a product could pass 2^63."""
    in_order = np.clip(x - phase, 0, residual) + np.minimum(x, np.maximum(phase + residual - size, 0))
    wide = size.astype(np.float64) * residual >= _PRODUCT
    pro_rata = (np.where(wide, 0, x) * residual + phase) // size
    if wide.any():
        many = zip(*(part[wide].tolist() for part in (x, size, residual, phase)), strict=True)
        pro_rata[wide] = [(held * r + s) // t for held, t, r, s in many]
    return np.where(seeded, in_order, pro_rata)


def _modulo(seeds: NDArray[np.uint8], divisors: Ints) -> Ints:
    """The seeds, big-endian bytes, modulo divisors below 2^56: no step passes 2^64."""
    rest, by = np.zeros(len(seeds), dtype=np.uint64), divisors.astype(np.uint64)
    for column in seeds.T:
        rest = ((rest << _U8) | column) % by
    return rest.astype(np.int64)
