"""The embedded ledger's clock: the system's time, or one that moves only when it is told to. It never goes back."""

from __future__ import annotations

import time as system
from collections.abc import Callable
from dataclasses import dataclass, replace

from stowatt.chain.errors import ClockError

_LATEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Clock:
    """`offset` is added to the system's time; a `fixed` clock stands still at that time instead."""

    offset: int = 0
    fixed: int | None = None

    def reading(self, source: Callable[[], float] = system.time) -> int:
        """Unix seconds."""
        return self.fixed if self.fixed is not None else int(source()) + self.offset

    def moved_to(self, timestamp: int, head: int, source: Callable[[], float] = system.time) -> Clock:
        """The clock showing `timestamp`; it goes on as before (ticking, or standing still)."""
        if not head <= timestamp <= _LATEST:
            raise ClockError(
                f"the clock cannot be set to {timestamp}", f"give a time from {head}, the newest block's, on"
            )
        if self.fixed is not None:
            return replace(self, fixed=timestamp)
        return replace(self, offset=timestamp - int(source()))

    def encode(self) -> str:
        """For the ledger's settings."""
        return f"fixed {self.fixed}" if self.fixed is not None else f"system {self.offset}"

    @classmethod
    def decode(cls, text: str) -> Clock:
        """The inverse of `encode`."""
        kind, _, number = text.partition(" ")
        return cls(fixed=int(number)) if kind == "fixed" else cls(offset=int(number))
