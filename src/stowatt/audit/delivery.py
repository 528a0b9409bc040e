"""§6: delivery redone – streamed earnings, final settlement, reliability; and the chain of ownership of rights."""

from __future__ import annotations

from collections.abc import Iterable

from stowatt.audit.events import (
    ZERO_ADDRESS,
    BuyerSettled,
    Drawn,
    Event,
    PoolSwept,
    ReliabilityChanged,
    RightTransfer,
    SellerSettled,
    Split,
)
from stowatt.audit.state import AuditWindow, State, latest
from stowatt.curves import Side
from stowatt.rights import RightId
from stowatt.settlement.records import RightId as Key


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
    """Replays `Delivery.sol`; what meters signed is `stowatt.audit.evidence`'s."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings

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
        battery = self.state.vault.battery(right.participant)
        reliability = battery.reliability
        settled = books.settle_seller(Key(right.participant, right.start), event.time)
        window.earned += settled.payment
        due = {"holder": self.state.owners.get(event.right_id), **settled._asdict()}
        self.findings.compare(event, "§6 (26), (30)", due, window=right.window, related=related)
        if books.settled == books.volume and books.paid == 0:
            left = pool + (escrow - books.escrow - settled.released) - settled.payment - settled.forfeit_share
            self.state.expect(PoolSwept, event, "§6", right.window, window=right.window, amount=left)
        if battery.reliability != reliability:
            self.state.expect(ReliabilityChanged, event, "§6 (30)", right.window, account=right.participant,
                              device=battery.device, reliability=battery.reliability)  # fmt: skip
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
            causes += window.readings.get(sealed.terms.device, [])
        return latest([*causes, self.state.last_transfers.get(right.encode())])
