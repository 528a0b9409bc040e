"""Many windows in one call, beside the same windows one after the other on one core."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.clearing.books import Segments, make_book
from benchmarks.clearing.engines import RULES
from benchmarks.clearing.judge import Outcome, judge, truth
from benchmarks.clearing.memory import available
from benchmarks.harness import rounds
from stowatt.clearing.fast import Columns, clear_columns
from stowatt.clearing.plan import Plan, using
from stowatt.clearing.windows import Windows, WindowsResult, clear_windows

COUNT = 96
"""The windows of a day."""
BOOKS = 8
"""Different ones among them."""
ROOM = 60
"""Bytes a segment."""
FEWEST = 5


def measure_windows(segments: int, budget: float) -> dict[str, Any]:
    """Seconds of one call for all and of the single windows; `segments` is less where memory is short."""
    segments = max(4, min(segments, available() // (ROOM * COUNT)) // 4 * 4)
    books = [make_book(segments, seed=10 + number) for number in range(BOOKS)]
    ticks, widths, buys = (
        np.tile(np.concatenate([getattr(book, column) for book in books]), COUNT // BOOKS)
        for column in ("ticks", "widths", "buys")
    )
    starts, fills = np.arange(COUNT + 1) * segments, np.empty_like(widths)

    def one_call(plan: Plan) -> WindowsResult:
        with using(plan):
            return clear_windows(Windows(ticks, widths, buys, starts), RULES, fills)

    def singly(plan: Plan) -> None:
        with using(plan):
            for start in starts[:-1].tolist():
                rows = slice(start, start + segments)
                clear_columns(Columns(ticks[rows], widths[rows], buys[rows]), RULES, fills[rows])

    calls: dict[str, Callable[[], Any]] = {}
    right = True
    for kind, compiled in ("machine", True), ("numpy", False):
        if compiled and not find_spec("numba"):
            continue
        singly(Plan(threads=1, compiled=compiled))
        expected = fills.copy()
        result = one_call(Plan(compiled=compiled))
        right = right and np.array_equal(fills, expected) and _right(books, result)
        calls |= {kind: partial(one_call, Plan(compiled=compiled))}
        calls |= {f"{kind} singly": partial(singly, Plan(threads=1, compiled=compiled))}
        del expected
    found = rounds(calls, budget=budget, fewest=FEWEST)
    seconds = {name: taken.to_json() for name, taken in found.items()}
    return {"count": COUNT, "segments": segments, "cores": Plan().threads, "seconds": seconds, "right": right}


def _right(books: list[Segments], result: WindowsResult) -> bool:
    """Whether the first of the windows, one of each book, are right."""
    for book, index in zip(books, range(BOOKS), strict=True):
        one = result.window(index)
        if not judge(book, truth(book), Outcome(one.price, one.volume, one.fills)).good:
            return False
    return True
