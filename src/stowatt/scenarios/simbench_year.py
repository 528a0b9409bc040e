"""Homes of a SimBench grid over many days, as arrays: cell by cell the Wh that `stowatt.data.simbench` gives.

Its decimals are exact and slow. Here profile × rated power is taken in floating point, whose error is far below
10^-6 Wh, and rounded; the few cells that lie closer to a half are done once more in decimals. So the integers are the
same, which a test compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from stowatt.data import simbench
from stowatt.data.homes import WINDOW, WINDOW_S, Battery, HomesError, to_wh
from stowatt.scenarios.community import Int64s

Parts = tuple[tuple[str, Decimal], ...]
"""Profiles with the rated power of each, MW."""

_CLOSE: Final = 1e-6
"""Wh; profiles are at most about 1 per unit and rated powers below 100 MW, so floats are exact to 10^-8 Wh."""
_MOST_RATED: Final = 100
_PER_MW: Final = Decimal(1000) * WINDOW_S / 3600


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """The homes of a grid: columns in the order of `simbench.read_homes`."""

    homes: tuple[str, ...]
    start: datetime
    """Start of the first row, UTC."""
    load_wh: Int64s
    pv_wh: Int64s
    batteries: tuple[Battery | None, ...]
    shapes: "Profiles"
    """The PV shapes of the grid's plants, per unit of rated power."""


class Profiles:
    """Columns of a profile file, per unit of rated power: the text as it stands, and floats."""

    def __init__(self, file: Path, names: Sequence[str], first: int, last: int) -> None:
        self.file, self.names = file, tuple(names)
        table = simbench.read_table(file, ["time", *names], first, last - first)
        labels = pl.datetime_range(
            (simbench.FIRST_ROW + first * WINDOW), (simbench.FIRST_ROW + (last - 1) * WINDOW), "15m", eager=True
        )
        local = labels.dt.convert_time_zone(simbench.ZONE.key).dt.strftime("%d.%m.%Y %H:%M")
        if not table["time"].equals(local.alias("time")):
            raise HomesError(
                f"{file.name}: the rows from {local[0]} are not where they should be", "use simbench 1.6.3"
            )
        self._text = table
        self._floats: dict[str, NDArray[np.float64]] = {}

    def floats(self, name: str) -> NDArray[np.float64]:
        """A column as floats."""
        if name not in self._floats:
            try:
                values = self._text[name].cast(pl.Float64, strict=True).to_numpy()
            except pl.exceptions.PolarsError as error:
                raise self._wrong(name) from error
            if not np.isfinite(values).all():
                raise self._wrong(name)
            self._floats[name] = values
        return self._floats[name]

    def energy(self, parts: Parts) -> Int64s:
        """Wh in each window of the sum of (profile per unit, rated power in MW), to the nearest, half up, from 0."""
        if not parts:
            return np.zeros(len(self._text), np.int64)
        if any(abs(rated) > _MOST_RATED for _, rated in parts):
            raise HomesError(f"{self.file.name}: a plant or a load above {_MOST_RATED} MW", "use simbench 1.6.3")
        exact = sum(self.floats(name) * float(rated * _PER_MW * 1000) for name, rated in parts)
        rounded = np.floor(exact + 0.5)
        for row in np.flatnonzero(np.abs(exact + 0.5 - np.round(exact + 0.5)) < _CLOSE).tolist():
            rounded[row] = to_wh(sum((self._decimal(name, row) * rated for name, rated in parts), Decimal(0)) * _PER_MW)
        return np.maximum(rounded, 0).astype(np.int64)

    def _decimal(self, name: str, row: int) -> Decimal:
        try:
            return Decimal(self._text[name][row])
        except (InvalidOperation, TypeError) as error:
            raise self._wrong(name) from error

    def _wrong(self, name: str) -> HomesError:
        return HomesError(f"{self.file.name}: {name} holds something that is not a number", "use simbench 1.6.3")


def read_year(grid: simbench.Grid, start: date, days: int) -> Year:
    """All homes of a grid from the local midnight before `start`, for so many local days; the batteries are empty."""
    first, last = (
        (datetime.combine(day, time(), simbench.ZONE).astimezone(UTC) - simbench.FIRST_ROW) // WINDOW
        for day in (start, start + timedelta(days=days))
    )
    if first < 0 or last > simbench.ROWS:
        end = start + timedelta(days=days - 1)
        raise HomesError(
            f"SimBench has no profiles for all of {start.isoformat()} to {end.isoformat()}", "choose days in 2016"
        )
    sites = simbench.sites_of(grid)
    loads = Profiles(grid.folder / "LoadProfile.csv", sorted({_load(site)[0][0] for site in sites}), first, last)
    plants = Profiles(
        grid.folder / "RESProfile.csv", sorted({name for site in sites for name, _ in site.pv}), first, last
    )
    return Year(
        homes=tuple(site.load["id"].removeprefix(f"{grid.subnet} ") for site in sites),
        start=simbench.FIRST_ROW + first * WINDOW,
        load_wh=np.stack([loads.energy(_load(site)) for site in sites], axis=1),
        pv_wh=np.stack([plants.energy(site.pv) for site in sites], axis=1),
        batteries=tuple(site.battery for site in sites),
        shapes=plants,
    )


def _load(site: simbench.Site) -> Parts:
    return ((f"{site.load['profile']}_pload", simbench.rating(site.load, "pLoad")),)
