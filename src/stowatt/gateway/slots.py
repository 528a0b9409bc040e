"""Sub-slots while they are measured, and their sealing into whole Wh.

A sealed sub-slot's Wh is rounded down, and the rest is carried into the next record, so that over any span the records
and the rest add up to what was measured. A sub-slot in which nothing was measured makes no record: the meter signs no
zero that it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from stowatt.gateway.accounts import Accounts
from stowatt.gateway.rules import Rules
from stowatt.gateway.samples import MICROSECONDS, Mark
from stowatt.units import SECONDS_PER_HOUR, Wh

HOUR_US = SECONDS_PER_HOUR * MICROSECONDS


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """A sealed sub-slot."""

    position: int
    """Counted from the calendar's beginning."""
    window: int
    sub_slot: int
    energy: Wh
    """Discharged, Wh."""
    measured: int
    """How much of it was measured, microseconds."""
    marks: tuple[str, ...]
    """`Mark`s, and the causes of the samples that were refused in it."""

    @property
    def empty(self) -> bool:
        """Whether nothing was measured, so that there is nothing to sign."""
        return self.measured == 0


@dataclass
class _Open:
    """A sub-slot that is not sealed."""

    energy: Fraction = Fraction(0)
    """Wh."""
    measured: int = 0
    """Microseconds."""
    marks: set[str] = field(default_factory=set)


class SubSlots:
    """The open sub-slots, the rest that is carried, and the books that they are sealed into."""

    def __init__(self, rules: Rules, accounts: Accounts) -> None:
        self.rules, self.accounts = rules, accounts
        self.sealed: int | None = None
        """Every sub-slot before this one is sealed; None before the first sample."""
        self.carry = Fraction(0)
        """Measured and not recorded yet, less than 1 Wh after each sealing."""
        self._open: dict[int, _Open] = {}

    @property
    def pending(self) -> Fraction:
        """Measured and in no record yet, Wh."""
        return self.carry + sum((slot.energy for slot in self._open.values()), Fraction(0))

    def begin(self, position: int) -> None:
        """The first sample fixes where the sub-slots begin."""
        if self.sealed is None:
            self.sealed = position

    def is_sealed(self, position: int) -> bool:
        """Whether it is too late to add anything to a sub-slot."""
        return self.sealed is not None and position < self.sealed

    def hold(self, power: Fraction, start: int, end: int) -> None:
        """Adds a power over a span that was measured. Charging counts as 0 discharged, and in its own account."""
        if power < 0:
            self.accounts.charged += -power * (end - start) / HOUR_US
        for position, length in self._parts(start, end):
            energy = power * length / HOUR_US if power > 0 else Fraction(0)
            self.accounts.discharged += energy
            if self.is_sealed(position):
                self.accounts.unallocated += energy
            else:
                slot = self._slot(position)
                slot.energy += energy
                slot.measured += length

    def count(self, energy: Fraction, start: int, end: int) -> None:
        """Adds a counter's difference over a span: whole to the sub-slot that holds the span's middle."""
        self.accounts.discharged += energy
        middle = self.rules.position((start + end) // 2)
        for position, length in self._parts(start, end):
            if not self.is_sealed(position):
                self._slot(position).measured += length
        if self.is_sealed(middle):
            self.accounts.unallocated += energy
        else:
            self._slot(middle).energy += energy

    def lose(self, energy: Fraction) -> None:
        """Books a counter's difference of which it is not known in which sub-slot it was discharged."""
        self.accounts.discharged += energy
        self.accounts.unallocated += energy

    def mark(self, name: str, start: int, end: int | None = None) -> None:
        """Marks the sub-slots of a span (microseconds), or the one that covers a time."""
        for position in range(self.rules.position(start), self.rules.position((end or start + 1) - 1) + 1):
            if not self.is_sealed(position):
                self._slot(position).marks.add(name)

    def seal(self, before: int) -> list[SlotRecord]:
        """Seals every sub-slot that ends by a time (microseconds)."""
        until = self.rules.position(before)
        if self.sealed is None or until <= self.sealed:
            return []
        due = sorted(position for position in self._open if position < until)
        records = [self._seal(position, self._open.pop(position)) for position in due]
        empty = until - self.sealed - sum(not record.empty for record in records)
        if empty:
            self.accounts.slots["empty"] += empty
        self.sealed = until
        return records

    def first_end(self) -> int | None:
        """Where the first open sub-slot ends, microseconds; None if none is open."""
        return self.rules.start(min(self._open) + 1) if self._open else None

    def _seal(self, position: int, slot: _Open) -> SlotRecord:
        total = slot.energy + self.carry
        whole = total.numerator // total.denominator
        energy = Wh(min(whole, self.rules.cap)) if slot.measured else Wh(0)
        if slot.measured:
            self.carry = total - whole
            self.accounts.capped += whole - energy
            if whole > energy:
                slot.marks.add(Mark.CAPPED)
        else:
            self.carry = total
        complete = slot.measured == self.rules.sub_slot * MICROSECONDS
        if not complete:
            slot.marks.add(Mark.INCOMPLETE)
        if slot.measured:
            self.accounts.slots["complete" if complete else "incomplete"] += 1
        self.accounts.recorded += energy
        self.accounts.marks.update(slot.marks)
        window, number = divmod(position, self.rules.per_window)
        return SlotRecord(position, window, number, energy, slot.measured, tuple(sorted(slot.marks)))

    def _slot(self, position: int) -> _Open:
        return self._open.setdefault(position, _Open())

    def _parts(self, start: int, end: int) -> list[tuple[int, int]]:
        """(sub-slot, microseconds) of a span."""
        parts = []
        while start < end:
            position = self.rules.position(start)
            stop = min(end, self.rules.start(position + 1))
            parts.append((position, stop - start))
            start = stop
        return parts

    def encode(self) -> dict[str, Any]:
        """For the queue."""
        return {
            "sealed": self.sealed,
            "carry": str(self.carry),
            "open": {str(p): [str(s.energy), s.measured, sorted(s.marks)] for p, s in self._open.items()},
        }

    def restore(self, value: dict[str, Any]) -> None:
        """The inverse of `encode`."""
        self.sealed, self.carry = value["sealed"], Fraction(value["carry"])
        self._open = {int(p): _Open(Fraction(e), m, set(marks)) for p, (e, m, marks) in value["open"].items()}
