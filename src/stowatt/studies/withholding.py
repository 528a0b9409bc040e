"""The last revealer's option: what an owner gains by not opening one of its bids once all others are open (§5).

A truthful bid gains at least 0, so nobody gains by withholding its only bid. Two ways remain, for an owner (or a
coalition) with several accounts on one side:

- *partner*: account A commits and does not open, so that the price moves in favour of account B. The gain is B's at the
  price without A, less B's with A, less what A itself would have gained. `partner` takes the best B among all others.
- *coalition*: the same, with all other accounts of the side as partners: the most that withholding one bid can move.

(The third, a menu of commitments of which only the best is opened, gains at most the best response: `response`.)
Each bid withheld costs its bond. Under the `seed` rule the missing opening also draws another seed.
"""

from dataclasses import dataclass

import numpy as np

from stowatt.clearing import PriceRule
from stowatt.studies.books import TICKS, Ints
from stowatt.studies.response import View, held

_ALONE = -(2**62)


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """For each row of the view: what its owner gains if the row is not opened, before the bond; tick·Wh, at least 0."""

    partner: Ints
    coalition: Ints


def withheld(view: View, price: int, rule: PriceRule, seed: int) -> Withheld:
    """The gains under one price rule. `price`: with all bids open, as the view counts; `seed`: without the row's."""
    without = prices_without(view, rule, seed)
    before = view.own.surplus(price)
    partner, coalition = np.zeros((2, len(before)), dtype=np.int64)
    for moved in np.unique(without).tolist():
        if moved <= price:
            continue  # nobody of this side gains
        gain = view.own.surplus(moved) - before
        rows = np.flatnonzero(without == moved)
        order = np.argsort(gain)
        best, second = int(order[-1]), int(order[-2]) if len(order) > 1 else -1
        others = np.where(rows != best, gain[best], gain[second] if second >= 0 else _ALONE)
        partner[rows] = others - before[rows]
        coalition[rows] = gain.sum() - gain[rows] - before[rows]
    return Withheld(np.maximum(partner, 0), np.maximum(coalition, 0))


def prices_without(view: View, rule: PriceRule, seed: int) -> Ints:
    """The price, as the view counts, of the book without each row; the old λ_lo where nobody else sells."""
    own, low = view.own, view.lowest()
    most = int(own.totals.max(initial=0))
    high = TICKS - 1 - int(np.argmax((view.demand - view.below + most >= 0)[::-1]))
    prices = np.arange(low, max(low, high) + 1)
    below, at = held(own, prices)
    lowest = prices[np.argmax(view.demand_above[prices] <= view.up_to[prices] - below - at, axis=1)]
    fits = view.below[prices] - below <= view.demand[prices]
    highest = prices[len(prices) - 1 - np.argmax(fits[:, ::-1], axis=1)]
    picked = [view.pick(rule, one, other, seed) for one, other in zip(lowest.tolist(), highest.tolist(), strict=True)]
    alone = own.totals == own.totals.sum()
    return np.where(alone, low, np.array(picked, dtype=np.int64))
