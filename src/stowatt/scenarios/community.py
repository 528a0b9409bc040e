"""A community over consecutive windows of a quarter of an hour: load, PV, batteries and the prices outside.

Everything is an int64 array in C order. Energies are Wh in one window, prices base units of the token per kWh (10^-6
EUR), money in accounts is base units · Wh (10^-9 EUR): price × energy, never divided, hence never rounded.

Bounds, checked on entry, that exclude overflow: a cell is at most 2^31 Wh and there are at most 2^31 cells, so any sum
of one table is at most 2^62; a price is at most 2^40, and `stowatt.scenarios.accounts` refuses energies whose product
with the highest price could reach 2^62.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from stowatt.data.homes import WINDOW
from stowatt.scenarios.errors import ScenarioError
from stowatt.units import PPM

Int64s = NDArray[np.int64]

MOST_WH: Final = 2**31
"""The most in one cell, Wh: 2.1 GWh, so anything above is a mistake of unit."""
MOST_CELLS: Final = 2**31
"""The most windows × homes."""
MOST_PRICE: Final = 2**40
"""The highest price, base units per kWh."""


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """The batteries, one entry for each home; 0 everywhere, and an efficiency of 10^6, for a home without one."""

    usable_wh: Int64s
    """Energy between the lowest and the highest permitted state of charge, Wh stored."""
    cap_wh: Int64s
    """The most that goes through the terminals in one window, either way, Wh."""
    efficiency_ppm: Int64s
    """One-way efficiency, ppm: the same for charge and discharge."""
    stored_wh: Int64s
    """Stored at the start of the first window, Wh."""
    wear: Int64s
    """Cost of wear, base units per kWh delivered at the terminals."""

    def __post_init__(self) -> None:
        for column in fields(self):
            _integers(f"storage: {column.name}", getattr(self, column.name), (len(self.usable_wh),))
        for name, values, high in (
            ("usable_wh", self.usable_wh, MOST_WH),
            ("cap_wh", self.cap_wh, MOST_WH),
            ("efficiency_ppm", self.efficiency_ppm - 1, PPM - 1),
            ("stored_wh", self.stored_wh, self.usable_wh),
            ("wear", self.wear, MOST_PRICE),
        ):
            wrong = (values < 0) | (values > high)
            if wrong.any():
                at = int(np.argmax(wrong))
                raise ScenarioError(
                    f"storage: {name} of battery {at} is {getattr(self, name)[at]}", "correct the battery's data"
                )

    @classmethod
    def none(cls, homes: int) -> Self:
        """No batteries at all."""
        nothing = np.zeros(homes, np.int64)
        return cls(nothing, nothing, np.full(homes, PPM, np.int64), nothing, nothing)

    def __len__(self) -> int:
        return len(self.usable_wh)

    def only(self, chosen: Int64s) -> Self:
        """The batteries with these numbers."""
        return type(self)(*(np.ascontiguousarray(getattr(self, column.name)[chosen]) for column in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Community:
    """Homes, what they use and generate, and their batteries."""

    homes: tuple[str, ...]
    """Names, each once, in the order of the columns."""
    start: datetime
    """Start of the first window, UTC."""
    zone: str
    """The community's clock, such as Europe/Berlin."""
    load_wh: Int64s
    """Consumption, (windows, homes)."""
    pv_wh: Int64s
    """PV generation, (windows, homes)."""
    storage: Storage

    def __post_init__(self) -> None:
        if not self.homes or len(set(self.homes)) != len(self.homes):
            raise ScenarioError(f"{len(self.homes)} homes, {len(set(self.homes))} names", "name each home differently")
        if self.start.utcoffset() != timedelta(0):
            raise ScenarioError(f"the community's start {self.start.isoformat()} is not in UTC", "convert it first")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ScenarioError(f"unknown time zone {self.zone!r}", "use a name like Europe/Berlin") from error
        shape = (len(self.load_wh), len(self.homes))
        if not shape[0] or shape[0] * shape[1] > MOST_CELLS or len(self.storage) != shape[1]:
            raise ScenarioError(
                f"{shape[0]} windows, {shape[1]} homes, {len(self.storage)} entries of storage",
                f"give at least a window, at most {MOST_CELLS} cells, and an entry of storage for each home",
            )
        for name, table in (("load_wh", self.load_wh), ("pv_wh", self.pv_wh)):
            _integers(f"community: {name}", table, shape)
            if int(table.min()) < 0 or int(table.max()) > MOST_WH:
                window, home = np.unravel_index(int(np.argmax((table < 0) | (table > MOST_WH))), shape)
                raise ScenarioError(
                    f"{name} of {self.homes[home]} in window {window} is {table[window, home]} Wh",
                    f"give 0 to {MOST_WH}",
                )

    @property
    def windows(self) -> int:
        """Number of windows."""
        return len(self.load_wh)

    def at(self, window: int) -> datetime:
        """Start of a window, on the community's clock."""
        return (self.start + window * WINDOW).astimezone(UTC).astimezone(ZoneInfo(self.zone))

    def net_load_wh(self) -> Int64s:
        """Load − PV, (windows, homes): negative where a home has a surplus."""
        return self.load_wh - self.pv_wh


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What energy costs outside the community, base units per kWh."""

    retail: Int64s
    """Price of the grid, by window (time of use)."""
    feed_in: int
    """What the grid pays for a surplus; never above the retail price, so that nobody earns by turning energy round."""
    levy: int
    """Network charges and taxes on a kWh from a neighbour or from the community's battery, which the taker pays."""

    def __post_init__(self) -> None:
        _integers("prices: retail", self.retail, (len(self.retail),))
        lowest, highest = (int(self.retail.min()), int(self.retail.max())) if len(self.retail) else (0, 0)
        if not 0 <= self.feed_in <= lowest or highest > MOST_PRICE:
            raise ScenarioError(
                f"prices: feed_in {self.feed_in}, retail {lowest} to {highest} base units per kWh",
                "give 0 ≤ feed_in ≤ the lowest retail price",
            )
        if not 0 <= self.levy <= MOST_PRICE:
            raise ScenarioError(f"prices: levy = {self.levy}", "use a number from 0")

    def stored(self, efficiency_ppm: Int64s) -> Int64s:
        """Value of a stored kWh that is left at the end, base units: the feed-in that charging it would forgo.

        ⌈feed_in / η⌉. Every scheme's end is valued so against its start: emptying the batteries is no gain in itself,
        and neither is filling them at the last minute (beyond the rounding: less than one base unit per kWh).
        """
        return -((-self.feed_in * PPM) // efficiency_ppm)


def _integers(name: str, table: object, shape: tuple[int, ...]) -> None:
    """An int64 array in C order of the shape."""
    if not isinstance(table, np.ndarray) or table.dtype != np.int64 or not table.flags.c_contiguous:
        raise ScenarioError(f"{name} is no int64 array in C order", "convert it with numpy.ascontiguousarray(…, int64)")
    if table.shape != shape:
        raise ScenarioError(f"{name} has the shape {table.shape}", f"give {shape}")
