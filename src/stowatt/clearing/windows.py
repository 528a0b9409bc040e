"""§3: many windows in one call. The rows of one window follow one another; each window is cleared by itself.

    windows = Windows.by_id(ticks, widths, buys, ids, count=96)
    result = clear_windows(windows, rules)
    result.price, result.volume                           # one number for each window
    result.window(5)                                      # as `clear_columns` gives it

They are cleared in machine code, on all cores, without coming back to Python (`compiled_windows.py`); only a window
that is more than one core's share of all rows is cut by `fast.py`. Without numba, small windows are cleared together
(`vectors_windows.py`), and large ones each by `fast.py`, at its fixed cost of about 0.2 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing.columns import Columns, ColumnsResult, Flags, room, usable
from stowatt.clearing.fast import clear_columns
from stowatt.clearing.plan import Plan, current, using
from stowatt.clearing.result import Cohort
from stowatt.clearing.rules import Rules
from stowatt.clearing.shares import Ints
from stowatt.errors import BookError
from stowatt.units import Tick, Wh

LARGE: Final = 2**15
"""Rows from which a window may be cut."""
SMALL: Final = 2**12
"""Rows up to which sorting a window with others is quicker than a call for it alone, in numpy."""
TOGETHER: Final = 2**18
"""Rows that numpy sorts at once."""
_GROUPS: Final = 8
"""Pieces of work for each thread: a core that is busy with something else gets fewer."""
_TABLE: Final = 12
_WRONG: Final = {1: "a tick is out of range", 2: "a width is out of range", 3: "one side adds up to 2^56 Wh or more"}


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Columns as in `Columns`; window k has the rows starts[k] … starts[k + 1] - 1, maybe none."""

    ticks: NDArray[Any]
    widths: NDArray[Any]
    buys: Flags
    starts: Ints

    def __post_init__(self) -> None:
        columns = usable(self.ticks, self.widths, self.buys)
        starts = np.ascontiguousarray(self.starts, dtype=np.int64)
        if len(starts) == 0 or starts[0] != 0 or starts[-1] != len(columns[0]) or (np.diff(starts) < 0).any():
            raise BookError("the windows' starts are wrong", "begin with 0, never fall, end with the number of rows")
        for name, column in zip(("ticks", "widths", "buys", "starts"), (*columns, starts), strict=True):
            object.__setattr__(self, name, column)

    @classmethod
    def by_id(cls, ticks: Any, widths: Any, buys: Any, ids: Any, count: int) -> "Windows":
        """Rows that carry the number 0 … count - 1 of their window, and come window after window."""
        if len(ids) != len(ticks) or (len(ids) and (ids[0] < 0 or ids[-1] >= count or (ids[1:] < ids[:-1]).any())):
            raise BookError("the rows' windows are wrong", f"number them 0 … {count - 1} and put them in this order")
        return cls(ticks, widths, buys, np.searchsorted(ids, np.arange(count + 1)))

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True, eq=False)
class WindowsResult:
    """One row of the table for each window, and one fill for each segment."""

    starts: Ints
    fills: NDArray[Any]
    table: Ints
    """0, λ, λ_lo, λ_hi (-1 where there is none), (better, T, R) of asks and of bids, welfare as 2^32 · a + b."""

    def __len__(self) -> int:
        return len(self.table)

    @property
    def price(self) -> Ints:
        """λ of each window; -1 without a trade."""
        return self.table[:, 1]

    @property
    def volume(self) -> Ints:
        """V of each window in Wh."""
        volume: Ints = self.table[:, 4] + self.table[:, 6]
        return volume

    def window(self, index: int) -> ColumnsResult:
        """Everything about one window."""
        _, price, lowest, highest, *cohorts, high, low = self.table[index].tolist()
        welfare = (high << 32) + low
        return ColumnsResult(
            price=None if price < 0 else Tick(price),
            lowest=Tick(lowest),
            highest=None if highest < 0 else Tick(highest),
            volume=Wh(cohorts[0] + cohorts[2]),
            supply=Cohort(*map(Wh, cohorts[:3])),
            demand=Cohort(*map(Wh, cohorts[3:])),
            fills=self.fills[self.starts[index] : self.starts[index + 1]],
            welfare=welfare,
            dual=welfare,
        )


def clear_windows(windows: Windows, rules: Rules | Sequence[Rules], out: NDArray[Any] | None = None) -> WindowsResult:
    """Clear every window by the rules, or each by its own; the fills into `out`, of the widths' type, if given."""
    count = len(windows)
    if not isinstance(rules, Rules) and len(rules) != count:
        raise BookError(f"{len(rules)} rules for {count} windows", "give one, or one for each window")
    plan = current()
    compiled = plan.kernels(len(windows.ticks)).__name__.endswith(".compiled")
    plan = replace(plan, compiled=compiled)
    fills = room(windows.widths, out)
    result = WindowsResult(windows.starts, fills, np.zeros((count, _TABLE), dtype=np.int64))
    rows = np.diff(windows.starts)
    apart = (rows >= LARGE) & (rows * plan.threads > len(windows.ticks)) if compiled else rows > SMALL
    _clear_each(windows, rules, np.flatnonzero(~apart), result, plan)
    _clear_apart(windows, rules, np.flatnonzero(apart).tolist(), result, plan)
    return result


def _clear_each(
    windows: Windows, rules: Rules | Sequence[Rules], which: Ints, result: WindowsResult, plan: Plan
) -> None:
    if len(which) == 0:
        return
    name = "compiled_windows" if plan.compiled else "vectors_windows"
    kernel = import_module(f"stowatt.clearing.{name}").clear_each
    kinds, seeds = _rule_arrays(rules, len(windows))

    def work(some: Ints) -> None:
        kernel(
            *(windows.ticks, windows.widths, windows.buys, result.fills, windows.starts),
            *(some, kinds, seeds, result.table),
        )

    ends = np.cumsum(np.diff(windows.starts)[which])
    groups = plan.threads * _GROUPS if plan.threads > 1 and ends[-1] >= LARGE else 1
    if not plan.compiled:
        groups = max(groups, -(-int(ends[-1]) // TOGETHER))
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, groups) // groups)
    plan.run(work, [some for some in np.split(which, cuts) if len(some)])
    wrong = np.flatnonzero(result.table[:, 0])
    if len(wrong):
        raise BookError(f"window {wrong[0]}: {_WRONG[int(result.table[wrong[0], 0])]}", "see the bounds of a book (§2)")


def _rule_arrays(rules: Rules | Sequence[Rules], count: int) -> tuple[Ints, NDArray[np.uint8]]:
    """(price rule, rationing) and the seed's 32 bytes of each window."""
    listed = [rules] if isinstance(rules, Rules) else rules
    kinds = np.array([(rule.price_rule, rule.rationing) for rule in listed], dtype=np.int64)
    seeds = np.frombuffer(b"".join(rule.seed.to_bytes(32, "big") for rule in listed), dtype=np.uint8).reshape(-1, 32)
    each = count if isinstance(rules, Rules) else 1
    return np.repeat(kinds, each, axis=0), np.repeat(seeds, each, axis=0)


def _clear_apart(
    windows: Windows, rules: Rules | Sequence[Rules], large: list[int], result: WindowsResult, plan: Plan
) -> None:
    alone = plan if plan.compiled or len(large) < plan.threads else replace(plan, threads=1)

    def work(index: int) -> None:
        rows = slice(windows.starts[index], windows.starts[index + 1])
        with using(alone):
            try:
                columns = Columns(windows.ticks[rows], windows.widths[rows], windows.buys[rows])
            except BookError as error:
                raise BookError(f"window {index}: {error.what}", error.way_out) from error
            rule = rules if isinstance(rules, Rules) else rules[index]
            one = clear_columns(columns, rule, result.fills[rows])
        price, highest = (-1 if tick is None else tick for tick in (one.price, one.highest))
        values = one.welfare >> 32, one.welfare & (2**32 - 1)
        result.table[index] = (0, price, one.lowest, highest, *one.supply, *one.demand, *values)

    if alone is plan:
        for index in large:
            work(index)
    elif large:
        plan.run(work, large)
