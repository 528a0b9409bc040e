"""§3: every clearing redone from the openings – price, volume, residuals, seed, certificate and fills (8)–(22)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stowatt.audit.events import Cleared, NoTrade, Outcome, Voided
from stowatt.audit.state import AuditWindow, State, latest
from stowatt.calendar import Status
from stowatt.clearing import Book, PriceRule, Rationing, Rules, WindowResult, clear, violations
from stowatt.commitments import final_seed
from stowatt.curves import Side


class Clearing:
    """Replays `Clearing.sol`."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings

    def cleared(self, event: Cleared | NoTrade) -> None:
        """The one outcome that the opened bids have."""
        window = self.state.window(event.window, event, "§3")
        if window is None:
            return
        if window.ended is not None:
            self.findings.add(event, "§3", "the window was cleared before", related=[window.ended])
            return
        outcome = self._outcome(window, event)
        books, result = window.books, window.result
        assert result is not None
        kind = NoTrade if result.price is None else Cleared
        causes = latest(sealed.opening for sealed in window.sealed.values())
        if not isinstance(event, kind):
            found = type(event).__name__
            self.findings.add(event, "§3", field="event", found=found, expected=kind.__name__, related=causes)
        elif isinstance(event, Cleared):
            due = {f"outcome.{name}": value for name, value in asdict(outcome).items() if name != "digest"}
            self.findings.compare(event, "§3, §5", due, related=causes)
        else:
            names = ("seed", "unopened_sellers", "unopened_buyers")
            self.findings.compare(event, "§5", {name: getattr(outcome, name) for name in names}, related=causes)
        self._check_digest(event, window, outcome.digest)
        books.clear(result.price, result.volume, event.time)
        window.ended = event

    def voided(self, event: Voided) -> None:
        """Not cleared in time: everybody gets everything back (T16)."""
        window = self.state.window(event.window, event, "§6 T16")
        if window is None:
            return
        self._check_digest(event, window, window.digest)
        window.books.void(event.time)

    def _outcome(self, window: AuditWindow, event: Cleared | NoTrade) -> Outcome:
        calendar = self.state.calendar
        seed = final_seed(window.number, window.accumulator)
        rules = Rules(PriceRule(calendar.price_rule), Rationing(calendar.rationing), seed)
        book = Book.of(window.bids)
        result = clear(book, rules)
        for violation in violations(book, rules, result):
            self.findings.add(event, "§3", f"the clearing is not proved: {violation}")
        window.result = result
        window.fills = {fill.participant: fill.quantity for fill in result.fills}
        return Outcome(
            **_sides(result),
            seed=seed,
            unopened_sellers=window.unopened(Side.SELL),
            unopened_buyers=window.unopened(Side.BUY),
            digest=window.digest,
        )

    def _check_digest(self, event: Cleared | NoTrade | Voided, window: AuditWindow, digest: int) -> None:
        """All commitments, the unopened ones too: what does not open is bound by the digest alone."""
        name = "outcome.digest" if isinstance(event, Cleared) else "digest"
        opened = {id(s.event): s.side for s in window.sealed.values() if s.opening is not None}
        # an opening proves all of a commitment but the energy units of a seller's
        sells = [other for other in window.commitments if opened.get(id(other)) is Side.SELL]
        unproved = [other for other in window.commitments if id(other) not in opened]
        self.findings.compare(
            event, "§5", {name: digest}, message="the digest of all commitments", related=[*sells, *unproved]
        )


def _sides(result: WindowResult) -> dict[str, Any]:
    """λ, V and the cohorts around λ."""
    return {
        "tick": result.price or 0,
        "volume": result.volume,
        "supply_below": result.supply.better,
        "supply_at": result.supply.size,
        "demand_above": result.demand.better,
        "demand_at": result.demand.size,
    }


def status_word(status: Status) -> str:
    """A window's status as people read it."""
    return status.name.lower().replace("_", " ")
