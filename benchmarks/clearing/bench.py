"""Clearing one window off chain, 10³ … 10⁶ segments."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.clearing.books import SEGMENTS, TICKS, as_objects, make_book, tied_books
from benchmarks.clearing.engines import ENGINES, RULES
from benchmarks.clearing.judge import Verdict, judge, truth
from benchmarks.harness import PALETTE, Figures, figure, human, rounds, save_svg, table
from stowatt.clearing import clear_fast, clear_readable

SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 10_000)
LONGEST = 20.0
"""Seconds a call: an engine that would take longer is left out of the larger books."""
GROWTH = 12.0
"""What a tenfold book is taken to cost, to decide that."""
TIED = 400
OBJECTS = {
    "objects": ("**Stowatt** `clear_fast`, objects in and out", clear_fast, 1_000_000),
    "readable": ("**Stowatt** `clear_readable`, objects in and out", clear_readable, 100_000),
}
"""With Python objects as books and results, and the largest book."""


def run(quick: bool) -> Figures:
    """All engines on all sizes, then on small tied books."""
    present = {name: engine for name, engine in ENGINES.items() if find_spec(engine.module)}
    seconds: dict[str, dict[str, Any]] = {name: {} for name in (*present, *OBJECTS)}
    verdicts: dict[str, dict[str, Any]] = {name: {} for name in present}
    expected = dict.fromkeys(seconds, 0.0)
    for size in QUICK_SIZES if quick else SIZES:
        book = make_book(size)
        right, objects = truth(book), as_objects(book)
        calls: dict[str, Callable[[], Any]] = {}
        for name, engine in present.items():
            if expected[name] <= LONGEST:
                calls[name] = partial(engine.run, book)
                verdicts[name][str(size)] = _told(judge(book, right, engine.run(book)))
        for name, (_, clear, largest) in OBJECTS.items():
            if size <= largest:
                calls[name] = partial(clear, objects, RULES)
        for name, spread in rounds(calls, budget=0.3 if quick else 2.0).items():
            expected[name] = spread.median * GROWTH
            seconds[name][str(size)] = spread.to_json()
    tied = list(tied_books(TIED))
    truths = [truth(book) for book in tied]
    counts = {
        name: _count([judge(book, right, engine.run(book)) for book, right in zip(tied, truths, strict=True)])
        for name, engine in present.items()
    }
    return {
        "sizes": list(QUICK_SIZES if quick else SIZES), "ticks": TICKS, "segments_of_a_curve": SEGMENTS,
        "seconds": seconds, "right": verdicts, "tied_books": TIED, "tied_right": counts,
    }  # fmt: skip


def _told(verdict: Verdict) -> dict[str, bool | None]:
    return {part: getattr(verdict, part) for part in ("price", "volume", "balance", "optimal")}


def _count(verdicts: list[Verdict]) -> dict[str, int | None]:
    return {
        part: None if all(v is None for v in values) else sum(v is True for v in values)
        for part in ("price", "volume", "balance", "optimal")
        for values in [[getattr(verdict, part) for verdict in verdicts]]
    }


def tables(figures: Figures) -> str:
    """Times, then correctness."""
    sizes = [str(size) for size in figures["sizes"]]
    labels = {name: engine.label for name, engine in ENGINES.items()} | {n: label for n, (label, *_) in OBJECTS.items()}
    gives = {name: engine.gives for name, engine in ENGINES.items()}
    times = [
        [labels[name], gives.get(name, "all of that, and offsets"), *(_time(rows.get(size)) for size in sizes)]
        for name, rows in figures["seconds"].items()
    ]
    rights = []
    for name, by_size in figures["right"].items():
        tied = figures["tied_right"][name]
        parts = [_mark([row[part] for row in by_size.values()]) for part in ("price", "volume", "balance", "optimal")]
        of = figures["tied_books"]
        small = ["–" if tied[p] is None else f"{tied[p]} / {of}" for p in ("price", "volume", "balance", "optimal")]
        rights.append([labels[name], *(f"{a}, {b}" if b != "–" else "–" for a, b in zip(parts, small, strict=True))])
    heads = ["engine", "price in the dual interval", "largest volume", "sold = bought", "fills optimal"]
    return (
        table(["one window, segments:", "yields", *(f"{int(size):,}" for size in sizes)], times, texts=2)
        + "\n\nMedian (first to third quartile). Right on all of the books above, and on how many of "
        + f"{figures['tied_books']} small books with ties:\n\n"
        + table(heads, rights)
    )


def _time(row: dict[str, Any] | None) -> str:
    return f"{human(row['median'])} ({human(row['lower'])} – {human(row['upper'])})" if row else "–"


def _mark(values: list[bool | None]) -> str:
    return "–" if None in values else "yes" if all(values) else "**no**"


def plot(figures: Figures, path: Path) -> None:
    """Time by size, both logarithmic."""
    made, (axes,) = figure()
    names = {
        "stowatt": "Stowatt: price, volume, fills, proof", "bincount": "bincount: price, volume",
        "bincount_fills": "bincount + fills", "sort": "sort + cumsum: price, volume", "highs": "scipy HiGHS",
        "objects": "Stowatt, Python objects", "readable": "Stowatt, readable engine",
    }  # fmt: skip
    for index, (name, rows) in enumerate(figures["seconds"].items()):
        sizes = [int(size) for size in rows]
        axes.plot(
            sizes, [row["median"] for row in rows.values()], label=names.get(name, name),
            color=PALETTE[index % len(PALETTE)] if name not in OBJECTS else PALETTE[0],
            linestyle={"objects": "--", "readable": ":"}.get(name, "-"), marker="o", markersize=4,
            linewidth=2.4 if name == "stowatt" else 1.4,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="segments", ylabel="seconds", title="Clearing one window")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    save_svg(made, path)
