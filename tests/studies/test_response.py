"""The best response: claims that the engine confirms, and no random curve that beats them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.clearing import Book, PriceRule, Rules, clear
from stowatt.curves import Curve, Side
from stowatt.studies.books import TICKS, Offers, SampleBook, lot_book, random_book
from stowatt.studies.deviations import held_back, outcomes, report, shaded
from stowatt.studies.response import View, best_responses
from stowatt.studies.withholding import prices_without, withheld

seeds = st.integers(0, 2**32)
sides = st.sampled_from(Side)
rules = st.sampled_from(PriceRule)


def tied_book(size: int, random: np.random.Generator) -> SampleBook:
    """Few ticks and few Wh: ties, flat intervals, competing asks at the price."""
    asks, bids = (
        Offers(np.sort(random.integers(2, 9, (count, 1)) + np.array([[0, 3]])), random.integers(1, 6, (count, 2)))
        for count in (size // 2, size - size // 2)
    )
    return SampleBook(asks, Offers(bids.ticks[:, ::-1], bids.widths), int(random.integers(2**63)))


MAKERS = st.sampled_from([random_book, lot_book, tied_book])
books = st.builds(lambda make, size, seed: make(size, np.random.default_rng(seed)), MAKERS, st.integers(2, 12), seeds)


def utility(curve: Curve, price: int | None, quantity: int) -> int:
    if price is None:
        return 0
    paid = price * quantity
    return paid - curve.value(quantity) if curve.side is Side.SELL else curve.value(quantity) - paid


def played(book: SampleBook, side: Side, row: int, report: Curve | None, rule: PriceRule) -> tuple[int | None, int]:
    """Price and fill of a row that reports another curve, by the real engine."""
    result = clear(book.book(side, row, report), Rules(rule, seed=book.seed))
    return result.price, result.fills[-1].quantity if report else 0


def truth(book: SampleBook, side: Side, row: int) -> Curve:
    return (book.asks if side is Side.SELL else book.bids).curve(row, side)


@given(books, sides, rules)
def test_the_engine_pays_the_claimed_best_response(book, side, rule):
    view = View.of(book, side)
    best = best_responses(view)
    for row in range(len(best.tick)):
        if best.quantity[row] == 0:
            assert best.utility[row] == 0
            continue
        tick = view.turned(int(best.tick[row]))
        price, fill = played(book, side, row, Curve.of(side, [(tick, int(best.quantity[row]))]), rule)
        gained = utility(truth(book, side, row), price, fill)
        if rule is PriceRule.LOWEST and side is Side.SELL:
            assert (price, fill) == (view.turned(int(best.price[row])), best.quantity[row])
        assert gained >= best.utility[row]
        assert best.utility[row] <= gained <= best.bound[row]


@given(books, sides, rules, st.data())
def test_no_other_curve_gains_more_than_the_bound(book, side, rule, data):
    view = View.of(book, side)
    row = data.draw(st.integers(0, len(view.own.ticks) - 1))
    true = truth(book, side, row)
    best = best_responses(view)
    for _ in range(5):
        ticks = st.sampled_from(sorted({t for o in (book.asks, book.bids) for t in o.ticks.ravel().tolist()}))
        near = ticks.flatmap(lambda t: st.integers(max(0, t - 1), min(TICKS - 1, t + 1)))
        pairs = data.draw(st.lists(st.tuples(near, st.integers(1, true.total)), min_size=1, max_size=4))
        kept, left = [], true.total
        for tick, width in pairs:
            if width <= left:
                kept.append((tick, width))
                left -= width
        report = Curve.of(side, kept) if kept else None
        gained = utility(true, *played(book, side, row, report, rule))
        assert gained <= max(best.bound[row], 0)
        # One Wh, at the difference of the price and the cheapest Wh, is all that the claim can miss.
        assert gained <= max(best.utility[row], 0) + TICKS


@given(books, sides, rules)
def test_telling_the_truth_never_gains_more_than_the_best_response(book, side, rule):
    view = View.of(book, side)
    result = clear(book.book(Side.SELL, -1, None), Rules(rule, seed=book.seed))
    if result.price is None:
        return
    surplus = view.own.surplus(view.turned(result.price))
    assert (best_responses(view).bound >= surplus).all()


@given(books, sides)
def test_shading_and_holding_back_are_what_the_engine_pays(book, side):
    view = View.of(book, side)
    row = len(view.own.ticks) - 1
    for reports in (shaded(view, row), held_back(view, row)):
        found = outcomes(view, row, reports, book.seed)
        for rule in PriceRule:
            for line in range(0, len(reports.ticks), 3):
                price, fill = played(book, side, row, report(view, reports, line), rule)
                assert fill == found[rule].quantity[line]
                if price is not None:
                    assert view.turned(price) == found[rule].price[line]
                assert utility(truth(book, side, row), price, fill) == found[rule].utility[line]


@given(books, sides, rules)
def test_withholding_is_what_the_engine_pays_the_partner(book, side, rule):
    view = View.of(book, side)
    before = clear(book.book(Side.SELL, -1, None), Rules(rule, seed=book.seed))
    if before.price is None:
        return
    count = len(view.own.ticks)
    gains = withheld(view, view.turned(before.price), rule, book.seed)
    for row in range(count):
        after = clear(book.book(side, row, None), Rules(rule, seed=book.seed))
        own = utility_at(book, side, row, before.price)
        moved = [
            (0 if after.price is None else utility_at(book, side, other, after.price))
            - utility_at(book, side, other, before.price)
            for other in range(count)
            if other != row
        ]
        assert gains.partner[row] == max(0, max(moved, default=0) - own)
        assert gains.coalition[row] == max(0, sum(moved) - own)


def utility_at(book: SampleBook, side: Side, row: int, price: int) -> int:
    curve = truth(book, side, row)
    return sum(abs(tick - price) * width for tick, width in curve.segments if curve.accepts(tick, price))


@given(st.integers(2, 40), seeds)
def test_with_one_lot_each_and_the_lowest_price_no_buyer_can_gain(size, seed):
    book = lot_book(size, np.random.default_rng(seed))
    result = clear(book.book(Side.SELL, -1, None), Rules(PriceRule.LOWEST))
    view = View.of(book, Side.BUY)
    if result.price is not None:
        assert (best_responses(view).bound <= view.own.surplus(view.turned(result.price))).all()


def test_worked_by_hand():
    # Asks 5 @ 3 (ann) and 5 @ 6 (bob), bids 4 @ 9 and 4 @ 8. Truthful: S reaches 8 at 6, so the price is 6.
    book = SampleBook(
        Offers(np.array([[3], [6]]), np.array([[5], [5]])), Offers(np.array([[9], [8]]), np.array([[4], [4]])), 0
    )
    # Ann alone could push the price to 8: the bids leave her 8 − 5 = 3 Wh above bob's ask. 3 · (8 − 3) = 15 is what the
    # truth gives her already (5 · (6 − 3)). At 9 she would sell nothing: bob fills the first 4.
    best = best_responses(View.of(book, Side.SELL))
    assert best.utility.tolist()[0] == 15
    # Bob sells 3 Wh at 8 instead of 3 at 6: everything above his cost comes from the price.
    assert (best.price[1], best.quantity[1], best.utility[1]) == (8, 3, 6)
    assert isinstance(clear(book.book(Side.SELL, 1, Curve.of(Side.SELL, [(8, 3)])), Rules()).price, int)


def test_prices_without_a_row():
    book = SampleBook(
        Offers(np.array([[3], [6]]), np.array([[5], [5]])), Offers(np.array([[9], [8]]), np.array([[4], [4]])), 0
    )
    assert prices_without(View.of(book, Side.SELL), PriceRule.LOWEST, 0).tolist() == [8, 8]


@pytest.mark.parametrize("make", [random_book, lot_book])
def test_books_are_repeatable_and_complete(make):
    one, other = (make(9, np.random.default_rng(5)) for _ in range(2))
    assert one.seed == other.seed
    assert (one.asks.ticks == other.asks.ticks).all()
    assert len(one.asks.ticks) == 4
    assert len(one.bids.ticks) == 5
    assert isinstance(one.book(Side.SELL, -1, None), Book)
