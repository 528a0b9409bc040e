"""Linear programmes over many windows that only hang together from one window to the next, solved piece by piece.

    min Σ cost·x   with   A x ≤ b,  0 ≤ x ≤ upper,

where every column and every row belongs to a window, and a row touches columns of its own window and of the one before
(the store). Pieces of some days are solved one after the other from what the last one left in the stores; each looks
some days further than what is kept of it.

That is a feasible x of the whole, so an upper bound of its minimum. The lower bound is weak duality on the *whole*
programme, whatever the pieces were: for any y ≥ 0

    min ≥ −y·b + Σ_j min(0, upper_j · (cost + Aᵀy)_j),                                   (D)

since for a feasible x, cost·x ≥ cost·x + y·(A x − b) ≥ the right side. y is put together from the pieces; where two of
them overlap, y changes from the earlier to the later one in the window where (D) is greatest. Nothing about the solver
needs to be trusted: (D) holds for any y, up to the rounding of its own sums, for which `slack` allows. Where the two
bounds meet, x is an optimum of the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.scenarios.community import Int64s
from stowatt.scenarios.highs import Floats, Solution, solve

ROUNDING: Final = 1e-12
"""Sums of up to 10^8 terms in double precision are off by far less than this part of the sum of their magnitudes."""
Progress = Callable[[int], None]
"""Called with the number of windows that are done."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is known of a programme's minimum."""

    x: Floats
    """Feasible up to the solver's tolerance; by the draft's numbers of columns."""
    y: Floats
    """Multipliers, by the draft's numbers of rows."""
    value: float
    """cost·x."""
    bound: float
    """(D) for y: the minimum is not below bound − slack."""
    slack: float


@dataclass(frozen=True, slots=True, eq=False)
class Staircase:
    """The programme (`draft.Draft.finish` makes one), columns and rows in the order of windows."""

    cost: Floats
    upper: Floats
    b: Floats
    column_start: Int64s
    """The first column of each window, and the number of all."""
    row_start: Int64s
    row: Int64s
    """Row of each entry of A, ascending."""
    index: Int64s
    """Its column."""
    value: Floats
    place: Int64s
    """Where the draft's columns are."""
    row_place: Int64s
    """Where its rows are."""

    @property
    def windows(self) -> int:
        """Number of windows."""
        return len(self.row_start) - 1

    def solve(self, step: int, further: int, progress: Progress | None = None) -> Answer:
        """Piece by piece: each keeps `step` windows and looks `further`."""
        x, y = np.zeros(len(self.cost)), np.zeros(len(self.b))
        for first in range(0, self.windows, step):
            kept, last = min(self.windows, first + step), min(self.windows, first + step + further)
            piece = self._piece(first, last, x)
            begin, end = self.column_start[[first, kept]]
            x[begin:end] = piece.x[: end - begin]
            later = np.zeros_like(y)
            later[self.row_start[first] : self.row_start[last]] = piece.y
            seam = self._seam(first, min(self.windows, first + further), y, later) if first else 0
            y[self.row_start[seam] :] = later[self.row_start[seam] :]
            if progress:
                progress(kept)
        bound, slack = self.bound(y)
        return Answer(x[self.place], y[self.row_place], float(self.cost @ x), bound, slack)

    def bound(self, y: Floats) -> tuple[float, float]:
        """(D) for any y ≥ 0, and what the rounding of its sums may be off by."""
        weighted = self.value * y[self.row]
        reduced = self.cost + np.bincount(self.index, weighted, len(self.cost))
        size = np.abs(self.cost) + np.bincount(self.index, np.abs(weighted), len(self.cost))
        bound = float(np.minimum(reduced * self.upper, 0.0).sum() - y @ self.b)
        return bound, ROUNDING * float(size @ self.upper + y @ np.abs(self.b))

    def _piece(self, first: int, last: int, x: Floats) -> Solution:
        """Windows first … last - 1, from what x left before them."""
        low, high = self.row_start[[first, last]]
        begin, end = self.column_start[[first, last]]
        entries = slice(*np.searchsorted(self.row, [low, high]))
        row, index, value = self.row[entries] - low, self.index[entries], self.value[entries]
        before = index < begin
        b = self.b[low:high] - np.bincount(row[before], value[before] * x[index[before]], high - low)
        start = np.searchsorted(row[~before], np.arange(high - low + 1))
        return solve(self.cost[begin:end], self.upper[begin:end], start, index[~before] - begin, value[~before], b)

    def _seam(self, first: int, upto: int, earlier: Floats, later: Floats) -> int:
        """The window first … upto from which on the later multipliers are best taken: where (D) is greatest."""
        begin, end = self.column_start[[first - 1, upto]]
        low, high = self.row_start[[first - 1, min(upto + 1, self.windows)]]
        entries = slice(*np.searchsorted(self.row, [low, high]))
        row, index, value = self.row[entries], self.index[entries], self.value[entries]
        inside = (index >= begin) & (index < end)
        row, index, value = row[inside], index[inside] - begin, value[inside]
        column_window = np.repeat(np.arange(upto - first + 1), np.diff(self.column_start[first - 1 : upto + 1]))
        own = np.searchsorted(self.row_start, row, side="right") - first == column_window[index]

        def columns(at_own: Floats, at_next: Floats) -> Floats:
            """Their part of (D) by window, from first - 1 on."""
            weighted = value * np.where(own, at_own[row], at_next[row])
            reduced = self.cost[begin:end] + np.bincount(index, weighted, end - begin)
            part = np.minimum(reduced * self.upper[begin:end], 0.0)
            return np.bincount(column_window, part, upto - first + 1).astype(np.float64)

        def rows(y: Floats) -> Floats:
            """Their part of (D) by window, from first on."""
            span = slice(*self.row_start[[first, upto]])
            window = np.repeat(np.arange(upto - first), np.diff(self.row_start[first : upto + 1]))
            return np.bincount(window, -y[span] * self.b[span], upto - first).astype(np.float64)

        until = np.append(0.0, np.cumsum(columns(earlier, earlier)[:-1] + rows(earlier)))
        after = np.append(np.cumsum((columns(later, later)[1:] + rows(later))[::-1])[::-1], 0.0)
        return first + int(np.argmax(until + columns(earlier, later) + after))
