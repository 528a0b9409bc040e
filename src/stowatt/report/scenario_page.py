"""A scenario's page: one HTML file, made from its results, that loads nothing and runs no script."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import polars as pl
from markupsafe import Markup

from stowatt.report import scenario_charts, scenario_time, text
from stowatt.report.charts import WIDTH
from stowatt.report.page import environment
from stowatt.report.scenario_charts import ct, euros, per_cent
from stowatt.report.scenario_data import A_DAY, WH_IN_KW, busiest_week, heat_map, kinds, periods, subject, title
from stowatt.report.scenario_time import BASE_PER_CT, Curve, duration_chart, exchange_kw
from stowatt.scenarios.results import Results

MOST_ROWS: Final = 400
"""Homes in the page's table; of a greater community those who gain and who lose most. All are in homes.parquet."""
ORDER: Final = ("market", "shared-battery", "shared-storage", "optimum")
"""Whose homes the page shows: the first of these that was run."""
MOST_NESTED: Final = 6
PLOTS: Final = ("schemes", "heat_wide", "heat_narrow", "periods", "load", "price", "homes", "week_wide", "week_narrow")


def render_scenario(results: Results) -> str:
    """The whole page as text."""
    schemes = results.schemes.to_dicts()
    names = [row["scheme"] for row in schemes]
    who = next((name for name in ORDER if name in names), None)
    homes = _homes(results.homes, who, [name for name in names if name not in ("none", who)])
    return (
        environment()
        .get_template("scenario.html.j2")
        .render(
            run=results.run,
            style=Markup(style()),
            headline=headline(results),
            schemes=schemes,
            market=results.scheme("market"),
            subject=who,
            homes=homes,
            kinds=kinds(results.homes),
            shown=_shown(homes),
            others=[name for name in names if name not in ("none", who)],
            periods=periods(results.windows) if "market" in names else [],
            parameters=list(parameters(results.run["scenario"])),
            charts=dict.fromkeys(PLOTS, "")
            | {name: Markup(chart) for name, chart in _charts(results, schemes, who, homes).items()},
            tool={"ct": ct, "euros": euros, "kwh": whole_kwh, "per_cent": per_cent, "title": title, "kw": _kw},
        )
    )


def headline(results: Results) -> str:
    """What the scenario found, in one or two sentences."""
    optimum = results.scheme("optimum")
    days = round(results.run["community"]["windows"] / A_DAY)
    span = "Over the year" if days in (365, 366) else f"Over {days} days" if days > 1 else "Over a day"
    best = next((row for name in ORDER if (row := results.scheme(name))), None)
    if best is None:
        return "Without sharing there is nothing to compare."
    verb = "costs" if best["gain"] < 0 else "gains"
    words = f"{span}, {subject(best['scheme'])} {verb} the community {euros(abs(best['gain']), 0)} EUR"
    words += " against no sharing"
    if best["scheme"] == "optimum" or optimum is None:
        return words + "."
    if best["captured_ppm"] is None:
        return f"{words}; with perfect foresight there is nothing to gain."
    most = results.run["most"]["market"]
    words += f": {per_cent(best['captured_ppm'])} of the {euros(most, 0)} EUR that perfect foresight could gain."
    pooled, stored = results.scheme("shared-battery"), results.scheme("shared-storage")
    if pooled is not None and pooled["scheme"] != best["scheme"]:
        words += f" A community battery, which also shares PV at once, gains {euros(pooled['gain'], 0)} EUR"
        words += "." if stored is None else f", {euros(stored['gain'], 0)} EUR without that."
    return words


def parameters(tables: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The scenario's keys and values as `table.key`, in order."""
    rows: list[tuple[str, str]] = []
    for name, value in tables.items():
        if isinstance(value, dict) and not (prefix and len(value) <= MOST_NESTED and not _nested(value)):
            rows += parameters(value, f"{prefix}{name}.")
        elif isinstance(value, dict):
            rows.append((prefix + name, ", ".join(f"{key} {part}" for key, part in value.items()) or text.NONE))
        elif isinstance(value, list):
            rows.append((prefix + name, ", ".join(map(str, value)) or text.NONE))
        else:
            rows.append((prefix + name, text.NONE if value is None else str(value)))
    return rows


def whole_kwh(wh: int) -> str:
    """Energy in whole kWh, to the nearest."""
    return text.fixed(wh, 3, 0)


@cache
def style() -> str:
    """The styles of every report, and those of scenarios."""
    folder = files("stowatt.report") / "templates"
    return "".join((folder / name).read_text(encoding="utf-8") for name in ("style.css", "scenario.css"))


def _kw(wh: int) -> str:
    """Mean power over one window, kW with one decimal."""
    return scenario_charts.plain(wh / WH_IN_KW, 1)


def _nested(value: dict[str, Any]) -> bool:
    return any(isinstance(part, dict) for part in value.values())


def _homes(homes: pl.DataFrame, subject: str | None, others: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each home, from the greatest gain to the greatest loss in the subject scheme."""
    if subject is None:
        return []
    cost = homes.filter(pl.col("scheme") == "none").select("home", pl.col("cost").alias("cost_alone"))
    rows = homes.filter((pl.col("scheme") == subject) & pl.col("is_home")).join(cost, on="home", how="left")
    for name in others:
        gain = homes.filter(pl.col("scheme") == name).select("home", pl.col("gain").alias(f"gain_{name}"))
        rows = rows.join(gain, on="home", how="left")
    return rows.sort(["gain", "home"], descending=[True, False]).to_dicts()


def _shown(homes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return homes if len(homes) <= MOST_ROWS else [*homes[: MOST_ROWS // 2], *homes[-MOST_ROWS // 2 :]]


def _charts(
    results: Results, schemes: list[dict[str, Any]], subject: str | None, homes: list[dict[str, Any]]
) -> dict[str, str]:
    """Every plot that the scenario has something for."""
    windows, names = results.windows, [row["scheme"] for row in schemes]
    curves = [Curve(title(name), scenario_charts.style(name), exchange_kw(windows, name)) for name in names]
    found = {
        "load": duration_chart("load", "Power between grid and community", "kW", curves),
    }
    sharing = [name for name in names if name != "none"]
    for size, width in (("wide", scenario_time.WIDE), ("narrow", WIDTH)):
        found[f"week_{size}"] = scenario_time.week_chart(busiest_week(windows), sharing, width)
        if (heat := heat_map(windows)) is not None:
            found[f"heat_{size}"] = scenario_time.heat_chart(heat, width)
    if sharing:
        found["schemes"] = scenario_charts.schemes_chart(schemes, results.run.get("most", {}).get("everything"))
    if subject is not None:
        found["homes"] = scenario_charts.homes_chart([(row["home"], row["gain"]) for row in homes], subject)
    if heat is not None:
        prices = windows["price"].drop_nulls().to_numpy().astype(np.float64) / BASE_PER_CT
        retail = windows["retail"].to_numpy().astype(np.float64) / BASE_PER_CT
        pair = [Curve("market, windows with trade", "market", prices), Curve("grid, all windows", "none", retail)]
        found["price"] = duration_chart("price", "Price of a kWh", "ct/kWh", pair)
        found["periods"] = scenario_time.periods_chart(periods(windows))
    return found
