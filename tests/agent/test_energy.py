"""§2, T42: a seller's bids hold units of its battery, never more than it has; too much is refused before it is sent."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stowatt import agent
from stowatt.agent import Bidding, Order, equal_units, positions
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.commitments import Terms
from stowatt.credentials import DeviceCertificate
from stowatt.curves import Curve, Side
from stowatt.errors import CommitmentError, CurveError
from stowatt.openings import OpeningStore
from stowatt.units import Wh
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS
from tests.chain.evening import METER, Evening


@dataclass
class Home:
    """The seller with a battery of 5 kWh that sells at most 1.25 kWh in a window: 256 units."""

    evening: Evening
    bidding: Bidding

    def promised(self) -> int:
        return self.evening.seller.admission(ALICE.address).promised


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with EmbeddedLedger.create(tmp_path / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger:
        evening = Evening.begin(ledger, ledger, ALICE, BOB, bond=1000)
        evening.seller.execute(evening.seller.calls.open_windows(0, 8))
        yield Home(evening, Bidding(evening.seller, OpeningStore(tmp_path / "home" / "openings.sqlite")))


def sell(window: int, wh: int, units: int | None = None) -> Order:
    return Order(window, Curve.of(Side.SELL, [(3000, wh)]), units)


def test_a_bid_holds_the_fewest_units_unless_told_otherwise(home: Home) -> None:
    steps = home.bidding.commit([sell(0, 300), sell(1, 300, 40), Order(2, Curve.of(Side.BUY, [(9, 900)]))])
    assert [step.detail.rpartition(", ")[2] for step in steps[:2]] == [
        "16 of 256 energy units now",
        "40 of 256 energy units now",
    ]
    assert home.promised() == 16 + 40
    assert [p.units for p in positions(home.evening.seller, ALICE.address)] == [16, 40, 0]
    assert [step.done for step in home.bidding.commit([sell(0, 300), sell(1, 300, 40)])] == [False, False]
    assert home.bidding.commit([sell(1, 300, 41)])[0].done, "other units are another commitment"
    assert home.promised() == 16 + 41


def test_equal_units_tell_nothing_of_each_quantity(home: Home) -> None:
    orders = equal_units([sell(0, 10), sell(1, 900), Order(2, Curve.of(Side.BUY, [(9, 5)]))], Wh(1250))
    assert [order.units for order in orders] == [47, 47, None]
    home.bidding.commit(orders)
    assert home.promised() == 94


def test_t42_more_than_the_battery_has_is_refused_before_anything_is_sealed(home: Home) -> None:
    full = [sell(window, 1250) for window in range(4)]
    home.bidding.commit(full)
    head = home.evening.ledger.head().number
    with pytest.raises(CommitmentError) as caught:
        home.bidding.commit([sell(4, 20)])
    assert "window 4: with its 2 energy units, 258 would be promised, 5039 Wh, and the device has 256, 5000 Wh" in str(
        caught.value
    )
    d = home.evening.deployment
    assert not home.bidding.store.of_window(CHAIN_ID, d.market, 4)
    with pytest.raises(CommitmentError, match="257 would be promised"):
        home.bidding.commit([sell(0, 1230), sell(5, 39)])
    assert home.evening.ledger.head().number == head
    home.bidding.commit([sell(0, 1230), sell(5, 19)])  # the smaller one makes room in the same transaction
    home.bidding.withdraw([1])
    assert home.promised() == 192


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        (sell(0, 300, 65), CommitmentError, "65 energy units; name 1 to 64"),
        (sell(0, 300, 15), CurveError, "300 Wh offered, 15 energy units hold 292 Wh; name 16 units or more"),
        (sell(0, 1251), CurveError, "certified limit is 1250 Wh"),
    ],
)
def test_units_that_do_not_fit_are_refused(home: Home, order: Order, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        home.bidding.commit([order])


def test_claim_frees_what_was_not_filled_and_what_was_never_opened(home: Home) -> None:
    evening, seller = home.evening, home.evening.seller
    buyer = Bidding(evening.buyer, home.bidding.store)
    home.bidding.commit([sell(0, 1000), sell(1, 500)])
    buyer.commit([Order(0, Curve.of(Side.BUY, [(4000, 250)]))])
    evening.go_to(0, "commit")
    home.bidding.reveal([0], everybody=True)
    for window in (0, 1):
        evening.go_to(window, "reveal")
        seller.execute(seller.calls.clear(window))
    steps = agent.claim(seller, [0, 1])
    assert home.promised() == 13, "⌈64·250/1250⌉"
    assert steps[-1].what == "bond forfeited: never revealed" and steps[-1].detail == "26 energy units free again"
    assert [p.state for p in positions(seller, ALICE.address)] == ["claimed", "forfeited"]
    assert not any(step.done for step in agent.claim(seller, [0, 1]))


def test_a_proven_seller_locks_less(home: Home) -> None:
    """The deposit of the next bid follows the record, that of a bid that stands does not."""
    bidding, curve = home.bidding, sell(0, 1000).curve
    known = home.evening.seller.admission(ALICE.address)
    assert bidding.worst_case(curve) == bidding.worst_case(curve, known) == 1000 * 4095 * 100 // 1000 * 2 // 10
    proven = replace(known, reliability=500_000)
    assert bidding.worst_case(curve, proven) == 1000 * 4095 * 100 // 1000 * 15 // 100
    assert home.evening.seller.next_terms(ALICE.address) == Terms(home.evening.device, 1250, 200_000, 0)


def test_t42_a_new_device_sells_once_the_old_promises_are_over(home: Home) -> None:
    """Its energy is made known to the market by the first bid after that."""
    client = home.evening.seller
    home.bidding.commit([sell(0, 1250)])
    terms = (4000, 4000, 4000, 950_000, 950_000, b"\x07" * 32, METER.address, 0, 2**40 - 1, 2)
    client.execute(client.calls.register_device(DeviceCertificate(ALICE.address, *terms)))
    with pytest.raises(CommitmentError, match="the device has 0, 0 Wh"):
        home.bidding.commit([sell(1, 1000)])
    home.bidding.withdraw([0])
    assert client.admission(ALICE.address).capacity == 0
    assert home.bidding.commit([sell(1, 1000)])[0].done
    known = client.admission(ALICE.address)
    assert (known.device, known.capacity, known.promised) == (home.evening.device + 1, 256, 64)
    head = home.evening.ledger.head().number
    home.bidding.commit([sell(2, 1000)])
    assert home.evening.ledger.head().number == head + 1, "asked for once"
