"""§1: decimals are read and written exactly."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.data.decimals import WH_IN_KWH, DecimalUnit, decimal_text, parse_decimal
from stowatt.errors import UnitError

TICK = DecimalUnit.parse("0.0001")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0.1234", 1234),
        ("0", 0),
        ("-0.0", 0),
        ("1", 10_000),
        ("+1.", 10_000),
        (".5", 5000),
        ("0.12340000000000000", 1234),
        ("1e-4", 1),
        ("5E-05", None),
        ("1.2e1", 120_000),
        ("0.00005", None),
        ("-0.0001", -1),
        ("0.1" + "0" * 60, 1000),
        ("1e-999", None),
    ],
)
def test_counts_of_a_unit(text: str, count: int | None) -> None:
    assert TICK.count(text) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("abc", "'abc' is not a number"),
        ("nan", "not a finite number"),
        ("-Infinity", "not a finite number"),
        ("1,5", "decimal mark as a point"),
        ("1 000", "not a number"),
        ("1_000", "not a number"),
        ("0x10", "not a number"),
        (".", "not a number"),
        ("-", "not a number"),
        ("e5", "not a number"),
        ("1e", "not a number"),
        ("1e9999", "not a number"),
        ("١٢", "not a number"),
        ("1\n", "not a number"),
        ("9" * 65, "too long"),
    ],
)
def test_what_is_not_a_number(text: str, message: str) -> None:
    with pytest.raises(UnitError, match=message):
        parse_decimal(text)


def test_a_tick_size_need_not_be_a_power_of_ten() -> None:
    unit = DecimalUnit.parse("0.00025")
    assert (unit.count("0.001"), unit.count("0.0011"), unit.text(3)) == (4, None, "0.00075")


@pytest.mark.parametrize("text", ["0", "-0.1", "1e-19", "1e19", "1e300"])
def test_a_tick_size_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="tick size"):
        DecimalUnit.parse(text)


@pytest.mark.parametrize(
    ("mantissa", "exponent", "text"),
    [(1234, -4, "0.1234"), (20, -1, "2"), (0, -9, "0"), (5, 3, "5000"), (-25, -3, "-0.025"), (120, -2, "1.2")],
)
def test_text(mantissa: int, exponent: int, text: str) -> None:
    assert decimal_text(mantissa, exponent) == text


@given(st.integers(-(2**120), 2**120), st.integers(-30, 20))
def test_text_is_exact_and_plain(mantissa: int, exponent: int) -> None:
    text = decimal_text(mantissa, exponent)
    with localcontext(prec=200):
        assert Decimal(text) == Decimal(mantissa).scaleb(exponent)
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))


@given(st.integers(0, 2**32))
def test_what_is_written_is_read_back(count: int) -> None:
    assert TICK.count(TICK.text(count)) == WH_IN_KWH.count(WH_IN_KWH.text(count)) == count
