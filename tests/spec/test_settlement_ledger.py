"""§6: the books of one window. An evening worked by hand, whole random windows, and every refused step.

The invariant of each step: free balances + bonds + reserves + escrow + pool = tokens; and nothing is left at the end.
"""

import copy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.calendar import Calendar, Status, deadlines
from stowatt.clearing import Book, PriceRule, Rationing, Rules, clear_readable
from stowatt.commitments import Terms
from stowatt.curves import Curve, Side
from stowatt.errors import SettlementError
from stowatt.settlement.ledger import WindowBooks
from stowatt.settlement.records import BidState, RightId
from stowatt.settlement.vault import Vault
from stowatt.units import PPM

CALENDAR = Calendar(
    origin=1_700_000_100,
    length=900,
    sub_slot=300,
    commit_lead=1800,
    reveal_lead=1200,
    payment_lead=300,
    reading_grace=600,
    void_delay=600,
    ring=96,
    ticks=4096,
    price_rule=0,
    rationing=0,
    tick_size=100,
    bond=50_000,
    alpha_seller=200_000,
    alpha_buyer=100_000,
    efficiency=950_000,
    tolerance=980_000,
    alpha_proven=100_000,
    reliability_gain=100_000,
)
W = 5
T = deadlines(CALENDAR, W)
COMMIT, REVEAL, CLEARING = T.commit - 1, T.commit, T.reveal
PAYMENT, DELIVERY, SETTLEMENT = T.payment - 1, T.payment, T.reading
ALL = 10**15


def books(*accounts: str, calendar: Calendar = CALENDAR, funds: int = 10_000_000) -> WindowBooks:
    """An open window; every account has a battery, which sells at most 10 kWh in a window and holds 40."""
    vault = Vault()
    for device, account in enumerate(accounts, start=1):
        vault.deposit(account, funds)
        vault.sync(account, device, 40_000, 10_000)
    window = WindowBooks(vault, calendar, W, "treasury")
    window.open()
    return window


def ask(*pairs: tuple[int, int]) -> Curve:
    return Curve.of(Side.SELL, pairs)


def bid(*pairs: tuple[int, int]) -> Curve:
    return Curve.of(Side.BUY, pairs)


def terms(window: WindowBooks, account: str, side: Side, units: int = 64) -> Terms:
    """What the account's commitment binds now."""
    c = window.calendar
    return window.vault.terms(account, units if side is Side.SELL else 0, c.alpha_seller, c.alpha_proven)


def commit(window: WindowBooks, account: str, side: Side, now: int = COMMIT, units: int = 64) -> None:
    window.commit(account, terms(window, account, side, units), now)


def revealed(window: WindowBooks, curves: dict[str, Curve]) -> None:
    """Commits and opens one curve for each account."""
    for account, curve in curves.items():
        commit(window, account, curve.side)
    for account, curve in curves.items():
        window.reveal(account, curve, REVEAL)


class TestAnEveningByHand:
    """Sam sells 3 kWh to Bea (2 kWh) and Bob (1 kWh) at tick 1000 = 0.10 EUR/kWh; money in µEUR.

    Mia and Max commit and never open. Bob does not pay. Sam delivers 80 % of what is left.
    """

    @pytest.fixture
    def window(self) -> WindowBooks:
        w = books("sam", "bea", "bob", "mia", "max")
        commit(w, "mia", Side.SELL)
        commit(w, "max", Side.BUY)
        revealed(w, {"sam": ask((800, 3000)), "bea": bid((1500, 2000)), "bob": bid((1000, 1000))})
        w.clear(1000, 3000, CLEARING)
        return w

    def test_reserves(self, window):
        # Sam: 20 % of 3 kWh at tick 4095 = 245,700; Bea: 10 % of 2 kWh at 1500 = 30,000, below the bond of 50,000
        assert window.bids["sam"].locked == 245_700
        assert window.bids["bea"].locked == 50_000
        assert window.pool == 100_000  # the bonds of Mia and Max
        assert window.vault.imbalance() == 0

    def test_claims(self, window):
        sam = window.claim("sam", 3000, PAYMENT)
        # D = 20 % of 300,000; all of Max's bond
        assert sam == (3000, 60_000, 0, 50_000, 185_700, False)
        # D = 10 % of 200,000; two thirds of Mia's bond
        assert window.claim("bea", 2000, PAYMENT) == (2000, 20_000, 200_000, 33_333, 30_000, False)
        window.vault.withdraw("bob", window.vault.balance("bob"))
        assert window.claim("bob", 1000, PAYMENT) == (1000, 10_000, 0, 16_666, 40_000, False)
        assert window.pool == 200_001  # Bea's payment, and the odd unit of Mia's bond
        assert window.escrow == 90_000
        assert window.vault.imbalance() == 0

    def test_to_the_end(self, window):
        window.claim("sam", 3000, PAYMENT)
        window.claim("bea", 2000, PAYMENT)
        window.vault.withdraw("bob", window.vault.balance("bob"))
        window.claim("bob", 1000, PAYMENT)
        assert window.declare_default(RightId("bob"), DELIVERY) == 10_000
        # κ = 2/3: Sam owes 2000 Wh, that is 1900 Wh at the meter; 760 Wh earn 80,000
        window.reading(1, 0, 760)
        assert window.draw(RightId("sam"), DELIVERY) == 80_000
        assert window.draw(RightId("sam"), DELIVERY) == 0
        window.reading(1, 1, 760)
        assert window.fulfilled(RightId("sam")) == 800_000
        # another 80,000; all of Bob's deposit; 80 % of D_S = 60,000
        assert window.settle_seller(RightId("sam"), SETTLEMENT) == (800_000, 80_000, 10_000, 48_000)
        # what Sam did not earn, 40,000, the 12,000 that Sam forfeits, and the odd unit
        assert window.settle_buyer(RightId("bea"), SETTLEMENT) == (52_001, 20_000)
        assert window.held() == 0
        assert window.vault.imbalance() == 0
        assert window.vault.balance("sam") == 10_000_000 + 50_000 + 160_000 + 10_000 - 12_000
        assert window.vault.balance("bea") == 10_000_000 + 33_333 - 200_000 + 52_001

    def test_a_transferred_right_pays_its_holder_and_releases_to_its_depositor(self, window):
        for account, fill in (("sam", 3000), ("bea", 2000), ("bob", 1000)):
            window.claim(account, fill, PAYMENT)
        before = window.vault.balance("sam")
        window.transfer(RightId("sam"), "ann")
        window.raise_to(1, 3, 2850)
        window.draw(RightId("sam"), DELIVERY)
        window.settle_seller(RightId("sam"), SETTLEMENT)
        assert window.vault.balance("ann") == 300_000
        assert window.vault.balance("sam") - before == 60_000

    def test_t7_both_parts_of_a_split_inherit_the_draws_rounded_up(self, window):
        for account, fill in (("sam", 3000), ("bea", 2000), ("bob", 1000)):
            window.claim(account, fill, PAYMENT)
        window.reading(1, 0, 1)
        assert window.draw(RightId("sam"), DELIVERY) == 105  # 1 Wh at 0.10 EUR/kWh / 0.95
        rest = window.split(RightId("sam"), 1000)
        assert rest == RightId("sam", 1000)
        assert [window.rights[key].drawn for key in (RightId("sam"), rest)] == [35, 70]
        tail = window.split(rest, 999)
        assert [window.rights[key].drawn for key in (rest, tail)] == [35, 36]  # 34.93 and 35.04
        assert [window.draw(key, DELIVERY) for key in (RightId("sam"), rest, tail)] == [0, 0, 0]

    def test_when_nobody_pays_the_seller_owes_nothing_and_the_rest_goes_to_the_treasury(self, window):
        window.claim("sam", 3000, PAYMENT)
        assert window.claim("bea", 2000, DELIVERY).defaulted
        assert window.claim("bob", 1000, SETTLEMENT).defaulted
        # all deposits of the buyers, in Sam's favour; its own deposit comes back whole
        assert window.settle_seller(RightId("sam"), SETTLEMENT) == (PPM, 0, 30_000, 60_000)
        assert window.vault.balance("treasury") == 1
        assert window.held() == 0 == window.vault.imbalance()


class TestOtherEnds:
    """Every path ends (T16)."""

    def test_no_trade_gives_the_unopened_bonds_to_the_treasury(self):
        w = books("sam", "mia")
        commit(w, "mia", Side.SELL)
        revealed(w, {"sam": ask((800, 3000))})
        w.clear(None, 0, CLEARING)
        assert w.vault.balance("treasury") == 50_000
        assert w.claim("sam", 0, CLEARING).unlocked == 245_700
        assert w.vault.balance("sam") == 10_000_000
        assert w.held() == 0 == w.vault.imbalance()

    def test_void_gives_everything_back(self):
        w = books("sam", "mia")
        commit(w, "mia", Side.SELL)
        revealed(w, {"sam": ask((800, 3000))})
        with pytest.raises(SettlementError, match="LAPSED"):
            w.clear(None, 0, T.void)
        with pytest.raises(SettlementError, match="CLEARING"):
            w.void(T.void - 1)
        w.void(T.void)
        assert w.refund_commitment("mia", T.void) == 50_000
        assert w.claim("sam", 0, T.void).unlocked == 245_700
        assert [w.vault.balance(a) for a in ("sam", "mia")] == [10_000_000] * 2
        assert w.held() == 0 == w.vault.imbalance()

    def test_a_withdrawn_commitment_frees_the_bond_and_a_replaced_one_takes_no_other(self):
        w = books("sam")
        commit(w, "sam", Side.SELL)
        commit(w, "sam", Side.BUY)
        assert w.vault.balance("sam") == 9_950_000
        w.withdraw_commitment("sam", COMMIT)
        assert w.vault.balance("sam") == 10_000_000
        assert w.held() == 0

    def test_clears_early_once_all_is_opened(self):
        w = books("sam", "bea")
        revealed(w, {"sam": ask((800, 3000)), "bea": bid((900, 3000))})
        w.clear(800, 3000, REVEAL)
        assert w.claim("sam", 3000, REVEAL).quantity == 3000

    def test_anyone_pays_for_a_buyer(self):
        w = books("sam", "bea", "gran", funds=400_000)
        revealed(w, {"sam": ask((800, 3000)), "bea": bid((1500, 3000))})
        w.clear(1000, 3000, CLEARING)
        w.vault.withdraw("bea", 350_000)
        assert w.claim("bea", 3000, PAYMENT).payment == 0
        assert w.pay(RightId("bea"), "gran", PAYMENT) == 300_000
        assert w.vault.balance("gran") == 100_000
        assert w.paid == 3000


def play(data: st.DataObject, funds: int) -> WindowBooks:
    """A whole window with random bids, troubles, splits and orders; every step keeps the books balanced."""
    calendar = replace(
        CALENDAR,
        ticks=data.draw(st.integers(2, 30)),
        tick_size=data.draw(st.integers(1, 2000)),
        bond=data.draw(st.integers(0, 3000)),
        alpha_seller=data.draw(st.integers(1, PPM)),
        alpha_proven=1,
        reliability_gain=data.draw(st.sampled_from([0, 100_000, PPM])),
        alpha_buyer=data.draw(st.sampled_from([1, 50_000, 400_000, PPM])),
        efficiency=data.draw(st.integers(1, PPM)),
        tolerance=data.draw(st.integers(1, PPM)),
    )
    accounts = [f"a{i}" for i in range(data.draw(st.integers(2, 7)))]
    w = books(*accounts, calendar=calendar, funds=funds)
    opened = []
    for account in accounts:
        side = Side(data.draw(st.integers(0, 1)))
        pairs = data.draw(
            st.lists(st.tuples(st.integers(0, calendar.ticks - 1), st.integers(1, 300)), min_size=1, max_size=3)
        )
        commit(w, account, side)
        if data.draw(st.integers(0, 4)):  # one in five never opens
            curve = Curve.of(side, pairs)
            w.reveal(account, curve, REVEAL)
            opened.append((account, curve))
        assert w.vault.imbalance() == 0
    rules = Rules(PriceRule.LOWEST, data.draw(st.sampled_from(Rationing)), data.draw(st.integers(0, 2**256 - 1)))
    result = clear_readable(Book.of(opened), rules)
    w.clear(result.price, result.volume, CLEARING)
    assert w.vault.imbalance() == 0
    claim_and_pay(data, w, {fill.participant: fill.quantity for fill in result.fills})
    if result.price is not None:
        deliver(data, w)
        settle(data, w)
    return w


def claim_and_pay(data: st.DataObject, w: WindowBooks, fills: dict[str, int]) -> None:
    late = []
    for account in data.draw(st.permutations(list(fills))):
        if not data.draw(st.integers(0, 4)):
            late.append(account)
            continue
        if data.draw(st.booleans()):
            spent = w.vault.balance(account)
            if spent:
                w.vault.withdraw(account, spent)
        w.claim(account, fills[account], PAYMENT)
        assert w.vault.imbalance() == 0
    for key, right in list(w.rights.items()):
        if not right.paid and data.draw(st.booleans()):
            w.vault.deposit("gran", ALL)
            w.pay(key, "gran", PAYMENT)
    for account in late:
        w.claim(account, fills[account], DELIVERY)
        assert w.vault.imbalance() == 0
    for key, right in list(w.rights.items()):
        if not right.paid:
            w.declare_default(key, DELIVERY)
            assert w.vault.imbalance() == 0


def deliver(data: st.DataObject, w: WindowBooks) -> None:
    for _ in range(data.draw(st.integers(0, 12))):
        key = data.draw(st.sampled_from(sorted(w.rights)))
        right = w.rights[key]
        step = data.draw(st.integers(0, 3))
        if step == 0 and right.wh > 1:
            w.split(key, data.draw(st.integers(1, right.wh - 1)))
        elif step == 1:
            w.transfer(key, data.draw(st.sampled_from(["gran", "a0", "a1"])))
        elif right.side is Side.SELL:
            counted, energy = w.counted.get(right.device, 0), data.draw(st.integers(0, 400))
            if data.draw(st.booleans()):
                w.reading(right.device, counted, energy)
            else:
                w.raise_to(right.device, counted + 2, w.metered.get(right.device, 0) + energy)
            w.draw(key, DELIVERY)
        assert w.vault.imbalance() == 0
        assert w.escrow >= 0 <= w.pool


def settle(data: st.DataObject, w: WindowBooks) -> None:
    order = data.draw(st.permutations(sorted(w.rights)))
    for key in sorted(order, key=lambda key: w.rights[key].side):
        if w.rights[key].side is Side.SELL:
            w.settle_seller(key, SETTLEMENT)
        else:
            w.settle_buyer(key, SETTLEMENT)
        assert w.vault.imbalance() == 0


class TestWholeWindows:
    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_t7_money_is_conserved_after_every_step_and_all_of_it_comes_out(self, data):
        w = play(data, funds=10**9)
        assert w.held() == 0
        for account, bid_ in w.bids.items():
            if bid_.state is BidState.COMMITTED:
                w.refund_commitment(account, SETTLEMENT)
        assert all(battery.promised == 0 for battery in w.vault.batteries.values()), "every unit comes back once"
        assert (w.pool, w.escrow, w.rights) == (0, 0, {})
        assert sum(w.vault.free.values()) == w.vault.tokens
        assert all(0 <= battery.reliability <= PPM for battery in w.vault.batteries.values())
        for account in list(w.vault.free):
            if w.vault.balance(account):
                w.vault.withdraw(account, w.vault.balance(account))
        assert w.vault.tokens == 0

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(1, 500), min_size=1, max_size=5), st.data())
    def test_order_of_settlement_moves_nothing_of_sellers_and_less_than_a_unit_a_right_of_buyers(self, bought, data):
        sellers = data.draw(st.lists(st.integers(1, sum(bought)), min_size=1, max_size=3))
        scale = sum(bought)
        curves = {f"s{i}": ask((1, width)) for i, width in enumerate(sellers)}
        curves |= {f"b{i}": bid((20, width)) for i, width in enumerate(bought)}
        w = books(*curves, calendar=replace(CALENDAR, ticks=21, tick_size=data.draw(st.integers(1, 999))))
        revealed(w, curves)
        result = clear_readable(Book.of(list(curves.items())), Rules(PriceRule.LOWEST, Rationing.PRO_RATA, 0))
        w.clear(result.price, result.volume, CLEARING)
        for fill in result.fills:
            w.claim(fill.participant, fill.quantity, PAYMENT)
        for device in range(1, len(sellers) + 1):
            w.reading(device, 0, data.draw(st.integers(0, scale)))
        outcomes = []
        for _ in range(2):
            copied = copy.deepcopy(w)
            copied.vault.holders = [copied]
            settle(data, copied)
            outcomes.append(copied.vault.free)
        one, other = outcomes
        for account in curves:
            tolerated = 0 if account.startswith("s") else len(bought)
            assert abs(one.get(account, 0) - other.get(account, 0)) <= tolerated


class TestRefusedSteps:
    """A step that the contracts refuse raises, says why, and changes nothing."""

    @pytest.fixture
    def window(self) -> WindowBooks:
        w = books("sam", "bea", "bob", "mia", funds=500_000)
        commit(w, "mia", Side.SELL)
        revealed(w, {"sam": ask((800, 3000)), "bea": bid((1500, 2000)), "bob": bid((1000, 1000))})
        w.clear(1000, 3000, CLEARING)
        w.vault.withdraw("bob", w.vault.balance("bob"))
        w.claim("bea", 2000, PAYMENT)
        w.claim("bob", 1000, PAYMENT)
        return w

    @pytest.mark.parametrize(
        ("step", "why"),
        [
            (lambda w: w.open(), "TRADED already"),
            (lambda w: commit(w, "sam", Side.SELL), "needs COMMIT"),
            (lambda w: w.reveal("mia", ask((1, 1)), PAYMENT), "needs REVEAL"),
            (lambda w: w.clear(1000, 3000, CLEARING), "needs CLEARING"),
            (lambda w: w.void(ALL), "needs LAPSED"),
            (lambda w: w.refund_commitment("sam", PAYMENT), "sam has no committed bid"),
            (lambda w: w.claim("bea", 2000, PAYMENT), "bea has no opened bid"),
            (lambda w: w.claim("mia", 0, PAYMENT), "mia has no opened bid"),
            (lambda w: w.claim("sam", 3001, PAYMENT), "at most 3000 Wh"),
            (lambda w: w.pay(RightId("bea"), "bea", PAYMENT), "is paid"),
            (
                lambda w: w.pay(RightId("bob"), "bob", PAYMENT),
                "bob has 56666 free and needs 100000; deposit 43334 more",
            ),
            (lambda w: w.pay(RightId("bob"), "sam", DELIVERY), "needs PAYMENT"),
            (lambda w: w.declare_default(RightId("bob"), PAYMENT), "needs DELIVERY or SETTLEMENT"),
            (lambda w: w.declare_default(RightId("bea"), DELIVERY), "is paid"),
            (lambda w: w.split(RightId("bob"), 1), "not paid"),
            (lambda w: w.split(RightId("bea"), 2000), "choose 1 … 1999 Wh"),
            (lambda w: w.split(RightId("bea", 7), 1), "no such right from 7 Wh"),
            (lambda w: w.draw(RightId("bea"), DELIVERY), "no such right"),
            (lambda w: w.draw(RightId("sam"), DELIVERY), "no such right"),
            (lambda w: w.reading(1, 0, -1), "-1 Wh"),
            (lambda w: w.settle_buyer(RightId("bea"), SETTLEMENT - 1), "needs SETTLEMENT"),
            (lambda w: w.settle_buyer(RightId("bea"), SETTLEMENT), "settle the sellers first"),
            (lambda w: w.settle_buyer(RightId("bob"), SETTLEMENT), "declare its default"),
            (lambda w: w.vault.withdraw("sam", 500_000), "sam has 254300 free"),
            (lambda w: w.vault.withdraw("sam", 0), "at least 1"),
            (lambda w: w.vault.deposit("sam", -1), "at least 1"),
        ],
    )
    def test_is_refused(self, window, step, why):
        free, held = dict(window.vault.free), window.held()
        with pytest.raises(SettlementError, match=why):
            step(window)
        assert (dict(window.vault.free), window.held()) == (free, held)

    def test_a_seller_settles_only_when_all_fills_are_resolved(self, window):
        window.claim("sam", 3000, PAYMENT)
        with pytest.raises(SettlementError, match="5000 of 6000 Wh are resolved"):
            window.settle_seller(RightId("sam"), SETTLEMENT)

    def test_t10_a_right_settles_once(self, window):
        window.claim("sam", 3000, PAYMENT)
        window.declare_default(RightId("bob"), DELIVERY)
        window.settle_seller(RightId("sam"), SETTLEMENT)
        with pytest.raises(SettlementError, match="no such right"):
            window.settle_seller(RightId("sam"), SETTLEMENT)
        with pytest.raises(SettlementError, match="no such right"):
            window.draw(RightId("sam"), SETTLEMENT)

    def test_early_clearing_needs_every_opening(self):
        w = books("sam", "mia")
        commit(w, "mia", Side.SELL)
        revealed(w, {"sam": ask((800, 3000))})
        with pytest.raises(SettlementError, match="needs CLEARING"):
            w.clear(None, 0, REVEAL)
        with pytest.raises(SettlementError, match="a trade has both"):
            w.clear(1000, 0, CLEARING)

    def test_a_reveal_needs_the_reserve_and_the_committed_side(self):
        w = books("sam", funds=50_000)
        commit(w, "sam", Side.SELL)
        with pytest.raises(SettlementError, match="sam has 0 free and needs 195700"):
            w.reveal("sam", ask((800, 3000)), REVEAL)
        with pytest.raises(SettlementError, match="committed to sell"):
            w.reveal("sam", bid((800, 3000)), REVEAL)
        w.reveal("sam", ask((800, 100)), REVEAL)  # the bond covers its reserve of 8,190

    def test_a_commitment_needs_the_bond(self):
        w = books("sam", funds=49_999)
        with pytest.raises(SettlementError, match="deposit 1 more"):
            commit(w, "sam", Side.SELL)
        assert w.bids == {}


class TestBatteries:
    """§2, no overselling; §6, reliability and vouchers."""

    def test_t42_promises_never_exceed_the_battery(self):
        w = books("sam", "bea")
        later = [WindowBooks(w.vault, CALENDAR, W, "treasury") for _ in range(4)]
        for window in later:
            window.open()
        commit(w, "sam", Side.SELL, units=64)
        for window, units in zip(later, (64, 64, 63, 1), strict=True):
            commit(window, "sam", Side.SELL, units=units)
        free = w.vault.balance("sam")
        fifth = WindowBooks(w.vault, CALENDAR, W, "treasury")
        fifth.open()
        with pytest.raises(SettlementError, match="would promise 257 energy units of its 256"):
            commit(fifth, "sam", Side.SELL, units=1)
        with pytest.raises(SettlementError, match="would promise 257"):
            commit(later[3], "sam", Side.SELL, units=2)
        assert (w.vault.balance("sam"), w.vault.battery("sam").promised, fifth.bids) == (free, 256, {})
        commit(later[0], "sam", Side.SELL, units=10)  # replaced: 54 units are free
        commit(later[1], "sam", Side.BUY)
        later[2].withdraw_commitment("sam", COMMIT)
        assert w.vault.battery("sam").promised == 64 + 10 + 1

    def test_t42_an_offer_stays_within_its_units(self):
        w = books("sam")
        commit(w, "sam", Side.SELL, units=19)
        with pytest.raises(SettlementError, match="its units hold 2968 Wh"):
            w.reveal("sam", ask((800, 2969)), REVEAL)
        w.reveal("sam", ask((800, 2968)), REVEAL)

    def test_units_come_back_with_claim_settlement_and_refund(self):
        w = books("sam", "mia", "bea")
        commit(w, "mia", Side.SELL, units=7)
        revealed(w, {"sam": ask((800, 3000)), "bea": bid((1500, 1000))})
        w.clear(800, 1000, CLEARING)
        w.claim("sam", 1000, PAYMENT)
        assert w.vault.battery("sam").promised == 7  # of 64, ⌈64·1000/10,000⌉
        w.claim("bea", 1000, PAYMENT)
        assert w.refund_commitment("mia", PAYMENT) == 0
        assert w.vault.battery("mia").promised == 0
        part = w.split(RightId("sam"), 300)
        w.settle_seller(part, SETTLEMENT)
        assert w.vault.battery("sam").promised == 3  # ⌈7·300/1000⌉
        w.settle_seller(RightId("sam"), SETTLEMENT)
        assert w.vault.battery("sam").promised == 0

    def test_a_forfeited_commitment_gives_its_units_back_when_its_place_is_used_again(self):
        w = books("sam")
        commit(w, "sam", Side.SELL, units=64)
        w.clear(None, 0, CLEARING)
        later = WindowBooks(w.vault, replace(CALENDAR, origin=CALENDAR.origin + ALL), W, "treasury")
        later.open()
        w.vault.battery("sam").capacity = 64
        later.commit("sam", terms(w, "sam", Side.SELL), COMMIT, earlier=w)
        assert w.vault.battery("sam").promised == 64
        with pytest.raises(SettlementError, match="no committed bid"):
            w.refund_commitment("sam", SETTLEMENT)

    def test_reliability_moves_once_a_bid_by_what_was_owed_and_lowers_alpha(self):
        w = books("sam", "bea")
        revealed(w, {"sam": ask((800, 5000)), "bea": bid((1500, 5000))})
        w.clear(800, 5000, CLEARING)
        w.claim("sam", 5000, PAYMENT)
        w.claim("bea", 5000, PAYMENT)
        w.raise_to(1, 3, 4750)
        w.settle_seller(w.split(RightId("sam"), 1), SETTLEMENT)
        assert w.vault.battery("sam").reliability == 0
        w.settle_seller(RightId("sam"), SETTLEMENT)
        # w = 0.1 · 5000/10,000, of ρ = 1
        assert w.vault.battery("sam").reliability == 50_000
        assert terms(w, "sam", Side.SELL) == Terms(1, 10_000, 195_000, 64)

    def test_t43_another_device_has_no_record(self):
        w = books("sam", "bea")
        revealed(w, {"sam": ask((800, 5000)), "bea": bid((1500, 5000))})
        battery = w.vault.battery("sam")
        battery.reliability = 900_000
        w.vault.sync("sam", 1, 30_000, 10_000)
        assert w.vault.battery("sam").reliability == 900_000
        assert battery.capacity == 256, "a certificate of the same device moves nothing while energy is promised"
        w.vault.sync("sam", 9, 30_000, 10_000)
        assert (battery.capacity, battery.promised) == (0, 64), "T42: nothing to sell until the old promises are over"
        commit(WindowBooks(w.vault, CALENDAR, W, "treasury", status=Status.OPEN), "sam", Side.BUY)
        w.clear(800, 5000, CLEARING)
        w.claim("sam", 5000, PAYMENT)
        w.claim("bea", 5000, PAYMENT)
        w.raise_to(1, 3, 4750)
        w.settle_seller(RightId("sam"), SETTLEMENT)
        assert w.vault.battery("sam").reliability == 0, "the old device's delivery is not the new one's"
        w.vault.sync("sam", 9, 30_000, 10_000)
        assert (battery.capacity, battery.promised) == (192, 0)

    def test_t45_t46_evidence_only_grows_and_counts_once(self):
        w = books("sam")
        w.reading(1, 0, 10)
        w.raise_to(1, 2, 25)
        for step, why in (
            (lambda: w.reading(1, 1, 5), "2 sub-slots are counted"),
            (lambda: w.raise_to(1, 2, 25), "25 Wh in 2 are counted"),
            (lambda: w.raise_to(1, 1, 30), "25 Wh in 2 are counted"),
            (lambda: w.raise_to(1, 3, 24), "25 Wh are counted"),
        ):
            with pytest.raises(SettlementError, match=why):
                step()
        w.reading(1, 2, 5)
        assert (w.metered, w.counted) == ({1: 30}, {1: 3})
        w.raise_to(1, 3, 40)  # a reading that skipped a sub-slot cuts nothing off
        assert (w.metered, w.counted) == ({1: 40}, {1: 3})
