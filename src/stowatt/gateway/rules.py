"""The rules by which samples are judged and counted; they are fixed for the life of a queue's device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stowatt.calendar import Calendar
from stowatt.gateway.errors import GatewayError
from stowatt.gateway.samples import MICROSECONDS
from stowatt.units import PPM, SECONDS_PER_HOUR, Wh, ceil_div

SENTINEL_WATTS: Final = frozenset({65_535, -32_768, -65_536})
"""Powers, to the nearest watt, that are all ones or only the sign of a 16-bit register."""
SENTINEL_SOC: Final = (654, 656)
"""States of charge around 6.55, in hundredths: a 16-bit register of ones, 6.5535, however it was rounded."""

CHARGE_FACTOR: Final = 10
"""Charging is worth nothing to the market, so its range is loose: so many times the certified export power."""
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Rules:
    """What the normaliser needs to know of the market, the device and its operator's wishes."""

    origin: int
    """Where the calendar begins, unix seconds."""
    sub_slot: int
    """Seconds."""
    per_window: int
    """Sub-slots in a window."""
    positions: int
    """Sub-slots on the calendar."""
    export_w: int
    """The device's certified export power, W."""
    max_gap: int = 60
    """A power holds until the next sample, but for no longer than this, seconds."""
    tolerance: int = 10_000
    """The meter's own error, ppm: powers above the certified one by no more than this are used, and marked."""
    max_skew: int = 10
    """How far a sample may lie in the future of the gateway's clock, seconds."""
    max_jump: int = 31 * DAY
    """How far ahead of the last one a sample of a replay may lie unless the next one confirms it, seconds."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_gap <= self.sub_slot:
            raise GatewayError(
                f"a longest gap of {self.max_gap} s", f"choose 1 … {self.sub_slot} s, the length of a sub-slot"
            )
        if not 0 <= self.tolerance <= PPM:
            raise GatewayError(f"a tolerance of {self.tolerance} ppm", f"choose 0 … {PPM}")
        if self.export_w < 1:
            raise GatewayError(f"a certified power of {self.export_w} W", "register the device first")

    @classmethod
    def of(cls, calendar: Calendar, export_w: int, **wishes: int) -> Rules:
        """The rules on a market; without a wish the longest gap is a minute, or a sub-slot if that is shorter."""
        wishes.setdefault("max_gap", min(60, calendar.sub_slot))
        positions = (calendar.last_window + 1) * calendar.sub_slots
        return cls(calendar.origin, calendar.sub_slot, calendar.sub_slots, positions, export_w, **wishes)

    def position(self, time: int) -> int:
        """The number of the sub-slot that covers a time (microseconds), counted from the calendar's beginning."""
        return (time - self.origin * MICROSECONDS) // (self.sub_slot * MICROSECONDS)

    def start(self, position: int) -> int:
        """Where a sub-slot begins, microseconds; the one before ends there."""
        return (self.origin + position * self.sub_slot) * MICROSECONDS

    @property
    def cap(self) -> Wh:
        """The most that the chain takes for a sub-slot: what the certified power allows, rounded up."""
        return Wh(ceil_div(self.export_w * self.sub_slot, SECONDS_PER_HOUR))
