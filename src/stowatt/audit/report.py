"""What an audit finds: a verdict for each window and for the market, every mismatch by name, and the day's totals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from stowatt.audit.events import Event


class Verdict(StrEnum):
    """The auditor's judgement."""

    PROVED = "proved"
    """Everything is over, and every figure follows from the rules."""
    OPEN = "open"
    """Every figure so far follows from the rules; something is still to come."""
    MISMATCH = "mismatch"
    """Some figure does not follow from the rules."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands."""

    event: str
    """Its type, as in `stowatt.audit.events`."""
    block: int
    index: int
    transaction: str

    @classmethod
    def of(cls, event: Event) -> Place:
        """The place of an event."""
        return cls(type(event).__name__, event.block, event.index, event.transaction)

    def __str__(self) -> str:
        return f"block {self.block}, log {self.index}, {self.event}"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One value that the rules do not give, or one event that they do not allow, or miss."""

    place: Place
    """The event that shows it."""
    field: str
    """The event's field, such as `deposit` or `outcome.tick`; empty if the event as a whole is wrong."""
    found: str
    expected: str
    rule: str
    """Section and equation, such as `§6 (23)`."""
    message: str
    window: int | None
    """The window that it concerns, if any."""
    related: tuple[Place, ...] = ()
    """Other events that the expectation rests on: one of them may be the false one."""

    def __str__(self) -> str:
        field = f".{self.field}" if self.field else ""
        values = f": found {self.found}, expected {self.expected}" if self.field else ""
        message = f": {self.message}" if self.message else ""
        return f"{self.place}{field}{values}{message} ({self.rule})"


@dataclass(frozen=True, slots=True)
class WindowReport:
    """One window."""

    window: int
    verdict: Verdict
    status: str
    """`open`, `traded`, `no trade` or `void`."""
    price: int | None
    """λ, in ticks."""
    volume: int
    """V, Wh."""
    welfare: int
    """tick·Wh."""
    dual: int
    """Φ(λ), tick·Wh; the same as the welfare, which proves the optimum."""
    commitments: int
    opened: int
    claimed: int
    paid: int
    """Wh that buyers paid for in time."""
    metered: int
    """Wh that the window's sellers delivered."""
    payments: int
    """Base units from buyers."""
    earned: int
    """Base units streamed and settled to holders of sellers' rights, without shares of forfeits."""
    compensation: int
    """Base units to holders of buyers' rights."""
    held: int
    """Base units that the window still holds."""
    missing: tuple[str, ...]
    """What is still to come."""
    checks: int
    """Values that were redone and compared, openings and signatures not counted."""

    @property
    def gap(self) -> int:
        """The duality gap."""
        return self.dual - self.welfare


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the market's life. Money is in base units, welfare in tick·Wh."""

    events: int
    checks: int
    """Values that were redone and compared."""
    windows: int
    volume: int
    welfare: int
    payments: int
    earned: int
    compensation: int
    deposited: int
    withdrawn: int
    free: int
    """Free balances now."""
    held: int
    """Bonds, reserves, escrows and pools now."""
    unclaimed: int
    """Tokens sent to the market without a deposit: nobody's balance."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The audit of one market, from its events alone."""

    chain_id: int
    market: str
    tick_size: int
    """Base units per kWh and tick, to read prices and welfare as money."""
    last_block: int
    verdict: Verdict
    windows: tuple[WindowReport, ...]
    mismatches: tuple[Mismatch, ...]
    """All of them, in the order of the chain."""
    notes: tuple[str, ...]
    totals: Totals

    def of_window(self, window: int) -> tuple[Mismatch, ...]:
        """The mismatches of one window."""
        return tuple(mismatch for mismatch in self.mismatches if mismatch.window == window)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        content = asdict(self)
        for row, window in zip(content["windows"], self.windows, strict=True):
            row["gap"] = window.gap
        for row, mismatch in zip(content["mismatches"], self.mismatches, strict=True):
            row["text"] = str(mismatch)
        return content
