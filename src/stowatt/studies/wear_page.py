"""What is shown of the wear study: tables in Markdown, rows for the terminal, the figure."""

from pathlib import Path
from typing import Any, Final

from stowatt.studies.documents import Document, Shown, table
from stowatt.studies.plots import PALETTE, figure, save_figure

_BASE_PER_CENT: Final = 10_000
_BASE_PER_EURO: Final = 1_000_000

HEADS: Final = (
    "°C",
    "asks",
    "kWh",
    "price, ct/kWh",
    "wear by cycles, ct/kWh",
    "by age",
    "welfare, EUR",
    "buyers",
    "sellers",
    "capacity in ten years",
    "worst battery",
)


def rows(document: Document, cell: str) -> list[list[str]]:
    """One row a temperature and way to ask."""
    return [_row(one) for one in document["cells"] if one["cell"] == cell]


def tables(document: Document) -> list[Shown]:
    """A table for each chemistry, for the terminal."""
    return [
        Shown(f"{cell.upper()}: means of an evening", HEADS, rows(document, cell))
        for cell in document["parameters"]["cells"]
    ]


def markdown(document: Document) -> str:
    """The generated part of the page."""
    p = document["parameters"]
    parts = [
        f"Means of one evening over {len(p['days'])} days ({p['days'][0]} to {p['days'][-1]}), 95 % bands by bootstrap "
        f"over days, seed {p['seed']}. Wear is per kWh sold; negative by age: an empty battery ages less.",
    ]
    for cell in p["cells"]:
        parts += [f"### {cell.upper()}", table(HEADS, rows(document, cell), texts=2)]
    return "\n\n".join(parts)


def plot(document: Document, path: Path) -> None:
    """Welfare of an evening and capacity in ten years, by temperature and way to ask; one column a chemistry."""
    p = document["parameters"]
    made, axes = figure(2, len(p["cells"]), 10.0, 6.0)
    ways = list(dict.fromkeys(one["asks"] for one in document["cells"]))
    for place, cell in enumerate(p["cells"]):
        upper, lower = axes[place], axes[place + len(p["cells"])]
        upper.set_title(cell.upper(), fontsize="medium")
        for number, (way, colour) in enumerate(zip(ways, PALETTE, strict=False)):
            chosen = [one for one in document["cells"] if (one["cell"], one["asks"]) == (cell, way)]
            x = [index + 0.16 * (number - len(ways) / 2) for index in range(len(chosen))]
            lower.bar(x, [100 * one["soh"] for one in chosen], 0.15, color=colour, label=way)
            if any(one["welfare"]["value"] for one in chosen):
                euros = [{k: v / _BASE_PER_EURO for k, v in one["welfare"].items()} for one in chosen]
                ends = [[abs(e["value"] - e[end]) for e in euros] for end in ("low", "high")]
                upper.bar(x, [e["value"] for e in euros], 0.15, color=colour, yerr=ends, error_kw={"linewidth": 0.7})
        upper.axhline(0, color="black", linewidth=0.6)
        upper.set_ylabel("true welfare, EUR an evening", fontsize="small")
        lower.set_ylabel("capacity in ten years, %", fontsize="small")
        lower.set_ylim(40, 100)
        for axis in (upper, lower):
            axis.set_xticks(range(len(p["temperatures"])), [f"{degrees:g} °C" for degrees in p["temperatures"]])
    axes[len(p["cells"])].legend(fontsize="x-small", frameon=False, ncols=3, loc="upper center")
    save_figure(made, path)


def _row(one: dict[str, Any]) -> list[str]:
    market = bool(one["traded_kwh"]["value"])
    return [
        f"{one['temperature']:g}",
        one["asks"],
        f"{one['traded_kwh']['value']:.1f}" if market else "–",
        f"{one['price']['value'] / _BASE_PER_CENT:.1f}" if market else "–",
        f"{one['cycles']['value'] / _BASE_PER_CENT:.1f}" if market else "–",
        f"{one['age']['value'] / _BASE_PER_CENT:.1f}" if market else "–",
        _banded(one["welfare"]) if market else "–",
        *(f"{one[who]['value'] / _BASE_PER_EURO:.1f}" if market else "–" for who in ("buyers", "sellers")),
        f"{100 * one['soh']:.1f} %",
        f"{100 * one['soh_least']:.1f} %",
    ]


def _banded(figures: dict[str, float]) -> str:
    value, low, high = (figures[name] / _BASE_PER_EURO for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f} … {high:.1f})"
