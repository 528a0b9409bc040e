"""§3: the kernels of `compiled.py` in numpy, for where numba is not installed; the same arguments, the same integers.

They go through the rows in pieces that stay in cache. np.add.at adds in integers.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from stowatt.clearing.shares import Ints, share_pro_rata, share_seeded_order

PIECE: Final = 2**17
_CELLS: Final = 2**16
_LOW16: Final = 2**16 - 1
_LOW32: Final = np.uint64(2**32 - 1)
_U32: Final = np.uint64(32)


def dense(ticks: Any, widths: Any, buys: Any, sums: Ints) -> tuple[int, int]:
    """See `compiled.dense`."""
    return _add(ticks, widths, buys, sums, 0)


def coarse(ticks: Any, widths: Any, buys: Any, sums: Ints) -> tuple[int, int]:
    """See `compiled.coarse`."""
    return _add(ticks, widths, buys, sums, 16)


def _add(ticks: Any, widths: Any, buys: Any, sums: Ints, shift: int) -> tuple[int, int]:
    top = bad = 0
    for rows in _pieces(len(ticks)):
        highest, least, widest = int(ticks[rows].max()), int(widths[rows].min()), int(widths[rows].max())
        if int(ticks[rows].min()) < 0 or highest >> shift >= _CELLS:
            return -1, bad
        bad |= int(least < 1 or widest > int(_LOW32))
        top = max(top, highest)
        cells = (ticks[rows].astype(np.int64) >> shift) + buys[rows] * np.int64(_CELLS)
        np.add.at(sums, cells, widths[rows].astype(np.int64, copy=False))
    return top, bad


def zoom(ticks: Any, widths: Any, buys: Any, low: int, high: int, sums: Ints, values: Any) -> None:
    """See `compiled.zoom`."""
    for rows in _pieces(len(ticks)):
        blocks = ticks[rows] >> 16
        for which, block in enumerate(dict.fromkeys((low, high))):
            inside = np.flatnonzero(blocks == block)
            cells = (ticks[rows][inside].astype(np.int64) & _LOW16) + buys[rows][inside] * np.int64(_CELLS)
            np.add.at(sums, cells + which * 2 * _CELLS, widths[rows][inside].astype(np.int64, copy=False))
        for side, better in enumerate((~buys[rows] & (blocks < low), buys[rows] & (blocks > high))):
            products = ticks[rows][better].astype(np.uint64) * widths[rows][better].astype(np.uint64)
            values[side, 0] += (products >> _U32).sum()
            values[side, 1] += (products & _LOW32).sum()


def fill(ticks: Any, widths: Any, buys: Any, fills: Any, price: Any, cohorts: Ints, seeded: bool) -> None:
    """See `compiled.fill`."""
    share = share_seeded_order if seeded else share_pro_rata
    held = cohorts[:, 3].tolist()
    for rows in _pieces(len(ticks)):
        at = ticks[rows] == price
        np.multiply(widths[rows], ~at & ((ticks[rows] > price) == buys[rows]), out=fills[rows])
        marginal = np.flatnonzero(at)
        for side in range(2):
            mine = marginal[buys[rows][marginal] == bool(side)]
            if len(mine) == 0:
                continue
            ends = np.cumsum(widths[rows][mine], dtype=np.int64)
            bounds = np.concatenate(([0], ends)) + held[side]
            size, residual, phase = cohorts[side, :3].tolist()
            fills[rows][mine] = np.diff(share(bounds, size, residual, phase))
            held[side] += int(ends[-1])


def _pieces(rows: int) -> Iterator[slice]:
    return (slice(start, min(start + PIECE, rows)) for start in range(0, rows, PIECE))
