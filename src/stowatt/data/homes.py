"""Homes and their profiles: integer Wh for each quarter of an hour, with an optional battery.

A profile is a forecast, not a traded quantity: kWh with decimals are rounded to the nearest Wh (half up), at
most 0.5 Wh for each window. What is traded (curves, fills, readings) is never rounded (§1).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import Final

from stowatt.errors import StowattError
from stowatt.units import PPM

WINDOW_S = 900
"""Length of a profile's row, seconds; the demo's market has windows of the same length."""

WINDOW = timedelta(seconds=WINDOW_S)


CELLS: Final = ("lfp", "nmc")
"""The kinds of cells whose wear is modelled."""
MOST_YEARS: Final = 15
"""A battery that is older has no capacity left in one of the models."""


def trait(home: str, name: str, choices: int) -> int:
    """A number in 0 … choices - 1 that belongs to the home: the same in every run and on every machine."""
    return int.from_bytes(sha256(f"{name}\0{home}".encode()).digest()[:8]) % choices


class HomesError(StowattError):
    """A home's profile or battery cannot be used; the message names file, row, value and the way out."""


@dataclass(frozen=True, slots=True)
class Battery:
    """A home battery as its owner states it."""

    usable_wh: int
    """Energy between the lowest and the highest permitted state of charge, Wh stored."""
    power_w: int
    """Highest charge and discharge power at the terminals, W."""
    efficiency_ppm: int
    """One-way efficiency (the same for charge and discharge), ppm; a round trip costs its square."""
    energy_wh: int
    """Energy stored at the start of the profile's first row, Wh."""
    cells: str = "lfp"
    """What wears: `lfp` or `nmc` cells (docs/wear.md)."""
    age_years: int = 4
    """Age, of which wear depends; what is cheap to wear in an old battery is dear in a new one."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("usable_wh", self.usable_wh, 1, 2**32 - 1),
            ("power_w", self.power_w, 1, 2**32 - 1),
            ("efficiency_ppm", self.efficiency_ppm, 1, PPM),
            ("energy_wh", self.energy_wh, 0, self.usable_wh),
            ("age_years", self.age_years, 1, MOST_YEARS),
        ):
            if not low <= value <= high:
                raise HomesError(f"battery: {name} = {value} is outside {low} to {high}", "correct the battery's data")

        if self.cells not in CELLS:
            raise HomesError(f"battery: cells of {self.cells[:40]!r}", f"choose from {', '.join(CELLS)}")

    def window_cap_wh(self) -> int:
        """The most that the power limit lets through the terminals in one window (rounds down: never oversold)."""
        return self.power_w * WINDOW_S // 3600


@dataclass(frozen=True, slots=True)
class Home:
    """One metering point: its load, its PV and, perhaps, its battery."""

    id: str
    start: datetime
    """Start of the first row, UTC."""
    load_wh: tuple[int, ...]
    """Consumption in each window, Wh."""
    pv_wh: tuple[int, ...]
    """PV generation in each window, Wh."""
    battery: Battery | None = None

    def __post_init__(self) -> None:
        if self.start.utcoffset() != timedelta(0):
            raise HomesError(f"home {self.id}: start {self.start.isoformat()} is not in UTC", "convert it first")
        if len(self.load_wh) != len(self.pv_wh):
            raise HomesError(
                f"home {self.id}: {len(self.load_wh)} rows of load but {len(self.pv_wh)} of PV",
                "give both for each row",
            )

    @property
    def end(self) -> datetime:
        """End of the last row, UTC."""
        return self.start + WINDOW * len(self.load_wh)

    def index(self, at: datetime) -> int:
        """The row whose window starts at `at`; an error when the profile does not hold it."""
        row, rest = divmod(at.astimezone(UTC) - self.start, WINDOW)
        if rest:
            raise HomesError(
                f"home {self.id}: {at.isoformat()} is not the start of a quarter of an hour", "use :00, :15, :30, :45"
            )
        if not 0 <= row < len(self.load_wh):
            raise HomesError(
                f"home {self.id}: no profile for {at.isoformat()} (it covers {self.start.isoformat()} to "
                f"{self.end.isoformat()})",
                "choose another date or extend the profile",
            )
        return row

    def net_load_wh(self, row: int) -> int:
        """Load minus PV in a row; negative when the home has a surplus."""
        return self.load_wh[row] - self.pv_wh[row]


def to_wh(kilo: Decimal) -> int:
    """kWh to Wh, to the nearest, half up (nobody gains: a profile is not paid for)."""
    return int((kilo * 1000).to_integral_value(ROUND_HALF_UP))
