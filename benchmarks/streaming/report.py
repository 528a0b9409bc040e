"""The streaming benchmark's table and plot."""

from pathlib import Path

from benchmarks.harness import PALETTE, Figures, figure, human, human_bytes, save_svg, table

LABELS = {
    "scan": "Arrow scan: every batch of every column",
    "clear": "**Stowatt** `clear --out --memory`",
    "workers": "**Stowatt** the same with `--workers`, on a local Dask cluster",
}
SHARE = 0.5
"""Of the scan's throughput, to be reached."""
LARGE = 10_000_000
"""Segments from which the throughput is judged."""


def throughput(figures: Figures, kind: str) -> float:
    """Segments a second beyond what a tiny book costs."""
    seconds = figures["seconds"]
    taken = seconds[f"{kind} book"]["median"] - seconds[f"{kind} tiny"]["median"]
    return float((figures["segments"] - figures["tiny"]) / max(taken, 1e-9))


def _shown(figures: Figures) -> dict[str, str]:
    return {kind: label for kind, label in LABELS.items() if f"{kind} book" in figures["seconds"]}


def tables(figures: Figures) -> str:
    """Both processes, and what is asked of the clearing."""
    rows = []
    for kind, label in _shown(figures).items():
        whole, tiny = (figures["seconds"][f"{kind} {book}"] for book in ("book", "tiny"))
        spread = f" ({human(whole['lower'])} – {human(whole['upper'])})" if whole["count"] > 1 else " (once)"
        rows.append([label, human(whole["median"]) + spread, human(tiny["median"]),
                     f"{throughput(figures, kind) / 1e6:.2f} million/s",
                     human_bytes(figures["peak"][f"{kind} book"])])  # fmt: skip
    heads = [f"{figures['segments']:,} segments", "whole process", "of that with a tiny book",
             "segments, beyond that", "peak memory of a process"]  # fmt: skip
    sizes = figures["bytes"]
    right = all(figures["right"].values())
    return "\n\n".join(
        [
            table(heads, rows),
            table(["held to", "limit", "measured", "result"], _targets(figures)),
            f"The book's file has {human_bytes(sizes['book'])}, that of the fills {human_bytes(sizes['fills book'])}; "
            + ("price, volume and fills are right by the definitions." if right else "**the result is wrong.**")
            + _workers(figures),
        ]
    )


def _workers(figures: Figures) -> str:
    if "workers" not in _shown(figures):
        return ""
    same = "the same bytes" if figures["same"] else "**other bytes**"
    return f" {figures['workers']} processes of a Dask cluster write {same}."


def _targets(figures: Figures) -> list[list[str]]:
    ratio, peak = throughput(figures, "clear") / throughput(figures, "scan"), figures["peak"]["clear book"]
    large = figures["segments"] >= LARGE
    quick = ("yes" if ratio >= SHARE else "**no**") if large else "– (a small book)"
    return [
        ["peak memory", f"< {human_bytes(figures['limit'])}", human_bytes(peak),
         "yes" if peak < figures["limit"] else "**no**"],
        ["throughput, of the scan's", f"≥ {SHARE:g}", f"{ratio:.2f}", quick],
    ]  # fmt: skip


def plot(figures: Figures, path: Path) -> None:
    """Seconds and peak memory."""
    made, places = figure(2, width=8.0, height=2.2)
    kinds = list(_shown(figures))
    names = ["Arrow scan", "stowatt clear", f"clear --workers {figures['workers']}"][: len(kinds)]
    colours = [PALETTE[1], PALETTE[0], PALETTE[0]][: len(kinds)]
    places[0].barh(names, [figures["seconds"][f"{kind} book"]["median"] for kind in kinds], color=colours)
    places[0].set(xlabel="seconds", title=f"{figures['segments']:,} segments")
    places[1].barh(names, [figures["peak"][f"{kind} book"] / 1e9 for kind in kinds], color=colours)
    places[1].axvline(figures["limit"] / 1e9, color="black", linestyle="--", linewidth=1)
    places[1].set(xlabel="peak memory, GB", title="the line is the limit")
    save_svg(made, path)
