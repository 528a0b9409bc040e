"""Samples and rules for the gateway's tests: a calendar of quarter hours with sub-slots of five minutes."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from stowatt.gateway import Counter, Normaliser, Rules, Sample, SlotRecord

SECOND = 1_000_000
ORIGIN = 1_704_067_200
"""2024-01-01 00:00 UTC."""
RULES = Rules(origin=ORIGIN, sub_slot=300, per_window=3, positions=3_000_000, export_w=5000)


def at(seconds: float) -> int:
    """Microseconds of a time after the calendar's beginning."""
    return ORIGIN * SECOND + round(seconds * SECOND)


def power(seconds: float, watts: float | Fraction, soc: float | None = None, received: float | None = None) -> Sample:
    """A power of the instant."""
    heard = None if received is None else at(received)
    charge = None if soc is None else Fraction(soc)
    return Sample(at(seconds), heard, power=Fraction(watts), soc=charge)


def counter(seconds: float, wh: int | Fraction, bits: int | None = None) -> Sample:
    """A counter's value."""
    wraps_at = None if bits is None else Fraction(2**bits)
    return Sample(at(seconds), counter=Counter(Fraction(wh), wraps_at=wraps_at))


def run(samples: Iterable[Sample], rules: Rules = RULES) -> tuple[Normaliser, list[SlotRecord]]:
    """Feeds samples and seals everything."""
    normaliser = Normaliser(rules)
    records = [record for sample in samples for record in normaliser.feed(sample)]
    records += normaliser.finish()
    assert normaliser.balanced
    return normaliser, records


def steady(watts: float, seconds: int, start: int = 0, step: int = 10) -> list[Sample]:
    """A power every few seconds, the last one at the end."""
    return [power(second, watts) for second in range(start, start + seconds + 1, step)]
