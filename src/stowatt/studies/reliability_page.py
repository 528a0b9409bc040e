"""What is shown of the study of dynamic α: tables in Markdown, rows for the terminal, the figure."""

from pathlib import Path
from typing import Any, Final

from stowatt.studies.documents import Document, Shown, table
from stowatt.studies.plots import PALETTE, figure, save_figure

_BASE_PER_CENT: Final = 10_000

HEADS: Final = ("α_S", "uncovered loss", "loss", "forfeits", "locked", "mean α", "α at a total failure")
KIND_HEADS: Final = ("seller", "α_S", *HEADS[1:])
TIME_HEADS: Final = ("γ", "until trusted", "failing: half way back", "failing: back at the top")


def rows(document: Document, kind: str) -> list[list[str]]:
    """One row a policy for one kind of sellers."""
    return [[cell["policy"], *_figures(cell)] for cell in document["cells"] if cell["kind"] == kind]


def kind_rows(document: Document) -> list[list[str]]:
    """Each kind of seller under the policies that are shown."""
    shown = document["parameters"]["shown"]
    kinds = list(document["parameters"]["community"])
    return [
        [kind, cell["policy"], *_figures(cell)]
        for kind in kinds
        for cell in document["cells"]
        if cell["kind"] == kind and cell["policy"] in shown
    ]


def time_rows(document: Document) -> list[list[str]]:
    """How fast trust comes and goes by γ, in windows of a quarter of an hour: the bounds of α do not matter."""
    found: dict[int, list[str]] = {}
    for cell in document["cells"]:
        if cell["kind"] == "failing" and cell["gain"]:
            trusted = _cell(document, cell["policy"], "reliable")["trusted"]
            times = (_windows(time) for time in (trusted, cell["half_back"], cell["back"]))
            found[cell["gain"]] = [f"{cell['gain'] / 10_000:g} %", *times]
    return list(found.values())


def tables(document: Document) -> list[Shown]:
    """All tables for the terminal."""
    money = "cents per kWh sold"
    return [
        Shown(f"A community of sellers, {money}", HEADS, rows(document, "community")),
        Shown(f"Each kind of seller, {money}", KIND_HEADS, kind_rows(document)),
        Shown("How fast trust comes and goes, windows", TIME_HEADS, time_rows(document)),
    ]


def markdown(document: Document) -> str:
    """The generated part of the page."""
    p = document["parameters"]
    mix = ", ".join(f"{share} % {kind}" for kind, share in p["community"].items())
    best, fixed = (_cell(document, policy, "community") for policy in (p["recommended"], "20 %"))
    saved = 1 - best["uncovered"]["value"] / fixed["uncovered"]["value"]
    freed = 1 - best["locked"]["value"] / fixed["locked"]["value"]
    ours, theirs = (_cell(document, policy, "reliable")["locked"]["value"] for policy in (p["recommended"], "20 %"))
    return "\n\n".join(
        (
            f"{p['sellers']} sellers of each kind, {p['windows']} windows each, seed {p['seed']}; 95 % bands by "
            "bootstrap over sellers. All money in cents per kWh sold.",
            f"Against a fixed 20 %, α_S = {best['policy']} leaves {100 * saved:.0f} % less loss uncovered while the "
            f"community locks {100 * freed:.0f} % less and a reliable seller {100 * (1 - ours / theirs):.0f} % less.",
            "### A community",
            f"The mix: {mix}.",
            table(HEADS, rows(document, "community")),
            "### Each kind of seller",
            table(KIND_HEADS, kind_rows(document), texts=2),
            "### How fast trust comes and goes",
            "Windows until the α of a reliable newcomer's bids is within 10 % of the span from the lower bound; and "
            "windows from the moment a proven device breaks down (it delivers nothing for 60 windows) until the α of "
            "its bids is half way, and within 10 % of the span, back at the top.",
            table(TIME_HEADS, time_rows(document)),
        )
    )


def plot(document: Document, path: Path) -> None:
    """α by window for each kind of seller; and what policies leave uncovered against what they lock."""
    made, (left, right) = figure(1, 2, 10.5, 4.2)
    for colour, curve in zip((*PALETTE, "#a0522d"), document["curves"], strict=False):
        left.plot(curve["alpha"], color=colour, linewidth=1.3, label=curve["kind"])
    left.set_title(f"α_S = {document['parameters']['recommended']}: mean α of the bids", fontsize="medium")
    left.set_xlabel("window", fontsize="small")
    left.set_ylabel("α_S, percent", fontsize="small")
    left.set_ylim(0, 78)
    left.legend(fontsize="x-small", frameon=False, ncols=4, loc="upper center")
    cells = [cell for cell in document["cells"] if cell["kind"] == "community"]
    best = document["parameters"]["recommended"]
    for label, chosen, style, colour in (
        ("fixed α", [c for c in cells if not c["gain"]], "o-", PALETTE[5]),
        ("dynamic α", [c for c in cells if c["gain"]], "o", PALETTE[1]),
        (best, [c for c in cells if c["policy"] == best], "D", PALETTE[0]),
    ):
        x, y = ([c[name]["value"] / _BASE_PER_CENT for c in chosen] for name in ("locked", "uncovered"))
        right.plot(x, y, style, color=colour, markersize=4 if style != "D" else 7, linewidth=1, label=label)
        ends = ([c["uncovered"][end] / _BASE_PER_CENT for c in chosen] for end in ("low", "high"))
        errors = [[abs(end - value) for end, value in zip(row, y, strict=True)] for row in ends]
        right.errorbar(x, y, yerr=errors, fmt="none", color=colour, linewidth=0.7)
    for cell in cells:
        if not cell["gain"]:
            spot = cell["locked"]["value"] / _BASE_PER_CENT, cell["uncovered"]["value"] / _BASE_PER_CENT
            right.annotate(cell["policy"], spot, fontsize="x-small", xytext=(4, 3), textcoords="offset points")
    right.set_title("What is left uncovered, and what it locks", fontsize="medium")
    right.set_xlabel("locked, ct per kWh sold", fontsize="small")
    right.set_ylabel("uncovered loss, ct per kWh sold", fontsize="small")
    right.legend(fontsize="x-small", frameon=False)
    save_figure(made, path)


def _cell(document: Document, policy: str, kind: str) -> dict[str, Any]:
    return next(cell for cell in document["cells"] if (cell["policy"], cell["kind"]) == (policy, kind))


def _figures(cell: dict[str, Any]) -> list[str]:
    uncovered = cell["uncovered"]
    return [
        f"{_cents(uncovered['value'])} ({_cents(uncovered['low'])} – {_cents(uncovered['high'])})",
        *(_cents(cell[name]["value"]) for name in ("loss", "forfeits", "locked")),
        f"{100 * cell['alpha']['value']:.1f} %",
        f"{100 * cell['default_alpha']['value']:.1f} %" if cell["default_alpha"]["value"] else "–",
    ]


def _windows(time: dict[str, float]) -> str:
    return f"{time['value']:.0f} ({time['low']:.0f} – {time['high']:.0f})" if time["value"] else "never"


def _cents(base_units: float) -> str:
    cents = base_units / _BASE_PER_CENT
    return f"{cents:.3f}" if cents < 1 else f"{cents:.2f}"
