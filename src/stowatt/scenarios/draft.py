"""A staircase programme under construction: blocks of columns and rows over (windows, k), some of which do not exist.

A block is an int64 array of numbers, −1 where there is no column or row: numbers count up in the order of creation, and
`finish` sorts all by window.
"""

import numpy as np
from numpy.typing import NDArray

from stowatt.scenarios.community import Int64s
from stowatt.scenarios.highs import Floats
from stowatt.scenarios.staircase import Staircase

Mask = NDArray[np.bool_]


class Draft:
    """Blocks of columns, rows and entries, in any order of windows."""

    def __init__(self, windows: int) -> None:
        self._windows = windows
        self._columns: list[tuple[Int64s, Floats, Floats]] = []
        self._rows: list[tuple[Int64s, Floats]] = []
        self._entries: list[tuple[Int64s, Int64s, Floats]] = []
        self._width = self._height = 0

    def columns(self, there: Mask, cost: Floats, upper: Floats) -> Int64s:
        """A block of columns with 0 ≤ x ≤ upper; `cost` and `upper` are broadcast to it."""
        block = np.full(there.shape, -1, np.int64)
        window, _ = np.nonzero(there)
        block[there] = np.arange(self._width, self._width + len(window))
        self._columns.append((window, _over(cost, there), _over(upper, there)))
        self._width += len(window)
        return block

    def rows(self, there: Mask, b: Floats) -> Int64s:
        """A block of rows A x ≤ b; `b` is broadcast to it."""
        block = np.full(there.shape, -1, np.int64)
        window, _ = np.nonzero(there)
        block[there] = np.arange(self._height, self._height + len(window))
        self._rows.append((window, _over(b, there)))
        self._height += len(window)
        return block

    def put(self, rows: Int64s, columns: Int64s, values: Floats | float) -> None:
        """Entries of A where both row and column exist; all are broadcast to the shape of `columns`."""
        rows = np.broadcast_to(rows, columns.shape)
        both = (rows >= 0) & (columns >= 0)
        self._entries.append((rows[both], columns[both], _over(np.asarray(values, np.float64), both)))

    def finish(self) -> Staircase:
        """The programme, its columns and rows in the order of windows."""
        window, cost, upper = (np.concatenate(parts) for parts in zip(*self._columns, strict=True))
        row_window, b = (np.concatenate(parts) for parts in zip(*self._rows, strict=True))
        rows, columns, values = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        order, row_order = np.argsort(window, kind="stable"), np.argsort(row_window, kind="stable")
        place, row_place = np.empty_like(order), np.empty_like(row_order)
        place[order], row_place[row_order] = np.arange(len(order)), np.arange(len(row_order))
        rows = row_place[rows]
        by_row = np.argsort(rows, kind="stable")
        edges = np.arange(self._windows + 1)
        return Staircase(
            cost=cost[order],
            upper=upper[order],
            b=b[row_order],
            column_start=np.searchsorted(window[order], edges),
            row_start=np.searchsorted(row_window[row_order], edges),
            row=rows[by_row],
            index=place[columns[by_row]],
            value=values[by_row],
            place=place,
            row_place=row_place,
        )


def _over(values: Floats, there: Mask) -> Floats:
    """Values broadcast to a block, where it exists."""
    chosen: Floats = np.broadcast_to(values, there.shape)[there]
    return chosen
