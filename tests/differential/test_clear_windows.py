"""§3: many windows in one call give what each gives alone, whatever the kernels, threads and their number."""

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.clearing import PriceRule, Rationing, Rules, vectors_windows, windows
from stowatt.clearing.fast import Columns, clear_columns
from stowatt.clearing.plan import Plan, using
from stowatt.clearing.windows import Windows, WindowsResult, clear_windows
from stowatt.errors import BookError
from stowatt.units import MAX_WIDTH_WH
from tests.differential.test_fast_engine import KERNELS, Row, assert_same, books, rules, types_for

PLANS = [Plan(threads, 0, compiled) for compiled in KERNELS for threads in (1, 2)]


def joined(each: Sequence[list[Row]], ticks: Any = np.int64, widths: Any = np.int64) -> Windows:
    rows = [row for one in each for row in one]
    return Windows(
        np.array([tick for tick, _, _ in rows], dtype=ticks),
        np.array([width for _, width, _ in rows], dtype=widths),
        np.array([buys for _, _, buys in rows], dtype=np.bool_),
        np.cumsum([0, *(len(one) for one in each)]),
    )


def bytes_of(result: WindowsResult) -> tuple[bytes, bytes]:
    return result.table.tobytes(), result.fills.tobytes()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(books, rules), max_size=6), st.sampled_from(PLANS), st.data())
def test_each_window_is_cleared_as_if_alone(
    each: list[tuple[list[Row], Rules]], plan: Plan, data: st.DataObject
) -> None:
    books_, rules_ = [rows for rows, _ in each], [rule for _, rule in each]
    rows = [row for one in books_ for row in one]
    kinds = data.draw(st.sampled_from(types_for(tick for tick, _, _ in rows))), np.uint32
    with using(plan):
        result = clear_windows(joined(books_, *kinds), rules_)
    assert len(result) == len(each)
    for index, (one, rule) in enumerate(each):
        alone = result.window(index)
        assert_same(alone, one, rule)
        assert (result.price[index], result.volume[index]) == (-1 if alone.price is None else alone.price, alone.volume)


@pytest.mark.parametrize("least", [1, 100, 2**15])
def test_large_and_small_windows_give_the_same_bytes(least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(5)
    each = [
        [(random.randrange(top), random.randint(1, 900), random.random() < 0.5) for _ in range(random.choice(sizes))]
        for top, sizes in [(90, (0, 1, 50)), (16_384, (300, 9_000)), (2**32, (0, 700)), (2**32, (5_000,))] * 6
    ]
    together, rule = joined(each), Rules(PriceRule.SEED, Rationing.SEEDED_ORDER, 2**250 + 9)
    monkeypatch.setattr(windows, "SMALL", 0)
    with using(Plan(1, 0, False)):
        expected = bytes_of(clear_windows(together, rule))
    monkeypatch.setattr(windows, "LARGE", least)
    monkeypatch.setattr(windows, "SMALL", least)
    monkeypatch.setattr(windows, "TOGETHER", 1_000)
    for plan in PLANS:
        with using(plan):
            assert bytes_of(clear_windows(together, rule)) == expected


@pytest.mark.parametrize(("rows", "ask", "bid"), [(2**13, 3, 65_000), (2**13, 0, 0), (2**10, 7, 2**32 - 1)])
def test_wide_rows(rows: int, ask: int, bid: int) -> None:
    """Values beyond 2^63, and shares that take the long division."""
    places = np.arange(rows)
    widths = MAX_WIDTH_WH - places % 3
    buys = places % 3 == 0
    ticks = np.where(buys, bid, ask) * (places % 5 > 0) + (places % 5 == 0) * bid
    for rule in (Rules(seed=2**255 + 5), Rules(PriceRule.SEED, Rationing.SEEDED_ORDER, 2**250 + 1)):
        with using(Plan(1, 0, False)):
            alone = clear_columns(Columns(ticks, widths, buys), rule)
        for plan in PLANS:
            with using(plan):
                result = clear_windows(Windows(ticks, widths, buys, np.array([0, 0, rows])), rule).window(1)
            assert result.fills.tobytes() == alone.fills.tobytes()
            for name in ("price", "lowest", "highest", "volume", "supply", "demand", "welfare", "dual"):
                assert getattr(result, name) == getattr(alone, name), name


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(books, rules), min_size=1, max_size=40), st.integers(1, 9))
def test_numpy_clears_many_windows_together(each: list[tuple[list[Row], Rules]], times: int) -> None:
    """Each among many, and in groups of any size, as the readable engine clears it; the same rule for all, too."""
    many = each * times
    together = joined([rows for rows, _ in many])
    with using(Plan(2, 0, False)):
        own, one = (clear_windows(together, given) for given in ([rule for _, rule in many], each[0][1]))
    for index, (rows, rule) in enumerate(many[-len(each) :], len(many) - len(each)):
        assert_same(own.window(index), rows, rule)
        assert_same(one.window(index), rows, each[0][1])


@pytest.mark.parametrize("tick", [5, 2**20])
def test_a_side_beyond_56_bits_is_refused(tick: int) -> None:
    rows = 2**24 + 1
    windows_ = Windows(
        np.full(rows + 1, tick, np.uint32),
        np.full(rows + 1, MAX_WIDTH_WH, np.uint32),
        np.ones(rows + 1, np.bool_),
        np.array([0, 1, rows + 1]),
    )
    with using(PLANS[-2]), pytest.raises(BookError, match="window 1: one side adds up"):
        clear_windows(windows_, Rules())


def test_numpy_refuses_a_side_beyond_56_bits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors_windows, "_MOST", 100)
    ones = np.ones(7, np.int64)
    with using(Plan(1, 0, False)), pytest.raises(BookError, match="window 1: one side adds up"):
        clear_windows(Windows(ones, 20 * ones, ones > 0, np.array([0, 1, 7])), Rules())


def test_numbered_rows() -> None:
    ids = np.array([0, 0, 2, 2, 2, 5])
    ones = np.ones(6, np.int64)
    made = Windows.by_id(ones, ones, ones > 0, ids, 6)
    assert made.starts.tolist() == [0, 2, 2, 5, 5, 5, 6]
    assert len(clear_windows(made, Rules())) == 6
    for wrong, count in ((ids[::-1], 6), (ids, 5), (ids - 1, 6), (ids[:-1], 6)):
        with pytest.raises(BookError, match="rows' windows"):
            Windows.by_id(ones, ones, ones > 0, wrong, count)


@pytest.mark.parametrize("starts", [[], [0], [1, 4], [0, 3], [0, 5, 4], [0, 3, 2, 4]])
def test_wrong_starts_are_refused(starts: list[int]) -> None:
    ones = np.ones(4, np.int64)
    with pytest.raises(BookError, match="starts"):
        Windows(ones, ones, ones > 0, np.array(starts, dtype=np.int64))


@pytest.mark.parametrize("row", [(-1, 1), (2**32, 1), (1, 0), (1, 2**32), (1, -(2**40))])
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.threads}-{plan.compiled}")
def test_a_wrong_row_is_refused_with_its_window(row: tuple[int, int], plan: Plan) -> None:
    each: list[list[Row]] = [[(1, 1, True)] * 3, [], [(1, 1, False), (*row, True)]]
    with using(plan), pytest.raises(BookError, match=r"window 2: .* out of range"):
        clear_windows(joined(each), Rules())


def test_there_are_as_many_rules_as_windows() -> None:
    with pytest.raises(BookError, match="1 rules for 2 windows"):
        clear_windows(joined([[], []]), [Rules()])
