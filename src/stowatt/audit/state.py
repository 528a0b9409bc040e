"""What a replay knows at a moment: the market's books, and what the next events of the transaction must be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import to_checksum_address

from stowatt.audit.events import (
    Cleared,
    Committed,
    Event,
    MarketDeployed,
    NoTrade,
    Revealed,
    RightTransfer,
    TokenTransfer,
)
from stowatt.audit.findings import Findings
from stowatt.audit.registry import RegistryBook
from stowatt.audit.tokens import AuditVault
from stowatt.calendar import Calendar, Status
from stowatt.clearing import WindowResult
from stowatt.commitments import Terms
from stowatt.curves import Curve, Side
from stowatt.metering import delivery_domain
from stowatt.settlement.ledger import WindowBooks
from stowatt.typed_data import Domain


@dataclass(frozen=True, slots=True)
class Subject:
    """What is audited, and what the auditor knows of it from elsewhere."""

    chain_id: int
    market: str
    calendar: Calendar | None = None
    """The parameters that the members agreed on, to be compared with the deployed ones."""
    token: str | None = None
    registry: str | None = None
    rights: str | None = None
    delivery: str | None = None

    def __post_init__(self) -> None:
        for name in ("market", "token", "registry", "rights", "delivery"):
            address = getattr(self, name)
            if address is not None:
                object.__setattr__(self, name, str(to_checksum_address(address)))


@dataclass(slots=True)
class Sealed:
    """A commitment that stands."""

    event: Committed
    terms: Terms
    """A seller's as the rules give them, with the units that the event names."""
    fingerprint: bytes
    opening: Revealed | None = None

    @property
    def side(self) -> Side:
        """A bid that holds no energy is a buyer's."""
        return self.terms.side


@dataclass(slots=True)
class AuditWindow:
    """One window's books."""

    books: WindowBooks
    opened: Event
    sealed: dict[str, Sealed] = field(default_factory=dict)
    commitments: list[Event] = field(default_factory=list)
    """Every event that changed a commitment."""
    digest: int = 0
    """A chain over the slot words of all commitments, and over what withdrawals leave; 200 bits."""
    bids: list[tuple[str, Curve]] = field(default_factory=list)
    """The opened bids in order of reveal."""
    book: dict[tuple[Side, int], int] = field(default_factory=dict)
    """Wh by side and tick."""
    accumulator: int = 0
    """Of the seed."""
    ended: Cleared | NoTrade | None = None
    result: WindowResult | None = None
    fills: dict[str, int] = field(default_factory=dict)
    claimed: int = 0
    earned: int = 0
    compensation: int = 0
    payments: int = 0
    readings: dict[int, list[Event]] = field(default_factory=dict)
    """By device: its readings, vouchers and opened sums."""

    @property
    def number(self) -> int:
        """The window."""
        return self.books.window

    def unopened(self, side: Side) -> int:
        """Commitments on that side that are not opened."""
        return sum(sealed.side is side and sealed.opening is None for sealed in self.sealed.values())


@dataclass(frozen=True, slots=True)
class Due:
    """An event that the rules demand next in the transaction."""

    kind: type[Event]
    values: dict[str, Any]
    cause: Event
    rule: str
    window: int | None


@dataclass(slots=True)
class State:
    """The whole market."""

    subject: Subject
    findings: Findings
    deployed: MarketDeployed
    calendar: Calendar
    registry: RegistryBook
    vault: AuditVault = field(default_factory=AuditVault)
    windows: dict[int, AuditWindow] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    """The window that holds each place of the ring."""
    bids_at: dict[tuple[str, int], int] = field(default_factory=dict)
    """The window of the last commitment of each account and place of the ring."""
    owners: dict[int, str] = field(default_factory=dict)
    """Holder of each right and settlement token."""
    last_transfers: dict[int, RightTransfer] = field(default_factory=dict)
    due: deque[Due] = field(default_factory=deque)
    incoming: TokenTransfer | None = None
    """A transfer to the market that no deposit answered yet."""
    last_token: TokenTransfer | None = None
    """The last transfer of the token in this transaction, whoever it concerns."""
    held: dict[int, int] = field(default_factory=dict)
    held_total: int = 0
    touched: set[int] = field(default_factory=set)
    """Windows whose money may have changed in this transaction."""
    reported_surplus: int = 0
    meters: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By device: last counter, and 1 + its last sub-slot counted from the calendar's origin."""
    counted: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """By window and device, also of windows that nobody opened: sub-slots that are counted, and their Wh."""
    records: dict[str, Event] = field(default_factory=dict)
    """By account: the last event that moved its reliability."""

    @property
    def readings_domain(self) -> Domain:
        """What meters sign for."""
        return delivery_domain(self.subject.chain_id, self.deployed.wiring.delivery)

    def window(self, number: int, event: Event, rule: str) -> AuditWindow | None:
        """The window's books; a mismatch and None if it was never opened."""
        known = self.windows.get(number)
        if known is None:
            idle = [window.opened for window in self.windows.values() if not window.commitments]
            self.findings.add(
                event, rule, f"window {number} was never opened: its WindowOpened is missing or altered",
                window=number, related=idle,
            )  # fmt: skip
            return None
        self.touched.add(number)
        return known

    def expect(self, kind: type[Event], cause: Event, rule: str, concerns: int | None = None, /, **values: Any) -> None:
        """The next event of this transaction must be this one; `concerns` is a window."""
        self.due.append(Due(kind, values, cause, rule, concerns))

    def settle_accounts(self) -> None:
        """Brings the sum of what the windows hold up to date."""
        for number in self.touched:
            now = int(self.windows[number].books.held())
            self.held_total += now - self.held.get(number, 0)
            self.held[number] = now
        self.touched.clear()


def is_open(window: AuditWindow) -> bool:
    """Whether the window holds its place of the ring (T17)."""
    return window.books.status is Status.OPEN


def latest(events: Iterable[Event | None]) -> list[Event]:
    """The events that there are."""
    return [event for event in events if event is not None]
