"""Simple, stated strategies as functions of arrays: what a home offers or asks for in one window, and at which prices.

Every bid is sealed one window ahead: when window t - 1 starts, from what is stored then and from the forecast. A home
is on one side only. It buys what it expects to lack in t beyond what its battery will give; if it expects to lack
nothing, it may sell.

Sellers (homes with a battery). No strategy offers more than the battery holds for certain, whatever the weather does in
between, nor the power and the energy that the own load of window t is expected to take. None offers in a window in
which it expects to charge, for a window with a sale charges nothing (`stowatt.dispatch.storage`); a full battery
has nothing to lose.

- `reserve` keeps what the own load needs over the coming day (`needs.py`) and asks the opportunity cost. Energy that
  would be left over costs what it takes to replace it from surplus: feed-in corrected for the losses of a round trip,
  and wear. Energy that own load would need later is worth the retail price of those windows: it leaves the battery
  through the same terminals with the same wear and the same losses either way, so none of them changes that price.
- `patient` does the same in the day's dearest windows. Before them it also keeps what it could sell in them with all
  its power, for buyers will pay more then: it sells only what the sun will have replaced by that time.
- `flat` does not look ahead. It offers all that it has, in 3 to 5 equal steps from that cost up towards the lowest
  retail price (`stowatt.simulation.strategies.ask`).

Buyers.

- `prudent` bids for each Wh what it is worth on average: the retail price if it is needed, else what feeding it in
  earns. How likely it is needed, the last week says: a Wh that six of seven days needed in this window counts 6/8; in
  the first week, the days that there are. So a home pays nearly the retail price for its base load only. With perfect
  foresight it is truthful.
- `truthful` asks for all that it expects to lack at what the grid would cost it: the retail price less the levy.
- `marked-up` wants to save 1 to 5 ct on each kWh, and in dear windows bids part of its load in 1 to 4 steps down
  towards the lowest retail price, for that part could be moved (`stowatt.simulation.strategies.bid`).

Asks round up to a tick and bids down. What an ask's step would cost above the highest tick is not offered; a bid above
it bids the highest tick. Steps and margins follow from a hash of the home's name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stowatt.data.homes import trait
from stowatt.scenarios.alone import reach
from stowatt.scenarios.community import Int64s, Prices, Storage
from stowatt.scenarios.forecast import CASES
from stowatt.simulation.strategies import ASK_STEPS, BID_STEPS, MARGIN_LEAST, MARGIN_MOST, PriceGrid
from stowatt.units import PPM, ceil_div

STEPS: Final = max(ASK_STEPS)
"""Segments of an ask, at most."""
_MOST_COST: Final = 2**50
"""Base units per kWh: dearer energy is offered nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Asks:
    """The sellers' prices, and how their offers are cut into widths. Rows are batteries, columns steps that rise."""

    reserves: NDArray[np.bool_]
    """Who knows its needs (`reserve`, `patient`); the others follow `flat`."""
    steps: Int64s
    """Steps of a flat ask."""
    ticks: Int64s
    sold: NDArray[np.bool_]
    """False where a step lies above the highest tick."""
    storage: Storage

    @classmethod
    def of(
        cls,
        names: list[str],
        reserves: NDArray[np.bool_],
        storage: Storage,
        prices: Prices,
        grid: PriceGrid,
        tops: Int64s,
    ) -> "Asks":
        """The prices of batteries with these owners; `tops` are the highest retail price of each level of need."""
        eta, low = storage.efficiency_ppm, int(prices.retail.min())
        charging = [min(ceil_div(prices.feed_in * PPM * PPM, ppm * ppm), _MOST_COST) for ppm in eta.tolist()]
        cost = storage.wear + np.array(charging, np.int64)
        steps = np.array([ASK_STEPS[trait(name, "ask steps", len(ASK_STEPS))] for name in names], np.int64)
        places, room = np.arange(STEPS), np.maximum(0, low - cost)
        flat = cost[:, np.newaxis] - (-room[:, np.newaxis] * (2 * places + 1) // (2 * steps[:, np.newaxis]))
        kept = np.maximum(cost[:, np.newaxis], np.concatenate([[0], tops]))
        kept = np.pad(kept, ((0, 0), (0, STEPS - kept.shape[1])), mode="edge")
        ticks = -(-np.where(reserves[:, np.newaxis], kept, flat) // grid.tick_size)
        return cls(reserves, steps, ticks, ticks < grid.ticks, storage)

    def widths(self, room: Int64s, held: Int64s, need: Int64s) -> Int64s:
        """Wh of each step of offers of `room`; `held` is stored for certain after the own load, `need` by level."""
        share, odd = np.divmod(room, self.steps)
        places = np.arange(STEPS)
        flat = np.where(places < self.steps[:, np.newaxis], share[:, np.newaxis] + (places < odd[:, np.newaxis]), 0)
        spare = reach(self.storage, np.maximum(held - need, 0))
        up_to = np.minimum(np.concatenate([spare, room[np.newaxis]]), room).T
        kept = np.zeros_like(flat)
        kept[:, : up_to.shape[1]] = np.diff(np.maximum.accumulate(up_to, axis=1), prepend=0)
        found: Int64s = np.where(self.sold, np.where(self.reserves[:, np.newaxis], kept, flat), 0)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Bids:
    """The buyers' prices by what is known and by retail price. Rows are homes, columns steps that fall."""

    prudent: NDArray[np.bool_]
    """Who follows `prudent`; the others bid for what they expect."""
    steps: Int64s
    """Steps of the others' bids."""
    retail: Int64s
    """The distinct retail prices, rising."""
    ticks: Int64s
    """(number of cases less 1, retail prices, homes, steps)."""

    @classmethod
    def of(cls, names: list[str], kinds: Sequence[str], prices: Prices, grid: PriceGrid) -> "Bids":
        """The prices of these homes with these strategies."""
        steps = np.array([BID_STEPS[trait(name, "bid steps", len(BID_STEPS))] for name in names], np.int64)
        margins = [MARGIN_LEAST + trait(name, "margin", MARGIN_MOST - MARGIN_LEAST + 1) for name in names]
        prudent, truthful = (np.array([kind == named for kind in kinds], np.bool_) for named in ("prudent", "truthful"))
        steps = np.where(truthful, 1, steps)
        margin = np.where(truthful, 0, np.array(margins, np.int64))
        retail = np.unique(prices.retail)
        places, price = np.arange(max(*BID_STEPS, CASES)), retail[:, np.newaxis, np.newaxis]
        plain = price - margin[:, np.newaxis] + (retail[0] - price) * places // steps[:, np.newaxis]
        cases = np.arange(1, CASES + 1)[:, np.newaxis, np.newaxis, np.newaxis]
        likely = np.maximum(cases - places, 0)
        worth = (price * likely + prices.feed_in * (cases - likely)) // cases
        bids = np.where(prudent[:, np.newaxis], worth, plain) - prices.levy
        ticks = np.minimum(np.maximum(bids, 0) // grid.tick_size, grid.ticks - 1)
        return cls(prudent, steps, retail, ticks)

    def asked(self, wanted: Int64s, possible: Int64s) -> int:
        """All Wh of the bids: the sum of `widths`."""
        return int(np.where(self.prudent, possible.max(axis=0), wanted).sum())

    def widths(self, wanted: Int64s, possible: Int64s) -> Int64s:
        """Wh of each step: of `wanted`, the odd Wh in the first steps; or from the cases of what may be wanted."""
        share, odd = np.divmod(wanted, self.steps)
        places = np.arange(self.ticks.shape[-1])
        plain = np.where(places < self.steps[:, np.newaxis], share[:, np.newaxis] + (places < odd[:, np.newaxis]), 0)
        careful = np.zeros_like(plain)
        careful[:, : len(possible)] = np.diff(np.sort(possible, axis=0), axis=0, prepend=0).T
        found: Int64s = np.where(self.prudent[:, np.newaxis], careful, plain)
        return found
