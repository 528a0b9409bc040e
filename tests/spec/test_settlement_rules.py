"""§6: each rule of settlement as a pure function: worked by hand, and its rounding as a property."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.curves import Curve, Side
from stowatt.errors import SettlementError
from stowatt.settlement import (
    BETA_BUYER,
    bond_share,
    compensation,
    deposit,
    earnings_cap,
    effective_quantity,
    entitlement,
    forfeit_share,
    fulfilment,
    locked,
    owed,
    part_deposit,
    part_drawn,
    part_entitlement,
    payment,
    release_coefficient,
    released,
    reserve,
)
from stowatt.units import PPM

wh = st.integers(0, 2**36)
some_wh = st.integers(1, 2**36)
tick = st.integers(0, 16_383)
tick_size = st.integers(1, 10**20)
ppm = st.integers(1, PPM)
money = st.integers(0, 2**90)


class TestDeposits:
    """(23) D_S = α_S q λ, (24) D_B = α_B y λ."""

    def test_23_worked_by_hand(self):
        # 2.5 kWh at tick 1234 of 100 µEUR/kWh = 0.1234 EUR/kWh is 0.3085 EUR; α_S = 20 % of it is 0.0617 EUR
        assert deposit(2500, 1234, 100, 200_000) == 61_700

    def test_24_rounds_up_to_the_next_base_unit(self):
        assert deposit(1, 1, 1, 1) == 1  # 10^-9 of a base unit
        assert deposit(0, 1, 1, 1) == 0

    @given(wh, tick, tick_size, ppm)
    def test_covers_the_exact_deposit_by_less_than_one_unit(self, q, price, size, alpha):
        exact = Fraction(alpha * q * price * size, 10**9)
        assert 0 <= deposit(q, price, size, alpha) - exact < 1

    @given(st.lists(some_wh, min_size=1, max_size=6), tick, tick_size, ppm)
    def test_t7_the_parts_of_a_split_telescope(self, parts, price, size, alpha):
        starts = [sum(parts[:i]) for i in range(len(parts))]
        shares = [part_deposit(start, q, price, size, alpha) for start, q in zip(starts, parts, strict=True)]
        assert sum(shares) == deposit(sum(parts), price, size, alpha)
        assert all(share >= 0 for share in shares)

    def test_reserve_of_a_buyer_is_its_own_worst_case(self):
        bid = Curve.of(Side.BUY, [(3000, 400), (2000, 600)])
        # 400·3000 + 600·2000 = 2.4 M tick·Wh, · 100 / 1000 = 240,000; 10 % of it
        assert reserve(bid, 4096, 100, 100_000) == 24_000

    def test_reserve_of_a_seller_is_its_quantity_at_the_highest_tick(self):
        ask = Curve.of(Side.SELL, [(10, 400), (20, 600)])
        assert reserve(ask, 4096, 100, 200_000) == 81_900  # 1 kWh · 4095 ticks · 100 · 20 %

    @given(st.data(), tick_size, ppm)
    def test_no_clearing_asks_for_more_than_the_reserve(self, data, size, alpha):
        pairs = st.lists(
            st.tuples(st.integers(0, 4095), st.integers(1, 2**32 - 1)),
            min_size=1,
            max_size=16,
            unique_by=lambda pair: pair[0],
        )
        curve = Curve.of(data.draw(st.sampled_from(Side)), data.draw(pairs))
        price = data.draw(st.integers(0, 4095))
        fill = curve.better_than(price) + curve.at(price)
        assert deposit(fill, price, size, alpha) <= reserve(curve, 4096, size, alpha)

    def test_the_bond_counts_towards_the_reserve(self):
        assert (locked(50, 20), locked(50, 70)) == (50, 70)

    def test_t3_a_forfeited_bond_goes_to_the_other_side_pro_rata(self):
        # two buyers did not open; bond 50,000; sellers sold 1000 + 2000 of 3000 Wh
        assert [bond_share(2, 50_000, q, 3000) for q in (1000, 2000)] == [33_333, 66_666]

    @given(st.integers(0, 1000), st.integers(0, 10**12), st.lists(some_wh, min_size=1, max_size=8))
    def test_bond_shares_never_exceed_the_bonds(self, unopened, bond, fills):
        shares = [bond_share(unopened, bond, q, sum(fills)) for q in fills]
        assert 0 <= unopened * bond - sum(shares) < len(fills)

    @pytest.mark.parametrize("call", [
        lambda: deposit(-1, 1, 1, 1), lambda: deposit(1, 1, 1, PPM + 1), lambda: bond_share(1, 1, 5, 4),
        lambda: bond_share(1, 1, 0, 0),
    ])  # fmt: skip
    def test_impossible_input_is_refused(self, call):
        with pytest.raises(SettlementError):
            call()


class TestPayment:
    def test_worked_by_hand(self):
        assert payment(2500, 1234, 100) == 308_500
        assert payment(1, 1, 1) == 1  # a thousandth of a unit
        assert earnings_cap(1, 1, 1) == 0

    @given(st.lists(some_wh, min_size=1, max_size=8), st.data(), tick, tick_size)
    def test_sellers_never_earn_more_than_buyers_pay(self, bought, data, price, size):
        total = sum(bought)
        cuts = sorted(data.draw(st.lists(st.integers(0, total), max_size=6)))
        sold = [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
        paid = sum(payment(y, price, size) for y in bought)
        assert sum(earnings_cap(q, price, size) for q in sold) <= paid


class TestStream:
    """(31) and (32), as one rule."""

    def test_31_worked_by_hand(self):
        # η = 95 %: 1900 Wh at the meter fulfil 2000 Wh of a right to 2500 Wh, at 0.1234 EUR/kWh
        assert entitlement(1900, 2500, 1234, 100, 950_000) == 246_800
        assert entitlement(2375, 2500, 1234, 100, 950_000) == 308_500
        assert entitlement(9999, 2500, 1234, 100, 950_000) == 308_500  # capped at λ q

    def test_31_equals_lambda_q_rho(self):
        """AdjPay = λ q ρ, with ρ of (30)."""
        rho = fulfilment(1900, 2500, 950_000)
        assert rho == 800_000
        assert entitlement(1900, 2500, 1234, 100, 950_000) == 308_500 * rho // PPM

    @given(st.lists(st.integers(0, 2**20), max_size=12), some_wh, tick, tick_size, ppm)
    def test_32_the_stream_sums_to_the_final_payment_to_the_unit(self, energies, q, price, size, eta):
        metered = drawn = 0
        for energy in energies:
            metered += energy
            due = owed(entitlement(metered, q, price, size, eta), drawn)
            assert due >= 0
            drawn += due
        assert drawn == entitlement(sum(energies), q, price, size, eta)

    @given(wh, some_wh, tick, tick_size, ppm)
    def test_pays_less_than_one_unit_under_the_exact_amount_and_never_more(self, metered, q, price, size, eta):
        exact = min(Fraction(metered * PPM, eta), Fraction(q)) * price * size / 1000
        assert 0 <= exact - entitlement(metered, q, price, size, eta) < 1

    @given(st.lists(some_wh, min_size=1, max_size=6), money)
    def test_t7_parts_get_at_most_the_whole(self, parts, whole):
        shares = [part_entitlement(whole, q, sum(parts)) for q in parts]
        assert 0 <= whole - sum(shares) < len(parts)

    def test_t7_splitting_off_parts_does_not_free_drawn_money(self):
        """A right of 1000 Wh drew all of E = 500; single Wh are split off. Rounded down, the rest could draw again."""
        whole_wh, drawn, paid = 1000, 500, 500
        rest = whole_wh
        for _ in range(500):
            drawn, rest = part_drawn(drawn, rest - 1, rest), rest - 1
        paid += owed(part_entitlement(500, rest, whole_wh), drawn)
        assert paid == 500

    @given(st.data())
    def test_t7_no_order_of_draws_and_splits_draws_more_than_the_whole(self, data):
        bid = data.draw(st.integers(2, 5000))
        rights = [(bid, 0)]  # (Wh, drawn)
        earned = paid = 0
        for _ in range(data.draw(st.integers(1, 25))):
            earned += data.draw(st.integers(0, 400))
            index = data.draw(st.integers(0, len(rights) - 1))
            size, drawn = rights[index]
            if size > 1 and data.draw(st.booleans()):
                cut = data.draw(st.integers(1, size - 1))
                rights[index] = (cut, part_drawn(drawn, cut, size))
                rights.append((size - cut, part_drawn(drawn, size - cut, size)))
            else:
                due = owed(part_entitlement(earned, size, bid), drawn)
                rights[index] = (size, drawn + due)
                paid += due
            assert paid <= earned
        paid += sum(owed(part_entitlement(earned, size, bid), drawn) for size, drawn in rights)
        assert paid <= earned

    @pytest.mark.parametrize("call", [
        lambda: entitlement(-1, 1, 1, 1, 1), lambda: entitlement(1, 1, 1, 1, 0), lambda: part_entitlement(1, 0, 5),
        lambda: part_entitlement(1, 6, 5), lambda: part_drawn(1, 0, 5), lambda: part_drawn(1, 6, 5),
    ])  # fmt: skip
    def test_impossible_input_is_refused(self, call):
        with pytest.raises(SettlementError):
            call()


class TestRelease:
    """(26) P_S = β_S D_S, (30) ρ = min(1, Σu / (η q))."""

    def test_30_worked_by_hand(self):
        assert fulfilment(1900, 2500, 950_000) == 800_000
        assert fulfilment(2375, 2500, 950_000) == PPM
        assert fulfilment(0, 2500, 950_000) == 0
        assert fulfilment(1, 3, PPM) == 333_333

    def test_nothing_owed_is_nothing_failed(self):
        assert fulfilment(0, 0, 950_000) == PPM

    @given(wh, some_wh, ppm)
    def test_30_rounds_down_by_less_than_one_ppm(self, metered, q, eta):
        exact = min(Fraction(1), Fraction(metered * PPM, eta * q))
        assert 0 <= exact * PPM - fulfilment(metered, q, eta) < 1

    def test_26_worked_by_hand(self):
        assert released(61_700, 800_000) == 49_360
        assert released(61_700, 0) == 0  # a total failure
        assert released(61_700, BETA_BUYER) == 61_700
        assert released(1, 999_999) == 0

    def test_beta_is_1_from_the_tolerance_on(self):
        assert [release_coefficient(rho, 980_000) for rho in (979_999, 980_000, PPM)] == [979_999, PPM, PPM]

    @given(money, st.integers(0, PPM))
    def test_26_never_releases_more_than_the_deposit(self, held, beta):
        assert 0 <= Fraction(held * beta, PPM) - released(held, beta) < 1

    @pytest.mark.parametrize("call", [
        lambda: fulfilment(-1, 1, 1), lambda: fulfilment(1, 1, PPM + 1), lambda: released(1, PPM + 1),
        lambda: released(-1, 1),
    ])  # fmt: skip
    def test_impossible_input_is_refused(self, call):
        with pytest.raises(SettlementError):
            call()


class TestDefault:
    """κ, Q_eff, the forfeit's shares and the buyers' compensation."""

    def test_kappa_worked_by_hand(self):
        # 2 of 3 kWh were paid: sellers of 1000 and 2000 Wh still owe two thirds
        assert [effective_quantity(q, 2000, 3000) for q in (1000, 2000)] == [666, 1333]

    @given(st.lists(some_wh, min_size=1, max_size=8), st.data())
    def test_obligations_never_exceed_what_was_paid(self, fills, data):
        paid = data.draw(st.integers(0, sum(fills)))
        duties = [effective_quantity(q, paid, sum(fills)) for q in fills]
        assert 0 <= paid - sum(duties) < len(fills)

    @given(st.lists(some_wh, min_size=1, max_size=8), money)
    def test_forfeit_shares_never_exceed_the_forfeit(self, fills, forfeited):
        shares = [forfeit_share(forfeited, q, sum(fills)) for q in fills]
        assert 0 <= forfeited - sum(shares) < len(fills)

    def test_compensation_worked_by_hand(self):
        assert compensation(100, 0, 1, 3) == 33
        assert compensation(100, 1, 1, 3) == 33
        assert compensation(100, 2, 1, 3) == 34

    @given(st.lists(some_wh, min_size=1, max_size=8), money, st.randoms())
    def test_compensations_empty_the_pool_and_order_moves_at_most_one_unit(self, rights, pool, rng):
        rng.shuffle(rights)
        before = total = 0
        for wh in rights:
            got = compensation(pool, before, wh, sum(rights))
            exact = Fraction(pool * wh, sum(rights))
            assert exact.__floor__() <= got <= exact.__ceil__()
            before, total = before + wh, total + got
        assert total == pool

    def test_a_large_right_settled_last_gets_no_more_than_its_share(self):
        """500 rights of 1 Wh and one of 500 Wh: with a shrinking pool the large one, if last, would take it all."""
        small = sum(compensation(500, before, 1, 1000) for before in range(500))
        assert (small, compensation(500, 500, 500, 1000)) == (250, 250)

    @pytest.mark.parametrize("call", [
        lambda: effective_quantity(1, 5, 4), lambda: effective_quantity(5, 1, 4), lambda: effective_quantity(0, 0, 0),
        lambda: forfeit_share(1, 5, 4), lambda: compensation(1, 0, 5, 4), lambda: compensation(1, 0, 0, 4),
        lambda: compensation(1, 4, 1, 4),
    ])  # fmt: skip
    def test_impossible_input_is_refused(self, call):
        with pytest.raises(SettlementError):
            call()
