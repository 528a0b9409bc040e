"""§1: everything that is settled is an integer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.errors import UnitError
from stowatt.units import ceil_div, money

numbers = st.integers(0, 2**48)


class TestMoney:
    """§1: money = Wh × tick × tick size / 1000, rounded against whoever receives it."""

    def test_a_whole_amount_has_no_rounding(self) -> None:
        assert money(1500, 20, 100, up=False) == money(1500, 20, 100, up=True) == 3000

    def test_one_watt_hour_costs_one_base_unit_to_pay_in_and_nothing_to_receive(self) -> None:
        assert money(1, 1, 1, up=True) == 1
        assert money(1, 1, 1, up=False) == 0

    @given(numbers, numbers, numbers)
    def test_up_and_down_enclose_the_exact_value(self, wh: int, tick: int, tick_size: int) -> None:
        down, up = money(wh, tick, tick_size, up=False), money(wh, tick, tick_size, up=True)
        assert down * 1000 <= wh * tick * tick_size <= up * 1000
        assert up - down == (wh * tick * tick_size % 1000 != 0)

    @pytest.mark.parametrize("arguments", [(-1, 1, 1), (1, -1, 1), (1, 1, -1)])
    def test_a_negative_factor_is_refused(self, arguments: tuple[int, int, int]) -> None:
        with pytest.raises(UnitError, match="negative"):
            money(*arguments, up=True)


@given(st.integers(-(2**70), 2**70), st.integers(1, 2**40))
def test_ceil_div_is_the_least_integer_not_below(numerator: int, denominator: int) -> None:
    quotient = ceil_div(numerator, denominator)
    assert quotient * denominator >= numerator > (quotient - 1) * denominator
