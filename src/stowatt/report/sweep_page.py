"""A sweep's page: how the figures of a scenario change with the values that were swept. One HTML file."""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from stowatt.report.page import environment
from stowatt.report.scenario_charts import EURO, ct, euros, per_cent, style
from stowatt.report.scenario_data import subject, title
from stowatt.report.scenario_page import parameters, whole_kwh
from stowatt.report.scenario_page import style as page_style
from stowatt.report.sweep_charts import Axis, Line, lines_chart

MOST_LINES: Final = 6
STYLES: Final = ("market", "shared", "s3", "s4", "s5", "none")
FIGURES: Final = (
    ("gain", "Gain against no sharing", "EUR", 1 / EURO),
    ("captured_ppm", "Share of the optimum", "%", 1e-4),
    ("shared_wh", "Shared energy", "kWh", 1e-3),
    ("mean_price", "Mean price of the market", "ct/kWh", 1e-4),
)
"""Columns that are drawn, with their factors."""


def render_sweep(sweep: dict[str, Any], table: pl.DataFrame) -> str:
    """The whole page; `table` has a row for each run and scheme, the swept keys are columns of it."""
    rows = [row for row in table.to_dicts() if row["scheme"] != "none"]
    keys: list[str] = sweep["keys"]
    axis, lines = _axis(keys, rows), _lines(keys, rows)
    charts = [
        Markup(lines_chart(f"sweep{number}", heading, unit, axis, _values(lines, axis, column, factor)))
        for number, (column, heading, unit, factor) in enumerate(FIGURES)
        if any(row[column] is not None for row in rows)
    ]
    return (
        environment()
        .get_template("sweep.html.j2")
        .render(
            sweep=sweep,
            style=Markup(page_style()),
            headline=headline(rows, keys),
            rows=rows,
            charts=charts,
            left_out=_left_out(keys, rows),
            most=MOST_LINES,
            axis=axis,
            parameters=list(parameters(sweep["scenario"])),
            tool={"ct": ct, "euros": euros, "kwh": whole_kwh, "per_cent": per_cent, "title": title},
        )
    )


def summary(sweep: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """The headline of a sweep's table."""
    shown = [row for row in rows if row["scheme"] != "none"]
    return headline(shown, sweep["keys"])


def headline(rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> str:
    """The market's range over all runs, in a sentence."""
    runs = len({row["run"] for row in rows})
    market = [row for row in rows if row["scheme"] == "market"] or list(rows)
    if not market:
        return f"{runs} runs, without a scheme that shares."
    low, high = (choose(market, key=lambda row: row["gain"]) for choose in (min, max))
    who = subject(market[0]["scheme"])
    words = f"Over {runs} runs, {who} gains {euros(low['gain'], 0)} to {euros(high['gain'], 0)} EUR"
    shares = [row["captured_ppm"] for row in market if row["captured_ppm"] is not None]
    if shares:
        words += f" and captures {per_cent(min(shares))} to {per_cent(max(shares))} of the optimum"
    return f"{words}; most at {', '.join(f'{key} = {high[key]}' for key in keys)}."


def _axis(keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> Axis:
    """The swept key that makes the horizontal axis: the first of numbers, else the first, with more than one value."""
    several = [key for key in keys if len({str(row[key]) for row in rows}) > 1] or list(keys)
    key = next((key for key in several if all(_number(row[key]) is not None for row in rows)), several[0])
    values = list(dict.fromkeys(str(row[key]) for row in rows))
    numbers = [number for value in values if (number := _number(value)) is not None]
    if len(numbers) == len(values):
        return Axis(key, dict(zip(values, numbers, strict=True)), named=False)
    return Axis(key, {value: float(place) for place, value in enumerate(values)}, named=True)


def _lines(keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """(words, class, rows) of each line: the schemes if one key is swept, else the market by combination."""
    axis = _axis(keys, rows)
    others = [key for key in keys if key != axis.key and len({str(row[key]) for row in rows}) > 1]
    if not others:
        schemes = list(dict.fromkeys(row["scheme"] for row in rows))
        return [(title(name), style(name), [row for row in rows if row["scheme"] == name]) for name in schemes]
    chosen = _subject(rows)
    combinations: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["scheme"] == chosen:
            words = ", ".join(f"{key.split('.')[-1]} {row[key]}" for key in others)
            combinations.setdefault(words, []).append(row)
    return [(words, css, found) for (words, found), css in zip(combinations.items(), STYLES, strict=False)]


def _left_out(keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> int:
    """Combinations that have no line of their own."""
    axis = _axis(keys, rows)
    others = [key for key in keys if key != axis.key]
    return max(0, len({tuple(str(row[key]) for key in others) for row in rows}) - MOST_LINES) if others else 0


def _subject(rows: Sequence[dict[str, Any]]) -> str:
    names = [str(row["scheme"]) for row in rows]
    return "market" if "market" in names else names[0]


def _values(
    lines: Sequence[tuple[str, str, list[dict[str, Any]]]], axis: Axis, column: str, factor: float
) -> list[Line]:
    """The lines of one figure; where it is not known there is no point."""
    found = []
    for words, css, rows in lines:
        points = [(axis.places[str(row[axis.key])], row[column] * factor) for row in rows if row[column] is not None]
        if points:
            found.append(Line(words, css, sorted(points)))
    return found


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
