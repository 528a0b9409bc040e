"""§3: the readable engine = the fast engine = the vectors = brute force in rationals = a linear programme (HiGHS)."""

import json
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.clearing import (
    Book,
    PriceRule,
    Rationing,
    Rules,
    WindowResult,
    clear,
    clear_fast,
    clear_readable,
    shares,
    violations,
)
from stowatt.clearing.rationing import pro_rata, seeded_order
from stowatt.clearing.rules import by_name, parse_seed
from stowatt.curves import Curve, Side
from stowatt.units import MAX_TICK, MAX_WIDTH_WH
from tests.vectors import generate_clearing

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "clearing").glob("*.json"))

seeds = st.one_of(st.integers(0, 40), st.integers(0, 2**256 - 1))
all_rules = st.builds(Rules, st.sampled_from(PriceRule), st.sampled_from(Rationing), seeds)


def books(ticks: st.SearchStrategy[int], widths: st.SearchStrategy[int], most: int = 8) -> st.SearchStrategy[Book]:
    """Books of up to `most` curves; dictionaries make the ticks of a curve differ."""
    curve = st.builds(
        lambda side, pairs: Curve.of(side, pairs.items()),
        st.sampled_from(Side),
        st.dictionaries(ticks, widths, min_size=1, max_size=5),
    )
    return st.lists(curve, max_size=most).map(lambda curves: Book.of((f"p{i}", c) for i, c in enumerate(curves)))


tied = books(st.integers(0, 4), st.integers(1, 6))
spread = books(st.integers(0, 60), st.integers(1, 30), most=12)
even_widths = books(st.integers(0, 9), st.just(5))
"""Sums meet often, so that intervals are flat."""
wide = books(
    st.one_of(st.integers(0, MAX_TICK), st.sampled_from([0, 2**16 - 1, 2**16, MAX_TICK])),
    st.one_of(st.integers(1, MAX_WIDTH_WH), st.just(MAX_WIDTH_WH)),
)
wide_ties = books(st.integers(MAX_TICK - 2, MAX_TICK), st.integers(2**31, MAX_WIDTH_WH), most=40)
any_book = st.one_of(tied, spread, even_widths, wide, wide_ties)


# ---- the vectors ----


def case_book(case: dict[str, Any]) -> Book:
    sides = {side.word: side for side in Side}
    return Book.of((bid["participant"], Curve.of(sides[bid["side"]], bid["segments"])) for bid in case["bids"])


def as_case(result: WindowResult) -> dict[str, Any]:
    return {
        "price": result.price,
        "price_interval": [result.lowest, result.highest],
        "volume": result.volume,
        "supply": result.supply._asdict(),
        "demand": result.demand._asdict(),
        "offsets": list(result.offsets),
        "fills": [fill.quantity for fill in result.fills],
        "welfare": str(result.welfare),
        "dual": str(result.dual),
    }


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
@pytest.mark.parametrize("engine", [clear_readable, clear_fast])
def test_vectors(path: Path, engine: Any) -> None:
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
        rules = Rules(
            by_name(PriceRule, case["price_rule"]), by_name(Rationing, case["rationing"]), parse_seed(case["seed"])
        )
        result = as_case(engine(case_book(case), rules))
        assert result == {name: case[name] for name in result}, case["name"]


def test_the_committed_vectors_are_what_the_generator_writes() -> None:
    assert {path: path.read_text(encoding="utf-8") for path in VECTORS} == generate_clearing.files()


# ---- the two engines ----


@settings(max_examples=1500, deadline=None)
@given(any_book, all_rules)
def test_both_engines_agree_and_are_proved(book: Book, rules: Rules) -> None:
    result = clear_readable(book, rules)
    assert clear_fast(book, rules) == clear(book, rules) == result
    assert violations(book, rules, result) == ()
    assert result.gap == 0


@pytest.mark.parametrize(("bids", "ticks", "widest"), [(4000, 300, 5000), (3000, 2**32, 2**32 - 1), (4000, 1, 2**31)])
def test_both_engines_agree_on_large_books(bids: int, ticks: int, widest: int) -> None:
    book = generate_clearing.random_book(Random(bids), bids, ticks, widest, 6)
    for price_rule, rationing in zip(PriceRule, (*Rationing, Rationing.PRO_RATA), strict=True):
        rules = Rules(price_rule, rationing, 2**255 + 12345)
        assert clear_fast(book, rules) == clear(book, rules) == clear_readable(book, rules)


@given(any_book)
def test_closed_form_of_the_interval(book: Book) -> None:
    """F(l) = supply at ticks ≤ l + demand at ticks ≤ l: λ_lo is where F reaches D_tot, λ_hi where it passes it."""
    segments = [segment for _, curve in book.bids for segment in curve.segments]
    ticks = [0, *sorted({tick for tick, _ in segments})]
    reached = {tick: sum(width for other, width in segments if other <= tick) for tick in ticks}
    result, all_demand = clear_readable(book, Rules()), book.total(Side.BUY)
    assert result.lowest == min(tick for tick in ticks if reached[tick] >= all_demand)
    assert result.highest == min((tick for tick in ticks if reached[tick] > all_demand), default=None)


@given(st.integers(1, 2**56 - 1), st.data())
def test_fast_shares_are_exact_up_to_the_bound(size: int, data: st.DataObject) -> None:
    residual, phase = data.draw(st.integers(0, size)), data.draw(st.integers(0, size - 1))
    xs = [0, 1, size // 2, size - 1, size, data.draw(st.integers(0, size))]
    column = np.array(xs, dtype=np.int64)
    assert shares.share_pro_rata(column, size, residual, phase).tolist() == [
        pro_rata(x, size, residual, phase) for x in xs
    ]
    assert shares.share_seeded_order(column, size, residual, phase).tolist() == [
        seeded_order(x, size, residual, phase) for x in xs
    ]


# ---- brute force in rationals ----


def phi(book: Book, price: Fraction) -> Fraction:
    """Φ(λ) (9) as an integral: what everybody could gain at λ."""
    gains = (
        (price - tick if curve.side is Side.SELL else tick - price, width)
        for _, curve in book.bids
        for tick, width in curve.segments
    )
    return sum((max(gain, Fraction(0)) * width for gain, width in gains), Fraction(0))


def optimal_prices(book: Book) -> tuple[Fraction, Fraction | None]:
    """The ends of argmin Φ over all λ ≥ 0, at thirds of ticks to beyond the highest; None if it does not end."""
    highest = max((tick for _, curve in book.bids for tick, _ in curve.segments), default=0)
    prices = [Fraction(third, 3) for third in range(3 * (highest + 2) + 1)]
    values = [phi(book, price) for price in prices]
    optimal = [price for price, value in zip(prices, values, strict=True) if value == min(values)]
    return optimal[0], None if optimal[-1] == prices[-1] else optimal[-1]


def best_welfare(book: Book) -> tuple[int, int]:
    """The most welfare of all trades, and the largest trade that has it: every volume is tried, Wh by Wh."""
    units = {
        side: sorted(
            (
                tick
                for _, curve in book.bids
                if curve.side is side
                for tick, width in curve.segments
                for _ in range(width)
            ),
            reverse=side is Side.BUY,
        )
        for side in Side
    }
    best, volume, welfare = 0, 0, 0
    for traded, (ask, bid) in enumerate(zip(units[Side.SELL], units[Side.BUY], strict=False), start=1):
        welfare += bid - ask
        if welfare >= best:
            best, volume = welfare, traded
    return best, volume


@settings(max_examples=400, deadline=None)
@given(st.one_of(tied, spread, even_widths), all_rules)
def test_brute_force(book: Book, rules: Rules) -> None:
    result = clear_readable(book, rules)
    low, high = optimal_prices(book)
    assert (result.lowest, result.highest) == (low, high)
    assert (result.welfare, result.volume) == best_welfare(book)
    assert result.dual == phi(book, low)
    assert (result.price is None) == (result.volume == 0)
    sold_and_bought = [sum(fill.quantity for fill in result.fills if fill.side is side) for side in Side]
    assert sold_and_bought == [result.volume] * 2
    if result.price is not None and high is not None:
        assert low <= result.price <= high
        assert result.price == rules.price_rule.pick(result.lowest, int(high), rules.seed)
        for (_, curve), fill in zip(book.bids, result.fills, strict=True):
            least = curve.better_than(result.price)
            assert least <= fill.quantity <= least + curve.at(result.price)


# ---- a linear programme ----


@settings(max_examples=120, deadline=None)
@given(st.one_of(tied, spread, even_widths).filter(lambda book: bool(book.bids)))
def test_highs_finds_the_same_welfare_and_a_price_of_the_interval(book: Book) -> None:
    """max Σ tick · bought - Σ tick · sold with sold = bought; the multiplier of the balance is a price."""
    from scipy.optimize import linprog

    rows = [(curve.side, tick, width) for _, curve in book.bids for tick, width in curve.segments]
    answer = linprog(
        c=[-tick if side is Side.BUY else tick for side, tick, _ in rows],
        A_eq=[[1 if side is Side.BUY else -1 for side, _, _ in rows]],
        b_eq=[0],
        bounds=[(0, width) for _, _, width in rows],
        method="highs",
    )
    result = clear_readable(book, Rules())
    assert -answer.fun == pytest.approx(result.welfare, abs=1e-6)
    if result.volume:
        price = -answer.eqlin.marginals[0]
        assert result.lowest - 1e-6 <= price <= (result.highest or 0) + 1e-6
