"""§6, dynamic α: worked by hand, bounds and rounding as properties, and what an attacker cannot gain."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.errors import SettlementError
from stowatt.settlement.reliability import seller_alpha, updated
from stowatt.units import PPM

ppm = st.integers(0, PPM)
alphas = st.tuples(st.integers(1, PPM), st.integers(1, PPM)).map(sorted)
sales = st.integers(1, 2**32 - 1).flatmap(lambda limit: st.tuples(st.integers(0, limit), st.just(limit)))


class TestAlpha:
    """α_S(r) = α_new − ⌊(α_new − α_proven)·r / 10^6⌋."""

    def test_worked_by_hand(self):
        assert seller_alpha(400_000, 100_000, 0) == 400_000
        assert seller_alpha(400_000, 100_000, 500_000) == 250_000
        assert seller_alpha(400_000, 100_000, PPM) == 100_000

    def test_rounds_up(self):
        assert seller_alpha(2, 1, PPM - 1) == 2
        assert seller_alpha(2, 1, PPM) == 1

    @given(alphas, ppm)
    def test_is_bounded_and_above_the_exact_value_by_less_than_one_ppm(self, bounds, r):
        proven, new = bounds
        alpha = seller_alpha(new, proven, r)
        assert proven <= alpha <= new
        assert 0 <= alpha - (new - Fraction((new - proven) * r, PPM)) < 1

    @given(alphas, ppm, ppm)
    def test_never_rises_with_reliability(self, bounds, one, other):
        proven, new = bounds
        low, high = sorted((one, other))
        assert seller_alpha(new, proven, high) <= seller_alpha(new, proven, low)

    @pytest.mark.parametrize("bad", [(5, 6, 0), (5, 0, 0), (PPM + 1, 5, 0), (5, 5, -1), (5, 5, PPM + 1)])
    def test_refuses_what_no_market_has(self, bad):
        with pytest.raises(SettlementError):
            seller_alpha(*bad)


class TestUpdate:
    """r' = ⌊(r·(10^6 − w) + ρ·w) / 10^6⌋, w = ⌊γ·Q_eff / limit⌋."""

    def test_worked_by_hand(self):
        # γ = 10 %, a sale of half the limit: w = 5 %. From 0.5 with ρ = 1: 0.5·0.95 + 0.05 = 0.525
        assert updated(500_000, PPM, 100_000, 1_000, 2_000) == 525_000
        assert updated(500_000, 0, 100_000, 1_000, 2_000) == 475_000

    def test_a_full_gain_forgets_everything_before(self):
        assert updated(123_456, 777_777, PPM, 2_000, 2_000) == 777_777

    def test_without_gain_or_obligation_nothing_changes(self):
        assert updated(123_456, 0, 0, 2_000, 2_000) == 123_456
        assert updated(123_456, 0, PPM, 0, 2_000) == 123_456

    @given(ppm, ppm, ppm, sales)
    def test_lies_between_the_old_value_and_the_new_fulfilment(self, r, rho, gain, sale):
        after = updated(r, rho, gain, *sale)
        assert min(r, rho) <= after <= max(r, rho)

    @given(ppm, ppm, ppm, sales)
    def test_is_the_exact_mean_rounded_down_by_less_than_one_ppm(self, r, rho, gain, sale):
        weight = gain * sale[0] // sale[1]
        exact = Fraction(r * (PPM - weight) + rho * weight, PPM)
        assert 0 <= exact - updated(r, rho, gain, *sale) < 1

    @given(ppm, st.integers(1, PPM), st.integers(2, 40), st.integers(1, 50_000))
    def test_farming_the_parts_of_a_sale_earn_no_more_trust_than_the_whole(self, r, gain, parts, part):
        # Distrust shrinks by ∏(1 − w/n), which is at least 1 − w.
        limit = parts * part
        small = r
        for _ in range(parts):
            small = updated(small, PPM, gain, part, limit)
        assert small <= updated(r, PPM, gain, limit, limit)

    @pytest.mark.parametrize(
        "bad",
        [
            (-1, 0, 0, 0, 1),
            (PPM + 1, 0, 0, 0, 1),
            (0, PPM + 1, 0, 0, 1),
            (0, 0, PPM + 1, 0, 1),
            (0, 0, 0, 2, 1),
            (0, 0, 0, -1, 1),
            (0, 0, 0, 0, 0),
        ],
    )
    def test_refuses_what_no_sale_has(self, bad):
        with pytest.raises(SettlementError):
            updated(*bad)
