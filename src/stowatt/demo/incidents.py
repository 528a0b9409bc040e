"""The troubles as they happen: what somebody does, and what the chain answers."""

from dataclasses import dataclass, field
from typing import Any

from stowatt.audit.events import Claimed, Defaulted, Split, TokenTransfer
from stowatt.chain.abi import contract
from stowatt.chain.client import ContractCall, Opening, Refusal
from stowatt.chain.client.refusals import opening_reason
from stowatt.curves import Side
from stowatt.demo.bidding import changed
from stowatt.demo.community import Community, Member
from stowatt.demo.dispatch import Dispatch, Order
from stowatt.demo.settings import CURRENCY, DemoError
from stowatt.demo.troubles import Kind, Trouble
from stowatt.demo.window import WindowRun
from stowatt.metering import SignedReading
from stowatt.rights import RightId
from stowatt.units import Wh, money

RESALE_PERCENT = 95
"""A right is sold on for this share of what it will earn if all is delivered."""

MISMATCH = "OpeningMismatch"
"""The error that the contract names as the reason of the wrong opening's refusal."""


@dataclass
class Incidents:
    """What happened in each trouble, for its sentence and for day.json."""

    community: Community
    dispatch: Dispatch
    facts: dict[Trouble, dict[str, Any]] = field(default_factory=dict)

    def note(self, trouble: Trouble, **facts: Any) -> None:
        """Keeps figures of a trouble."""
        self.facts.setdefault(trouble, {}).update(facts)

    def open_wrongly(self, window: WindowRun, trouble: Trouble, opening: Opening) -> None:
        """A home submits another bid than it committed to; the chain refuses."""
        member = self._member(trouble.home)
        call = member.client.calls.reveal(changed(opening))
        refused = self.dispatch.refused(Order(member.client, call, "refused opening", window=window.number))
        reason = opening_reason(refused.values.get("reason", b""))
        if reason != MISMATCH:
            raise DemoError(f"the opening was refused for {reason}", "it has to be a mismatch: report this fault")
        self.note(trouble, **_refusal(refused), reason=MISMATCH, side=member.side.word)

    def withdraw(self, window: WindowRun, trouble: Trouble) -> None:
        """A buyer takes its whole free balance out before its fill is issued."""
        member = self._member(trouble.home)
        amount = member.client.balance(member.address)
        call = member.client.calls.withdraw(member.address, amount)
        self.dispatch.send([Order(member.client, call, "withdraw", window=window.number)])
        self.note(trouble, withdrawn=amount)

    def default(self, window: WindowRun) -> None:
        """Buyers that have not paid by the deadline are declared in default, by anybody; here the operator."""
        unpaid = [
            event.participant
            for event in window.of(Claimed)
            if event.quantity and not event.payment and window.sides[event.participant] is Side.BUY
        ]
        operator = self.community.operator
        orders = [
            Order(
                operator,
                operator.calls.declare_default(RightId(account, window.number, Side.BUY).encode()),
                "declare a default",
                window=window.number,
            )
            for account in unpaid
        ]
        for done in self.dispatch.send(orders):
            window.events += done.events
        trouble = window.trouble(Kind.UNPAID)
        for event in window.of(Defaulted):
            if trouble and self.community.name_of(event.participant) == trouble.home:
                self.note(trouble, unpaid_wh=event.quantity, deposit=event.deposit)

    def deposit_again(self, window: WindowRun, trouble: Trouble) -> None:
        """The buyer in default pays its money in again, to take part in the windows to come."""
        member = self._member(trouble.home)
        done = member.client.deposit(self.facts[trouble]["withdrawn"])
        self.dispatch.note("deposit by permit", done.receipt.gas_used)

    def sell_right(self, window: WindowRun, trouble: Trouble) -> None:
        """A seller splits its right and sells the later half: the tokens come first, the right follows."""
        seller, other = self._member(trouble.home), self._member(trouble.other)
        right = RightId(seller.address, window.number, Side.SELL)
        whole = window.fills(Side.SELL)[seller.address]
        kept = whole - whole // 2
        calls = seller.client.calls
        (split,) = self.dispatch.send(
            [Order(seller.client, calls.split(right.encode(), kept), "split a right", window=window.number)]
        )
        part = split.only(Split).new_right_id
        face = money(whole - kept, window.price or 0, CURRENCY.tick_size, up=False)
        price = face * RESALE_PERCENT // 100
        paid, handed = self.dispatch.send(
            [
                Order(other.client, _pay(other, seller, price), "pay for a right", window=window.number),
                Order(
                    seller.client,
                    calls.transfer(seller.address, other.address, part),
                    "transfer a right",
                    window=window.number,
                ),
            ]
        )
        window.events += [*split.events, *paid.events, *handed.events]
        window.parts.append(RightId.decode(part))
        self.note(trouble, whole_wh=whole, sold_wh=whole - kept, price=price, right=part, paid=paid.only(TokenTransfer))

    def replay(self, window: WindowRun, trouble: Trouble, signed: SignedReading) -> None:
        """Somebody sends a reading a second time; the chain refuses."""
        operator = self.community.operator
        refused = self.dispatch.refused(
            Order(operator, operator.calls.submit(signed), "refused reading", window=window.number)
        )
        reading = signed.reading
        self.note(
            trouble,
            **_refusal(refused),
            reason=refused.values.get("reason"),
            sub_slot=reading.sub_slot,
            energy_wh=reading.energy,
            counter=reading.counter,
        )

    def weak(self, trouble: Trouble, owed: Wh, delivered: Wh) -> None:
        """What a failing battery owed and delivered."""
        self.note(trouble, owed_wh=owed, delivered_wh=delivered)

    def _member(self, name: str) -> Member:
        member = self.community.members.get(name)
        if member is None:
            raise DemoError(f"there is no home {name!r}", "report this fault")
        return member


def _pay(payer: Member, receiver: Member, amount: int) -> ContractCall:
    """Tokens from home to home, outside the market."""
    token = payer.client.deployment.token
    return ContractCall(token, contract("CommunityToken").call("transfer", receiver.address, amount), "transfer")


def _refusal(refused: Refusal) -> dict[str, Any]:
    transaction = refused.transaction
    return {"error": refused.error, "transaction": f"0x{transaction.hex()}" if transaction else None}
