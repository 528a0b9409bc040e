"""What a scheme costs each node, and what became of the energy. Money is base units · Wh (10^-9 EUR), never rounded.

    cost = Σ import · retail − Σ export · feed_in + Σ taken · levy + Σ discharge · wear + paid
           − (stored_T − stored_0) · worth

`worth` is `Prices.stored`, the same in every scheme; stored_0 is what the home's battery held before the scheme began,
so a scheme that pools the batteries starts from the same books. Further nodes owe no levy: energy that passes through a
community battery is charged once, when a home takes it.

Not in it, since it is the same in every scheme or no consequence of how energy is shared: standing charges, the price
of PV and batteries, their calendar ageing, taxes on income. PV is never curtailed: (F1) knows no such term.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.scenarios.alone import draw
from stowatt.scenarios.community import Community, Int64s, Prices
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.flows import Flows
from stowatt.units import PPM

MOST_MONEY: Final = 2**62
"""Energies whose product with the highest price reaches this are refused: no sum in the accounts can overflow."""


@dataclass(frozen=True, slots=True, eq=False)
class Accounts:
    """A scheme's books. Arrays have an entry for each node, homes first; money is base units · Wh."""

    scheme: str
    imported: Int64s
    """Paid to the grid."""
    exported: Int64s
    """Received from the grid."""
    levy: Int64s
    """Levies on what was taken."""
    wear: Int64s
    """Wear of the node's battery."""
    stored: Int64s
    """Worth of what is stored at the end, less that at the start."""
    paid: Int64s
    """Paid (+) or received (−) inside the community."""
    cost: Int64s
    """All of it."""
    load_wh: int
    pv_wh: int
    import_wh: int
    export_wh: int
    shared_wh: int
    """Taken by homes from the community."""
    discharge_wh: int
    """Delivered by all batteries, at their terminals."""
    cycles_milli: int
    """Full cycles of the community's batteries, thousandths: energy drawn / usable energy, rounded down."""

    @property
    def total(self) -> int:
        """Cost of the whole community."""
        return int(self.cost.sum())

    @property
    def self_sufficiency_ppm(self) -> int:
        """Share of the load that the grid did not supply, rounded down."""
        return (self.load_wh - self.import_wh) * PPM // self.load_wh if self.load_wh else 0

    @property
    def self_consumption_ppm(self) -> int:
        """Share of the PV energy that was not exported, rounded down."""
        return (self.pv_wh - self.export_wh) * PPM // self.pv_wh if self.pv_wh else 0


def keep_accounts(community: Community, prices: Prices, flows: Flows) -> Accounts:
    """The books of a scheme whose flows have been checked."""
    if len(prices.retail) != community.windows:
        raise ScenarioError(
            f"{len(prices.retail)} retail prices for {community.windows} windows", "give a price for each window"
        )
    homes = len(community.homes)
    storage = flows.storage(community)
    worth = prices.stored(storage.efficiency_ppm)
    held = np.zeros(flows.nodes, np.int64)
    held[:homes] = community.storage.stored_wh
    _bound(community, prices, flows, int(max(worth.max(), storage.wear.max())))
    levied = flows.taken_wh[:, :homes].sum(axis=0)
    delivered = flows.discharge_wh.sum(axis=0)
    imported = prices.retail @ flows.import_wh
    exported = flows.export_wh.sum(axis=0) * prices.feed_in
    levy = np.zeros(flows.nodes, np.int64)
    levy[:homes] = levied * prices.levy
    wear = delivered * storage.wear
    stored = worth * (flows.stored_wh[-1] - held)
    drawn = sum(int(draw(storage, row).sum()) for row in _parts(flows.discharge_wh))
    return Accounts(
        scheme=flows.name,
        imported=imported,
        exported=exported,
        levy=levy,
        wear=wear,
        stored=stored,
        paid=flows.paid,
        cost=imported - exported + levy + wear - stored + flows.paid,
        load_wh=int(community.load_wh.sum()),
        pv_wh=int(community.pv_wh.sum()),
        import_wh=int(flows.import_wh.sum()),
        export_wh=int(flows.export_wh.sum()),
        shared_wh=int(levied.sum()),
        discharge_wh=int(delivered.sum()),
        cycles_milli=drawn * 1000 // max(1, int(community.storage.usable_wh.sum())),
    )


def _parts(table: Int64s, rows: int = 4096) -> list[Int64s]:
    """A table in parts, so that no second one of its size is made."""
    return [table[first : first + rows] for first in range(0, len(table), rows)]


def _bound(community: Community, prices: Prices, flows: Flows, dearest: int) -> None:
    """Refuse what could overflow: Σ of all energies × the highest price, and the payments, stay below 2^62."""
    energy = sum(
        float(table.sum(dtype=np.float64))
        for table in (flows.import_wh, flows.export_wh, flows.taken_wh, flows.discharge_wh, flows.stored_wh[-1])
    ) + float(community.storage.stored_wh.sum(dtype=np.float64))
    highest = max(int(prices.retail.max()), prices.feed_in, prices.levy, dearest)
    payments = float(np.abs(flows.paid).sum(dtype=np.float64))
    if energy * highest + payments >= MOST_MONEY:
        raise ScenarioError(
            f"{energy:.3g} Wh at up to {highest} base units per kWh do not fit 64 bits", "split the year"
        )
