"""One window of the market: who offers and asks for what, when the bids are sealed, and how they clear.

The gate of window t closes when window t - 1 starts. Known are what is stored then, what was sold and bought for t - 1,
and the forecast. The bids are opened and cleared by the core's engine (§3), with a seed for each window; every result
is checked: the welfare of the fills equals the dual value, and what is sold is bought.
"""

from dataclasses import dataclass

import numpy as np

from stowatt.clearing.columns import Columns
from stowatt.clearing.fast import clear_columns
from stowatt.clearing.rules import Rules
from stowatt.errors import CertificateError
from stowatt.scenarios.alone import draw, gain, reach, room
from stowatt.scenarios.community import Community, Int64s, Prices
from stowatt.scenarios.draws import assigned, lot
from stowatt.scenarios.forecast import forecast_of
from stowatt.scenarios.hours import local_hours
from stowatt.scenarios.needs import held_for_sale, levels_of, needs
from stowatt.scenarios.settings import MarketSettings
from stowatt.scenarios.strategies import Asks, Bids


@dataclass(frozen=True, slots=True, eq=False)
class Cleared:
    """What a gate has decided. Wh, and prices and values in ticks and tick·Wh."""

    tick: int
    """λ; -1 without a trade."""
    sold: Int64s
    """By battery."""
    bought: Int64s
    """By home."""
    offered: int = 0
    asked: int = 0
    welfare: int = 0

    @property
    def volume(self) -> int:
        """V."""
        return int(self.sold.sum())


class Gate:
    """Everything about the bids that does not change over the year."""

    def __init__(self, community: Community, prices: Prices, settings: MarketSettings, seed: int) -> None:
        names = list(community.homes)
        self.owners = np.flatnonzero(community.storage.usable_wh)
        self.storage = community.storage.only(self.owners)
        self.forecast = forecast_of(settings.forecast, community)
        self.settings, self.seed = settings, seed
        self._net: Int64s = np.ascontiguousarray(self.forecast.net_wh[:, self.owners])
        self._lack = np.maximum(self.forecast.net_wh, 0)
        lowest, highest = levels_of(prices)
        self._needs = needs(self._net, self.storage, prices.retail, lowest)
        owners = [names[place] for place in self.owners.tolist()]
        kinds = dict(zip(owners, assigned(seed, "sellers", owners, settings.sellers), strict=True))
        self.sellers = tuple(kinds.get(name, "") for name in names)
        self.buyers = tuple(assigned(seed, "buyers", names, settings.buyers))
        flat, patient = (
            np.array([kind == named for kind in kinds.values()], np.bool_) for named in ("flat", "patient")
        )
        if patient.any():
            held = held_for_sale(self._net, self.storage, prices.retail)
            self._needs = np.maximum(self._needs, np.where(patient, held, 0))
        self.asks = Asks.of(owners, ~flat, self.storage, prices, settings.grid, highest)
        self.bids = Bids.of(names, self.buyers, prices, settings.grid)
        self._level = np.searchsorted(self.bids.retail, prices.retail)
        hours = local_hours(community)
        self.open = ((hours >= settings.first) & (hours < settings.last)).tolist()
        self.closed = Cleared(-1, np.zeros(len(owners), np.int64), np.zeros(len(names), np.int64))

    def offers(self, window: int, stored: Int64s, before: Cleared) -> tuple[Int64s, Int64s, Int64s]:
        """(widths of asks by battery and step, Wh each home expects to lack, cases of that) when `window` - 1 starts.

        `stored` is what the batteries hold then, `before` what was cleared for `window` - 1.
        """
        storage, sold = self.storage, before.sold
        now, then = self._net[window - 1], self._net[window]
        held = stored - draw(storage, sold)
        wish = np.maximum(now - before.bought[self.owners], 0)
        used = np.minimum(np.minimum(wish, storage.cap_wh - sold), reach(storage, held))
        expected = stored - draw(storage, sold + used)
        charge = np.minimum(np.minimum(np.maximum(-now, 0), storage.cap_wh), room(storage, expected))
        expected += np.where(sold == 0, gain(storage, charge), 0)
        own = np.maximum(then, 0)
        help_wh = np.minimum(storage.cap_wh, reach(storage, expected))
        lack = np.maximum(own - help_wh, 0)
        sells = (lack == 0) & ((then >= 0) | (expected >= storage.usable_wh))
        certain = np.maximum(np.minimum(expected, held) - draw(storage, np.minimum(own, storage.cap_wh)), 0)
        offer = np.where(sells, np.minimum(storage.cap_wh - own, reach(storage, certain)), 0)
        wanted = self._lack[window].copy()
        wanted[self.owners] = lack
        possible = np.maximum(self.forecast.possible(window), 0)
        possible[:, self.owners] = np.where(offer > 0, 0, np.maximum(possible[:, self.owners] - help_wh, 0))
        return self.asks.widths(offer, certain, self._needs[:, window + 1]), wanted, possible

    def at(self, window: int, stored: Int64s, before: Cleared) -> Cleared:
        """Seal, open and clear the bids of a window."""
        if not self.open[window]:
            return self.closed
        asks, wanted, possible = self.offers(window, stored, before)
        offered, asked = int(asks.sum()), self.bids.asked(wanted, possible)
        if not offered or not asked:
            return Cleared(-1, self.closed.sold, self.closed.bought, offered, asked)
        bid_ticks = self.bids.ticks[len(possible) - 1, self._level[window]]
        return self._clear(window, asks, self.bids.widths(wanted, possible), bid_ticks, offered, asked)

    def _clear(self, window: int, asks: Int64s, bids: Int64s, prices: Int64s, offered: int, asked: int) -> Cleared:
        selling, buying = asks > 0, bids > 0
        ask_ticks, bid_ticks = self.asks.ticks[selling], prices[buying]
        if ask_ticks.min() > bid_ticks.max():
            return Cleared(-1, self.closed.sold, self.closed.bought, offered, asked)
        buys = np.ones(len(ask_ticks) + len(bid_ticks), np.bool_)
        buys[: len(ask_ticks)] = False
        columns = Columns(np.concatenate([ask_ticks, bid_ticks]), np.concatenate([asks[selling], bids[buying]]), buys)
        rules = Rules(self.settings.price_rule, self.settings.rationing, lot(self.seed, "window", str(window)))
        result = clear_columns(columns, rules)
        filled, got = np.zeros_like(asks), np.zeros_like(bids)
        filled[selling], got[buying] = result.fills[: len(ask_ticks)], result.fills[len(ask_ticks) :]
        sold, bought = filled.sum(axis=1), got.sum(axis=1)
        if result.welfare != result.dual or not int(sold.sum()) == int(bought.sum()) == result.volume:
            raise CertificateError(f"window {window} is not proved optimal", "report this: it is a fault of Stowatt")
        tick = -1 if result.price is None else int(result.price)
        return Cleared(tick, sold, bought, offered, asked, result.welfare)
