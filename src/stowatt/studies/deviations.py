"""Simple misreports of one participant, every one cleared: what shading and holding back gain, alone.

- *shading*: every ask price × (1 + f), rounded up to a tick; every bid price × (1 − f), rounded down. All quantities.
- *holding back*: true prices, but only the best share h of the quantity.

The deviator reveals last, which decides the odd Wh of a marginal cohort and nothing else.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.clearing import PriceRule
from stowatt.curves import Curve, Side
from stowatt.studies.books import TICKS, Ints, Offers
from stowatt.studies.response import View, cost

SHADES_PER_MILLE: Final = (0, 5, 10, 20, 30, 50, 75, 100, 150, 200, 250, 300, 400, 500)
KEPT_PER_MILLE: Final = (1000, 950, 900, 800, 700, 600, 500, 400, 300, 200, 100)


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What one row of the view gets for each of its reports, under one price rule."""

    price: Ints
    """As the view counts; the rule's pick even without a trade."""
    quantity: Ints
    utility: Ints
    """By the true curve, tick·Wh."""


def shaded(view: View, row: int) -> Offers:
    """The row's curve under every factor of SHADES_PER_MILLE."""
    factors = np.array(SHADES_PER_MILLE, dtype=np.int64)[:, None]
    ticks = view.own.ticks[row]
    if view.side is Side.SELL:
        reported = np.minimum(-(-ticks * (1000 + factors) // 1000), TICKS - 1)
    else:
        reported = TICKS - 1 - (TICKS - 1 - ticks) * (1000 - factors) // 1000
    return Offers(reported, np.broadcast_to(view.own.widths[row], reported.shape))


def held_back(view: View, row: int) -> Offers:
    """The row's curve with every share of KEPT_PER_MILLE kept, rounded down to Wh, the dearest Wh left out."""
    widths = view.own.widths[row]
    kept = int(widths.sum()) * np.array(KEPT_PER_MILLE, dtype=np.int64)[:, None] // 1000
    before = np.cumsum(widths) - widths
    return Offers(np.broadcast_to(view.own.ticks[row], (len(kept), len(widths))), np.clip(kept - before, 0, widths))


def outcomes(view: View, row: int, reports: Offers, seed: int) -> dict[PriceRule, Outcomes]:
    """Price, fill and utility of one row for each report, as the engine clears them (§3), by price rule."""
    true = Offers(view.own.ticks[row : row + 1], view.own.widths[row : row + 1])
    own_at, reported_at = _steps(true)[0], _steps(reports)
    others_at = view.at - own_at
    others_up_to, reported_up_to = np.cumsum(others_at), np.cumsum(reported_at, axis=1)
    up_to = others_up_to + reported_up_to
    below = up_to - others_at - reported_at
    lowest = np.argmax(view.demand_above <= up_to, axis=1)
    highest = TICKS - 1 - np.argmax((below <= view.demand)[:, ::-1], axis=1)
    found = {}
    for rule in PriceRule:
        ends = zip(lowest.tolist(), highest.tolist(), strict=True)
        price = np.array([view.pick(rule, low, high, seed) for low, high in ends], dtype=np.int64)
        line = np.arange(len(price))
        own, size = reported_at[line, price], others_at[price] + reported_at[line, price]
        residual = np.minimum(up_to[line, price], view.demand[price]) - below[line, price]
        traded = np.minimum(up_to[line, price], view.demand[price]) > 0
        # The deviator is last in its cohort: f(T) = R, less f of what the others hold there (§3, pro rata).
        whole = np.maximum(size, 1)
        marginal = residual - (others_at[price] * residual + seed % whole) // whole
        quantity = np.where(traded, reported_up_to[line, price] - own + np.where(own > 0, marginal, 0), 0)
        utility = price * quantity - cost(true, quantity[None, :])[0]
        found[rule] = Outcomes(price, quantity, utility)
    return found


def report(view: View, reports: Offers, line: int) -> Curve | None:
    """One of the reports as the market sees it; None if nothing is left of it."""
    offers = reports if view.side is Side.SELL else reports.mirrored()
    return offers.curve(line, view.side) if reports.widths[line].any() else None


def _steps(offers: Offers) -> Ints:
    """Wh of each row at each tick (rows × ticks)."""
    table = np.zeros((len(offers.ticks), TICKS), dtype=np.int64)
    np.add.at(table, (np.arange(len(table))[:, None], offers.ticks), offers.widths)
    return table
