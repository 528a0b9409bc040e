"""Every step of a participant can be repeated after a crash at any moment: nothing happens twice, nothing is lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stowatt import agent
from stowatt.agent import Bidding, Order, Step, once, positions
from stowatt.agent.delivery import Energy
from stowatt.chain.client import MarketClient, Refusal
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.errors import ConnectionFailed
from stowatt.chain.outbox import Outbox
from stowatt.chain.sender import Sender
from stowatt.commitments import SlotKind
from stowatt.curves import Curve, Side
from stowatt.metering import CounterFile
from stowatt.openings import OpeningStore
from stowatt.rights import RightId
from stowatt.units import Wh
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS
from tests.chain.evening import METER, UNIT, Evening

MOMENTS = ("before", "after")
"""The machine stops before the transaction reaches the chain, or after it did and before anybody knows."""


class Stopped(BaseException):
    """The machine stopped; nothing catches it."""


@dataclass
class Fragile:
    """A ledger during whose `nth` transaction the machine stops."""

    ledger: EmbeddedLedger
    moment: str
    nth: int = 1
    sent: int = field(default=0)

    def send_raw(self, raw: bytes) -> bytes:
        self.sent += 1
        if self.sent == self.nth:
            if self.moment == "after":
                self.ledger.send_raw(raw)
            raise Stopped
        return self.ledger.send_raw(raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)


@dataclass
class Machine:
    """One user's machine: programs come and go, the disk stays."""

    evening: Evening
    folder: Path

    def client(self, key: Any, ledger: Any = None) -> MarketClient:
        chain = ledger or self.evening.ledger
        sender = Sender(chain, key, Outbox(self.folder / "outbox.sqlite"))
        return MarketClient(chain, self.evening.deployment, sender, key)

    def bidding(self, key: Any, ledger: Any = None) -> Bidding:
        return Bidding(self.client(key, ledger), OpeningStore(self.folder / "openings.sqlite"))

    def crash(self, key: Any, moment: str, act: Callable[[Any], object], nth: int = 1) -> None:
        """A run that is cut short."""
        fragile = Fragile(self.evening.ledger, moment, nth)  # type: ignore[arg-type]
        with pytest.raises(Stopped):
            act(fragile)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with EmbeddedLedger.create(tmp_path / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger:
        evening = Evening.begin(ledger, ledger, ALICE, BOB)
        evening.seller.execute(evening.seller.calls.open_windows(0, 4))
        yield Machine(evening, tmp_path / "home")


SALE = Order(0, Curve.of(Side.SELL, [(3500, 800), (3800, 200)]))
PURCHASE = Order(0, Curve.of(Side.BUY, [(4000, 800)]))


def traded(machine: Machine) -> None:
    """Window 0 is cleared with a trade of 800 Wh."""
    machine.bidding(ALICE).commit([SALE])
    machine.bidding(BOB).commit([PURCHASE])
    machine.evening.go_to(0, "commit")
    assert len(machine.bidding(ALICE).reveal([0], everybody=True)) == 2
    machine.evening.seller.execute(machine.evening.seller.calls.clear(0))


def transactions(machine: Machine) -> int:
    return machine.evening.ledger.nonce(ALICE.address) + machine.evening.ledger.nonce(BOB.address)


def done(steps: list[Step]) -> list[bool]:
    return [step.done for step in steps]


@pytest.mark.parametrize("moment", MOMENTS)
class TestAfterACrash:
    def test_a_commitment_is_made_once_and_can_be_opened(self, machine: Machine, moment: str) -> None:
        before = transactions(machine)
        machine.crash(ALICE, moment, lambda ledger: machine.bidding(ALICE, ledger).commit([SALE]))
        assert done(machine.bidding(ALICE).commit([SALE])) == [False], "the stored transaction is sent, no second one"
        assert transactions(machine) == before + 1
        machine.evening.go_to(0, "commit")
        assert done(machine.bidding(ALICE).reveal()) == [True]

    def test_without_an_outbox_the_stored_opening_is_used(self, machine: Machine, moment: str) -> None:
        class Plain(Machine):
            def client(self, key: Any, ledger: Any = None) -> MarketClient:
                chain = ledger or self.evening.ledger
                return MarketClient(chain, self.evening.deployment, Sender(chain, key), key)

        plain = Plain(machine.evening, machine.folder)
        plain.crash(ALICE, moment, lambda ledger: plain.bidding(ALICE, ledger).commit([SALE]))
        plain.bidding(ALICE).commit([SALE])
        d = machine.evening.deployment
        assert len(OpeningStore(machine.folder / "openings.sqlite").of_window(CHAIN_ID, d.market, 0)) == 1
        machine.evening.go_to(0, "commit")
        assert done(plain.bidding(ALICE).reveal([0])) == [True]

    def test_a_reveal(self, machine: Machine, moment: str) -> None:
        machine.bidding(ALICE).commit([SALE])
        machine.evening.go_to(0, "commit")
        before = transactions(machine)
        machine.crash(ALICE, moment, lambda ledger: machine.bidding(ALICE, ledger).reveal([0]))
        assert done(machine.bidding(ALICE).reveal([0])) == [False]
        slot = machine.evening.seller.slot(0, ALICE.address)
        assert slot is not None and slot.kind is SlotKind.OPENED and transactions(machine) == before + 1

    def test_a_claim(self, machine: Machine, moment: str) -> None:
        traded(machine)
        before = transactions(machine)
        machine.crash(BOB, moment, lambda ledger: agent.claim(machine.client(BOB, ledger), [0]))
        steps = agent.claim(machine.client(BOB), [0])
        assert done(steps) == [False, False] and transactions(machine) == before + 1
        assert machine.evening.seller.right(RightId(ALICE.address, 0, Side.SELL).encode()).quantity == 800

    def test_a_payment(self, machine: Machine, moment: str) -> None:
        traded(machine)
        client = machine.client(BOB)
        client.execute(client.calls.withdraw(BOB.address, client.balance(BOB.address)))
        agent.claim(client, [0])
        client.deposit(UNIT)
        right = RightId(BOB.address, 0, Side.BUY)
        before = client.balance(BOB.address)
        machine.crash(BOB, moment, lambda ledger: agent.pay(machine.client(BOB, ledger), [right]))
        assert done(agent.pay(machine.client(BOB), [right])) == [False]
        assert before - client.balance(BOB.address) == 280_000, "paid once"

    def test_a_deposit_is_made_once_for_each_time_it_is_asked_for(self, machine: Machine, moment: str) -> None:
        client = machine.client(BOB)
        before = client.balance(BOB.address)
        amount = 7 * UNIT

        def deposit(ledger: Any = None) -> bool:
            own = machine.client(BOB, ledger)
            with once(own, "deposit 7", own.deposit_call(amount)) as (_, new):
                return new

        machine.crash(BOB, moment, deposit)
        assert deposit() is False, "the run that was cut short is finished"
        assert client.balance(BOB.address) == before + amount
        assert deposit() is True, "asked for again"
        assert client.balance(BOB.address) == before + 2 * amount
        with pytest.raises(Stopped), once(client, "deposit 7", client.deposit_call(amount)):
            raise Stopped  # after it is mined, before it is reported
        assert deposit() is False and client.balance(BOB.address) == before + 3 * amount
        with pytest.raises(Refusal, match="tokens, and"), once(client, "deposit 9", client.deposit_call(10**15)):
            pass

    def test_readings(self, machine: Machine, moment: str) -> None:
        traded(machine)
        machine.evening.go_to(0, "end")
        rows = [Energy(0, slot, Wh(200)) for slot in range(3)]
        counter = CounterFile(machine.folder / "counter")
        device = machine.evening.device

        def report(ledger: Any = None) -> list[Step]:
            return agent.report(machine.client(ALICE, ledger), device, METER, rows, counter)

        machine.crash(ALICE, moment, report)
        assert done(report()) == [False] * 3
        assert machine.evening.seller.delivered(0, device) == 600

    def test_draw_split_and_transfer(self, machine: Machine, moment: str) -> None:
        traded(machine)
        agent.claim(machine.client(ALICE), [0])
        right = RightId(ALICE.address, 0, Side.SELL)
        machine.evening.go_to(0, "end")
        agent.report(
            machine.client(ALICE), machine.evening.device, METER, [Energy(0, 0, Wh(200))],
            CounterFile(machine.folder / "counter"),
        )  # fmt: skip
        before = machine.evening.seller.balance(ALICE.address)
        machine.crash(ALICE, moment, lambda ledger: agent.draw(machine.client(ALICE, ledger), [right]))
        assert done(agent.draw(machine.client(ALICE), [right])) == [False]
        assert machine.evening.seller.balance(ALICE.address) == before + 200 * 10**6 * 3500 * 100 // 1000 // 950_000
        machine.crash(ALICE, moment, lambda ledger: agent.split(machine.client(ALICE, ledger), right, 300))
        assert agent.split(machine.client(ALICE), right, 300).done is False
        machine.crash(ALICE, moment, lambda ledger: agent.transfer(machine.client(ALICE, ledger), right, BOB.address))
        assert agent.transfer(machine.client(ALICE), right, BOB.address).done is False
        held = [holding.id.start for holding in agent.holdings(machine.evening.seller, ALICE.address)]
        assert held == [300]

    @pytest.mark.parametrize("nth", [1, 2, 3, 4])
    def test_a_settlement_cut_short_at_any_step(self, machine: Machine, moment: str, nth: int) -> None:
        traded(machine)
        client = machine.client(BOB)
        client.execute(client.calls.withdraw(BOB.address, client.balance(BOB.address)))
        agent.claim(client, [0], participants=[BOB.address])  # it cannot pay, and will be in default
        machine.evening.go_to(0, "reading")
        fragile = Fragile(machine.evening.ledger, moment, nth)  # type: ignore[arg-type]
        finished = False
        try:
            agent.settle(machine.client(BOB, fragile), [0])
            finished = True
        except Stopped:
            pass
        agent.settle(machine.client(BOB), [0])
        assert finished == (nth > 3), "a claim, a default, a seller"
        seller = machine.evening.seller
        (position,) = positions(seller, ALICE.address)
        assert position.state == "settled"
        assert [p.state for p in positions(seller, BOB.address)] == ["in default"]
        assert machine.evening.money_is_conserved([ALICE.address, BOB.address], [0])
        assert done(agent.settle(machine.client(BOB), [0])) == [False]


class TestBidding:
    def test_the_same_bid_again_is_left_alone_and_another_replaces_it(self, machine: Machine) -> None:
        bidding = machine.bidding(ALICE)
        assert done(bidding.commit([SALE])) == [True]
        assert done(bidding.commit([SALE])) == [False]
        other = Order(0, Curve.of(Side.SELL, [(900, 100)]))
        assert done(bidding.commit([other])) == [True]
        assert done(bidding.commit([SALE])) == [True], "sealed anew: the first commitment is history"
        machine.evening.go_to(0, "commit")
        assert done(machine.bidding(ALICE).reveal([0])) == [True]
        (position,) = positions(machine.evening.seller, ALICE.address)
        assert (position.state, position.curve) == ("revealed", SALE.curve)

    def test_many_windows_go_in_one_transaction(self, machine: Machine) -> None:
        before = transactions(machine)
        orders = [Order(window, SALE.curve) for window in range(4)]
        assert done(machine.bidding(ALICE).commit(orders)) == [True] * 4
        assert transactions(machine) == before + 1

    def test_withdrawn_is_withdrawn(self, machine: Machine) -> None:
        bidding = machine.bidding(ALICE)
        bidding.commit([SALE])
        assert done(bidding.withdraw([0])) == [True]
        assert done(bidding.withdraw([0])) == [False]
        assert [p.state for p in positions(machine.evening.seller, ALICE.address)] == ["withdrawn"]

    def test_a_device_that_changed_does_not_spoil_the_opening(self, machine: Machine) -> None:
        bidding, seller = machine.bidding(ALICE), machine.evening.seller
        bidding.commit([SALE])
        seller.execute(seller.calls.revoke_device(machine.evening.device))
        machine.evening.go_to(0, "commit")
        assert done(bidding.reveal([0])) == [True]
        evening = machine.evening
        machine.bidding(BOB)
        evening.go_to(0, "reveal")
        seller.execute(seller.calls.clear(0))
        (step,) = agent.claim(seller, [0])
        assert step.what == "not filled", "the claim finds the device that sold"

    def test_a_refused_opening_does_not_stop_the_others(self, machine: Machine) -> None:
        machine.bidding(ALICE).commit([SALE])
        dear = Order(0, Curve.of(Side.BUY, [(4095, 2**32 - 1)]))
        machine.bidding(BOB).commit([dear])
        machine.evening.go_to(0, "commit")
        steps = machine.bidding(ALICE).reveal([0], everybody=True)
        assert {(s.participant, s.what) for s in steps} == {(ALICE.address, "revealed"), (BOB.address, "refused")}
        assert any("does not cover the worst-case deposit" in step.detail for step in steps)

    def test_an_unplugged_chain_changes_nothing(self, machine: Machine) -> None:
        class Dead:
            def __getattr__(self, name: str) -> Any:
                raise ConnectionFailed("no answer")

        with pytest.raises(ConnectionFailed):
            Sender(Dead(), ALICE)  # type: ignore[arg-type]
