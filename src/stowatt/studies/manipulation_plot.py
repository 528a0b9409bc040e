"""The figure of the manipulation study."""

from pathlib import Path
from typing import Any

from stowatt.studies.documents import Document
from stowatt.studies.manipulation_page import BASE_PER_CENT, NAMES, WAYS, cells
from stowatt.studies.plots import PALETTE, figure, save_figure


def plot(document: Document, path: Path) -> None:
    """Gain against size with bands, and the bond against size."""
    made, (left, right) = figure(1, 2, 10.5, 4.4)
    for colour, family in zip(PALETTE, document["parameters"]["families"], strict=False):
        rows = cells(document, family, "lowest")
        _line(left, rows, [row["relative"] for row in rows], colour, NAMES[family], "-")
        _line(left, rows, [row["top"] for row in rows], colour, f"{NAMES[family]}: greatest gain of welfare", ":")
        for way, style in (("menu", "-"), ("partner", "--")):
            bonds = [row["withholding"][way]["q99"] for row in rows]
            scaled = [{name: value / BASE_PER_CENT for name, value in bond.items()} for bond in bonds]
            _line(right, rows, scaled, colour, f"{NAMES[family]}: {WAYS[way]}", style)
    right.axhline(document["parameters"]["bond"] / BASE_PER_CENT, color="black", linewidth=0.8)
    right.annotate("default bond", (0.82, document["parameters"]["bond"] / BASE_PER_CENT), fontsize="x-small",
                   xycoords=("axes fraction", "data"), va="bottom")  # fmt: skip
    for axis, title, label in (
        (left, "Best gain from misreporting, all else known", "share of surplus (welfare)"),
        (right, "Gain from withholding an opening, 99 % of bids", "cents"),
    ):
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_title(title, fontsize="medium")
        axis.set_xlabel("participants", fontsize="small")
        axis.set_ylabel(label, fontsize="small")
        axis.legend(fontsize="x-small", frameon=False)
    save_figure(made, path)


def _line(
    axis: Any, rows: list[dict[str, Any]], figures: list[dict[str, float]], colour: str, label: str, style: str
) -> None:
    drawn = [(row["size"], one) for row, one in zip(rows, figures, strict=True) if one["value"] > 0]
    if not drawn:
        return
    sizes = [size for size, _ in drawn]
    axis.plot(sizes, [one["value"] for _, one in drawn], style, color=colour, label=label, linewidth=1.4, marker=".")
    if style != ":":
        low = [max(one["low"], one["value"] / 100) for _, one in drawn]
        axis.fill_between(sizes, low, [one["high"] for _, one in drawn], color=colour, alpha=0.15, linewidth=0)
