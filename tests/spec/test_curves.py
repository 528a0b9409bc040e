"""§2 (2)–(5): ask and bid curves."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.curves import Curve, Segment, Side
from stowatt.errors import CurveError
from stowatt.units import MAX_SEGMENTS, MAX_TICK, MAX_WIDTH_WH, Tick, Wh

pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 50)), min_size=1, max_size=16)
curves = st.builds(Curve.of, st.sampled_from(Side), pairs)


class TestCurvesAreMonotone:
    """§2: asks rise and bids fall; segments at one tick are merged."""

    def test_asks_are_sorted_upwards_and_merged(self) -> None:
        assert Curve.of(Side.SELL, [(7, 1), (3, 5), (7, 2)]).segments == ((3, 5), (7, 3))

    def test_bids_are_sorted_downwards_and_merged(self) -> None:
        assert Curve.of(Side.BUY, [(3, 5), (7, 1), (7, 2)]).segments == ((7, 3), (3, 5))

    @pytest.mark.parametrize(("side", "ticks"), [(Side.SELL, (7, 3)), (Side.BUY, (3, 7)), (Side.SELL, (3, 3))])
    def test_segments_out_of_order_are_refused(self, side: Side, ticks: tuple[int, int]) -> None:
        with pytest.raises(CurveError, match="after"):
            Curve(side, tuple(Segment(Tick(tick), Wh(1)) for tick in ticks))


class TestCurvesHave1To16Segments:
    """§2: a curve has 1 to 16 segments after merging."""

    def test_no_segment_is_refused(self) -> None:
        with pytest.raises(CurveError, match="0 segments"):
            Curve.of(Side.SELL, [])

    def test_16_segments_pass_and_17_do_not(self) -> None:
        assert len(Curve.of(Side.BUY, [(tick, 1) for tick in range(MAX_SEGMENTS)]).segments) == MAX_SEGMENTS
        with pytest.raises(CurveError, match="17 segments"):
            Curve.of(Side.BUY, [(tick, 1) for tick in range(MAX_SEGMENTS + 1)])

    def test_many_pairs_at_one_tick_are_one_segment(self) -> None:
        assert Curve.of(Side.SELL, [(4, 1)] * 40).segments == ((4, 40),)


class TestSegmentsAreWholeAndInRange:
    """§1, §2: whole ticks from 0, whole Wh above 0."""

    @pytest.mark.parametrize(
        "pair",
        [(-1, 1), (MAX_TICK + 1, 1), (1, 0), (1, -5), (1, MAX_WIDTH_WH + 1), (1.0, 1), (1, 2.0), ("1", 1), (True, 1)],
    )
    def test_anything_else_is_refused(self, pair: tuple[Any, Any]) -> None:
        with pytest.raises(CurveError):
            Curve.of(Side.SELL, [pair])

    def test_a_negative_width_cannot_hide_in_a_merge(self) -> None:
        with pytest.raises(CurveError, match="-3 Wh"):
            Curve.of(Side.SELL, [(5, 10), (5, -3)])

    def test_widths_that_merge_to_too_much_are_refused(self) -> None:
        with pytest.raises(CurveError, match="out of range"):
            Curve.of(Side.SELL, [(5, MAX_WIDTH_WH), (5, 1)])


class TestValue:
    """(3), (5): the total cost or value is piecewise linear in the quantity."""

    def test_the_best_quantity_is_taken_first(self) -> None:
        bid = Curve.of(Side.BUY, [(7, 3), (4, 5)])
        assert [bid.value(quantity) for quantity in (0, 2, 3, 4, 8)] == [0, 14, 21, 25, 41]
        assert bid.value(bid.total) == bid.worst_value

    @pytest.mark.parametrize("quantity", [-1, 9])
    def test_a_quantity_off_the_curve_is_refused(self, quantity: int) -> None:
        with pytest.raises(CurveError, match=r"^-?\d Wh of a curve of 8 Wh"):
            Curve.of(Side.BUY, [(7, 3), (4, 5)]).value(quantity)

    @given(curves)
    def test_marginal_prices_are_monotone(self, curve: Curve) -> None:
        values = [curve.value(quantity) for quantity in range(curve.total + 1)]
        marginal = [after - before for before, after in pairwise(values)]
        assert marginal == sorted(marginal, reverse=curve.side is Side.BUY)

    @given(curves, st.integers(0, 13))
    def test_better_at_and_worse_make_the_total(self, curve: Curve, price: int) -> None:
        other = Curve(Side(1 - curve.side), curve.segments[::-1])
        assert curve.better_than(price) + curve.at(price) + other.better_than(price) == curve.total


class TestEncoding:
    """§5: the committed curve, 6 bytes a segment."""

    def test_tick_then_width_big_endian_in_merit_order(self) -> None:
        encoded = Curve.of(Side.BUY, [(0x0102, 0x03040506), (0x0708, 1)]).encode()
        assert encoded.hex() == "070800000001" + "010203040506"

    @given(curves)
    def test_decoding_gives_the_curve_back(self, curve: Curve) -> None:
        assert Curve.decode(curve.side, curve.encode()) == curve

    @pytest.mark.parametrize(
        "text", ["", "0001000000", "000100000000", "000100000001000100000001", "00020000000100010000"]
    )
    def test_anything_but_a_canonical_encoding_is_refused(self, text: str) -> None:
        with pytest.raises(CurveError):
            Curve.decode(Side.SELL, bytes.fromhex(text))

    def test_a_tick_beyond_two_bytes_is_refused(self) -> None:
        with pytest.raises(CurveError, match="65536"):
            Curve.of(Side.SELL, [(2**16, 1)]).encode()
