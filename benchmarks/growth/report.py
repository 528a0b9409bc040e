"""The growth benchmark's tables and plot."""

from pathlib import Path
from typing import Any

from benchmarks.harness import PALETTE, Figures, figure, human, human_bytes, save_svg, table

LABELS = {"machine": "**Stowatt**, machine code", "numpy": "**Stowatt**, numpy only"}
CURVES = {"machine": ("machine code", "-"), "numpy": ("numpy only", "--")}


def tables(figures: Figures) -> str:
    """Each series with what was fitted to it."""
    segments, grids, windows = (figures[name] for name in ("segments", "grids", "windows"))
    parts = [_series("segments:", segments, "{:,}"), _fitted_segments(segments)]
    lines = [
        ["ticks that are used", *(f"{used:,}" for used in grids["used"].values())],
        ["allocated for price and volume, numpy only", *map(human_bytes, grids["allocated"].values())],
    ]
    parts += [_series(f"{grids['rows']:,} segments, ticks of the grid:", grids, "2^{}", lines), _fitted_grids(grids)]
    whole = f"a call for each, one core, sum / {windows['cores']} cores"
    counts = next(iter(windows["seconds"].values()))
    singly = [_singly(windows, count) for count in counts]
    lines = [[whole, *(human(seconds) if seconds else "–" for seconds in singly)]]
    parts += [_series(f"{windows['rows']:,} segments, windows:", windows, "{:,}", lines), _fitted_windows(windows)]
    return "\n\n".join(parts)


def _series(head: str, series: Figures, number: str, more: list[list[str]] | None = None) -> str:
    numbers = list(next(iter(series["seconds"].values())))
    rows = [
        [LABELS[kind], *(human(row["median"]) for row in rows.values())] for kind, rows in series["seconds"].items()
    ]
    return table([head, *(number.format(int(each)) for each in numbers)], [*rows, *(more or [])])


def _fitted_segments(series: Figures) -> str:
    told = []
    for kind, power in series["exponents"].items():
        if power is not None:
            largest, row = list(series["seconds"][kind].items())[-1]
            each = row["median"] / int(largest) * 1e9
            told.append(f"{_kind(kind)} segments^{power:.2f}, {each:.1f} ns each at last")
    if not told:
        return "Too few segments to fit an exponent to."
    return f"No more than linear in segments. Fitted from {series['from']:,} on: time grows as " + "; ".join(told) + "."


def _fitted_grids(series: Figures) -> str:
    told = [
        f"{_kind(kind)} ticks^{power:.3f}, the slowest grid {_range(series['seconds'][kind]):.1f} × the quickest"
        for kind, power in series["exponents"].items()
    ]
    return (
        "Segments are the same but for where they lie between two of 2^14 ticks. Fitted: time grows as "
        + "; ".join(told)
        + ". Beyond 2^16 ticks a third pass over the rows looks closer where the curves cross; "
        "that is the step, and there is no other."
    )


def _fitted_windows(series: Figures) -> str:
    told = []
    for kind, power in series["exponents"].items():
        counts = {int(count): row["median"] for count, row in series["seconds"][kind].items()}
        few, most = min(counts), max(counts)
        more = max((counts[most] - counts[few]) / (most - few), 0.0)
        told.append(f"{_kind(kind)} windows^{power:.2f}, {human(more)} a window at last")
    return (
        "The same rows cut into more and more windows, one call. Fitted: time grows as " + "; ".join(told) + ". "
        "Beyond its rows a window costs that, whatever the number of windows: less than a call for it alone."
    )


def _singly(series: Figures, count: str) -> float | None:
    row = series["singly"].get(count)
    return row["median"] / series["cores"] if row else None


def _kind(kind: str) -> str:
    return "machine code" if kind == "machine" else "numpy only"


def _range(rows: dict[str, dict[str, Any]]) -> float:
    medians = [row["median"] for row in rows.values()]
    return float(max(medians) / min(medians))


def plot(figures: Figures, path: Path) -> None:
    """The three series side by side."""
    made, places = figure(3, width=11.0, height=3.6)
    names = (("segments", "segments"), ("grids", "ticks of the grid"), ("windows", "windows"))
    for axes, (name, label) in zip(places, names, strict=True):
        series = figures[name]
        for kind, rows in series["seconds"].items():
            x = [2.0 ** int(number) if name == "grids" else int(number) for number in rows]
            power = series["exponents"][kind]
            curve, style = CURVES[kind]
            fitted = f" (exponent {power:.2f})" if power is not None else ""
            axes.fill_between(
                x, [row["lower"] for row in rows.values()], [row["upper"] for row in rows.values()],
                color=PALETTE[0], alpha=0.15, linewidth=0,
            )  # fmt: skip
            axes.plot(
                x, [row["median"] for row in rows.values()], color=PALETTE[0], linestyle=style, marker="o",
                markersize=3, label=curve + fitted,
            )  # fmt: skip
        if name == "windows":
            points = [(int(count), _singly(series, count)) for count in series["singly"]]
            axes.plot(
                *zip(*points, strict=True), color="black", linestyle=(0, (1, 2)), label="sum of single calls / cores"
            )
        axes.set(xscale="log", yscale="log", xlabel=label)
        low, high = axes.get_ylim()
        if name != "segments":  # as many decades as show that there is little to see
            axes.set_ylim(low / 10, high * 10)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8, loc="upper left")
    places[0].set_ylabel("seconds")
    for axes, title in zip(places, ("One window", f"{figures['grids']['rows']:,} segments",
                                    f"{figures['windows']['rows']:,} segments"), strict=True):  # fmt: skip
        axes.set_title(title, fontsize=10)
    save_svg(made, path)
