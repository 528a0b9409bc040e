"""What is shown of the manipulation study: tables in Markdown and for the terminal."""

from typing import Any, Final

from stowatt.studies.documents import Document, Shown, table

NAMES: Final = {
    "simbench": "SimBench evenings",
    "flat": "SimBench, flat asks",
    "random": "random books",
    "lots": "one lot each",
}
RULES: Final = ("lowest", "midpoint", "seed")
WAYS: Final = {"partner": "for one partner", "menu": "from a menu of bids", "coalition": "for the whole side"}
BASE_PER_CENT: Final = 10_000

HEADS: Final = (
    "participants",
    "best gain of surplus",
    "sellers",
    "buyers",
    "greatest gain of welfare",
    "shading, others known",
    "shading, others unknown (sell; buy)",
    "two accounts together",
    "welfare lost",
)


def cells(document: Document, family: str, rule: str) -> list[dict[str, Any]]:
    """The cells of one family and price rule, by size."""
    return [cell for cell in document["cells"] if cell["family"] == family and cell["rule"] == rule]


def main_rows(document: Document, family: str, rule: str) -> list[list[str]]:
    """One row a size: who gains how much by misreporting."""
    return [
        [
            str(cell["size"]),
            with_band(cell["relative"]),
            percent(cell["sellers"]["value"]),
            percent(cell["buyers"]["value"]),
            with_band(cell["top"]),
            percent(cell["shading"]["value"]),
            "; ".join(_blind(cell["blind"][side]) for side in ("sell", "buy")),
            percent(cell["pair"]["value"]),
            percent(cell["lost"]["value"]),
        ]
        for cell in cells(document, family, rule)
    ]


SHORT: Final = ("size", "best gain\nof surplus", "sellers", "buyers", "top gain\nof welfare", "bond, ct\n99 %", "100 %")


def tables(document: Document, rule: str) -> list[Shown]:
    """The main figures for the terminal; the page has all."""
    return [
        Shown(
            f"{NAMES[family]}, price rule {rule}",
            SHORT,
            [
                [
                    str(cell["size"]),
                    with_band(cell["relative"]),
                    *(percent(cell[name]["value"]) for name in ("sellers", "buyers", "top")),
                    *(cents(_most(cell["withholding"], q)) for q in ("q99", "q100")),
                ]
                for cell in cells(document, family, rule)
            ],
        )
        for family in document["parameters"]["families"]
    ]


def _most(withholding: dict[str, Any], quantile: str) -> float:
    return max(float(withholding[way][quantile]["value"]) for way in ("partner", "menu"))


def markdown(document: Document) -> str:
    """The generated part of the page."""
    p = document["parameters"]
    families = p["families"]
    parts = [
        f"{p['books']} books for each size and family, seed {p['seed']}; 95 % bands by bootstrap over books. "
        f"In {document['engine_checks']:,} of {p['books'] * len(p['sizes']) * len(families):,} books somebody can "
        "gain; the greatest gain of each was played through the clearing engine and confirmed. Price rule of the first "
        "tables: `lowest`.",
    ]
    for family in families:
        parts += [f"### Misreporting: {NAMES[family]}", table(HEADS, main_rows(document, family, "lowest"))]
    parts += [
        "### How the gain falls",
        "Exponent k of *best gain / surplus* ∝ participants^k, least squares on logarithms.",
        table(
            ("books", "sizes", *(f"`{rule}`" for rule in RULES)),
            (
                [NAMES[family], f"from {least}" if least else "all"]
                + [_slope(document, family, rule, least) for rule in RULES]
                for family in families
                for least in dict.fromkeys(row["from"] for row in document["slopes"])
            ),
            texts=2,
        ),
        "### Price rules",
        "Best gain as a share of surplus, sellers / buyers.",
        table(
            ("books", "participants", *(f"`{rule}`" for rule in RULES)),
            (
                [NAMES[family], str(size), *(_sides(document, family, size, rule) for rule in RULES)]
                for family in families
                for size in p["sizes"][::3]
            ),
        ),
        "### Withholding an opening",
        "What an owner gains by not opening one bid after it has seen all others, before the bond, in cents: "
        "95 % / 99 % / 100 % of all bids. A bond of that size makes withholding unprofitable in that share of cases. "
        f"The last column is the share of bids for which the market's default bond ({cents(p['bond'])} ct) is too "
        "small, for the greater of the first two ways.",
    ]
    for family in families:
        parts += [
            f"**{NAMES[family]}**, price rule `lowest`",
            table(
                ("participants", *WAYS.values(), "partner, ct/kWh withheld", "menu, ct/kWh withheld", "bond too small"),
                (
                    [
                        str(cell["size"]),
                        *(_quantiles(cell["withholding"][way]) for way in WAYS),
                        _quantiles(cell["withholding"]["partner_per_kwh"]),
                        _quantiles(cell["withholding"]["menu_per_kwh"]),
                        percent(max(cell["withholding"][way]["above_bond"] for way in ("partner", "menu"))),
                    ]
                    for cell in cells(document, family, "lowest")
                ),
            ),
        ]
    return "\n\n".join(parts)


def with_band(figure_: dict[str, float]) -> str:
    """A share in percent with its band."""
    low, high = (_short(100 * figure_[end]) if figure_[end] else "0" for end in ("low", "high"))
    return f"{percent(figure_['value'])} ({low} – {high})"


def percent(value: float) -> str:
    """A share in percent, two or three digits that matter."""
    return "0 %" if value == 0 else f"{_short(100 * value)} %"


def cents(base_units: float) -> str:
    """Base units as cents."""
    return "0" if base_units == 0 else _short(base_units / BASE_PER_CENT)


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) >= 0.001 else f"{value:.1e}".replace("e-0", "e-")


def _blind(figure_: dict[str, float]) -> str:
    shade = figure_["shade_per_mille"] / 10
    return f"{percent(figure_['value'])} at {shade:g} %" if shade else "none pays"


def _slope(document: Document, family: str, rule: str, least: int) -> str:
    for row in document["slopes"]:
        if (row["family"], row["rule"], row["from"]) == (family, rule, least) and row["slope"]:
            return f"{row['slope']['value']:.2f} ({row['slope']['low']:.2f} … {row['slope']['high']:.2f})"
    return "–"


def _sides(document: Document, family: str, size: int, rule: str) -> str:
    for cell in cells(document, family, rule):
        if cell["size"] == size:
            return f"{percent(cell['sellers']['value'])} / {percent(cell['buyers']['value'])}"
    return "–"


def _quantiles(figures: dict[str, Any]) -> str:
    return " / ".join(cents(figures[f"q{q}"]["value"]) for q in (95, 99, 100))
