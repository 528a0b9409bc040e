"""The exact best response of one participant who knows all other bids (§7).

Written for sellers; a buyer is a seller in the market whose prices are counted from the top (`View.of`).

Let S₋(λ−) be the others' supply below λ and D(λ) the demand. Whatever curve a seller reports and whatever the price
rule is, a fill of q Wh at price λ needs q ≤ D(λ) − S₋(λ−): the others' asks below λ are filled whole and nobody buys
more than D(λ). So no report gains more than

    B = max over λ, q of λ·q − Π(q)   with q ≤ D(λ) − S₋(λ−), q ≤ Q.

One segment attains it: q Wh at tick λ make λ the only optimal price, under every price rule, and are filled whole if
no other ask stands at λ; with one, q − 1 Wh at a lower tick are. Hence the search over ticks below is exact over *all*
curves, splits over ticks included, up to the value of 1 Wh; `bound` is B itself. The seller cannot offer more than Q.
For a given λ the objective is concave in q, and best at the Wh that cost less than λ, as far as the bound allows.

Only ticks from the truthful λ_lo up to where 1 Wh could still be sold can gain: below, the truthful curve does best.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.clearing import PriceRule
from stowatt.curves import Side
from stowatt.studies.books import TICKS, Ints, Offers, SampleBook

_BLOCK: Final = 2_000_000
"""Cells of one table, about 16 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A market as one side sees it: its own curves as asks, the other side as demand, by tick."""

    side: Side
    own: Offers
    at: Ints
    """A(λ): own side's Wh at each tick."""
    up_to: Ints
    """S(λ)."""
    below: Ints
    """S(λ−)."""
    demand: Ints
    """D(λ)."""
    demand_above: Ints
    """D(λ+)."""

    @classmethod
    def of(cls, book: SampleBook, side: Side) -> "View":
        """The sellers' or the buyers' view."""
        own, other = (book.asks, book.bids) if side is Side.SELL else (book.bids.mirrored(), book.asks.mirrored())
        at, wanted = by_tick(own), by_tick(other)
        up_to, wanted_up_to = np.cumsum(at), np.cumsum(wanted)
        above = wanted_up_to[-1] - wanted_up_to
        return cls(side, own, at, up_to, up_to - at, above + wanted, above)

    def lowest(self) -> int:
        """λ_lo = min { λ : D(λ+) ≤ S(λ) }, in the view's prices."""
        return int(np.argmax(self.demand_above <= self.up_to))

    def highest(self) -> int:
        """λ_hi = max { λ : S(λ−) ≤ D(λ) }, in the view's prices."""
        return TICKS - 1 - int(np.argmax((self.below <= self.demand)[::-1]))

    def turned(self, price: int) -> int:
        """A price of the view as the market's, and back."""
        return price if self.side is Side.SELL else TICKS - 1 - price

    def pick(self, rule: PriceRule, lowest: int, highest: int, seed: int) -> int:
        """The rule's price of an interval, all in the view's prices; a rule looks at the market's."""
        low, high = sorted((self.turned(lowest), self.turned(highest)))
        return self.turned(rule.pick(low, high, seed))

    def price(self, rule: PriceRule, seed: int) -> int:
        """The price of the truthful book, as the view counts. Without a trade nobody gains at it, nor loses."""
        return self.pick(rule, self.lowest(), self.highest(), seed)


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """For each row of the view, its best response; prices as the view counts them."""

    utility: Ints
    """Attained by the report below, tick·Wh."""
    bound: Ints
    """B: no curve at all attains more."""
    price: Ints
    quantity: Ints
    """Wh sold at that price; 0 if nothing is better than not to trade."""
    tick: Ints
    """The tick of the one segment, of `quantity` Wh, that attains it."""


def by_tick(offers: Offers) -> Ints:
    """Wh at each tick. Sums below 2^53 are exact in the weights of bincount."""
    return np.bincount(offers.ticks.ravel(), offers.widths.ravel(), TICKS).astype(np.int64)


def cost(own: Offers, quantity: Ints) -> Ints:
    """Π(q) of each row at a table of quantities (rows × columns), tick·Wh."""
    total, before = np.zeros_like(quantity), np.zeros((len(own.ticks), 1), dtype=np.int64)
    for ticks, widths in zip(own.ticks.T[:, :, None], own.widths.T[:, :, None], strict=True):
        total += ticks * np.clip(quantity - before, 0, widths)
        before = before + widths
    return total


def best_responses(view: View, own: Offers | None = None) -> Responses:
    """The best response of each row of `own`, which are rows or joined rows of the view."""
    own = view.own if own is None else own
    low = view.lowest()
    most = int(own.totals.max(initial=0))
    high = TICKS - 1 - int(np.argmax((view.demand - view.below + most >= 1)[::-1]))
    prices = np.arange(low, max(low, high) + 1)
    rows = max(1, _BLOCK // len(prices))
    blocks = [
        _best(view, Offers(own.ticks[start : start + rows], own.widths[start : start + rows]), prices)
        for start in range(0, len(own.ticks), rows)
    ]
    return Responses(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _best(view: View, own: Offers, prices: Ints) -> tuple[Ints, ...]:
    below, at = held(own, prices)
    room = np.maximum(view.demand[prices] - (view.below[prices] - below), 0)
    competing = view.at[prices] - at
    bound = np.minimum(below, room)
    bound_value = prices * bound - cost(own, bound)
    sold = np.minimum(below, np.maximum(room - (competing > 0), 0))
    value = prices * sold - cost(own, sold)
    place = np.argmax(value, axis=1)[:, None]
    price = prices[place[:, 0]]
    quantity, space, others = (np.take_along_axis(table, place, 1)[:, 0] for table in (sold, room, competing))
    tick = np.where(space - others >= quantity, price, np.maximum(price - 1, 0))
    return np.take_along_axis(value, place, 1)[:, 0], bound_value.max(axis=1), price, quantity, tick


def held(own: Offers, prices: Ints) -> tuple[Ints, Ints]:
    """Wh of each row below and at each price (rows × prices)."""
    below, at = np.zeros((2, len(own.ticks), len(prices)), dtype=np.int64)
    for ticks, widths in zip(own.ticks.T[:, :, None], own.widths.T[:, :, None], strict=True):
        below += widths * (ticks < prices)
        at += widths * (ticks == prices)
    return below, at
