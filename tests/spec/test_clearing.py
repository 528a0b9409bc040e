"""§3: the clearing, rule by rule, with results worked out by hand. Every test runs on both engines."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt import clearing
from stowatt.clearing import Book, PriceRule, Rationing, Rules, WindowResult, clear_fast, clear_readable, marginal_fill
from stowatt.clearing.rationing import pro_rata, seeded_order
from stowatt.clearing.rules import by_name, parse_seed
from stowatt.curves import Curve, Side
from stowatt.errors import BookError, CurveError, RuleError
from stowatt.units import MAX_WIDTH_WH

Pairs = list[tuple[int, int]]
Clear = Callable[[Book, Rules], WindowResult]


@pytest.fixture(params=[clear_readable, clear_fast], ids=["readable", "fast"])
def clear(request: pytest.FixtureRequest) -> Clear:
    engine: Clear = request.param
    return engine


def book(*bids: tuple[Side, Pairs]) -> Book:
    return Book.of((f"p{number}", Curve.of(side, pairs)) for number, (side, pairs) in enumerate(bids))


def asks(*pairs: tuple[int, int]) -> tuple[Side, Pairs]:
    return Side.SELL, list(pairs)


def bids(*pairs: tuple[int, int]) -> tuple[Side, Pairs]:
    return Side.BUY, list(pairs)


def quantities(result: WindowResult) -> list[int]:
    return [fill.quantity for fill in result.fills]


class TestPriceInterval:
    """§3 (19): λ_lo = min { λ : D(λ+) ≤ S(λ) }, λ_hi = max { λ : S(λ-) ≤ D(λ) }."""

    def test_only_demand_is_marginal(self, clear: Clear) -> None:
        """The rules' example: the naive min { λ : S(λ) ≥ D(λ) } would say 8."""
        result = clear(book(asks((3, 5)), bids((7, 10))), Rules())
        assert (result.price, result.lowest, result.highest, result.volume) == (7, 7, 7, 5)

    def test_only_supply_is_marginal(self, clear: Clear) -> None:
        result = clear(book(asks((3, 10)), bids((7, 5))), Rules())
        assert (result.price, result.lowest, result.highest, result.volume) == (3, 3, 3, 5)

    def test_flat_interval(self, clear: Clear) -> None:
        result = clear(book(asks((3, 5)), bids((7, 5))), Rules())
        assert (result.price, result.lowest, result.highest, result.volume) == (3, 3, 7, 5)

    def test_nobody_sells_leaves_no_upper_end(self, clear: Clear) -> None:
        result = clear(book(bids((4, 2))), Rules())
        assert (result.price, result.lowest, result.highest, result.volume) == (None, 4, None, 0)

    def test_nobody_buys_starts_at_0(self, clear: Clear) -> None:
        result = clear(book(asks((4, 2))), Rules())
        assert (result.price, result.lowest, result.highest, result.volume) == (None, 0, 4, 0)


class TestPriceRule:
    """§3: lowest, midpoint (floor) or seed on a flat interval."""

    FLAT = ((Side.SELL, [(30, 5)]), (Side.BUY, [(41, 5)]))

    @pytest.mark.parametrize(
        ("rule", "seed", "price"),
        [
            (PriceRule.LOWEST, 9, 30),
            (PriceRule.MIDPOINT, 9, 35),
            (PriceRule.SEED, 0, 30),
            (PriceRule.SEED, 11, 41),
            (PriceRule.SEED, 12, 30),
            (PriceRule.SEED, 2**256 - 1, 30 + (2**256 - 1) % 12),
        ],
    )
    def test_pick(self, clear: Clear, rule: PriceRule, seed: int, price: int) -> None:
        assert clear(book(*self.FLAT), Rules(rule, seed=seed)).price == price

    @pytest.mark.parametrize("rule", PriceRule)
    def test_the_pick_changes_neither_volume_nor_welfare_nor_fills(self, clear: Clear, rule: PriceRule) -> None:
        result = clear(book(*self.FLAT), Rules(rule, seed=6))
        assert (result.volume, result.welfare, quantities(result)) == (5, 55, [5, 5])


class TestNoTrade:
    """§3: with no possible trade there is no price (None), not 0."""

    @pytest.mark.parametrize("rule", PriceRule)
    @pytest.mark.parametrize(
        "window",
        [book(), book(asks((3, 5))), book(bids((3, 5))), book(asks((4, 5)), bids((3, 5)))],
        ids=["empty", "asks only", "bids only", "no overlap"],
    )
    def test_no_price_and_nothing_filled(self, clear: Clear, window: Book, rule: PriceRule) -> None:
        result = clear(window, Rules(rule, seed=5))
        assert result.price is None
        assert (result.volume, result.welfare, result.dual, sum(quantities(result))) == (0, 0, 0, 0)
        assert result.supply == result.demand == (0, 0, 0)

    def test_a_trade_at_price_0_has_the_price_0(self, clear: Clear) -> None:
        assert clear(book(asks((0, 5)), bids((0, 3))), Rules()).price == 0


class TestVolume:
    """§3: V = min(S(λ), D(λ)), the largest of the welfare-equal trades."""

    def test_a_trade_without_gain_takes_place(self, clear: Clear) -> None:
        result = clear(book(asks((4, 5)), bids((4, 9))), Rules())
        assert (result.price, result.volume, result.welfare) == (4, 5, 0)

    def test_tied_segments_on_both_sides(self, clear: Clear) -> None:
        result = clear(book(asks((2, 3), (5, 10)), bids((9, 4), (5, 6))), Rules())
        assert (result.price, result.volume) == (5, 10)
        assert result.supply == (3, 10, 7)
        assert result.demand == (4, 6, 6)


class TestAllocation:
    """§3: better segments whole; R_S = V - S(λ-), R_B = V - D(λ+); one cohort at least is filled whole."""

    def test_residuals_of_the_two_sides_differ(self, clear: Clear) -> None:
        """The paper's one residual D(λ+) - S(λ-) would be -5 here."""
        result = clear(book(asks((3, 5)), bids((7, 10))), Rules())
        assert result.supply == (5, 0, 0)
        assert result.demand == (0, 10, 5)
        assert quantities(result) == [5, 5]

    def test_better_segments_are_filled_whole_and_worse_ones_not_at_all(self, clear: Clear) -> None:
        result = clear(book(asks((2, 5), (4, 5), (6, 5)), bids((8, 4), (5, 4), (3, 4))), Rules())
        assert (result.price, result.volume) == (4, 8)
        assert quantities(result) == [8, 8]


class TestOffsets:
    """§3: the segment revealed when its tick already held `a` Wh lies at [a, a + w); the sides are apart."""

    def test_offsets_follow_the_order_of_reveal(self, clear: Clear) -> None:
        window = book(asks((3, 5), (4, 1)), bids((4, 7), (3, 2)), asks((3, 2)), asks((3, 1), (4, 2)), bids((3, 9)))
        assert clear(window, Rules()).offsets == (0, 0, 0, 0, 5, 7, 1, 2)


class TestProRata:
    """§3: f(x) = ⌊(x·R + φ) / T⌋ with φ = seed mod T."""

    def test_the_seed_decides_who_gets_the_odd_watt_hour(self, clear: Clear) -> None:
        window = book(asks((3, 5)), asks((3, 5)), bids((5, 9)))
        assert quantities(clear(window, Rules(seed=0))) == [4, 5, 9]
        assert quantities(clear(window, Rules(seed=5))) == [5, 4, 9]

    @given(st.data())
    def test_everybody_gets_the_share_to_within_one_watt_hour(self, data: st.DataObject) -> None:
        widths = data.draw(st.lists(st.integers(1, 99), min_size=1, max_size=9))
        size = sum(widths)
        residual, seed = data.draw(st.integers(0, size)), data.draw(st.integers(0, 2**256 - 1))
        start = 0
        for width in widths:
            fill = marginal_fill(Rationing.PRO_RATA, start, width, size, residual, seed)
            assert abs(fill * size - width * residual) < size
            assert 0 <= fill <= width
            start += width


class TestSeededOrder:
    """§3: f(x) = length of [0, x) inside the circular interval [s, s + R), s = seed mod T."""

    WINDOW = ((Side.SELL, [(3, 5)]), (Side.SELL, [(3, 5)]), (Side.BUY, [(5, 4)]))

    @pytest.mark.parametrize(("seed", "fills"), [(0, [4, 0]), (3, [2, 2]), (5, [0, 4]), (8, [2, 2]), (13, [2, 2])])
    def test_the_seed_turns_the_order_of_reveal(self, clear: Clear, seed: int, fills: list[int]) -> None:
        result = clear(book(*self.WINDOW), Rules(rationing=Rationing.SEEDED_ORDER, seed=seed))
        assert quantities(result) == [*fills, 4]

    @given(st.integers(1, 40), st.data())
    def test_f_counts_the_watt_hours_one_by_one(self, size: int, data: st.DataObject) -> None:
        residual, start = data.draw(st.integers(0, size)), data.draw(st.integers(0, size - 1))
        served = {(start + step) % size for step in range(residual)}
        for x in range(size + 1):
            assert seeded_order(x, size, residual, start) == len(served & set(range(x)))


@pytest.mark.parametrize("share", [pro_rata, seeded_order])
class TestEveryRationing:
    """§3: f rises from 0 to R by steps of 0 or 1, so that fills sum to R and lie within their widths."""

    @given(st.integers(1, 60), st.data())
    def test_f_rises_from_0_to_r(
        self, share: Callable[[int, int, int, int], int], size: int, data: st.DataObject
    ) -> None:
        residual, phase = data.draw(st.integers(0, size)), data.draw(st.integers(0, size - 1))
        values = [share(x, size, residual, phase) for x in range(size + 1)]
        assert (values[0], values[-1]) == (0, residual)
        assert all(0 <= after - before <= 1 for before, after in pairwise(values))

    @given(st.integers(1, 60), st.data())
    def test_a_cohort_whose_residual_is_its_size_is_filled_whole(
        self, share: Callable[[int, int, int, int], int], size: int, data: st.DataObject
    ) -> None:
        phase = data.draw(st.integers(0, size - 1))
        assert [share(x, size, size, phase) for x in range(size + 1)] == list(range(size + 1))


class TestSplittingPaysNothing:
    """§3: two accounts with a bid's halves, revealed in a row, get what the one would have got."""

    @given(st.data())
    def test_split(self, data: st.DataObject) -> None:
        rules = Rules(rationing=data.draw(st.sampled_from(Rationing)), seed=data.draw(st.integers(0, 2**256 - 1)))
        first, second = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
        others = [asks((3, data.draw(st.integers(1, 20)))) for _ in range(2)]
        demand = bids((3, data.draw(st.integers(1, 60))))
        whole = clear_readable(book(others[0], asks((3, first + second)), others[1], demand), rules)
        split = clear_readable(book(others[0], asks((3, first)), asks((3, second)), others[1], demand), rules)
        assert quantities(whole)[1] == sum(quantities(split)[1:3])


class TestBooks:
    """§2: an account is on one side of a window, with one curve."""

    def test_both_sides_are_refused(self) -> None:
        with pytest.raises(BookError, match="both sides"):
            Book.of([("a", Curve.of(Side.SELL, [(1, 1)])), ("a", Curve.of(Side.BUY, [(1, 1)]))])

    def test_two_curves_are_refused(self) -> None:
        with pytest.raises(BookError, match="two curves"):
            Book.of([("a", Curve.of(Side.SELL, [(1, 1)]))] * 2)


class TestLargeNumbers:
    """§1: no sum or product overflows in either engine."""

    def test_the_widest_curves_at_the_highest_ticks(self, clear: Clear) -> None:
        """In widest segments, at k ticks below the top: S(λ) = 17 - k and D(λ+) = 3k, so k = 4 and V = S = 13."""
        top = 2**32 - 1
        wide = [(top - k, MAX_WIDTH_WH) for k in range(16)]
        bidders = [(Side.BUY, wide)] * 3
        result = clear(book(asks(*wide), *bidders, asks((0, MAX_WIDTH_WH))), Rules(seed=2**256 - 1))
        assert (result.price, result.volume) == (top - 4, 13 * MAX_WIDTH_WH)
        assert result.gap == 0

    def test_many_wide_ties(self, clear: Clear) -> None:
        tied = [(side, [(9, MAX_WIDTH_WH - k)]) for k in range(50) for side in (Side.SELL, Side.BUY, Side.BUY)]
        result = clear(book(*tied), Rules(seed=2**200 + 7))
        assert result.volume == sum(MAX_WIDTH_WH - k for k in range(50))
        assert sum(quantities(result)) == 2 * result.volume


class TestRules:
    """§3, §5: the rules' names, and seeds of 256 bits."""

    @pytest.mark.parametrize(
        ("text", "seed"), [("0", 0), ("0x1F", 31), ("0Xff", 255), ("12", 12), (hex(2**256 - 1), 2**256 - 1)]
    )
    def test_seeds(self, text: str, seed: int) -> None:
        assert parse_seed(text) == seed

    @pytest.mark.parametrize("text", ["", "0x", "abc", "-1", "1.5", hex(2**256), "9" * 5000])
    def test_other_seeds_are_refused(self, text: str) -> None:
        with pytest.raises(RuleError, match="seed"):
            parse_seed(text)

    def test_an_unknown_rule_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(RuleError, match="lowest or midpoint or seed"):
            by_name(PriceRule, "highest")
        assert by_name(Rationing, "seeded_order") is Rationing.SEEDED_ORDER


class TestFastRefusesColumnsOutOfBounds:
    """The bounds that keep int64 exact are checked on entry."""

    @pytest.mark.parametrize(
        ("ticks", "widths", "buys"),
        [
            ([-1], [1], [False]),
            ([2**32], [1], [False]),
            ([1], [0], [True]),
            ([1], [2**32], [True]),
            ([1, 2], [1], [True]),
        ],
    )
    def test_refused(self, ticks: list[int], widths: list[int], buys: list[bool]) -> None:
        import numpy as np

        from stowatt.clearing.fast import Columns

        with pytest.raises(BookError):
            Columns(np.array(ticks), np.array(widths), np.array(buys))

    def test_a_side_beyond_56_bits_is_refused(self) -> None:
        import numpy as np

        from stowatt.clearing.fast import Columns

        rows = 2**24 + 1
        with pytest.raises(BookError, match="adds up"):
            Columns(np.zeros(rows, np.int64), np.full(rows, MAX_WIDTH_WH), np.ones(rows, np.bool_))


def test_the_example_of_the_package_runs() -> None:
    example = [line[4:] for line in (clearing.__doc__ or "").splitlines() if line.startswith("    ")]
    names: dict[str, WindowResult] = {}
    exec("\n".join(example), names)
    result = names["result"]
    assert (result.price, result.volume, result.gap) == (7, 5, 0)


def test_a_float_never_reaches_a_book() -> None:
    with pytest.raises(CurveError, match="whole ticks and Wh"):
        Curve.of(Side.SELL, [(1, 2.5)])  # type: ignore[list-item]
