"""The clearing benchmark's tables and plot, from its figures."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.clearing.engines import ENGINES, OBJECTS
from benchmarks.clearing.targets import many_windows, ours, targets, time_cell
from benchmarks.harness import PALETTE, Figures, figure, human, human_bytes, save_svg, table
from benchmarks.peers.solvers import SOLVERS

PARTS = ("price", "volume", "balance", "optimal")
LABELS = {
    **{name: engine.label for name, engine in (ENGINES | SOLVERS).items()},
    **{name: label for name, (label, *_) in OBJECTS.items()},
}
GIVES = {name: engine.gives for name, engine in (ENGINES | SOLVERS).items()}
CURVES = {
    "stowatt": "Stowatt: fills, proof", "stowatt_price": "Stowatt: price, volume, proof",
    "stowatt_numpy": "Stowatt, numpy only: fills, proof", "bincount": "bincount: price, volume",
    "bincount_mixed": "bincount + fills", "sort": "sort + cumsum: price, volume", "highs": "scipy HiGHS",
    "objects": "Stowatt, Python objects", "readable": "Stowatt, readable engine",
    "highspy": "HiGHS direct", "clarabel": "cvxpy + CLARABEL", "pymarket": "pymarket, crossing",
    "huang": "pymarket, Huang's auction",
}  # fmt: skip

STYLES = {"stowatt_price": "-.", "stowatt_numpy": (0, (4, 1)), "objects": "--", "readable": ":"}
"""Stowatt's other rows, in its colour."""


def tables(figures: Figures) -> str:
    """Times, peers' absence, memory, roofline, correctness."""
    parts = [_times(figures), ("Median (first to third quartile). " + _remarks(figures)).rstrip()]
    if figures.get("passes"):
        parts += [
            targets(figures),
            "Medians of times of this run, one divided by the other; in parentheses what the quartiles of both allow. "
            "The pass is one `np.bincount(ticks, widths)` of all rows. *One column*: asks and bids are mixed and told "
            "by a flag, and each row gets its fill, as Stowatt has it; *sides apart*: they come as four arrays and "
            "the fills go out as two, made before the clock runs.",
        ]
    if figures.get("windows"):
        right = "Every fill is" if figures["windows"]["right"] else "**Fills are not**"
        parts += [many_windows(figures), f"{right} the same in one call as singly, and right by the definitions."]
    if figures.get("memory"):
        parts += [
            _memory(figures),
            "Memory that one clearing adds at its peak and, in parentheses, all that the process held then, with its "
            "libraries and the book: each in a process of its own that clears once.",
        ]
    if figures.get("copies"):
        parts += [
            _roofline(figures),
            "The copy is `np.copyto` of the three columns into memory that is there already, timed in turns with the "
            "others; bandwidth counts each of its bytes twice, read and written. A clearing must at least read every "
            "column once and write every fill once. Books of a few MB stay in the processor's caches.",
        ]
    parts += [
        f"Right on all of the books above, and on how many of {figures['tied_books']} small books with ties:",
        _correctness(figures),
    ]
    return "\n\n".join(parts)


def _times(figures: Figures) -> str:
    sizes, troubles = _sizes(figures), figures.get("troubles", {})
    rows = [
        [LABELS[name], GIVES.get(name, "all of that, and offsets"),
         *(_time(rows.get(size), troubles.get(name, {}).get(size)) for size in sizes)]
        for name, rows in figures["seconds"].items()
    ]  # fmt: skip
    return table(["one window, segments:", "yields", *(f"{int(size):,}" for size in sizes)], rows, texts=2)


def _remarks(figures: Figures) -> str:
    """What is not in the tables, and why."""
    told = []
    if figures.get("quick"):
        told.append("–: not run.")
    elif "longest" in figures:
        told.append(f"–: not run, as it would take longer than about {figures['longest']:g} s a call.")
    if figures.get("no_memory_for"):
        told.append("Too little memory for " + ", ".join(f"{size:,}" for size in figures["no_memory_for"]) + ".")
    if "peers" in figures:
        peers = figures["peers"]
        if peers is None:
            told.append(
                "**Left out: " + ", ".join(solver.label for solver in SOLVERS.values()) + ":** there was no "
                "environment for them (`STOWATT_PEERS`, [requirements/peers.in](../requirements/peers.in))."
            )
        else:
            versions = {package: number for found in peers["engines"].values() for package, number in found.items()}
            listed = ", ".join(f"{package} {number}" for package, number in sorted(versions.items()))
            told.append(
                f"In an environment of their own: {listed} ({peers['python']}); "
                f"a process is killed after {figures['limit']:g} s."
            )
            missing = [solver.label for name, solver in SOLVERS.items() if name not in peers["engines"]]
            if missing:
                told.append(f"Not installed there: {', '.join(missing)}.")
    troubles = [
        f"{LABELS[name]} ({place if place == 'tied' else f'{int(place):,}'}): {trouble}"
        for name, places in figures.get("troubles", {}).items()
        for place, trouble in places.items()
    ]
    if troubles:
        told.append("Without an answer: " + "; ".join(troubles) + ".")
    return " ".join(told)


def _memory(figures: Figures) -> str:
    sizes = _sizes(figures)
    rows = [
        [LABELS[name], *(_bytes(by_size.get(size)) for size in sizes)]
        for name, by_size in figures["memory"].items()
        if by_size
    ]
    return table(["peak memory, segments:", *(f"{int(size):,}" for size in sizes)], rows)


def _roofline(figures: Figures) -> str:
    """Stowatt's time beside what the memory allows."""
    rows = []
    for size, copy in figures["copies"].items():
        seconds = copy["seconds"]["median"]
        bandwidth = 2 * copy["bytes"] / seconds
        least = copy["touched"] / bandwidth
        taken = figures["seconds"][ours(figures)].get(size)
        ratios = [f"{taken['median'] / base:.1f} ×" if taken else "–" for base in (seconds, least)]
        rows.append(
            [f"{int(size):,}", human_bytes(copy["bytes"]), human(seconds), f"{bandwidth / 1e9:.1f} GB/s",
             human_bytes(copy["touched"]), human(least), human(taken["median"]) if taken else "–", *ratios]
        )  # fmt: skip
    heads = ["segments", "the book", "copied once in", "bandwidth", "bytes touched", "hence at least"]
    return table([*heads, "**Stowatt** `clear_columns`", "of the copy", "of the least"], rows)


def _correctness(figures: Figures) -> str:
    rows = []
    for name, by_size in figures["right"].items():
        tied = figures["tied_right"].get(name)
        if not by_size and tied is None:
            continue
        large = [_mark(row[part] for row in by_size.values()) for part in PARTS]
        small = ["–" if tied is None or tied[p] is None else f"{tied[p]} / {figures['tied_books']}" for p in PARTS]
        cells = [a if a == b else f"{a}, {b}" for a, b in zip(large, small, strict=True)]
        rows.append([LABELS[name], *cells])
    heads = ["engine", "price in the dual interval", "largest volume", "sold = bought", "fills optimal"]
    return table(heads, rows)


def _sizes(figures: Figures) -> list[str]:
    return [str(size) for size in figures["sizes"]]


def _time(row: dict[str, Any] | None, trouble: str | None) -> str:
    if row is None:
        return "–" if trouble is None else trouble if trouble.startswith("stopped") else "**failed**"
    return time_cell(row)


def _bytes(row: dict[str, int] | None) -> str:
    return f"{human_bytes(row['added'])} ({human_bytes(row['peak'])})" if row else "–"


def _mark(values: Iterable[bool | None]) -> str:
    listed = list(values)
    return "–" if not listed or None in listed else "yes" if all(listed) else "**no**"


def plot(figures: Figures, path: Path) -> None:
    """Time by size, both logarithmic."""
    made, (axes,) = figure()
    shown = {name: rows for name, rows in figures["seconds"].items() if rows and name in CURVES}
    others = [name for name in shown if name not in STYLES]
    for name, rows in shown.items():
        index = others.index(name) if name in others else 0
        colour = 1 + (index - 1) % (len(PALETTE) - 1) if index else 0  # green is Stowatt's alone
        axes.plot(
            [int(size) for size in rows], [row["median"] for row in rows.values()], label=CURVES[name],
            color=PALETTE[colour], marker="o" if index < len(PALETTE) else "s", markersize=4,
            linestyle=STYLES.get(name, "-"),
            linewidth=2.4 if name == "stowatt" else 1.4,
        )  # fmt: skip
    if copies := figures.get("copies"):
        sizes, times = [int(size) for size in copies], [copy["seconds"]["median"] for copy in copies.values()]
        axes.plot(sizes, times, label="plain copy of the book", color="black", linestyle=(0, (1, 2)), linewidth=1.2)
    axes.set(xscale="log", yscale="log", xlabel="segments", ylabel="seconds", title="Clearing one window")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    save_svg(made, path)
