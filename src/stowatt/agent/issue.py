"""Issue of allocations (§6): claims for opened bids, payments, refunds of void windows."""

from __future__ import annotations

from collections.abc import Iterable

from stowatt.agent.once import Progress, Step, batches, catch_up, no_progress
from stowatt.audit.events import Claimed, Committed, Defaulted, Paid, Refunded, Revealed
from stowatt.calendar import Phase
from stowatt.chain.client import Claim, Done, MarketClient, MarketReader, phase_name
from stowatt.commitments import NO_TERMS, Slot, SlotKind, Terms, opened_bid_word, read_slot
from stowatt.curves import Side
from stowatt.errors import SettlementError
from stowatt.rights import RightId

ISSUING = (Phase.PAYMENT, Phase.DELIVERY, Phase.SETTLEMENT, Phase.NO_TRADE, Phase.VOID)
"""The phases in which bids are claimed."""


def claim(
    client: MarketClient, windows: Iterable[int], *, participants: Iterable[str] | None = None,
    progress: Progress = no_progress,
) -> list[Step]:  # fmt: skip
    """Issues opened bids, and refunds commitments of void windows; without `participants`, everybody's.

    A window that is not cleared is an error; a bid that was claimed before is left alone.
    """
    catch_up(client)
    steps: list[Step] = []
    for window in windows:
        phase = client.phase(window)
        if phase not in ISSUING:
            raise SettlementError(
                f"window {window} is in phase {phase_name(phase)}, with nothing to claim", "clear it first"
            )
        steps += _claim_window(client, window, phase, participants, progress)
    return steps


def _claim_window(
    client: MarketClient, window: int, phase: Phase, participants: Iterable[str] | None, progress: Progress
) -> list[Step]:
    steps: list[Step] = []
    wanted = list(participants) if participants is not None else bidders(client, window)
    claims: list[tuple[Claim, Side]] = []
    for number, participant in enumerate(wanted, start=1):
        slot = client.slot(window, participant)
        if slot is None or slot.kind is SlotKind.RESOLVED:
            what = "nothing to claim" if slot is None else "claimed"
            steps.append(Step(window, what, False, participant, standing=slot is None))
        elif slot.kind is SlotKind.COMMITTED:
            steps.append(_unopened(client, window, phase, participant, slot))
        else:
            claims.append((opened_claim(client, window, participant, slot), slot.side))
        progress(number, len(wanted))
    for batch in batches(claims):
        rows = [row for row, _ in batch]
        call = client.calls.claim(rows[0]) if len(rows) == 1 else client.calls.claim_many(rows)
        done = client.execute(call)
        steps += [_issued(client, window, row.participant, side, done) for row, side in batch]
        progress(len(steps), len(wanted))
    return steps


def _unopened(client: MarketClient, window: int, phase: Phase, participant: str, slot: Slot) -> Step:
    """A commitment that was never opened: refunded in a void window, else its bond is lost; energy is free."""
    forfeited = "bond forfeited: never revealed"
    if phase is not Phase.VOID and not slot.units:
        return Step(window, forfeited, False, participant, standing=True)
    done = client.execute(client.calls.refund(window, participant))
    if phase is not Phase.VOID:
        return Step(window, forfeited, True, participant, detail=f"{slot.units} energy units free again")
    amount = client.spell(done.only(Refunded).amount)
    return Step(window, "refunded", True, participant, detail=amount)


def _issued(client: MarketClient, window: int, participant: str, side: Side, done: Done) -> Step:
    """What a claim's events say."""
    for back in done.of(Refunded):
        if (back.window, back.participant) == (window, participant):
            return Step(window, "refunded", True, participant, detail=client.spell(back.amount))
    issued = [e for e in done.of(Claimed) if (e.window, e.participant) == (window, participant)]
    if not issued:
        return Step(window, "claimed", False, participant)  # somebody else was quicker
    event = issued[0]
    if not event.quantity:
        return Step(window, "not filled", True, participant, detail=f"{client.spell(event.unlocked)} free again")
    detail = f"{side.word} {event.quantity} Wh, deposit {client.spell(event.deposit)}"
    if any((e.window, e.participant) == (window, participant) for e in done.of(Defaulted)):
        return Step(window, "in default: claimed after the payment deadline", True, participant, detail=detail)
    if side is Side.BUY:
        detail += f", paid {client.spell(event.payment)}" if event.payment else ", payment due"
    right = RightId(participant, window, side).encode()
    return Step(window, "claimed", True, participant, right, detail)


def bidders(reader: MarketReader, window: int) -> list[str]:
    """Who committed in the window, in order."""
    events = reader.events(Committed, window=window)
    return list(dict.fromkeys(event.participant for event in events if isinstance(event, Committed)))


def opened_claim(reader: MarketReader, window: int, participant: str, slot: Slot) -> Claim:
    """The claim of an opened bid: curve and offsets from its opening, the terms from the commitment before it."""
    ring, terms = reader.calendar.ring, NO_TERMS
    for event in reader.events(Committed, Revealed, window=window, participant=participant):
        if isinstance(event, Committed):
            terms = Terms.decode(event.terms)
            continue
        assert isinstance(event, Revealed)
        if read_slot(opened_bid_word(ring, window, event.bid, terms), ring, window) == slot:
            return Claim(window, participant, terms, event.bid)
    raise SettlementError(
        f"the opened bid of {participant} in window {window} does not match its event", "check the ledger's events"
    )


def pay(client: MarketClient, rights: Iterable[RightId]) -> list[Step]:
    """Pays for buyers' rights from this key's free balance; one that is paid already is left alone."""
    catch_up(client)
    steps = []
    for right in rights:
        number = right.encode()
        if right.side is not Side.BUY or right.final:
            raise SettlementError(f"{right.text()} is not a buyer's right", "only buyers' rights are paid for")
        if client.right(number).paid:
            steps.append(Step(right.window, "paid", False, right.participant, number))
            continue
        done = client.execute(client.calls.pay(number))
        amount = client.spell(done.only(Paid).payment)
        steps.append(Step(right.window, "paid", True, right.participant, number, amount))
    return steps
