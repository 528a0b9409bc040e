"""Time with every fill against one thing at a time, all books of a series in turns, and the exponents fitted to it."""

import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.clearing.books import Segments, make_book
from benchmarks.clearing.engines import RULES
from benchmarks.harness import Extent, Figures, rounds
from stowatt.clearing.fast import Columns, clear_columns, cross_columns
from stowatt.clearing.plan import Plan, using
from stowatt.clearing.windows import Windows, clear_windows

SEGMENTS = (10_000, 31_624, 100_000, 316_228, 1_000_000, 3_162_280, 10_000_000, 31_622_780)
BITS = tuple(range(8, 31, 2))
"""Grids of 2^8 … 2^30 ticks."""
ROWS = 1_000_000
"""Of the book on each grid."""
WINDOW_ROWS = 2**20
"""Of all windows together."""
COUNTS = tuple(4**power for power in range(9))
SINGLE = 1024
"""The most windows that are also cleared by a call each."""
LINEAR = 1_000_000
"""Segments from which the exponent is fitted: below, fixed costs and caches tell."""
BOOK_BITS = 14
"""The ticks of `make_book`."""


def run(extent: Extent) -> Figures:
    """The three series."""
    quick = extent.quick
    budget = 0.0 if quick else 1.0
    plans = {"numpy": Plan(compiled=False)}
    if find_spec("numba"):
        plans = {"machine": Plan(compiled=True)} | plans
    return {
        "segments": _segments(SEGMENTS[:3] if quick else SEGMENTS, plans, budget),
        "grids": _grids(SEGMENTS[0] if quick else ROWS, BITS[::4] if quick else BITS, plans, budget),
        "windows": _windows(2**12 if quick else WINDOW_ROWS, COUNTS[:3] if quick else COUNTS, plans, budget),
    }


def exponent(points: Iterable[tuple[float, float]]) -> float:
    """Of x in the power that fits y best: the slope of a straight line through the logarithms."""
    x, y = np.log(np.array(list(points))).T
    return float(np.polyfit(x, y, 1)[0])


def on_grid(book: Segments, bits: int) -> Segments:
    """The same curves on a grid of 2^bits ticks: every segment between the same two of the old ticks, but anywhere."""
    inside = np.random.default_rng(3).random(len(book.ticks))
    ticks = ((book.ticks + inside) * 2.0 ** (bits - BOOK_BITS)).astype(np.int64)
    return Segments(ticks, book.widths, book.buys)


def _segments(sizes: Iterable[int], plans: dict[str, Plan], budget: float) -> Figures:
    books = {size: make_book(size) for size in sizes}
    found = _timed({size: partial(_clear, book) for size, book in books.items()}, plans, budget)
    fits = {
        kind: exponent((int(size), row["median"]) for size, row in rows.items() if int(size) >= LINEAR)
        if max(books) > LINEAR else None
        for kind, rows in found.items()
    }  # fmt: skip
    return {"seconds": found, "exponents": fits, "from": LINEAR}


def _grids(rows: int, sizes: Iterable[int], plans: dict[str, Plan], budget: float) -> Figures:
    book = make_book(rows)
    books = {bits: on_grid(book, bits) for bits in sizes}
    found = _timed({bits: partial(_clear, on) for bits, on in books.items()}, plans, budget)
    fits = {kind: exponent((2.0 ** int(bits), row["median"]) for bits, row in r.items()) for kind, r in found.items()}
    used = {bits: len(np.unique(on.ticks)) for bits, on in books.items()}
    memory = {bits: _allocated(on) for bits, on in books.items()}
    return {"seconds": found, "exponents": fits, "rows": rows, "used": used, "allocated": memory}


def _windows(rows: int, counts: Iterable[int], plans: dict[str, Plan], budget: float) -> Figures:
    book = make_book(rows)
    calls = {count: partial(_clear_all, book, np.arange(count + 1) * (rows // count)) for count in counts}
    found = _timed(calls, plans, budget)
    fits = {kind: exponent((int(count), row["median"]) for count, row in r.items()) for kind, r in found.items()}
    alone = replace(next(iter(plans.values())), threads=1)
    few = {count: partial(_clear_singly, book, rows // count) for count in counts if count <= SINGLE}
    singly = _timed(few, {"alone": alone}, budget)["alone"]
    return {"seconds": found, "exponents": fits, "rows": rows, "singly": singly, "cores": Plan().threads}


def _timed(
    calls: Mapping[int, Callable[[], object]], plans: dict[str, Plan], budget: float
) -> dict[str, dict[str, dict[str, Any]]]:
    """All in turns, by kind and number."""
    all_calls = {f"{kind} {number}": partial(_by, plan, call) for number, call in calls.items()
                 for kind, plan in plans.items()}  # fmt: skip
    spreads = rounds(all_calls, budget=budget)
    return {kind: {str(number): spreads[f"{kind} {number}"].to_json() for number in calls} for kind in plans}


def _by(plan: Plan, call: Callable[[], object]) -> None:
    with using(plan):
        call()


def _clear(book: Segments) -> object:
    return clear_columns(Columns(book.ticks, book.widths, book.buys), RULES)


def _clear_all(book: Segments, starts: Any) -> object:
    return clear_windows(Windows(book.ticks, book.widths, book.buys, starts), RULES)


def _clear_singly(book: Segments, each: int) -> None:
    for start in range(0, len(book.ticks), each):
        rows = slice(start, start + each)
        clear_columns(Columns(book.ticks[rows], book.widths[rows], book.buys[rows]), RULES)


def _allocated(book: Segments) -> int:
    """Bytes that price and volume take at their peak, by numpy's own account, on one core."""
    tracemalloc.start()
    try:
        with using(Plan(threads=1, compiled=False)):
            cross_columns(Columns(book.ticks, book.widths, book.buys), RULES)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
