"""A year of the market: every window sealed, cleared and delivered, without the chain (the same rules, §3 and §6).

In each window, in this order: the gate of the next one closes (`gate.py`); batteries that are up deliver what they
sold; then the own home is served, but what is sold of the next window stays stored. So a sale never fails for want of
energy, whatever the forecast missed: the own home then imports. A battery that sold nothing charges from its own
surplus. A home that bought more than it needs feeds in what is left. The first window has no market: its gate would
have closed before the beginning. A battery that is down does nothing for its own home either; the schemes that the
market is compared with know no outages, so these count against the market only.

What a seller gives is measured at its battery. So a home can give and import in one window, if its load exceeds its
forecast. Let it give less and import less by the same amount, and its neighbour import that much more: the community
pays the grid the same and less levy. So a bound on schemes without this freedom is a bound on the market too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stowatt.clearing.plan import Plan, using
from stowatt.scenarios.alone import draw, gain, reach, room
from stowatt.scenarios.community import Community, Int64s, Prices
from stowatt.scenarios.delivery import settle
from stowatt.scenarios.draws import happens
from stowatt.scenarios.errors import FlowsError, ScenarioError
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.forecast import DAY, Forecast
from stowatt.scenarios.gate import Cleared, Gate
from stowatt.scenarios.settings import MarketSettings

_MOST_MONEY = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class MarketRecord:
    """What the market did. Energies in Wh; values in base units · Wh (10^-9 EUR)."""

    price: Int64s
    """λ of each window, base units per kWh; -1 without a trade."""
    volume: Int64s
    """Sold in each window."""
    offered: Int64s
    """Supply offered, at any price."""
    asked: Int64s
    """Demand, at any price."""
    welfare: Int64s
    """Gain of trade by the bids, Σ V − Σ Π of each window (8)."""
    missing: Int64s
    """Sold in each window and not delivered, because a battery was down."""
    sold: Int64s
    """By home, what it sold; less what of that was missing is what it gave."""
    bought: Int64s
    """By home."""
    paid: Int64s
    """By home: + pays, − receives; adds up to 0."""
    sellers: tuple[str, ...]
    """Strategy of each home that owns a battery, else empty."""
    buyers: tuple[str, ...]
    """Strategy of each home as a buyer."""
    forecast: Forecast
    """What everybody expected, and how wrong that was."""


def run_market(
    community: Community,
    prices: Prices,
    settings: MarketSettings,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> tuple[Flows, MarketRecord]:
    """Every window of the community's time. `progress` is told after each day how many windows are done."""
    gate = Gate(community, prices, settings, seed)
    _check_money(community, settings)
    with using(Plan(threads=1, compiled=False)):
        return _Year(community, gate, settings, seed).run(progress)


class _Year:
    """The tables that fill up window by window; batteries only where homes without one have zeros."""

    def __init__(self, community: Community, gate: Gate, settings: MarketSettings, seed: int) -> None:
        windows, owners = community.windows, gate.owners
        self.community, self.gate, self.settings = community, gate, settings
        self.net: Int64s = np.ascontiguousarray(community.net_load_wh()[:, owners])
        self.down = happens(seed, "outage", [community.homes[k] for k in owners], windows, settings.outages_ppm)
        self.charge, self.discharge, self.given, self.sold = (np.zeros_like(self.net) for _ in range(4))
        self.stored = np.zeros((windows + 1, len(owners)), np.int64)
        self.stored[0] = gate.storage.stored_wh
        self.bought, self.taken = np.zeros_like(community.load_wh), np.zeros_like(community.load_wh)
        self.paid = np.zeros(len(community.homes), np.int64)
        self.tables = {name: np.zeros(windows, np.int64) for name in ("offered", "asked", "welfare", "missing")}
        self.price = np.full(windows, -1, np.int64)

    def run(self, progress: Callable[[int], None] | None) -> tuple[Flows, MarketRecord]:
        """All windows."""
        now, last = self.gate.closed, self.community.windows - 1
        for window in range(last + 1):
            then = self.gate.at(window + 1, self.stored[window], now) if window < last else self.gate.closed
            self._record(window, now)
            self._deliver(window, now, then.sold)
            now = then
            if progress and window % DAY == DAY - 1:
                progress(window + 1)
        return self._result()

    def _record(self, window: int, now: Cleared) -> None:
        """What the gate decided about this window."""
        for name in ("offered", "asked", "welfare"):
            self.tables[name][window] = getattr(now, name)
        if now.tick >= 0:
            self.price[window] = now.tick
            self.sold[window], self.bought[window] = now.sold, now.bought

    def _deliver(self, window: int, now: Cleared, promised: Int64s) -> None:
        """The sale first, then the own home from what is not promised, or charging; and the payments."""
        storage, owners, stored = self.gate.storage, self.gate.owners, self.stored[window]
        net, up = self.net[window], ~self.down[window]
        given, wish = np.where(up, now.sold, 0), np.maximum(net, 0)
        if now.tick >= 0:
            grid, alpha = self.settings.grid, self.settings.deposit_ppm
            taken, paid, missing = settle(now, given, owners, grid.tick_size, alpha)
            self.taken[window], self.tables["missing"][window] = taken, missing
            self.paid += paid
            wish = np.maximum(net - taken[owners], 0)
        free = reach(storage, stored - draw(storage, promised)) - given
        if (free < 0).any():
            home = self.community.homes[owners[int(np.argmin(free))]]
            raise FlowsError(f"market: {home} has sold more in window {window} than it holds")
        used = np.where(up, np.minimum(np.minimum(wish, storage.cap_wh - given), free), 0)
        charge = np.minimum(np.minimum(np.maximum(-net, 0), storage.cap_wh), room(storage, stored))
        charge = np.where(up & (now.sold == 0), charge, 0)
        self.given[window], self.charge[window], self.discharge[window] = given, charge, given + used
        self.stored[window + 1] = stored - draw(storage, given + used) + gain(storage, charge)

    def _result(self) -> tuple[Flows, MarketRecord]:
        """The tables of all homes, and the market's record."""
        community, gate, size = self.community, self.gate, self.settings.grid.tick_size
        charge, discharge, given = (self._wide(table) for table in (self.charge, self.discharge, self.given))
        left = community.net_load_wh() + charge + given - discharge - self.taken
        imported, exported = np.maximum(left, 0), np.maximum(-left, 0)
        flows = Flows(
            name="market",
            charge_wh=charge,
            discharge_wh=discharge,
            import_wh=imported,
            export_wh=exported,
            given_wh=given,
            taken_wh=self.taken,
            stored_wh=self._wide(self.stored),
            paid=self.paid,
        )
        return flows, MarketRecord(
            price=np.where(self.price < 0, -1, self.price * size),
            volume=self.sold.sum(axis=1),
            offered=self.tables["offered"],
            asked=self.tables["asked"],
            welfare=self.tables["welfare"] * size,
            missing=self.tables["missing"],
            sold=self._wide(self.sold.sum(axis=0)),
            bought=self.bought.sum(axis=0),
            paid=self.paid,
            sellers=gate.sellers,
            buyers=gate.buyers,
            forecast=gate.forecast,
        )

    def _wide(self, table: Int64s) -> Int64s:
        """A table of the batteries as one of all homes."""
        wide = np.zeros((*table.shape[:-1], len(self.community.homes)), np.int64)
        wide[..., self.gate.owners] = table
        return wide


def _check_money(community: Community, settings: MarketSettings) -> None:
    """Sums of payments, with deposits, stay below 2^62: nobody buys more than all loads and PV together."""
    most = int(community.load_wh.sum()) + int(community.pv_wh.sum())
    if 4 * most * settings.grid.tick_size * settings.grid.ticks >= _MOST_MONEY:
        raise ScenarioError(
            f"market: {most} Wh at up to {settings.grid.tick_size * settings.grid.ticks} base units per kWh",
            "use a lower highest price, or fewer homes or windows",
        )
