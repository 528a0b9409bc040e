"""Wh by window, side and tick as cells: sorted keys and their sums. Only ticks that hold something take memory, however
far apart they lie. Cells of two parts of a book together are the cells of both: cut it anywhere, in any order.

A key is window · 2^33 + side · 2^32 + tick. Sums of fewer than 2^31 widths below 2^32 stay below 2^63.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stowatt.bulk.rows import Rows
from stowatt.clearing.histogram import CELL_BITS, CELLS

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]

WINDOW_BITS: Final = 33
SIDE_BIT: Final = 32
_KEPT: Final = 2**20
"""Cells of batches that wait to be merged."""


def merged(keys: Keys, sums: Ints) -> tuple[Keys, Ints]:
    """Sorted, and cells of one key added up."""
    if len(keys) == 0:
        return keys, sums
    order = np.argsort(keys, kind="stable")
    keys, sums = keys[order], sums[order]
    heads = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[heads], np.add.reduceat(sums, heads)


def first_keys(windows: int) -> Keys:
    """Where the cells of each window begin, and where those of the last one end."""
    return np.arange(windows + 1, dtype=np.uint64) << np.uint64(WINDOW_BITS)


class Tally:
    """Adds up the cells of one part."""

    def __init__(self) -> None:
        self.keys: list[Keys] = []
        self.sums: list[Ints] = []
        self.kept = 0
        self.window = -1
        """Of which the cells are in `dense`: a batch of a single window on a small grid is added without a sort."""
        self.dense = np.zeros(2 * CELLS, np.int64)

    def add(self, rows: Rows) -> None:
        """The rows of one batch."""
        if len(rows) == 0:
            return
        window = int(rows.window[0])
        if int(rows.ticks.max()) < CELLS and not (rows.window != window).any():
            if window != self.window:
                self._flush()
                self.window = window
            cells = rows.ticks + rows.buys * np.uint32(CELLS)
            # Sums of a batch stay below 2^17 · 2^32, which a float64 counts exactly.
            sums = np.bincount(cells, rows.widths)
            self.dense[: len(sums)] += sums.astype(np.int64)
            return
        keys = rows.window.astype(np.uint64) << np.uint64(WINDOW_BITS)
        keys |= rows.buys.astype(np.uint64) << np.uint64(SIDE_BIT)
        keys |= rows.ticks
        self._keep(*merged(keys, rows.widths.astype(np.int64)))

    def cells(self) -> tuple[Keys, Ints]:
        """Of all rows so far."""
        self._flush()
        self._merge()
        return (self.keys[0], self.sums[0]) if self.keys else (np.zeros(0, np.uint64), np.zeros(0, np.int64))

    def _flush(self) -> None:
        """The cells by tick as sorted ones."""
        if self.window < 0:
            return
        places = np.flatnonzero(self.dense)
        sides, ticks = places >> CELL_BITS, places & (CELLS - 1)
        keys = (self.window << WINDOW_BITS) | (sides << SIDE_BIT) | ticks
        self._keep(keys.astype(np.uint64), self.dense[places])
        self.dense[places] = 0
        self.window = -1

    def _keep(self, keys: Keys, sums: Ints) -> None:
        self.keys.append(keys)
        self.sums.append(sums)
        self.kept += len(keys)
        if self.kept > _KEPT:
            self._merge()
            self.kept = 0

    def _merge(self) -> None:
        if len(self.keys) > 1:
            keys, sums = merged(np.concatenate(self.keys), np.concatenate(self.sums))
            self.keys, self.sums = [keys], [sums]
