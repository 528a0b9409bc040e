"""Pairs: every Wh of both sides once, few pairs, and the same ones whatever the order of what is paired."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.dispatch import DispatchError, build, cleared_market, pair, pair_window
from tests.dispatch.markets import BUY, ORIGIN, SELL, Log, address, evening, token

wh = st.integers(1, 10**6)
sides = st.lists(wh, min_size=1, max_size=12)


@given(sides, sides, st.randoms(use_true_random=False))
def test_exact_few_and_independent_of_order(sells: list[int], buys: list[int], chance: random.Random) -> None:
    difference = sum(sells) - sum(buys)
    (buys if difference > 0 else sells).append(abs(difference))
    left = list(enumerate(sells, start=100))
    right = list(enumerate(buys, start=500))
    pairs = pair(3, left, right)
    sold, bought = Counter[int](), Counter[int]()
    for found in pairs:
        assert found.wh > 0 and found.window == 3
        sold[found.sell] += found.wh
        bought[found.buy] += found.wh
    assert sold == Counter(dict((n, q) for n, q in left if q)) and bought == Counter(
        dict((n, q) for n, q in right if q)
    )
    assert len(pairs) <= len(sold) + len(bought) - 1
    chance.shuffle(left)
    chance.shuffle(right)
    assert pair(3, left, right) == pairs


def test_by_hand() -> None:
    found = pair(0, [(1, 1_000), (2, 800)], [(7, 900), (8, 600), (9, 300)])
    assert [(p.sell, p.buy, p.wh) for p in found] == [(1, 7, 900), (1, 8, 100), (2, 8, 500), (2, 9, 300)]
    assert pair(0, [], []) == []


def test_what_cannot_be_paired() -> None:
    with pytest.raises(DispatchError, match="5 Wh of sellers meet 6 Wh of buyers"):
        pair(0, [(1, 5)], [(2, 6)])
    with pytest.raises(DispatchError, match="each right once"):
        pair(0, [(1, 5), (1, 5)], [(2, 10)])
    with pytest.raises(DispatchError, match="each right once"):
        pair(0, [(1, 5), (3, -5)], [])


@given(st.lists(st.tuples(wh, st.booleans()), min_size=1, max_size=6), st.integers(1, 5))
def test_after_defaults_what_is_paid_is_paired(buys: list[tuple[int, bool]], sellers: int) -> None:
    """Each seller's share is within one Wh of its obligation."""
    volume = sum(q for q, _ in buys)
    cuts = [volume * n // sellers for n in range(sellers + 1)]
    sells = [(f"s{n}", cuts[n + 1] - cuts[n]) for n in range(sellers) if cuts[n + 1] > cuts[n]]
    log = Log.start()
    for name, _ in sells:
        log.device(name)
    named = [(f"b{n}", q) for n, (q, _) in enumerate(buys)]
    log.trade(4, sells, named, unpaid=[f"b{n}" for n, (_, paid) in enumerate(buys) if not paid])
    (window,) = cleared_market(log.events).windows
    at = ORIGIN + 4 * 900
    pairs = pair_window(window, at)
    paid = sum(q for q, paid in buys if paid)
    assert sum(p.wh for p in pairs) == paid
    for right in window.sells:
        share = sum(p.wh for p in pairs if p.sell == right.id.encode())
        assert abs(share - window.due(right, at)) <= 1
    for right in window.buys:
        share = sum(p.wh for p in pairs if p.buy == right.id.encode())
        assert share == (right.wh if right.paid else 0)


def test_a_right_that_was_split_keeps_its_holder() -> None:
    log = evening()
    log.move(log.split(4, BUY, "b1", 400), address("b1"), address("friend"))
    market = cleared_market(log.events)
    holders = {right.id.encode(): right.holder for window in market.windows for right in window.buys}
    pairs = [p for p in build(market).pairs if p.window == 4]
    assert sum(p.wh for p in pairs if holders[p.buy] == address("friend")) == 500
    assert sum(p.wh for p in pairs if p.sell == token(4, SELL, "s1")) == 1_000
