"""Sealing, committing, withdrawing and revealing bids (§5).

An opening is on the disk before its commitment goes on the wire. Which of several stored openings stands is what the
chain's last Committed event says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from stowatt.agent.once import Progress, Step, batches, catch_up, no_progress
from stowatt.audit.events import Committed, Revealed
from stowatt.calendar import Phase, deadlines
from stowatt.chain.client import Admission, Commitment, MarketClient, MarketReader, Opening, Refusal, phase_name
from stowatt.commitments import BidContext, SlotKind, Terms, units_held
from stowatt.curves import Curve, Side
from stowatt.errors import CommitmentError, CurveError
from stowatt.openings import Opening as Sealed
from stowatt.openings import OpeningStore
from stowatt.settlement.capacity import UNITS, budget, capacity, units_for
from stowatt.settlement.deposits import locked, reserve
from stowatt.settlement.reliability import seller_alpha
from stowatt.units import Money, Wh

COMMITMENTS_AT_ONCE = 200
"""In one transaction; a commitment takes some 45,000 gas."""


@dataclass(frozen=True, slots=True)
class Order:
    """A bid that is to stand in a window."""

    window: int
    curve: Curve
    units: int | None = None
    """Energy units of Q_max/64 that a seller's commitment takes of its battery; None: the fewest that hold the curve.

    They are public at once and tell an upper bound of the quantity; see `equal_units`.
    """


def units_of(order: Order, limit: Wh) -> int:
    """The units that the order's commitment names; 0 for a buyer's."""
    if order.curve.side is Side.BUY:
        return 0
    return units_for(order.curve.total, limit) if order.units is None else order.units


def equal_units(orders: Sequence[Order], limit: Wh) -> list[Order]:
    """Sellers' orders that all name the units of the largest, so that the units tell nothing of each one's quantity."""
    sells = [order for order in orders if order.curve.side is Side.SELL and order.curve.total <= limit]
    most = max((units_of(order, limit) for order in sells), default=None)
    return [replace(order, units=most) if order in sells else order for order in orders]


class Bidding:
    """The bids of one key, with the file of its openings."""

    def __init__(self, client: MarketClient, store: OpeningStore) -> None:
        self.client, self.store = client, store

    # ------------------------------------------------------------------ commit

    def commit(self, orders: Sequence[Order], progress: Progress = no_progress) -> list[Step]:
        """Makes these bids stand, all in one transaction where they fit; a bid that stands already is left alone."""
        catch_up(self.client)
        _require_distinct(orders)
        admission = self._admission(orders)
        for order in orders:
            self.check(order, admission)
        self._require_energy(orders, admission)
        live = self._committed()
        sealed, steps = [], []
        for number, order in enumerate(orders, start=1):
            opening, stands = self._sealed(order, admission, live.get(order.window, []))
            need = self.client.spell(self.worst_case(order.curve, admission))
            curve, units = order.curve, units_of(order, admission.limit)
            detail = f"{curve.side.word} {curve.total} Wh in {len(curve.segments)} step(s); locks {need} at the reveal"
            if units:
                detail += f", {units} of {admission.capacity} energy units now"
            steps.append(Step(order.window, "committed", not stands, self.client.address, detail=detail))
            if not stands:
                sealed.append(Commitment(order.window, units, opening.commitment))
            progress(number, len(orders))
        calls = self.client.calls
        for batch in batches(sealed, COMMITMENTS_AT_ONCE):
            self.client.execute(calls.commit(batch[0]) if len(batch) == 1 else calls.commit_many(batch))
        return steps

    def check(self, order: Order, admission: Admission) -> None:
        """Refuses a bid that cannot be committed, or could be committed but never be opened."""
        calendar, curve = self.client.calendar, order.curve
        phase = self.client.phase(order.window)
        if phase is not Phase.COMMIT:
            times = deadlines(calendar, order.window)
            closed = phase is not Phase.NOT_OPEN or self.client.ledger.time() >= times.commit
            raise CommitmentError(
                f"window {order.window} is in phase {phase_name(phase)} and takes no commitments",
                f"its commit deadline was {times.commit} (unix time, §5)"
                if closed
                else f"open it with `market open {order.window}`",
            )
        highest = max(tick for tick, _ in curve.segments)
        if highest >= calendar.ticks:
            raise CurveError(
                f"window {order.window}: tick {highest} is above the price grid",
                f"the highest tick is {calendar.ticks - 1}",
            )
        if curve.side is Side.SELL:
            if admission.device == 0:
                raise CommitmentError(
                    f"{self.client.address} has no device to sell from", "register one with `device register`"
                )
            if curve.total > admission.limit:
                raise CurveError(
                    f"window {order.window}: {curve.total} Wh offered, the device's certified limit is "
                    f"{admission.limit} Wh",
                    "offer less (1)",
                )
            units = units_of(order, admission.limit)
            if not 1 <= units <= UNITS:
                raise CommitmentError(f"window {order.window}: {units} energy units", f"name 1 to {UNITS} (§2)")
            if curve.total > budget(admission.limit, units):
                raise CurveError(
                    f"window {order.window}: {curve.total} Wh offered, {units} energy units hold "
                    f"{budget(admission.limit, units)} Wh",
                    f"name {units_for(curve.total, admission.limit)} units or more, or offer less (§2)",
                )

    def _admission(self, orders: Sequence[Order]) -> Admission:
        """What the market knows of this account; a new device's energy is made known once the old promises end."""
        known = self.client.admission(self.client.address)
        if known.device == 0 or known.promised or all(order.curve.side is Side.BUY for order in orders):
            return known
        device = self.client.device(known.device)
        if capacity(device.usable, device.limit) == known.capacity:
            return known
        self.client.execute(self.client.calls.refresh(self.client.address))
        return self.client.admission(self.client.address)

    def _require_energy(self, orders: Sequence[Order], admission: Admission) -> None:
        """Refuses what would promise more than the battery has (§2, T42), before anything is sealed or sent."""
        promised = admission.promised
        for order in orders:
            # what stands in the window's ring place gives its energy back first
            units = units_of(order, admission.limit)
            promised += units - units_held(self.client.slot_word(order.window, self.client.address))
            if units and promised > admission.capacity:
                raise CommitmentError(
                    f"window {order.window}: with its {units} energy units, {promised} would be promised, "
                    f"{admission.energy(promised)} Wh, and the device has {admission.capacity}, "
                    f"{admission.energy(admission.capacity)} Wh",
                    "offer less or in fewer windows, or settle what is delivered; `claim` frees what was not filled or "
                    "never opened (§2)",
                )

    def worst_case(self, curve: Curve, admission: Admission | None = None) -> Money:
        """What the bid locks once it is opened (§6), by the account's reliability now."""
        c = self.client.calendar
        alpha: int = c.alpha_buyer
        if curve.side is Side.SELL:
            known = admission or self.client.admission(self.client.address)
            alpha = seller_alpha(c.alpha_seller, c.alpha_proven, known.reliability)
        return locked(c.bond, reserve(curve, c.ticks, c.tick_size, alpha))

    def _sealed(self, order: Order, admission: Admission, points: list[int]) -> tuple[Sealed, bool]:
        """The opening to commit to, and whether it stands already. One that never reached the chain is used first."""
        context = self._context(order, admission)
        slot = self.client.slot(order.window, self.client.address)
        stands = slot is not None and slot.kind is SlotKind.COMMITTED and slot.units == units_of(order, admission.limit)
        live = points[-1] if points and stands else None
        known = [o for o in self._stored(order.window) if o.context == context and o.curve == order.curve]
        for opening in known:
            if opening.commitment == live:
                return opening, True
        unused = [opening for opening in known if opening.commitment not in points]
        return (unused[-1] if unused else self.store.seal(context, order.curve)), False

    def _context(self, order: Order, admission: Admission) -> BidContext:
        d, side = self.client.deployment, order.curve.side
        if side is Side.BUY:
            return BidContext(d.chain_id, d.market, order.window, self.client.address, side)
        device, fingerprint = admission.device, admission.fingerprint
        return BidContext(d.chain_id, d.market, order.window, self.client.address, side, device, fingerprint)

    def _stored(self, window: int, participant: str | None = None) -> list[Sealed]:
        d = self.client.deployment
        return self.store.of_window(d.chain_id, d.market, window, participant or self.client.address)

    def _committed(self) -> dict[int, list[int]]:
        """By window, all commitments that this key ever made there, in order."""
        found: dict[int, list[int]] = {}
        for event in self.client.events(Committed, participant=self.client.address):
            assert isinstance(event, Committed)
            found.setdefault(event.window, []).append(event.commitment)
        return found

    # ------------------------------------------------------------------ withdraw

    def withdraw(self, windows: Iterable[int]) -> list[Step]:
        """Takes commitments back; one that was taken back before is left alone."""
        catch_up(self.client)
        steps = []
        for window in windows:
            slot = self.client.slot(window, self.client.address)
            if slot is not None and slot.kind is SlotKind.RESOLVED:
                steps.append(Step(window, "withdrawn", False, self.client.address))
                continue
            self.client.execute(self.client.calls.withdraw_commitment(window))
            steps.append(Step(window, "withdrawn", True, self.client.address))
        return steps

    # ------------------------------------------------------------------ reveal

    def reveal(
        self, windows: Sequence[int] | None = None, *, everybody: bool = False, progress: Progress = no_progress
    ) -> list[Step]:
        """Opens what is committed and can be opened now; without `windows`, in all windows that take openings.

        With `everybody`, for all participants whose openings the file holds, as a relay does.
        """
        catch_up(self.client)
        asked = windows is not None
        chosen = list(windows) if windows is not None else windows_in_reveal(self.client)
        steps, openings = [], []
        for number, window in enumerate(chosen, start=1):
            for participant in self._participants(window, everybody):
                step, opening = self._opening(window, participant, asked)
                if step is not None:
                    steps.append(step)
                if opening is not None:
                    openings.append(opening)
            progress(number, len(chosen))
        return steps + self._send(openings, progress)

    def _participants(self, window: int, everybody: bool) -> list[str]:
        if not everybody:
            return [self.client.address]
        d = self.client.deployment
        stored = self.store.of_window(d.chain_id, d.market, window)
        return sorted({opening.context.participant for opening in stored})

    def _opening(self, window: int, participant: str, asked: bool) -> tuple[Step | None, Opening | None]:
        """The stored opening of the commitment that stands, or what there is to say instead."""
        slot = self.client.slot(window, participant)
        if slot is None or slot.kind is SlotKind.RESOLVED:
            if asked and slot is None:
                raise CommitmentError(f"{participant} has no commitment in window {window}", "nothing can be revealed")
            return (Step(window, "claimed or withdrawn", False, participant) if asked else None), None
        if slot.kind is SlotKind.OPENED:
            return Step(window, "revealed", False, participant), None
        last = self.client.committed(window, participant)
        assert last is not None
        sealed = self.store.of_commitment(last.commitment)
        if sealed is None:
            raise CommitmentError(
                f"the opening of {participant}'s commitment in window {window} is not in the file of openings",
                "reveal from the machine that committed; without the opening the bond is lost",
            )
        self._require_reveal_phase(window)
        return None, Opening(sealed.context, Terms.decode(last.terms), sealed.curve, sealed.blinder)

    def _require_reveal_phase(self, window: int) -> None:
        phase = self.client.phase(window)
        if phase is not Phase.REVEAL:
            times = deadlines(self.client.calendar, window)
            raise CommitmentError(
                f"window {window} is in phase {phase_name(phase)}",
                f"reveal from {times.commit} until before {times.reveal} (unix time, §5)",
            )

    def _send(self, openings: list[Opening], progress: Progress) -> list[Step]:
        """Opens in batches. What the contract would refuse is found out first: in a batch it is skipped silently."""
        steps, good = [], []
        calls = self.client.calls
        for opening in openings:
            try:
                self.client.try_call(calls.reveal(opening))
                good.append(opening)
            except Refusal as refusal:
                if len(openings) == 1:
                    raise
                steps.append(_step(opening, "refused", str(refusal)))
        opened: set[tuple[int, str]] = set()
        for batch in batches(good):
            call = calls.reveal(batch[0]) if len(batch) == 1 else calls.reveal_many(batch)
            opened |= {(e.window, e.participant) for e in self.client.execute(call).of(Revealed)}
            progress(len(opened), len(good))
        for opening in good:
            done = (opening.context.window, opening.context.participant) in opened
            steps.append(_step(opening, "revealed" if done else "refused"))
        return steps


def windows_in_reveal(reader: MarketReader) -> list[int]:
    """The windows whose openings are taken now, by the calendar alone."""
    calendar, now = reader.calendar, reader.ledger.time()
    first = max(0, (now + calendar.reveal_lead - calendar.origin) // calendar.length)
    last = min(calendar.last_window, (now + calendar.commit_lead - calendar.origin) // calendar.length)
    times = ((window, deadlines(calendar, window)) for window in range(first, last + 1))
    return [window for window, at in times if at.commit <= now < at.reveal]


def _step(opening: Opening, what: str, detail: str = "") -> Step:
    refused = what == "refused"
    return Step(opening.context.window, what, not refused, opening.context.participant, detail=detail, standing=refused)


def _require_distinct(orders: Sequence[Order]) -> None:
    """One bid for each window: an account is on one side only (§2)."""
    seen: set[int] = set()
    for order in orders:
        if order.window in seen:
            raise CommitmentError(f"two bids for window {order.window}", "one account has one bid in a window (§2)")
        seen.add(order.window)
