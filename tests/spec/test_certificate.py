"""§3: the certificate proves every right result, and names what is wrong with every other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stowatt.clearing import (
    Book,
    Fill,
    PriceRule,
    Rationing,
    Rules,
    WindowResult,
    clear_readable,
    require_proof,
    violations,
)
from stowatt.clearing.result import Cohort
from stowatt.curves import Curve, Side
from stowatt.errors import CertificateError
from stowatt.units import Tick, Wh

BOOK = Book.of(
    [
        ("ann", Curve.of(Side.SELL, [(3, 5), (6, 4)])),
        ("bob", Curve.of(Side.SELL, [(4, 6)])),
        ("cat", Curve.of(Side.SELL, [(4, 6)])),
        ("dan", Curve.of(Side.BUY, [(9, 7), (5, 3)])),
        ("eve", Curve.of(Side.BUY, [(8, 3), (2, 3)])),
    ]
)
RULES = Rules(PriceRule.LOWEST, Rationing.PRO_RATA, seed=3)
RIGHT = clear_readable(BOOK, RULES)


def with_fills(**changes: int) -> WindowResult:
    """RIGHT, with some participants' fills changed."""
    fills = (Fill(name, side, Wh(changes.get(name, quantity))) for name, side, quantity in RIGHT.fills)
    return replace(RIGHT, fills=tuple(fills))


def conditions(result: WindowResult, book: Book = BOOK, rules: Rules = RULES) -> set[str]:
    return {violation.condition for violation in violations(book, rules, result)}


def test_the_right_result_is_proved() -> None:
    assert (RIGHT.price, RIGHT.volume) == (4, 13)
    assert RIGHT.fills == (("ann", 0, 5), ("bob", 0, 4), ("cat", 0, 4), ("dan", 1, 10), ("eve", 1, 3))
    assert violations(BOOK, RULES, RIGHT) == ()
    require_proof(BOOK, RULES, RIGHT)


class TestPrimal:
    """Primal feasibility: fills lie on their curves, sold = bought = V."""

    def test_a_fill_beyond_the_curve(self) -> None:
        assert "primal" in conditions(with_fills(ann=10, bob=0, cat=3))

    def test_a_negative_fill(self) -> None:
        assert "primal" in conditions(with_fills(bob=-1, cat=9))

    def test_sold_is_not_bought(self) -> None:
        assert "primal" in conditions(with_fills(bob=5))

    def test_less_than_the_stated_volume(self) -> None:
        assert "primal" in conditions(with_fills(bob=3, dan=9))


class TestDual:
    """The stated interval is exactly where Φ is least, and the price is the rule's pick of it."""

    @pytest.mark.parametrize(
        "change", [{"lowest": 3}, {"lowest": 0}, {"highest": 5}, {"highest": None}, {"lowest": -1}]
    )
    def test_a_wrong_interval(self, change: dict[str, Any]) -> None:
        assert "dual" in conditions(replace(RIGHT, **change))

    @given(st.sampled_from(Rationing), st.integers(0, 10), st.integers(0, 10), st.integers(0, 12))
    def test_every_interval_but_the_right_one(self, rationing: Rationing, low: int, high: int, width: int) -> None:
        book = Book.of(
            [("a", Curve.of(Side.SELL, [(3, 5), (8, 1)])), ("b", Curve.of(Side.BUY, [(7, 5), (1, 1 + width)]))]
        )
        right = clear_readable(book, Rules())
        assert (right.lowest, right.highest) == (3, 7)
        assume((low, high) != (3, 7))
        assert "dual" in conditions(replace(right, lowest=Tick(low), highest=Tick(high)), book, Rules())

    def test_another_price_of_the_interval(self) -> None:
        book = Book.of([("a", Curve.of(Side.SELL, [(3, 5)])), ("b", Curve.of(Side.BUY, [(7, 5)]))])
        rules = Rules(PriceRule.MIDPOINT)
        assert conditions(replace(clear_readable(book, rules), price=Tick(3)), book, rules) >= {"price rule"}


class TestNoPrice:
    """The price is None exactly when nothing can be traded."""

    def test_none_although_an_ask_meets_a_bid(self) -> None:
        nothing = replace(with_fills(ann=0, bob=0, cat=0, dan=0, eve=0), price=None, volume=Wh(0), welfare=0, dual=0)
        assert conditions(nothing) >= {"price rule", "gap"}

    def test_a_price_without_a_trade(self) -> None:
        book = Book.of([("a", Curve.of(Side.SELL, [(7, 5)])), ("b", Curve.of(Side.BUY, [(3, 5)]))])
        right = clear_readable(book, RULES)
        assert conditions(right, book) == set()
        assert conditions(replace(right, price=Tick(0)), book) >= {"price rule"}


class TestComplementarity:
    """Better than λ: whole. Worse: nothing."""

    def test_a_better_segment_not_filled_whole(self) -> None:
        assert "complementarity" in conditions(with_fills(ann=4, bob=5))

    def test_a_worse_segment_filled(self) -> None:
        assert "complementarity" in conditions(with_fills(dan=9, eve=4))


class TestVolumeAndGap:
    """V is the largest optimum; welfare and dual value are as stated, and equal."""

    def test_a_smaller_trade_of_equal_welfare(self) -> None:
        book = Book.of([("a", Curve.of(Side.SELL, [(4, 5)])), ("b", Curve.of(Side.BUY, [(4, 5)]))])
        right = clear_readable(book, RULES)
        smaller = replace(right, volume=Wh(0), fills=tuple(fill._replace(quantity=Wh(0)) for fill in right.fills))
        assert "gap" not in conditions(smaller, book)
        assert "volume" in conditions(smaller, book)

    def test_an_inefficient_trade_has_a_gap(self) -> None:
        assert conditions(with_fills(dan=9, eve=4)) >= {"gap", "complementarity"}

    @pytest.mark.parametrize(
        "change",
        [
            {"welfare": RIGHT.welfare + 1},
            {"dual": RIGHT.dual - 1},
            {"supply": Cohort(Wh(5), Wh(12), Wh(7))},
            {"demand": Cohort(Wh(0), Wh(0), Wh(0))},
            {"offsets": (0,) * len(RIGHT.offsets)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_a_wrong_statement(self, change: dict[str, Any]) -> None:
        assert conditions(replace(RIGHT, **change)) == {"statement"}


class TestRationing:
    """Every marginal fill is the rule's, Wh for Wh."""

    def test_another_share_of_equal_welfare(self) -> None:
        found = violations(BOOK, RULES, with_fills(bob=3, cat=5))
        assert [(violation.condition, violation.subject) for violation in found] == [
            ("rationing", "bob"),
            ("rationing", "cat"),
        ]

    @pytest.mark.parametrize("rules", [Rules(rationing=Rationing.SEEDED_ORDER, seed=3), Rules(seed=7)])
    def test_a_result_by_other_rules(self, rules: Rules) -> None:
        book = Book.of([*BOOK.bids, ("fay", Curve.of(Side.SELL, [(4, 1)]))])
        result = clear_readable(book, RULES)
        assert clear_readable(book, rules) != result
        assert conditions(result, book, rules) == {"rationing"}


class TestStatements:
    """A result is of the book's participants, in the book's order."""

    def test_a_missing_fill(self) -> None:
        assert conditions(replace(RIGHT, fills=RIGHT.fills[1:])) == {"statement"}

    def test_another_order(self) -> None:
        assert conditions(replace(RIGHT, fills=RIGHT.fills[::-1])) == {"statement"}


def test_the_error_names_the_first_violation() -> None:
    with pytest.raises(CertificateError, match=r"rationing: bob: fill 3 Wh, pro_rata gives 4 Wh \(and 1 more\)"):
        require_proof(BOOK, RULES, with_fills(bob=3, cat=5))


CHANGES: tuple[Callable[[WindowResult, int], WindowResult], ...] = (
    lambda r, d: replace(r, price=Tick((r.price or 0) + d)),
    lambda r, d: replace(r, lowest=Tick(r.lowest + d)),
    lambda r, d: replace(r, highest=Tick((r.highest or 0) + d)),
    lambda r, d: replace(r, volume=Wh(r.volume + d)),
    lambda r, d: replace(r, welfare=r.welfare + d),
    lambda r, d: replace(r, dual=r.dual + d),
    lambda r, d: replace(r, supply=r.supply._replace(residual=Wh(r.supply.residual + d))),
    lambda r, d: replace(r, demand=r.demand._replace(size=Wh(r.demand.size + d))),
    lambda r, d: replace(r, fills=(*r.fills[:-1], r.fills[-1]._replace(quantity=Wh(r.fills[-1].quantity + d)))),
    lambda r, d: replace(r, offsets=(*r.offsets[:-1], r.offsets[-1] + d)),
)


@given(st.data())
def test_no_single_number_can_be_changed_unnoticed(data: st.DataObject) -> None:
    pairs = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 9)), min_size=1, max_size=3)
    curve = st.builds(Curve.of, st.sampled_from(Side), pairs)
    curves = data.draw(st.lists(curve, min_size=1, max_size=6))
    book = Book.of((f"p{number}", curve) for number, curve in enumerate(curves))
    rules = Rules(
        data.draw(st.sampled_from(PriceRule)), data.draw(st.sampled_from(Rationing)), data.draw(st.integers(0, 99))
    )
    result = clear_readable(book, rules)
    change, delta = data.draw(st.sampled_from(CHANGES)), data.draw(st.sampled_from((-2, -1, 1, 2)))
    assert violations(book, rules, change(result, delta))


def test_an_interval_that_ends_before_it_begins_is_named_under_every_price_rule() -> None:
    """λ_hi = λ_lo − 1 leaves the seed rule nothing to pick from: a violation, not a division by zero."""
    book = Book.of([("s", Curve.of(Side.SELL, [(3, 5)])), ("b", Curve.of(Side.BUY, [(7, 10)]))])
    for price_rule in PriceRule:
        rules = Rules(price_rule, Rationing.PRO_RATA, 5)
        result = clear_readable(book, rules)
        backwards = replace(result, lowest=result.lowest + 1)
        assert any(found.subject == "interval" for found in violations(book, rules, backwards))
