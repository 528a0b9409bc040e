"""§3: asks and bids as arrays of their own are cleared as if they were joined."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.clearing import PriceRule, Rules
from stowatt.clearing.fast import clear_columns
from stowatt.clearing.plan import using
from stowatt.clearing.sides import Sides, clear_sides
from stowatt.errors import BookError
from tests.differential.test_fast_engine import PLANS, Row, books, columns_of, rules, types_for

INT, FEW = np.int64, np.array([1, 2])


def sides_of(rows: list[Row], asks: Any = INT, bids: Any = INT) -> Sides:
    columns = [
        np.array([row[number] for row in rows if row[2] == buys], dtype=kind)
        for buys, kind in ((False, asks), (True, bids))
        for number in (0, 1)
    ]
    return Sides(*columns)


@settings(max_examples=200, deadline=None)
@given(books, rules, st.sampled_from(PLANS), st.data())
def test_as_if_joined(rows: list[Row], rule: Rules, plan: Any, data: st.DataObject) -> None:
    kinds = [
        data.draw(st.sampled_from(types_for(number for row in rows if row[2] == buys for number in row[:2])))
        for buys in (False, True)
    ]
    with using(plan):
        sides = sides_of(rows, *kinds)
        result = clear_sides(sides, rule)
        joined = clear_columns(columns_of(rows), rule)
    assert all(getattr(result.crossing, name) == getattr(joined, name) for name in result.crossing.__slots__)
    buys = np.array([row[2] for row in rows], dtype=np.bool_)
    assert result.sold.tolist() == joined.fills[~buys].tolist()
    assert result.bought.tolist() == joined.fills[buys].tolist()
    assert (result.sold.dtype, result.bought.dtype) == (sides.ask_widths.dtype, sides.bid_widths.dtype)


def test_a_price_beyond_the_other_sides_kind() -> None:
    sides = Sides(
        *(np.array([5], np.int32), np.array([9], np.int32)),
        *(np.array([2**32 - 1, 2**32 - 2], np.uint32), np.array([9, 4], np.uint32)),
    )
    result = clear_sides(sides, Rules(PriceRule.MIDPOINT))
    assert result.crossing.price == (2**32 - 2 + 2**32 - 1) // 2 and result.sold.tolist() == [9]


def test_fills_go_where_they_are_wanted() -> None:
    out = np.full(2, -1), np.full(2, -1)
    result = clear_sides(Sides(FEW, FEW, FEW, FEW), Rules(), out)
    assert result.sold is out[0] and result.bought is out[1]
    assert (out[0].tolist(), out[1].tolist()) == ([1, 1], [0, 2])
    with pytest.raises(BookError, match="do not go into"):
        clear_sides(Sides(FEW, FEW, FEW, FEW), Rules(), (out[0], out[1][:1]))


@pytest.mark.parametrize("place", range(4))
def test_wrong_columns_are_refused(place: int) -> None:
    for wrong in (FEW[:1], FEW * 1.0, -FEW):
        columns: list[Any] = [FEW] * 4
        columns[place] = wrong
        with pytest.raises(BookError):
            clear_sides(Sides(*columns), Rules())
