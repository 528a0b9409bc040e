"""The notebook of a replay: every mismatch, as it is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from stowatt.audit.events import Event
from stowatt.audit.report import Mismatch, Place

MOST_RELATED: Final = 64
"""Events that a mismatch points at besides its own, at most."""


class Findings:
    """Mismatches and notes in the order in which they were found."""

    def __init__(self) -> None:
        self.mismatches: list[Mismatch] = []
        self.notes: list[str] = []
        self.checks: Counter[int | None] = Counter()
        """Values that were redone and compared, by window."""

    def add(
        self,
        event: Event,
        rule: str,
        message: str = "",
        *,
        field: str = "",
        found: object = "",
        expected: object = "",
        window: int | None = None,
        related: Iterable[Event | None] = (),
    ) -> None:
        """Notes a mismatch. An event without a window of its own can be assigned to one."""
        if window is None:
            window = window_of(event)
        places = dict.fromkeys(Place.of(other) for other in related if other is not None)
        self.mismatches.append(
            Mismatch(
                Place.of(event), field, shown(found), shown(expected), rule, message, window, (*places,)[-MOST_RELATED:]
            )
        )

    def compare(
        self,
        event: Event,
        rule: str,
        expected: Mapping[str, Any],
        *,
        message: str = "",
        window: int | None = None,
        related: Iterable[Event | None] = (),
    ) -> bool:
        """Notes every field that differs from what the rules give; `outcome.tick` is a field of a field."""
        related = tuple(related)
        same = True
        self.checks[window_of(event) if window is None else window] += len(expected)
        for name, value in expected.items():
            found: Any = event
            for part in name.split("."):
                found = getattr(found, part)
            if found != value:
                same = False
                self.add(event, rule, message, field=name, found=found, expected=value, window=window, related=related)
        return same


def window_of(event: Event) -> int | None:
    """The window that an event names, by itself or in a right's id (25)."""
    for name in ("right_id", "token_id"):
        number = getattr(event, name, None)
        if number is not None:
            return int(number) >> 160 & 0xFFFFFFFF
    return getattr(event, "window", None)


def shown(value: object) -> str:
    """A value as a report spells it."""
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
