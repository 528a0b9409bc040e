"""What the engine is held to, as ratios of times of one run.

A ratio is of medians; in parentheses the least and the greatest that the quartiles of both allow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import Figures, human, table

Row = dict[str, Any] | None
Pair = tuple[Row, Row]


@dataclass(frozen=True, slots=True)
class Target:
    """A time divided by another."""

    label: str
    pair: Callable[[Figures, str], Pair]
    """The two times, for a size."""
    limit: float | None = None
    at: int = 0
    """The size that the limit is for."""
    least: bool = False
    """The limit is the least that the ratio may be, else the most."""


def _timed(name: str) -> Callable[[Figures, str], Row]:
    return lambda figures, size: figures["seconds"].get(name, {}).get(size)


def _passes(figures: Figures, size: str) -> Row:
    row: Row = figures.get("passes", {}).get(size)
    return row


def _copies(figures: Figures, size: str) -> Row:
    copy = figures.get("copies", {}).get(size)
    return copy["seconds"] if copy else None


def _fills(figures: Figures, size: str) -> Row:
    return _timed(ours(figures))(figures, size)


def _price(figures: Figures, size: str) -> Row:
    return _timed(f"{ours(figures)}_price")(figures, size)


def ours(figures: Figures) -> str:
    """The engine's row: with machine code if it was measured."""
    return "stowatt" if figures["seconds"].get("stowatt") else "stowatt_numpy"


_M = 1_000_000
WINDOWS_LIMIT = 1.2
TARGETS = (
    Target("price and volume: Stowatt / one np.bincount pass", lambda f, n: (_price(f, n), _passes(f, n)), 1.5, _M),
    Target("price and volume: Stowatt, numpy only / one np.bincount pass",
           lambda f, n: (_timed("stowatt_numpy_price")(f, n), _passes(f, n))),
    Target("with every fill: np.bincount + pro rata, one column / Stowatt",
           lambda f, n: (_timed("bincount_mixed")(f, n), _fills(f, n)), 2, _M, True),
    Target("with every fill: np.bincount + pro rata, sides apart / Stowatt, sides apart",
           lambda f, n: (_timed("bincount_fills")(f, n), _timed("stowatt_sides")(f, n))),
    Target("with every fill: np.bincount + pro rata, one column / Stowatt, numpy only",
           lambda f, n: (_timed("bincount_mixed")(f, n), _timed("stowatt_numpy")(f, n))),
    Target("with every fill: scipy HiGHS / Stowatt",
           lambda f, n: (_timed("highs")(f, n), _fills(f, n)), 5_000, _M, True),
    Target("with every fill: HiGHS direct / Stowatt",
           lambda f, n: (_timed("highspy")(f, n), _fills(f, n)), 5_000, _M, True),
    Target("with every fill: Stowatt / one copy of the book", lambda f, n: (_fills(f, n), _copies(f, n)), 4, 10**8),
)  # fmt: skip


def targets(figures: Figures) -> str:
    """The ratios of one window by size."""
    sizes = [str(size) for size in figures["sizes"]]
    rows = []
    for target in TARGETS:
        found = {size: _ratio(*target.pair(figures, size)) for size in sizes}
        if any(found.values()):
            rows.append([target.label, _limit(target), _verdict(target, found), *map(_cell, found.values())])
    heads = ["a time / another, segments:", "held to", "result", *(f"{int(size):,}" for size in sizes)]
    return table(heads, rows, texts=3)


def many_windows(figures: Figures) -> str:
    """The ratio of one call and of the single windows."""
    windows, rows = figures["windows"], []
    for kind, label in ("machine", "**Stowatt** `clear_windows`"), ("numpy", "**Stowatt** `clear_windows`, numpy only"):
        one, singly = (windows["seconds"].get(name) for name in (kind, f"{kind} singly"))
        if one is None:
            continue
        each = [value * windows["cores"] for value in _ratio(one, singly) or ()]
        limit = windows["segments"] == _M and kind == "machine"
        result = ("yes" if each[0] <= WINDOWS_LIMIT else "**no**") if limit else "–"
        rows.append([label, time_cell(one), time_cell(singly), _cell(each), f"≤ {WINDOWS_LIMIT} ×", result])
    heads = [f"{windows['count']} windows of {windows['segments']:,} segments, every fill", "one call",
             "one after the other, one core", f"of that / {windows['cores']} cores", "held to", "result"]  # fmt: skip
    return table(heads, rows)


def time_cell(row: dict[str, Any]) -> str:
    """A median with its quartiles."""
    if row["count"] == 1:
        return f"{human(row['median'])} (once)"
    return f"{human(row['median'])} ({human(row['lower'])} – {human(row['upper'])})"


def _ratio(over: Row, under: Row) -> list[float] | None:
    if over is None or under is None:
        return None
    parts = (("median", "median"), ("lower", "upper"), ("upper", "lower"))
    return [over[above] / under[below] for above, below in parts]


def _limit(target: Target) -> str:
    if target.limit is None:
        return "–"
    return f"{'≥' if target.least else '≤'} {target.limit:,} × at {target.at:,}"


def _verdict(target: Target, found: dict[str, list[float] | None]) -> str:
    ratio = found.get(str(target.at))
    if target.limit is None:
        return "–"
    if ratio is None:
        return "not measured"
    return "yes" if (ratio[0] >= target.limit if target.least else ratio[0] <= target.limit) else "**no**"


def _cell(ratio: list[float] | None) -> str:
    if not ratio:
        return "–"
    middle, least, most = map(_number, ratio)
    return f"{middle} × ({least} – {most})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
