"""§6: delivery redone – signed readings, streamed earnings, final settlement; and the chain of ownership of rights."""

from __future__ import annotations

from collections.abc import Iterable

from stowatt.audit.events import (
    ZERO_ADDRESS,
    BuyerSettled,
    Drawn,
    Event,
    PoolSwept,
    ReadingAccepted,
    RightTransfer,
    SellerSettled,
    Split,
)
from stowatt.audit.state import AuditWindow, State, latest
from stowatt.calendar import LAST_ROUND, deadlines
from stowatt.curves import Side
from stowatt.metering import Reading, SignedReading
from stowatt.rights import RightId
from stowatt.settlement.records import RightId as Key
from stowatt.units import SECONDS_PER_HOUR, Wh


class Rights:
    """Replays `CapacityRights.sol`: who holds a right when it is paid for."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings

    def record(self, event: RightTransfer, to: str, token: int) -> None:
        """A mint, burn or transfer that is in order."""
        self.state.last_transfers[token] = event
        if to == ZERO_ADDRESS:
            self.state.owners.pop(token, None)
        else:
            self.state.owners[token] = to

    def transferred(self, event: RightTransfer) -> None:
        """A holder hands a right on. Mints and burns follow other events only."""
        token, holder = event.token_id, self.state.owners.get(event.token_id, ZERO_ADDRESS)
        right = RightId.decode(token)
        earlier = latest([self.state.last_transfers.get(token)])
        if ZERO_ADDRESS in (event.from_, event.to, holder):
            what = "mint" if event.from_ == ZERO_ADDRESS else "burn" if event.to == ZERO_ADDRESS else "transfer"
            self.findings.add(event, "§6 (25)", f"a {what} of right {token:#x} that nothing explains", field="token_id",
                              found=token, expected="a right that exists, handed on", window=right.window,
                              related=earlier)  # fmt: skip
            return
        self.findings.compare(event, "§6 (25)", {"from_": holder}, message="the holder", window=right.window,
                              related=earlier)  # fmt: skip
        self.record(event, event.to, token)
        if not right.final:
            self.state.windows[right.window].books.transfer(Key(right.participant, right.start), event.to)

    def split(self, event: Split) -> None:
        """`quantity` Wh stay, the rest is a new right of the same holder, which begins that much later."""
        right = RightId.decode(event.right_id)
        window = self.state.window(right.window, event, "§6 (25)")
        if window is None:
            return
        key = window.books.split(Key(right.participant, right.start), event.quantity)
        new = RightId(right.participant, right.window, right.side, key.start).encode()
        self.findings.compare(event, "§6 (25)", {"new_right_id": new}, window=right.window)
        holder = self.state.owners.get(event.right_id, ZERO_ADDRESS)
        self.state.expect(RightTransfer, event, "§6 (25)", right.window, from_=ZERO_ADDRESS, to=holder, token_id=new)


class Delivery:
    """Replays `Delivery.sol`."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings
        self.domain = state.readings_domain

    # ---------------------------------------------------------------- readings (T23)

    def reading(self, event: ReadingAccepted) -> None:
        """In its sub-slot's time, plausible, signed by a key of the device, after all earlier ones."""
        calendar = self.state.calendar
        if not 0 <= event.sub_slot < calendar.sub_slots or event.window // calendar.ring > LAST_ROUND:
            self.findings.add(event, "§6 T23", field="sub_slot", found=event.sub_slot,
                              expected=f"0 … {calendar.sub_slots - 1}")  # fmt: skip
            return
        times = deadlines(calendar, event.window)
        end = times.start + (event.sub_slot + 1) * calendar.sub_slot
        if not end <= event.time < times.reading:
            self.findings.add(event, "§6 T23", field="time", found=event.time, expected=f"{end} … {times.reading - 1}")
        self._check_signature(event, end)
        self._check_order(event)
        self._check_energy(event)
        window = self.state.windows.get(event.window)
        if window is not None:
            window.books.reading(event.device, event.energy)
            window.readings.setdefault(event.device, []).append(event)

    def _check_signature(self, event: ReadingAccepted, end: int) -> None:
        reading = Reading(event.device, event.window, event.sub_slot, Wh(event.energy), event.counter)
        key = SignedReading(reading, event.signature).signer(self.domain)
        valid, statement = self.state.registry.key_event(event.device, key, end)
        if not valid:
            self.findings.add(
                event, "§6 T23", "the reading's values are not signed by a valid key of its device", field="signature",
                found=f"signed by {key}", expected=f"a meter key of device {event.device} valid at {end}",
                related=latest([statement]),
            )  # fmt: skip

    def _check_order(self, event: ReadingAccepted) -> None:
        counter, position = self.state.meters.get(event.device, (0, 0))
        own = event.window * self.state.calendar.sub_slots + event.sub_slot + 1
        if event.counter <= counter:
            self.findings.add(event, "§6 T23", field="counter", found=event.counter, expected=f"more than {counter}")
        if own <= position:
            self.findings.add(event, "§6 T23", "the same or a later sub-slot was read before", field="sub_slot",
                              found=event.sub_slot, expected="a later one")  # fmt: skip
        self.state.meters[event.device] = (max(counter, event.counter), max(position, own))

    def _check_energy(self, event: ReadingAccepted) -> None:
        """The limit rounds up: a device at its certified power is never refused."""
        device = self.state.registry.devices.get(event.device)
        most = -1 if device is None else -(-device.export_w * self.state.calendar.sub_slot // SECONDS_PER_HOUR)
        if event.energy > most:
            self.findings.add(event, "§6 (1)", field="energy", found=event.energy, expected=f"at most {most}")

    # ---------------------------------------------------------------- stream and settlement

    def drawn(self, event: Drawn) -> None:
        """Earned and not yet drawn, to the holder (32)."""
        right = RightId.decode(event.right_id)
        window = self.state.window(right.window, event, "§6 (32)")
        if window is None:
            return
        related = self._causes(window, right)
        amount = window.books.draw(Key(right.participant, right.start), event.time)
        window.earned += amount
        due = {"holder": self.state.owners.get(event.right_id), "amount": amount or "no event: nothing is due"}
        self.findings.compare(event, "§6 (31), (32)", due, window=right.window, related=related)

    def seller_settled(self, event: SellerSettled) -> None:
        """ρ, what is not drawn yet, the forfeit's share, β_S·D_S; the right becomes its settlement token (26), (27)."""
        right = RightId.decode(event.right_id)
        window = self.state.window(right.window, event, "§6 (26)")
        if window is None:
            return
        books, related = window.books, self._causes(window, right)
        pool, escrow = books.pool, books.escrow
        settled = books.settle_seller(Key(right.participant, right.start), event.time)
        window.earned += settled.payment
        due = {"holder": self.state.owners.get(event.right_id), **settled._asdict()}
        self.findings.compare(event, "§6 (26), (30)", due, window=right.window, related=related)
        if books.settled == books.volume and books.paid == 0:
            left = pool + (escrow - books.escrow - settled.released) - settled.payment - settled.forfeit_share
            self.state.expect(PoolSwept, event, "§6", right.window, window=right.window, amount=left)
        self._becomes_final(event, right)

    def buyer_settled(self, event: BuyerSettled) -> None:
        """The right's share of the pool, and the whole deposit (26), (27)."""
        right = RightId.decode(event.right_id)
        window = self.state.window(right.window, event, "§6 (26)")
        if window is None:
            return
        related = self._causes(window, right)
        settled = window.books.settle_buyer(Key(right.participant, right.start), event.time)
        window.compensation += settled.compensation
        due = {"holder": self.state.owners.get(event.right_id), **settled._asdict()}
        self.findings.compare(event, "§6 (26)", due, window=right.window, related=related)
        self._becomes_final(event, right)

    def _becomes_final(self, event: SellerSettled | BuyerSettled, right: RightId) -> None:
        token, final = right.encode(), right.settled().encode()
        holder = self.state.owners.get(token, ZERO_ADDRESS)
        for from_, to, number in ((holder, ZERO_ADDRESS, token), (ZERO_ADDRESS, holder, final)):
            self.state.expect(RightTransfer, event, "§6 (27)", right.window, from_=from_, to=to, token_id=number)

    def _causes(self, window: AuditWindow, right: RightId) -> Iterable[Event]:
        """What the amounts rest on: who holds the right, and its device's readings."""
        causes: list[Event | None] = [window.ended]
        sealed = window.sealed.get(right.participant)
        if sealed is not None and right.side is Side.SELL:
            causes += window.readings.get(sealed.device, [])
        return latest([*causes, self.state.last_transfers.get(right.encode())])
