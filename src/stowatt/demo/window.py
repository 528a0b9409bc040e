"""One window while it runs: what was planned, and what the chain's events say so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from stowatt.audit.events import Claimed, Cleared, Defaulted, Event, NoTrade, Revealed
from stowatt.calendar import Deadlines
from stowatt.clearing import WindowResult
from stowatt.commitments import Terms
from stowatt.curves import Side
from stowatt.demo.evidence import Evidence
from stowatt.demo.troubles import Kind, Trouble
from stowatt.rights import RightId
from stowatt.simulation.evening import PlannedWindow

E = TypeVar("E", bound=Event)


@dataclass
class WindowRun:
    """The state of one window."""

    planned: PlannedWindow
    times: Deadlines
    troubles: tuple[Trouble, ...]
    evidence: Evidence = Evidence.READINGS
    """How its deliveries are proved."""
    terms: dict[str, Terms] = field(default_factory=dict)
    """What each commitment binds, by account."""
    events: list[Event] = field(default_factory=list)
    """Its events, as the receipts bring them."""
    result: WindowResult | None = None
    """What the engine makes of the openings; compared with the contract's outcome."""
    parts: list[RightId] = field(default_factory=list)
    """Rights that came from splitting."""

    @property
    def number(self) -> int:
        """The window's number on chain."""
        return self.planned.number

    @property
    def start(self) -> datetime:
        """Start of delivery on the community's clock."""
        return self.planned.start

    def trouble(self, kind: Kind) -> Trouble | None:
        """The window's trouble of that kind."""
        return next((trouble for trouble in self.troubles if trouble.kind is kind), None)

    def of(self, kind: type[E]) -> Iterator[E]:
        """Its events of one kind, in their order."""
        return (event for event in self.events if isinstance(event, kind))

    @property
    def sides(self) -> dict[str, Side]:
        """Side of each account that committed."""
        return {account: terms.side for account, terms in self.terms.items()}

    @property
    def closed(self) -> bool:
        """Whether it is cleared, with a trade or without."""
        return any(True for _ in self.of(Cleared)) or any(True for _ in self.of(NoTrade))

    @property
    def unopened(self) -> int:
        """Commitments that are not opened."""
        return len(self.sides) - sum(1 for _ in self.of(Revealed))

    def fills(self, side: Side) -> dict[str, int]:
        """Claimed fills of a side, by account, those in default taken off."""
        gone = {event.participant for event in self.of(Defaulted)}
        return {
            event.participant: event.quantity
            for event in self.of(Claimed)
            if event.quantity and self.sides[event.participant] is side and event.participant not in gone
        }

    @property
    def volume(self) -> int:
        """V, Wh."""
        return next((event.outcome.volume for event in self.of(Cleared)), 0)

    @property
    def price(self) -> int | None:
        """λ, a tick; None without a trade."""
        return next((event.outcome.tick for event in self.of(Cleared)), None)

    def rights(self, side: Side) -> list[RightId]:
        """The rights of a side that wait for their settlement."""
        whole = [RightId(account, self.number, side) for account in self.fills(side)]
        return whole + [part for part in self.parts if part.side is side]
