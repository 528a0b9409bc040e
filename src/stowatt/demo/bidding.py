"""Sealed bids: sealed and stored first, committed for a round of windows at once, opened window by window."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from stowatt import openings as stored
from stowatt.audit.events import Committed
from stowatt.chain.client import Commitment, Opening
from stowatt.commitments import NO_FINGERPRINT, BidContext, Terms
from stowatt.curves import Curve, Side
from stowatt.demo.community import Community, Member
from stowatt.demo.dispatch import Dispatch, Order
from stowatt.demo.window import WindowRun
from stowatt.settlement.capacity import units_for

BATCH: Final = 32
"""Bids, claims or rights that the operator puts into one transaction."""
WRONG_STEPS: Final = 100
"""By how many ticks a wrong opening is better for its bidder than what was committed to."""

T = TypeVar("T")


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The items in groups of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def seal_bids(
    community: Community,
    windows: Sequence[WindowRun],
    store: stored.OpeningStore,
    progress: Callable[[int, int], None] = lambda done, bids: None,
) -> dict[str, list[Commitment]]:
    """Every home's commitments; each opening is on the disk when this returns."""
    done, bids = 0, sum(len(window.planned.bids) for window in windows)
    commitments: dict[str, list[Commitment]] = {member.name: [] for member in community}
    for window in windows:
        members = [community.members[planned.home] for planned in window.planned.bids]
        contexts = [_context(community, member, window.number) for member in members]
        openings = store.seal_many(zip(contexts, (planned.curve for planned in window.planned.bids), strict=True))
        for member, opening in zip(members, openings, strict=True):
            units = units_for(opening.curve.total, member.battery.limit_wh) if member.battery else 0
            commitments[member.name].append(Commitment(window.number, units, opening.commitment))
        progress(done := done + len(openings), bids)
    return commitments


def commit_bids(
    community: Community, windows: Sequence[WindowRun], commitments: dict[str, list[Commitment]], dispatch: Dispatch
) -> None:
    """One transaction a home, for all its windows of the round."""
    orders = []
    for member in community:
        mine = commitments[member.name]
        if mine:
            orders.append(Order(member.client, member.client.calls.commit_many(mine), "commit a round", len(mine)))
    by_number = {window.number: window for window in windows}
    for done in dispatch.send(orders):
        for event in done.of(Committed):
            window = by_number[event.window]
            window.terms[event.participant] = Terms.decode(event.terms)
            window.events.append(event)


def stored_openings(community: Community, window: WindowRun, store: stored.OpeningStore) -> dict[str, Opening]:
    """The openings of one window as they were stored, by home."""
    deployment = community.deployment
    return {
        community.name_of(opening.context.participant): _as_sent(window, opening)
        for opening in store.of_window(deployment.chain_id, deployment.market, window.number)
    }


def changed(opening: Opening) -> Opening:
    """The opening of another bid than the one committed to: an ask that asks more, a bid that pays less."""
    step = WRONG_STEPS if opening.curve.side is Side.SELL else -WRONG_STEPS
    pairs = [(max(0, tick + step), width) for tick, width in opening.curve.segments]
    return replace(opening, curve=Curve.of(opening.curve.side, pairs))


def _context(community: Community, member: Member, window: int) -> BidContext:
    d = community.deployment
    fingerprint = member.battery.fingerprint if member.battery else NO_FINGERPRINT
    return BidContext(d.chain_id, d.market, window, member.address, member.side, member.device, fingerprint)


def _as_sent(window: WindowRun, opening: stored.Opening) -> Opening:
    return Opening(opening.context, window.terms[opening.context.participant], opening.curve, opening.blinder)
