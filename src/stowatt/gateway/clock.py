"""The gateway's clock, and noticing that somebody set it.

The wall clock says when a sample came; a second clock, which nobody sets, says how much time has passed. If the two
disagree by more than `LARGEST_STEP` between two looks, the wall clock was set.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from stowatt.gateway.samples import MICROSECONDS

LARGEST_STEP: Final = 2.0
"""Seconds: a slewing NTP client moves the clock by less than that between two looks."""


class ClockWatch:
    """Tells whether the wall clock was set since the last look."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()
        self.last_jump = 0.0
        """Seconds by which the clock was set; positive: forward."""

    def now(self) -> int:
        """The wall clock, microseconds."""
        return int(self._wall() * MICROSECONDS)

    def jumped(self) -> bool:
        """Whether the clock was set since the last call."""
        offset = self._wall() - self._steady()
        step, self._offset = offset - self._offset, offset
        if abs(step) <= LARGEST_STEP:
            return False
        self.last_jump = step
        return True
