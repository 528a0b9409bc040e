"""What the plots of a scenario show: its tables brought to fixed sizes, however long the scenario is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

A_DAY: Final = 96
"""Windows of a day."""
WEEK: Final = 7
MOST_COLUMNS: Final = 400
"""Days of the heat map; a longer scenario shows means of several days."""
MOST_DAYS: Final = 45
"""A scenario longer than this is summed up by month, a shorter one by day."""
POINTS: Final = 200
"""Points of a duration curve."""
WH_IN_KW: Final = 250.0
"""Wh in a quarter of an hour at one kW."""

TITLES: Final = {
    "none": "no sharing",
    "market": "market",
    "shared-battery": "community battery",
    "shared-storage": "community battery, stored only",
    "optimum": "perfect foresight",
}
"""What readers call the schemes."""


ARTICLES: Final = {"market": "the ", "shared-battery": "the ", "shared-storage": "the "}
"""What stands before the name in a sentence."""


def subject(scheme: str) -> str:
    """A scheme's name at the head of a clause."""
    return ARTICLES.get(scheme, "") + title(scheme)


def title(scheme: str) -> str:
    """A scheme's name for readers."""
    return TITLES.get(scheme, scheme)


@dataclass(frozen=True, slots=True)
class Period:
    """A month or a day."""

    label: str
    """2016-03, or 2016-03-14."""
    short: str
    """Mar, or 14."""
    volume: int
    """Traded, Wh."""
    turnover: int
    """Σ price × volume, base units · Wh."""
    windows: int
    traded: int
    """Windows, and those with a trade."""

    @property
    def price(self) -> int | None:
        """Mean price weighted by volume, base units per kWh, rounded down; None without a trade."""
        return self.turnover // self.volume if self.volume else None


def periods(windows: pl.DataFrame) -> list[Period]:
    """The scenario by month, or by day if it is short."""
    days = windows["local"].dt.date().n_unique()
    form, short = ("%Y-%m", "%b") if days > MOST_DAYS else ("%Y-%m-%d", "%-d")
    grouped = (
        windows.with_columns(pl.col("local").dt.strftime(form).alias("label"))
        .group_by("label", maintain_order=True)
        .agg(
            pl.col("local").first().dt.strftime(short).alias("short"),
            pl.col("volume_wh").sum().alias("volume"),
            (pl.col("price").fill_null(0) * pl.col("volume_wh")).sum().alias("turnover"),
            pl.len().cast(pl.Int64).alias("windows"),
            (pl.col("volume_wh") > 0).sum().cast(pl.Int64).alias("traded"),
        )
    )
    return [Period(**row) for row in grouped.to_dicts()]


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Prices by day and time of day."""

    first: date
    days_in_column: int
    values: Floats
    """(times of day from midnight, columns), base units per kWh; NaN without a trade."""
    low: float
    high: float
    """Between which 96 % of the prices lie."""

    def day_of(self, column: int) -> date:
        """First day of a column."""
        return self.first + timedelta(days=column * self.days_in_column)


def heat_map(windows: pl.DataFrame) -> HeatMap | None:
    """Prices over the scenario; None without any.

    Where the clock is put back, two windows share a cell, which shows their mean; where it is put forward, cells are
    empty.
    """
    traded = windows.filter(pl.col("price").is_not_null())
    if traded.is_empty():
        return None
    first, last = _day(windows["local"][0]), _day(windows["local"][-1])
    days = (last - first).days + 1
    step = -(-days // MOST_COLUMNS)
    local = traded["local"]
    column = ((local.dt.date() - first).dt.total_days() // step).to_numpy()
    row = (local.dt.hour().cast(pl.Int64) * 4 + local.dt.minute().cast(pl.Int64) // 15).to_numpy()
    prices = traded["price"].to_numpy().astype(np.float64)
    sums, counts = np.zeros((A_DAY, -(-days // step))), np.zeros((A_DAY, -(-days // step)))
    np.add.at(sums, (row, column), prices)
    np.add.at(counts, (row, column), 1.0)
    values = np.where(counts > 0, sums / np.maximum(counts, 1.0), np.nan)
    low, high = np.quantile(prices, (0.02, 0.98))
    return HeatMap(first, step, values, float(low), float(high))


def duration(values: Sequence[float] | Floats, points: int = POINTS) -> tuple[Floats, Floats]:
    """(share of the time in per cent, value): sorted from the highest, at fixed points; ends are the extremes."""
    ordered = np.sort(np.asarray(values, np.float64))[::-1]
    places = np.unique(np.linspace(0, len(ordered) - 1, min(points, len(ordered))).round().astype(np.int64))
    share = 100.0 * places / max(1, len(ordered) - 1)
    return share, ordered[places]


def kinds(homes: pl.DataFrame) -> list[dict[str, Any]]:
    """Homes by what they own: how many, and for each scheme that shares their mean gain and how many lose.

    The mean is in base units · Wh, rounded down.
    """
    owned = (
        pl.when(pl.col("usable_wh") > 0)
        .then(pl.lit("battery"))
        .when(pl.col("pv_wh") > 0)
        .then(pl.lit("PV, no battery"))
        .otherwise(pl.lit("neither"))
    )
    rows = homes.filter(pl.col("is_home")).with_columns(owned.alias("kind"))
    found = []
    for kind in ("battery", "PV, no battery", "neither"):
        group = rows.filter(pl.col("kind") == kind)
        count = group["home"].n_unique()
        if count:
            schemes = {
                name: (int(part["gain"].sum()) // count, int((part["gain"] < 0).sum()))
                for (name,), part in group.group_by("scheme", maintain_order=True)
                if name != "none"
            }
            found.append({"kind": kind, "count": count, "schemes": schemes})
    return found


def busiest_week(windows: pl.DataFrame) -> pl.DataFrame:
    """The seven days, from a local midnight, in which most is traded; all of a shorter scenario."""
    column = "volume_wh" if windows["volume_wh"].sum() else "pv_wh"
    days = (
        windows.group_by(pl.col("local").dt.date().alias("day"), maintain_order=True)
        .agg(pl.col(column).sum())
        .sort("day")
    )
    if len(days) <= WEEK:
        return windows
    sums = days[column].rolling_sum(WEEK)
    last = sums.arg_max()
    if last is None:
        return windows
    chosen = days["day"][last - WEEK + 1 : last + 1]
    return windows.filter(pl.col("local").dt.date().is_between(chosen[0], chosen[-1]))


def _day(moment: datetime) -> date:
    return moment.date()
