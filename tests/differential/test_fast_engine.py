"""§3: the fast engine gives the same bytes whatever it runs on: any kernels, threads, cuts and column types."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.clearing import Book, PriceRule, Rationing, Rules, clear_readable, vectors
from stowatt.clearing.columns import Columns, ColumnsResult
from stowatt.clearing.fast import clear_columns, cross_columns
from stowatt.clearing.histogram import Histogram
from stowatt.clearing.plan import Plan, using
from stowatt.curves import Curve, Side
from stowatt.errors import BookError
from stowatt.units import MAX_TICK, MAX_WIDTH_WH

KERNELS = (False, True) if find_spec("numba") else (False,)
"""Without numba only the numpy kernels can be judged here."""
PLANS = [
    Plan(threads, rows, compiled) for compiled in KERNELS for threads, rows in ((1, 0), (2, 0), (1, 1), (2, 3), (3, 7))
]
Row = tuple[int, int, bool]


def rows_of(ticks: st.SearchStrategy[int], widths: st.SearchStrategy[int], most: int) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(ticks, widths, st.booleans()), max_size=most)


far = st.one_of(
    st.integers(0, MAX_TICK), st.sampled_from([0, 2**16 - 1, 2**16, 2**16 + 1, 2**31, 2**32 - 2**16, MAX_TICK])
)
broad = st.one_of(st.integers(1, MAX_WIDTH_WH), st.just(MAX_WIDTH_WH))
books = st.one_of(
    rows_of(st.integers(0, 4), st.integers(1, 6), 24),
    rows_of(st.integers(0, 60), st.integers(1, 30), 24),
    rows_of(st.integers(2**16 - 3, 2**16 + 3), st.just(5), 24),
    rows_of(far, broad, 16),
    rows_of(st.sampled_from([5, 2**20, MAX_TICK]), broad, 40),
)
rules = st.builds(
    Rules,
    st.sampled_from(PriceRule),
    st.sampled_from(Rationing),
    st.one_of(st.integers(0, 40), st.integers(0, 2**256 - 1)),
)


def columns_of(rows: list[Row], ticks: Any = np.int64, widths: Any = np.int64) -> Columns:
    return Columns(
        np.array([tick for tick, _, _ in rows], dtype=ticks),
        np.array([width for _, width, _ in rows], dtype=widths),
        np.array([buys for _, _, buys in rows], dtype=np.bool_),
    )


def book_of(rows: list[Row]) -> Book:
    """Every row as a curve of its own."""
    return Book.of((f"p{i}", Curve.of(Side(int(buys)), [(tick, width)])) for i, (tick, width, buys) in enumerate(rows))


def types_for(numbers: Iterator[int]) -> list[Any]:
    most = max(numbers, default=0)
    return [np.int64, np.uint32, *([np.int32, np.int16] if most < 2**15 else [np.int32] if most < 2**31 else [])]


def assert_same(result: ColumnsResult, rows: list[Row], rule: Rules) -> None:
    expected = clear_readable(book_of(rows), rule)
    assert [fill.quantity for fill in expected.fills] == result.fills.tolist()
    for name in ("price", "lowest", "highest", "volume", "supply", "demand", "welfare", "dual"):
        assert getattr(result, name) == getattr(expected, name), name


@settings(max_examples=300, deadline=None)
@given(books, rules, st.sampled_from(PLANS), st.data())
def test_every_way_gives_the_readable_result(rows: list[Row], rule: Rules, plan: Plan, data: st.DataObject) -> None:
    ticks = data.draw(st.sampled_from(types_for(tick for tick, _, _ in rows)))
    widths = data.draw(st.sampled_from(types_for(width for _, width, _ in rows)))
    with using(plan):
        columns = columns_of(rows, ticks, widths)
        result = clear_columns(columns, rule)
        crossing = cross_columns(columns, rule)
    assert_same(result, rows, rule)
    assert all(getattr(crossing, name) == getattr(result, name) for name in crossing.__slots__)
    assert result.fills.dtype == columns.widths.dtype


@settings(max_examples=200, deadline=None)
@given(st.lists(books, min_size=3, max_size=3))
def test_histograms_add_up_in_any_order(parts: list[list[Row]]) -> None:
    one, two, three = (columns_of(part).histogram() for part in parts)
    whole = columns_of([row for part in parts for row in part]).histogram()
    ways = ((one + two) + three, one + (two + three), (three + one) + two, whole + Histogram.empty())
    assert all(way.by_tick == whole.by_tick for way in ways)
    assert {way.sums.tobytes() for way in ways} == {whole.sums.tobytes()}


@pytest.mark.parametrize("plan", PLANS[:: len(PLANS) // len(KERNELS)], ids=lambda plan: f"compiled={plan.compiled}")
@pytest.mark.parametrize(
    ("tick", "width"), [(-1, 1), (2**32, 1), (-(2**63), 1), (1, 0), (1, 2**32), (1, -5), (2**16, 0), (2**63 - 1, 1)]
)
def test_what_is_out_of_range_is_refused_wherever_it_is(plan: Plan, tick: int, width: int) -> None:
    with using(plan):
        for place in (0, 3, 5):
            rows = [(7, 7, True)] * 5
            rows.insert(place, (tick, width, False))
            with pytest.raises(BookError, match="out of range"):
                columns_of(rows)


@pytest.mark.parametrize("kind", [np.float64, np.bool_])
def test_columns_of_another_kind_are_refused(kind: Any) -> None:
    good = np.ones(3, dtype=np.int64)
    with pytest.raises(BookError, match="kind"):
        Columns(good.astype(kind), good, np.ones(3, dtype=np.bool_))
    with pytest.raises(BookError, match="kind"):
        Columns(good, good, good.astype(np.uint8))


def test_columns_with_gaps_and_of_other_integers() -> None:
    rows = [(tick % 9, 1 + tick % 5, tick % 3 == 0) for tick in range(40)]
    plain = columns_of(rows)
    twice = columns_of([row for row in rows for _ in range(2)])
    gaps = Columns(twice.ticks[::2].astype(np.uint64), twice.widths[::2], twice.buys[::2])
    assert_same(clear_columns(gaps, Rules(seed=3)), rows, Rules(seed=3))
    assert clear_columns(gaps, Rules()).fills.tobytes() == clear_columns(plain, Rules()).fills.tobytes()


@pytest.mark.parametrize(("ticks", "widest"), [(300, 5_000), (2**32, 2**24), (1, 2**31), (3 * 2**16, 90)])
def test_threads_and_kernels_give_the_same_bytes(ticks: int, widest: int) -> None:
    random = np.random.default_rng(ticks)
    count = 3 * vectors.PIECE + 11
    drawn = random.integers(0, ticks, count), random.integers(1, widest, count), random.random(count) < 0.5
    for rule in (Rules(seed=2**255 + 7), Rules(PriceRule.SEED, Rationing.SEEDED_ORDER, 2**200 + 1)):
        seen = set()
        for plan in [Plan(threads, rows, compiled) for compiled in KERNELS for threads, rows in ((1, 0), (2, 99_991))]:
            with using(plan):
                result = clear_columns(Columns(*drawn), rule)
            fields = [repr(getattr(result, name)) for name in ("price", "lowest", "highest", "supply", "welfare")]
            seen.add((result.fills.tobytes(), *fields))
            assert result.welfare == result.dual
            assert int(result.fills[drawn[2]].sum()) == int(result.fills[~drawn[2]].sum()) == result.volume
        assert len(seen) == 1


def test_a_grid_of_a_billion_ticks_takes_few_cells() -> None:
    random = np.random.default_rng(9)
    columns = Columns(random.integers(0, 10**9, 50_000), random.integers(1, 99, 50_000), random.random(50_000) < 0.5)
    assert columns.histogram().sums.size <= 2 * 2**16


def test_fills_go_where_they_are_wanted() -> None:
    columns = columns_of([(3, 5, False), (7, 10, True)])
    out = np.full(2, -1, dtype=np.int64)
    assert clear_columns(columns, Rules(), out).fills is out
    assert out.tolist() == [5, 5]
    for wrong in (out[:1], out.astype(np.int32), np.zeros(4, np.int64)[::2]):
        with pytest.raises(BookError, match="out"):
            clear_columns(columns, Rules(), wrong)


def test_plans_are_checked() -> None:
    for wrong in ({"threads": 0}, {"rows": -1}):
        with pytest.raises(BookError):
            Plan(**wrong)
