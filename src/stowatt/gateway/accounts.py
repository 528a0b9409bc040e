"""The gateway's books: where every sample and every watt-hour went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from stowatt.gateway.errors import QueueError
from stowatt.gateway.samples import MICROSECONDS, Cause


@dataclass
class Accounts:
    """Counts of samples by cause, of sub-slots, and the energy, all since the queue was made."""

    samples: Counter[str] = field(default_factory=Counter)
    """By cause; they add up to what was received."""
    received: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    """Faulty fields: a sample can have two, while it ends in one account."""
    slots: Counter[str] = field(default_factory=Counter)
    """complete, incomplete, empty (nothing was measured: no reading is made of it)."""
    marks: Counter[str] = field(default_factory=Counter)
    """Marks of records."""
    events: Counter[str] = field(default_factory=Counter)
    """clock_jump: the gateway's clock was set; counter_restart: a reset counter was taken up again."""
    gaps: int = 0
    """Stretches of time without a measurement."""
    gap_time: int = 0
    """Their length together, microseconds."""
    discharged: Fraction = Fraction(0)
    """All that was measured, Wh."""
    charged: Fraction = Fraction(0)
    """Measured while charging, Wh; it is worth nothing to the market."""
    recorded: int = 0
    """In the records of sub-slots, Wh."""
    capped: int = 0
    """Left out of records because the chain would take it for impossible, Wh."""
    unallocated: Fraction = Fraction(0)
    """Known from a counter, but not in which sub-slot it was discharged, Wh."""

    def take(self, cause: Cause) -> None:
        """Books a sample."""
        self.received += 1
        self.samples[cause.value] += 1

    def gap(self, length: int) -> None:
        """Books a stretch without a measurement, microseconds."""
        if length > 0:
            self.gaps += 1
            self.gap_time += length

    @property
    def samples_balance(self) -> bool:
        """Whether every sample is in one account."""
        return sum(self.samples.values()) == self.received

    def encode(self) -> dict[str, Any]:
        """For the queue."""
        return {
            "received": self.received,
            "gaps": self.gaps,
            "gap_time": self.gap_time,
            "recorded": self.recorded,
            "capped": self.capped,
            **{name: str(getattr(self, name)) for name in _FRACTIONS},
            **{name: dict(sorted(getattr(self, name).items())) for name in _COUNTERS},
        }

    @classmethod
    def decode(cls, value: dict[str, Any]) -> Accounts:
        """The inverse of `encode`."""
        try:
            given: dict[str, Any] = {name: int(value[name]) for name in _INTEGERS}
            given |= {name: Fraction(value[name]) for name in _FRACTIONS}
            given |= {name: Counter(value[name]) for name in _COUNTERS}
        except (KeyError, TypeError, ValueError) as error:
            raise QueueError(f"the queue's accounts cannot be read ({error})", "restore the queue's file") from None
        return cls(**given)

    def summary(self) -> dict[str, Any]:
        """The figures for people and programs; energies in Wh, cut to a millionth."""
        return {
            "received": self.received,
            "samples": {cause.value: self.samples[cause.value] for cause in Cause if self.samples[cause.value]},
            "fields": dict(sorted(self.fields.items())),
            "slots": {name: self.slots[name] for name in ("complete", "incomplete", "empty")},
            "marks": dict(sorted(self.marks.items())),
            "events": dict(sorted(self.events.items())),
            "gaps": self.gaps,
            "gap_seconds": self.gap_time // MICROSECONDS,
            "recorded_wh": self.recorded,
            "capped_wh": self.capped,
            "discharged_wh": wh_text(self.discharged),
            "charged_wh": wh_text(self.charged),
            "unallocated_wh": wh_text(self.unallocated),
        }


_INTEGERS = ("received", "gaps", "gap_time", "recorded", "capped")
_FRACTIONS = ("discharged", "charged", "unallocated")
_COUNTERS = ("samples", "fields", "slots", "marks", "events")


def wh_text(energy: Fraction) -> str:
    """Wh as a decimal, cut to a millionth."""
    millionths = energy.numerator * 1_000_000 // energy.denominator
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
