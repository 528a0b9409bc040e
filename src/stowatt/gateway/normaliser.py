"""From samples to Wh per sub-slot: every sample is judged, what is refused is never averaged away or bridged.

- A power of an instant holds until the meter's next sample, whatever that is, and for no longer than `max_gap`: after a
  longer silence none of it counts. A refused sample ends the hold; from there to the next good one nothing is measured.
- A power with a length is the mean over that length.
- A counter's difference is exact. It belongs whole to the sub-slot that holds the middle of its span; over more than
  `max_gap` and across a border it is not known to which one, and it goes to the account of unallocated energy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from stowatt.gateway.accounts import Accounts
from stowatt.gateway.errors import QueueError
from stowatt.gateway.rules import CHARGE_FACTOR, SENTINEL_SOC, SENTINEL_WATTS, Rules
from stowatt.gateway.samples import MICROSECONDS, NOT_BELIEVED, Cause, Counter, Mark, Sample
from stowatt.gateway.slots import HOUR_US, SlotRecord, SubSlots
from stowatt.units import PPM

_REMEMBERED: Final = 64
"""Samples in which a duplicate is looked for; older ones are late."""
_LONGEST: Final = 86_400 * MICROSECONDS
"""The longest mean that a sample may be."""


@dataclass(frozen=True, slots=True)
class _Point:
    """A counter's value at a time."""

    time: int
    energy: Fraction


class Normaliser:
    """The state between samples; it can be stored and taken up again (`encode`, `restore`)."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.accounts = Accounts()
        self.slots = SubSlots(rules, self.accounts)
        self._last: int | None = None
        """The newest believed time."""
        self._until: int | None = None
        """Everything before it is measured, or booked as a gap."""
        self._power: Fraction | None = None
        """What holds from `_until` on."""
        self._base: _Point | None = None
        """The last good value of the counter."""
        self._suspect: _Point | None = None
        """A counter's value that did not fit; the next one tells whether it restarted there."""
        self._broken = False
        """The clock was set since `_base`: what the counter counts next belongs to no sub-slot."""
        self._ahead: int | None = None
        """A time that lay too far ahead; the next sample may confirm it."""
        self._recent: dict[int, str] = {}

    @property
    def balanced(self) -> bool:
        """Whether every sample and every Wh is in one account."""
        a = self.accounts
        booked = a.recorded + a.capped + a.unallocated + self.slots.pending
        return a.samples_balance and a.discharged == booked

    @property
    def newest(self) -> int | None:
        """The newest time of a sample that was believed, microseconds."""
        return self._last

    def feed(self, sample: Sample) -> list[SlotRecord]:
        """Takes a sample; gives the sub-slots that it completes."""
        cause = self._judge(sample)
        self.accounts.take(cause)
        self._note_fields(sample)
        time = sample.time
        if time is None or cause in NOT_BELIEVED:
            if time is not None and cause is Cause.CONFLICT:
                self.slots.mark(cause.value, time)
            return []
        self._remember(time, sample)
        self.slots.begin(self.rules.position(time))
        if cause is not Cause.USED:
            self.slots.mark(cause.value, time, time + sample.length if sample.length else None)
        if sample.counter is not None:
            return self._count(time, sample.counter) if cause is Cause.USED else []
        if sample.power is None and self._base is not None:
            return []  # the counter did not answer; its next value says what was discharged meanwhile
        self._end_hold(time)
        self._base = None
        if sample.length is not None:
            self._until = time + sample.length
            if cause is Cause.USED and sample.power is not None:
                self._use(sample.power, time, self._until)
            else:
                self.accounts.gap(sample.length)
        elif cause is Cause.USED:
            self._power = sample.power
        return self.slots.seal(self._until if self._until is not None else time)

    def clock_was_set(self) -> None:
        """The gateway's clock jumped: what held until then is not held over it."""
        self.accounts.events["clock_jump"] += 1
        self._power = None
        self._broken = self._base is not None
        if self._last is not None:
            self.slots.mark(Mark.CLOCK_JUMP, self._last)

    def close(self, before: int) -> list[SlotRecord]:
        """Seals what ends by a time (microseconds) although the meter is silent; the hold ends with it."""
        end = self.slots.first_end()
        if end is None or end > before:
            return []
        self._power = None
        return self.slots.seal(before)

    def finish(self) -> list[SlotRecord]:
        """Seals everything: the samples have come to their end."""
        if self._until is None:
            return []
        return self.slots.seal(self.rules.start(self.rules.position(self._until - 1) + 1))

    # ------------------------------------------------------------------ judging

    def _judge(self, sample: Sample) -> Cause:
        if sample.fault is Cause.MALFORMED:
            return sample.fault
        if sample.retained and self._is_old(sample):
            return Cause.RETAINED
        cause = self._judge_time(sample)
        if cause is not None:
            return cause
        if sample.fault is not None:
            return sample.fault
        if sample.power is None and sample.counter is None:
            return Cause.MISSING
        if sample.power is not None and round(sample.power) in SENTINEL_WATTS:
            return Cause.SENTINEL
        if sample.soc is not None and soc_is_sentinel(sample.soc):
            return Cause.SENTINEL_SOC
        if sample.power is not None:
            most = Fraction(self.rules.export_w * (PPM + self.rules.tolerance), PPM)
            if not -CHARGE_FACTOR * self.rules.export_w <= sample.power <= most:
                return Cause.OUT_OF_RANGE
        elif sample.counter is not None and sample.time is not None:
            return self._judge_counter(sample.time, sample.counter)
        return Cause.USED

    def _is_old(self, sample: Sample) -> bool:
        """Whether a retained message tells nothing new."""
        if sample.time is None or self._last is not None:
            return sample.time is not None and self._last is not None and sample.time <= self._last
        return sample.received is not None and sample.received - sample.time > self.rules.max_gap * MICROSECONDS

    def _judge_time(self, sample: Sample) -> Cause | None:
        time, rules = sample.time, self.rules
        if time is None or (sample.length is not None and not 0 < sample.length <= _LONGEST):
            return Cause.MALFORMED
        if not 0 <= rules.position(time) < rules.positions:
            return Cause.OUTSIDE
        if sample.received is not None and time > sample.received + rules.max_skew * MICROSECONDS:
            return Cause.AHEAD
        if self._last is not None:
            known = self._recent.get(time)
            if known is not None:
                return Cause.DUPLICATE if known == sample.content else Cause.CONFLICT
            newest = self._until if sample.length is not None and self._until is not None else self._last
            if time < newest or time == self._last:
                return Cause.LATE
            if sample.received is None and self._jumps(time):
                return Cause.AHEAD
        return Cause.LATE if self.slots.is_sealed(rules.position(time)) else None

    def _jumps(self, time: int) -> bool:
        """Whether a replay's time lies too far ahead, and no sample before has said the same."""
        furthest = self.rules.max_jump * MICROSECONDS
        if self._last is None or time - self._last <= furthest:
            self._ahead = None
            return False
        if self._ahead is not None and 0 <= time - self._ahead <= furthest:
            self._ahead = None
            return False
        self._ahead = time
        return True

    def _judge_counter(self, time: int, counter: Counter) -> Cause:
        if counter.energy < 0 or (counter.wraps_at is not None and counter.energy >= counter.wraps_at):
            return Cause.OUT_OF_RANGE
        if self._base is None or self._difference(self._base, time, counter) is not None:
            return Cause.USED
        if self._suspect is not None and self._difference(self._suspect, time, counter) is not None:
            return Cause.USED
        self._suspect = _Point(time, counter.energy)
        return Cause.RESET if counter.energy < self._base.energy else Cause.OUT_OF_RANGE

    def _difference(self, base: _Point, time: int, counter: Counter) -> Fraction | None:
        """What a counter counted since a point, Wh; None if the device could not have discharged it."""
        difference = counter.energy - base.energy
        if difference < 0 and counter.wraps_at is not None:
            difference += counter.wraps_at
        span = time - base.time
        most = Fraction(self.rules.export_w * (PPM + self.rules.tolerance) * span, PPM * HOUR_US) + counter.step
        return difference if 0 <= difference <= most else None

    def _note_fields(self, sample: Sample) -> None:
        if sample.power is not None and round(sample.power) in SENTINEL_WATTS:
            self.accounts.fields["power_sentinel"] += 1
        if sample.soc is not None and soc_is_sentinel(sample.soc):
            self.accounts.fields["soc_sentinel"] += 1
        elif sample.soc is not None and not 0 <= sample.soc <= 1:
            self.accounts.fields["soc_out_of_range"] += 1

    def _remember(self, time: int, sample: Sample) -> None:
        self._last = time
        self._recent[time] = sample.content
        if len(self._recent) > _REMEMBERED:
            del self._recent[next(iter(self._recent))]

    # ------------------------------------------------------------------ measuring

    def _use(self, power: Fraction, start: int, end: int) -> None:
        if power > self.rules.export_w:
            self.slots.mark(Mark.ABOVE_RATING, start, end)
        self.slots.hold(power, start, end)

    def _end_hold(self, time: int) -> None:
        """What held until now is measured, or was silent for too long."""
        if self._until is not None and time > self._until:
            if self._power is not None and time - self._until <= self.rules.max_gap * MICROSECONDS:
                self._use(self._power, self._until, time)
            else:
                self.accounts.gap(time - self._until)
        self._power = None
        self._until = time

    def _count(self, time: int, counter: Counter) -> list[SlotRecord]:
        if self._base is None:
            self._end_hold(time)
        else:
            difference = self._difference(self._base, time, counter)
            if difference is None:
                assert self._suspect is not None
                self.accounts.events["counter_restart"] += 1
                self.accounts.gap(self._suspect.time - self._base.time)
                self._base, self._broken = self._suspect, False
                difference = self._difference(self._base, time, counter)
            assert difference is not None
            self._add_difference(self._base, time, counter, difference)
        self._base, self._suspect, self._broken = _Point(time, counter.energy), None, False
        self._until = time
        return self.slots.seal(time)

    def _add_difference(self, base: _Point, time: int, counter: Counter, difference: Fraction) -> None:
        known = self.rules.position(base.time) == self.rules.position(time - 1)
        if self._broken or not (known or time - base.time <= self.rules.max_gap * MICROSECONDS):
            self.accounts.gap(time - base.time)
            self.slots.lose(difference)
            return
        if counter.energy < base.energy:
            self.slots.mark(Mark.WRAP, time - 1)
        self.slots.count(difference, base.time, time)

    # ------------------------------------------------------------------ storing

    def encode(self) -> str:
        """The state as text."""
        return json.dumps(
            {
                "accounts": self.accounts.encode(),
                "slots": self.slots.encode(),
                "last": self._last,
                "until": self._until,
                "power": None if self._power is None else str(self._power),
                "base": _encode(self._base),
                "suspect": _encode(self._suspect),
                "broken": self._broken,
                "ahead": self._ahead,
                "recent": list(self._recent.items()),
            }
        )

    @classmethod
    def restore(cls, rules: Rules, text: str) -> Normaliser:
        """The inverse of `encode`."""
        self = cls(rules)
        try:
            value: dict[str, Any] = json.loads(text)
            self.accounts = Accounts.decode(value["accounts"])
            self.slots = SubSlots(rules, self.accounts)
            self.slots.restore(value["slots"])
            self._last, self._until, self._ahead = value["last"], value["until"], value["ahead"]
            self._power = None if value["power"] is None else Fraction(value["power"])
            self._base, self._suspect = _decode(value["base"]), _decode(value["suspect"])
            self._broken = value["broken"]
            self._recent = {int(time): content for time, content in value["recent"]}
        except (KeyError, TypeError, ValueError) as error:
            raise QueueError(f"the queue's state cannot be read ({error})", "restore the queue's file") from None
        return self


def soc_is_sentinel(soc: Fraction) -> bool:
    """Whether a state of charge stands for "none": 6.55 or 6.5535, a 16-bit register of ones."""
    low, high = SENTINEL_SOC
    return low <= soc * 100 <= high


def _encode(point: _Point | None) -> list[Any] | None:
    return None if point is None else [point.time, str(point.energy)]


def _decode(value: list[Any] | None) -> _Point | None:
    return None if value is None else _Point(int(value[0]), Fraction(value[1]))
