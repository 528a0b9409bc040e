"""What an account has in which window, from the chain alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from stowatt.audit.events import Claimed, CommitmentWithdrawn, Committed, Defaulted, Event, Refunded, Revealed
from stowatt.calendar import Phase
from stowatt.chain.client import MarketReader, Refusal
from stowatt.commitments import Terms
from stowatt.curves import Curve, Side
from stowatt.rights import RightId
from stowatt.units import Money, Wh

_KINDS: Final[tuple[type[Event], ...]] = (Committed, CommitmentWithdrawn, Revealed, Claimed, Defaulted, Refunded)


@dataclass(frozen=True, slots=True)
class Position:
    """One account's standing in one window."""

    window: int
    phase: Phase
    side: Side
    state: str
    """One of: committed, withdrawn, refundable, forfeited, revealed, not filled, payment due, claimed, in default,
    settled, refunded."""
    commitment: int
    units: int = 0
    """Energy units that a seller's commitment took of its battery."""
    curve: Curve | None = None
    """Once it is revealed."""
    filled: Wh | None = None
    """Once it is claimed."""
    deposit: Money | None = None
    payment: Money | None = None
    """What a buyer paid at the claim."""


def positions(reader: MarketReader, account: str, windows: Collection[int] | None = None) -> list[Position]:
    """The account's standing by window; without `windows`, in all in which it ever committed."""
    found: dict[int, Position] = {}
    for event in reader.events(*_KINDS, participant=account):
        _apply(found, event)
    wanted = sorted(found) if windows is None else sorted(found.keys() & set(windows))
    return [_as_of_now(reader, account, found[window]) for window in wanted]


def _apply(found: dict[int, Position], event: Event) -> None:
    """One event more."""
    match event:
        case Committed(window=window, commitment=commitment, terms=word):
            terms = Terms.decode(word)
            found[window] = Position(window, Phase.COMMIT, terms.side, "committed", commitment, terms.units)
        case CommitmentWithdrawn(window=window):
            found[window] = replace(found[window], state="withdrawn")
        case Revealed(window=window, bid=bid):
            curve = Curve.decode(found[window].side, bid[: len(bid) // 2])
            found[window] = replace(found[window], state="revealed", curve=curve)
        case Claimed(window=window, quantity=quantity, deposit=deposit, payment=payment):
            state = "claimed" if quantity else "not filled"
            found[window] = replace(
                found[window], state=state, filled=Wh(quantity), deposit=Money(deposit), payment=Money(payment)
            )
        case Defaulted(window=window):
            found[window] = replace(found[window], state="in default")
        case Refunded(window=window):
            found[window] = replace(found[window], state="refunded")
        case _:
            raise AssertionError(f"{type(event).__name__} was not asked for")


def _as_of_now(reader: MarketReader, account: str, position: Position) -> Position:
    """What the events of the account do not say: the phase, a deadline that passed, a payment, a settlement."""
    position = replace(position, phase=reader.phase(position.window))
    if position.state == "committed" and position.phase not in (Phase.COMMIT, Phase.REVEAL, Phase.CLEARING):
        waits = position.phase in (Phase.LAPSED, Phase.VOID)
        return replace(position, state="refundable" if waits else "forfeited")
    if position.state == "refunded" and position.phase is not Phase.VOID:
        return replace(position, state="forfeited")  # its energy came back, not its bond
    if position.state != "claimed":
        return position
    number = RightId(account, position.window, position.side).encode()
    try:
        return position if reader.right(number).paid else replace(position, state="payment due")
    except Refusal:
        return replace(position, state="settled")
