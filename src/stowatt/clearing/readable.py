"""§3 (8)–(22): the clearing, written as the rules are. This module is the specification as code.

`fast.py` is its twin for large books, the contract its twin on chain; all three agree bit for bit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from stowatt.clearing.book import Book
from stowatt.clearing.rationing import marginal_fill
from stowatt.clearing.result import NO_COHORT, Cohort, Fill, WindowResult
from stowatt.clearing.rules import Rules
from stowatt.curves import Segment, Side
from stowatt.units import Tick, Wh


class Steps:
    """The sum of one side's widths by tick, to look up at any tick."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        widths: dict[int, int] = {}
        for tick, width in segments:
            widths[tick] = widths.get(tick, 0) + width
        self.ticks = sorted(widths)
        self._sums = [0, *accumulate(widths[tick] for tick in self.ticks)]
        self._values = [0, *accumulate(tick * widths[tick] for tick in self.ticks)]
        self.total = self._sums[-1]

    def up_to(self, tick: int) -> int:
        """The widths at ticks ≤ `tick`."""
        return self._sums[bisect_right(self.ticks, tick)]

    def below(self, tick: int) -> int:
        """The widths at ticks < `tick`."""
        return self._sums[bisect_left(self.ticks, tick)]

    def value_up_to(self, tick: int) -> int:
        """Σ tick · width over the ticks ≤ `tick`, in tick·Wh."""
        return self._values[bisect_right(self.ticks, tick)]

    @property
    def value(self) -> int:
        """The same over all ticks."""
        return self._values[-1]


@dataclass(frozen=True, slots=True)
class Market:
    """The aggregate supply and demand of a book, with their one-sided limits."""

    asks: Steps
    bids: Steps

    @classmethod
    def of(cls, book: Book) -> "Market":
        """The sums of a book's two sides."""
        asks, bids = (
            Steps(segment for _, curve in book.bids if curve.side is side for segment in curve.segments)
            for side in Side
        )
        return cls(asks, bids)

    def supply(self, price: int) -> int:
        """S(λ): supply at ticks ≤ λ; right-continuous."""
        return self.asks.up_to(price)

    def supply_below(self, price: int) -> int:
        """S(λ-): supply at ticks < λ."""
        return self.asks.below(price)

    def demand(self, price: int) -> int:
        """D(λ): demand at ticks ≥ λ; left-continuous."""
        return self.bids.total - self.bids.below(price)

    def demand_above(self, price: int) -> int:
        """D(λ+): demand at ticks > λ."""
        return self.bids.total - self.bids.up_to(price)

    def dual_value(self, price: int) -> int:
        """Φ(λ) = Σ (λ - tick)⁺ · width over asks + Σ (tick - λ)⁺ · width over bids (9), in tick·Wh."""
        sellers_gain = price * self.supply(price) - self.asks.value_up_to(price)
        buyers_gain = self.bids.value - self.bids.value_up_to(price) - price * self.demand_above(price)
        return sellers_gain + buyers_gain

    def lowest_price(self) -> Tick:
        """λ_lo = min { λ : D(λ+) ≤ S(λ) } (19). Both sides step at bid and ask ticks only, so 0 or one of those."""
        candidates = [0, *sorted({*self.asks.ticks, *self.bids.ticks})]
        first = bisect_left(candidates, True, key=lambda price: self.demand_above(price) <= self.supply(price))
        return Tick(candidates[first])

    def highest_price(self) -> Tick | None:
        """λ_hi = max { λ : S(λ-) ≤ D(λ) }, one of the ticks; unbounded (None) when nobody sells."""
        if self.asks.total == 0:
            return None
        candidates = sorted({*self.asks.ticks, *self.bids.ticks})
        after = bisect_left(candidates, True, key=lambda price: self.supply_below(price) > self.demand(price))
        return Tick(candidates[after - 1])

    def cohorts(self, price: Tick | None) -> tuple[Cohort, Cohort]:
        """Asks and bids around λ, with V = min(S(λ), D(λ)), R_S = V - S(λ-) and R_B = V - D(λ+).

        At least one of the two marginal cohorts is filled whole.
        """
        if price is None:
            return NO_COHORT, NO_COHORT
        volume = min(self.supply(price), self.demand(price))
        s, d = self.supply_below(price), self.demand_above(price)
        return (
            Cohort(Wh(s), Wh(self.supply(price) - s), Wh(volume - s)),
            Cohort(Wh(d), Wh(self.demand(price) - d), Wh(volume - d)),
        )


def clear_readable(book: Book, rules: Rules) -> WindowResult:
    """Clear one window: price, volume, fills, and the two values whose equality proves the optimum."""
    market = Market.of(book)
    lowest, highest = market.lowest_price(), market.highest_price()
    price = _price(market, lowest, highest, rules)
    supply, demand = market.cohorts(price)
    offsets = book.offsets()
    fills = allocate(book, offsets, price, (supply, demand), rules)
    return WindowResult(
        price=price,
        lowest=lowest,
        highest=highest,
        volume=Wh(supply.better + supply.residual),
        supply=supply,
        demand=demand,
        offsets=offsets,
        fills=fills,
        welfare=welfare(book, fills),
        dual=market.dual_value(lowest if price is None else price),
    )


def _price(market: Market, lowest: Tick, highest: Tick | None, rules: Rules) -> Tick | None:
    """λ by the price rule; None, not 0, when nothing can be traded."""
    if highest is None:
        return None
    price = Tick(rules.price_rule.pick(lowest, highest, rules.seed))
    return price if min(market.supply(price), market.demand(price)) > 0 else None


def allocate(
    book: Book, offsets: tuple[int, ...], price: Tick | None, cohorts: tuple[Cohort, Cohort], rules: Rules
) -> tuple[Fill, ...]:
    """Better segments whole, marginal ones by the rationing rule, worse ones nothing."""
    fills = []
    offset_of = iter(offsets)
    for participant, curve in book.bids:
        cohort = cohorts[curve.side]
        quantity = 0
        # The segments come first in zip, so that it takes no offset too many.
        for (tick, width), offset in zip(curve.segments, offset_of, strict=False):
            if price is not None and curve.accepts(tick, price):
                quantity += width
            elif tick == price:
                quantity += marginal_fill(rules.rationing, offset, width, cohort.size, cohort.residual, rules.seed)
        fills.append(Fill(participant, curve.side, Wh(quantity)))
    return tuple(fills)


def welfare(book: Book, fills: Iterable[Fill]) -> int:
    """Σ V_j(y_j) - Σ Π_i(q_i) (8), in tick·Wh."""
    values = ((curve.side, curve.value(fill.quantity)) for (_, curve), fill in zip(book.bids, fills, strict=True))
    return sum(value if side is Side.BUY else -value for side, value in values)
