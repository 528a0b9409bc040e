"""One sample of a meter, and the accounts in which samples end.

Powers are exact rationals in W, positive while the battery discharges; counters are exact rationals in Wh; times are
whole microseconds since 1970 (UTC). Nothing is rounded before a sub-slot's Wh.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

MICROSECONDS: Final = 1_000_000
"""In a second."""


class Cause(StrEnum):
    """The accounts: every sample ends in exactly one, the first of these rules that it meets."""

    MALFORMED = "malformed"
    """Not the agreed form: no JSON, a wrong type, NaN, no time. It has no time, so nothing else is done with it."""
    RETAINED = "retained"
    """A message that a broker had kept and that tells nothing new: not newer than the last sample, or, as the first
    one, older than a power may hold."""
    OUTSIDE = "outside"
    """Its time is not on the market's calendar."""
    AHEAD = "clock_ahead"
    """Its time lies in the future of the gateway's clock, or further ahead of the last sample than a jump may be."""
    DUPLICATE = "duplicate"
    """A sample of that time and value was taken before."""
    CONFLICT = "conflict"
    """Another value of that time was taken before; the first one stands."""
    LATE = "late"
    """Older than the last sample, or of a sub-slot that is sealed."""
    MISSING = "missing"
    """A row of the meter without a value."""
    SENTINEL = "sentinel"
    """The value stands for "none": 65.535 kW, -32.768 kW, a SunSpec register that is not implemented."""
    SENTINEL_SOC = "sentinel_soc"
    """The state of charge stands for "none" (6.5535): the battery did not answer, so its power is not believed."""
    OUT_OF_RANGE = "out_of_range"
    """More than the device's certified power, as a power or as a counter's step."""
    RESET = "counter_reset"
    """The counter went back, and no wrap explains it. It starts anew where the next sample confirms it."""
    USED = "used"
    """Taken as a measurement."""


NOT_BELIEVED: Final = frozenset(
    {
        Cause.MALFORMED,
        Cause.RETAINED,
        Cause.OUTSIDE,
        Cause.AHEAD,
        Cause.DUPLICATE,
        Cause.CONFLICT,
        Cause.LATE,
    }
)
"""Samples whose time says nothing new: the measurement goes on as if they had not come."""


class Mark(StrEnum):
    """What a sub-slot's record says besides its energy."""

    INCOMPLETE = "incomplete"
    """A part of it was not measured; the energy is that of the rest."""
    CLOCK_JUMP = "clock_jump"
    """The gateway's clock was set in it."""
    WRAP = "wrap"
    """A counter ran over in it."""
    ABOVE_RATING = "above_rating"
    """A power above the certified one, within the tolerance, was used."""
    CAPPED = "capped"
    """More energy than the chain takes; the rest is in the account of capped energy."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A reading of an energy counter that only grows."""

    energy: Fraction
    """Discharged since the counter began, Wh."""
    step: Fraction = Fraction(1)
    """One step of it, Wh: how exact it is."""
    wraps_at: Fraction | None = None
    """Where it starts from 0 again, Wh; None: it never does."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a source gives: a power, a power that holds over a length of time, or a counter; never two of them."""

    time: int | None
    """The meter's clock, microseconds; of a power with a length, the beginning."""
    received: int | None = None
    """The gateway's clock at receipt, microseconds; None in a replay."""
    power: Fraction | None = None
    """W, positive while discharging."""
    length: int | None = None
    """Microseconds over which `power` is the mean; None: `power` is of the instant."""
    counter: Counter | None = None
    soc: Fraction | None = None
    """State of charge, 0 … 1, if the meter tells it."""
    fault: Cause | None = None
    """What the source knows to be wrong with it: MALFORMED, MISSING or SENTINEL."""
    retained: bool = False
    """Whether a broker had kept it, so that it may be old."""

    @property
    def content(self) -> str:
        """The values as one text, to tell a duplicate from a conflict."""
        reading = self.counter.energy if self.counter is not None else self.power
        return f"{reading}|{self.soc}|{self.fault}"
