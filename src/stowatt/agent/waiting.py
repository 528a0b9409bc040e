"""Waiting for a window's times, by the chain's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

from stowatt.calendar import deadlines
from stowatt.chain.client import MarketReader

_POLL: Final = 5.0
"""Seconds between two looks at the chain's clock."""


class Moment(StrEnum):
    """A time of a window, named after what is possible from then on."""

    REVEAL = "reveal"
    CLEARING = "clearing"
    DELIVERY = "delivery"
    START = "start"
    END = "end"
    SETTLEMENT = "settlement"
    LAPSED = "lapsed"


_FIELDS: Final = {
    Moment.REVEAL: "commit",
    Moment.CLEARING: "reveal",
    Moment.LAPSED: "void",
    Moment.DELIVERY: "payment",
    Moment.START: "start",
    Moment.END: "end",
    Moment.SETTLEMENT: "reading",
}
"""The deadline at which each begins."""


class MovableClock(Protocol):
    """The clock of a development chain."""

    def set_time(self, timestamp: int) -> None:
        """Moves it."""


def wait_for(
    reader: MarketReader,
    window: int,
    moment: Moment,
    *,
    clock: MovableClock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Returns once the chain's clock has come to the moment; with a movable clock it is moved there. Gives the time."""
    at: int = getattr(deadlines(reader.calendar, window), _FIELDS[moment])
    if clock is not None and reader.ledger.time() < at:
        clock.set_time(at)
    while (now := reader.ledger.time()) < at:
        sleep(min(_POLL, at - now))
    return at
