"""Plots over time: prices as a heat map, months, duration curves, one week."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from stowatt.report.charts import LEFT, RIGHT, TOP, WIDTH
from stowatt.report.pixels import LEVELS, levels_of, picture
from stowatt.report.scenario_charts import ct, key_rows, keys, levels, style
from stowatt.report.scenario_data import WH_IN_KW, Floats, HeatMap, Period, duration, title
from stowatt.report.svg import Canvas, Scale, mark_text
from stowatt.report.text import kwh

WIDE: Final = 760
"""Width of a plot that spans the page; on a phone its narrow twin is shown."""
BASE_PER_CT: Final = 10_000
WEEK_MARKS: Final = 8
MONTHS: Final = 12
_LONG: Final = 60
"""Days from which the heat map's axis shows months."""


def heat_chart(heat: HeatMap, width: int) -> str:
    """Price of each window: days from left to right, times of day from top to bottom."""
    rows, columns = heat.values.shape
    right, top, bottom = width - RIGHT, 26, 238
    last = heat.day_of(columns - 1)
    canvas = Canvas(
        f"heat{width}",
        width,
        300,
        "Prices by day and time of day",
        f"{heat.first} to {last}; most prices lie between {ct(round(heat.low))} and {ct(round(heat.high))} ct/kWh.",
    )
    canvas.text((4, 12), "Time of day", "muted")
    canvas.rect((LEFT, top), (right - LEFT, bottom - top), "empty")
    canvas.picture((LEFT, top), (right - LEFT, bottom - top), picture(levels_of(heat.values, heat.low, heat.high)))
    for hour in range(0, 25, 6):
        y = top + (bottom - top) * hour * 4 / rows
        canvas.line((LEFT - 4, y), (LEFT, y), "axis")
        canvas.text((LEFT - 7, y + 4), f"{hour:02}:00", "", "end")
    for place, words in _day_marks(heat, columns):
        x = LEFT + (right - LEFT) * place / columns
        canvas.line((x, bottom), (x, bottom + 4), "axis")
        canvas.text((x + 3, bottom + 15), words)
    foot = 270
    canvas.picture((LEFT, foot), (150, 10), picture(np.arange(1, LEVELS + 1, dtype=np.uint8)[None, :]))
    canvas.text((LEFT, foot + 24), ct(round(heat.low)))
    canvas.text((LEFT + 150, foot + 24), f"{ct(round(heat.high))} ct/kWh", "", "middle")
    canvas.rect((LEFT + 216, foot), (14, 10), "empty")
    canvas.text((LEFT + 235, foot + 9), "no trade")
    return canvas.render()


def _day_marks(heat: HeatMap, columns: int) -> list[tuple[float, str]]:
    """Where the axis of days is marked: the first of each month or every day, thinned out."""
    days = columns * heat.days_in_column
    if days < _LONG:
        every = -(-days // 8)
        return [(day, f"{heat.first + timedelta(days=day):%-d %b}") for day in range(0, days, every)]
    firsts = [heat.first + timedelta(days=day) for day in range(days)]
    months: list[date] = [day for day in firsts if day.day == 1]
    every = -(-len(months) // 8)
    form = "%b" if len(months) <= MONTHS else "%b %y"
    return [((month - heat.first).days / heat.days_in_column, f"{month:{form}}") for month in months[::every]]


def periods_chart(found: Sequence[Period]) -> str:
    """Volume and mean price by month or day, one above the other."""
    canvas = Canvas(
        "periods",
        WIDTH,
        286,
        "Price and volume over the year" if len(found[0].label) == len("2016-01") else "Price and volume by day",
        f"{len(found)} rows, each with its figures in the table beside the plot.",
    )
    prices = [period.price / BASE_PER_CT for period in found if period.price is not None]
    slot = (WIDTH - LEFT - RIGHT) / len(found)
    pad = max((max(prices, default=1.0) - min(prices, default=0.0)) * 0.15, 0.2)
    y = Scale(max(0.0, min(prices, default=0.0) - pad), max(prices, default=1.0) + pad, 150, TOP + 14)
    volumes = Scale(0.0, max(max(period.volume for period in found) / 1000 * 1.05, 1e-3), 262, 184)
    levels(canvas, y, 4)
    levels(canvas, volumes, 3)
    canvas.text((4, TOP + 2), "Mean price, ct/kWh")
    canvas.text((4, 176), "Volume, kWh")
    every = max(1, -(-len(found) // 12))
    for place, period in enumerate(found):
        left = LEFT + slot * place
        tip = f"{period.label}: {ct(period.price)} ct/kWh, {kwh(period.volume)} kWh"
        if period.price is not None:
            canvas.rect((left + slot * 0.1, y(period.price / BASE_PER_CT) - 1.5), (slot * 0.8, 3), "price", tip)
        top = volumes(period.volume / 1000)
        canvas.rect((left + slot * 0.15, top), (slot * 0.7, 262 - top), "volume", tip)
        if place % every == 0:
            canvas.text((left + slot / 2, 279), period.short, "", "middle")
    return canvas.render()


class Curve(NamedTuple):
    """One line of a plot."""

    words: str
    css: str
    values: Floats


def duration_chart(key: str, heading: str, unit: str, curves: Sequence[Curve]) -> str:
    """Values sorted from the highest, over the share of the windows in which they are reached."""
    sorted_curves = [(curve, *duration(curve.values)) for curve in curves if len(curve.values)]
    bottom, names = 206, [(curve.words, curve.css) for curve, _, _ in sorted_curves]
    canvas = Canvas(
        key,
        WIDTH,
        bottom + 28 + 17 * key_rows(names, WIDTH),
        heading,
        "; ".join(f"{curve.words}: {v[0]:.1f} to {v[-1]:.1f} {unit}" for curve, _, v in sorted_curves),
    )
    low = min((float(values[-1]) for _, _, values in sorted_curves), default=0.0)
    high = max((float(values[0]) for _, _, values in sorted_curves), default=1.0)
    pad = max((high - low) * 0.05, 1e-6)
    x, y = Scale(0.0, 100.0, LEFT, WIDTH - RIGHT), Scale(low - pad, high + pad, bottom, TOP + 16)
    levels(canvas, y, 5)
    canvas.text((4, TOP + 2), f"{heading}, {unit}")
    for mark in (marks := x.marks(5)):
        canvas.line((x(mark), bottom), (x(mark), bottom + 4), "axis")
        last = mark == marks[-1]
        at = x(mark) + (RIGHT if last else 0)
        canvas.text((at, bottom + 16), mark_text(mark, marks) + "\u202f%", "", "end" if last else "middle")
    if low < 0 < high:
        canvas.line((LEFT, y(0.0)), (WIDTH - RIGHT, y(0.0)), "axis")
    for curve, shares, values in sorted_curves:
        canvas.path([(x(float(a)), y(float(b))) for a, b in zip(shares, values, strict=True)], f"line {curve.css}")
    keys(canvas, names, bottom + 38, WIDTH)
    return canvas.render()


def week_chart(week: pl.DataFrame, schemes: Sequence[str], width: int) -> str:
    """Load and PV, what is shared, what lies in the batteries: three panels over the same days."""
    moments = week["local"].to_list()
    first, last = moments[0].date(), moments[-1].date()
    panels = [
        ("Power, kW", [Curve("load", "load", _kw(week, "load_wh")), Curve("PV", "pv", _kw(week, "pv_wh"))]),
        ("Shared, kW", [Curve(title(name), style(name), _kw(week, f"{name}.shared_wh")) for name in schemes]),
        ("Stored, kWh", [Curve(title(name), style(name), _kwh(week, f"{name}.stored_wh")) for name in schemes]),
    ]
    height = 118
    foot = len(panels) * (height + 46) - 22
    names = [(title(name), style(name)) for name in schemes]
    canvas = Canvas(
        f"week{width}",
        width,
        foot + 34 + 17 * key_rows(names, width),
        f"The community from {first} to {last}",
        "Load and PV above, energy shared in the middle, energy in the batteries below; all homes together.",
    )
    x = Scale(0.0, float(len(moments)), LEFT, width - RIGHT)
    days = [place for place, moment in enumerate(moments) if moment.hour == moment.minute == 0]
    for number, (words, curves) in enumerate(panels):
        top = number * (height + 46) + 24
        bottom = top + height
        shown = [curve for curve in curves if curve.values.any()]
        y = Scale(0.0, max([float(curve.values.max()) for curve in shown] or [1.0]) * 1.05, bottom, top)
        levels(canvas, y, 3, LEFT, width - RIGHT)
        canvas.text((4, top - 10), words)
        for place in days:
            canvas.line((x(place), top), (x(place), bottom), "grid")
        for curve in shown:
            canvas.path([(x(at + 0.5), y(float(v))) for at, v in enumerate(curve.values)], f"line {curve.css}")
        if number == 0:
            keys(canvas, [(curve.words, curve.css) for curve in shown], top - 10, width, 100)
    keys(canvas, names, foot + 40, width)
    every = -(-len(days) // (WEEK_MARKS // 2 if width < WIDE else WEEK_MARKS))
    for place in days[::every]:
        form = "%a %-d %b" if width >= WIDE else "%a %-d"
        canvas.text((x(place) + 3, foot + 15), f"{moments[place]:{form}}")
    return canvas.render()


def _kw(table: pl.DataFrame, column: str) -> Floats:
    """Mean power in each window, kW."""
    return table[column].to_numpy().astype(np.float64) / WH_IN_KW


def _kwh(table: pl.DataFrame, column: str) -> Floats:
    return table[column].to_numpy().astype(np.float64) / 1000.0


def exchange_kw(windows: pl.DataFrame, scheme: str) -> Floats:
    """Power from the grid into the community, kW; negative where it flows out. What homes exchange among each other is
    not in it."""
    return _kw(windows, f"{scheme}.import_wh") - _kw(windows, f"{scheme}.export_wh")
