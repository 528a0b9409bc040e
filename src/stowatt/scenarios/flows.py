"""What a scheme does with a community's energy, window by window, and the judge of it.

Every scheme – alone, market, community battery, optimum – ends in the same record, and `Flows.check` knows nothing of
how it came about. In each window and for each node (home, or further node such as a community battery):

 (F1) pv + discharge + import + taken = load + charge + export + given, all of them ≥ 0;
 (F2) Σ given = Σ taken over the nodes: the community's wires neither hold nor lose energy;
 (F3) stored' = stored + ⌊charge·η⌋ − ⌈discharge/η⌉: both roundings leave less in the battery;
 (F4) 0 ≤ stored ≤ usable;
 (F5) charge and discharge share the window's time: charge/ĉ + discharge/cap ≤ 1, ĉ the fastest that it can charge;
 (F6) no node imports and exports in one window;
 (F7) Σ paid = 0 over the nodes.

Two kinds of schemes. Where `own_surplus` holds, home batteries charge from the own surplus only, ĉ = min(cap, (pv −
load)⁺), and what is given is discharged in that window, given ≤ discharge (a seller may still have to import for the
own home: the sale comes first). Else ĉ = cap, and all nodes together charge at most the surplus of all homes. Further
nodes are never more battery than the homes own: their usable energy and power add up to at most that of the homes,
whose batteries then do nothing; at the start the community stores exactly what its batteries held.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stowatt.scenarios.community import MOST_WH, Community, Int64s, Storage
from stowatt.scenarios.errors import FlowsError
from stowatt.units import PPM

TABLES = ("charge_wh", "discharge_wh", "import_wh", "export_wh", "given_wh", "taken_wh")
"""The tables of one row for each window; `stored_wh` has one more."""
MOST_FLOW = 4 * MOST_WH
"""The most in one cell: products with 10^6 stay below 2^53."""


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """A scheme's year. Tables are int64 of shape (windows, homes + extra), Wh."""

    name: str
    """The scheme."""
    charge_wh: Int64s
    """Into the battery, at its terminals."""
    discharge_wh: Int64s
    """Out of the battery, at its terminals."""
    import_wh: Int64s
    """From the grid."""
    export_wh: Int64s
    """To the grid."""
    given_wh: Int64s
    """To the community."""
    taken_wh: Int64s
    """From the community."""
    stored_wh: Int64s
    """In the battery at the start of each window and at the end of the last: (windows + 1, homes + extra)."""
    paid: Int64s
    """What each node pays (+) or receives (−) inside the community, base units · Wh; adds up to 0."""
    extra: tuple[str, ...] = ()
    """Names of further nodes, whose load and PV are 0."""
    extra_storage: Storage | None = None
    """The batteries of the further nodes."""
    own_surplus: bool = True
    """Whether the scheme claims that batteries charge from their own surplus and only discharged energy is given."""

    @property
    def nodes(self) -> int:
        """Homes and further nodes."""
        return int(self.charge_wh.shape[1])

    def storage(self, community: Community) -> Storage:
        """The batteries of all nodes, homes first."""
        if self.extra_storage is None:
            return community.storage
        own, more = community.storage, self.extra_storage
        return Storage(
            *(np.concatenate([getattr(own, name), getattr(more, name)]) for name in Storage.__dataclass_fields__)
        )

    def check(self, community: Community) -> None:
        """Raise with the law, the window and the node that fail, if any does."""
        self._check_shapes(community)
        for name in (*TABLES, "stored_wh"):
            table: Int64s = getattr(self, name)
            self._hold(community, f"0 ≤ {name} ≤ {MOST_FLOW}", (table >= 0) & (table <= MOST_FLOW))
        for law, holds in self._laws(community):
            self._hold(community, law, holds)
        if (total := sum(self.paid.tolist())) != 0:
            raise FlowsError(f"{self.name}: (F7) payments add up to {total}, not to 0")

    def _check_shapes(self, community: Community) -> None:
        nodes = len(community.homes) + len(self.extra)
        shapes = dict.fromkeys(TABLES, (community.windows, nodes))
        shapes["stored_wh"] = (community.windows + 1, nodes)
        for name, shape in (*shapes.items(), ("paid", (nodes,))):
            table = getattr(self, name)
            if table.dtype != np.int64 or table.shape != shape:
                raise FlowsError(f"{self.name}: {name} is {table.dtype} of shape {table.shape}, not int64 of {shape}")
        if len(self.extra) != (0 if self.extra_storage is None else len(self.extra_storage)):
            raise FlowsError(f"{self.name}: {len(self.extra)} further nodes without a battery for each")

    def _laws(self, community: Community) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Each law and where it holds: by window and node, by window, by node, or as a whole."""
        homes = len(community.homes)
        storage = self.storage(community)
        cap, eta = storage.cap_wh, storage.efficiency_ppm
        balance = self.discharge_wh + self.import_wh + self.taken_wh
        balance -= self.charge_wh + self.export_wh + self.given_wh
        balance[:, :homes] += community.pv_wh - community.load_wh
        yield "(F1) balance", balance == 0
        del balance
        yield "(F2) Σ given = Σ taken", self.given_wh.sum(axis=1) == self.taken_wh.sum(axis=1)
        change = self.charge_wh * eta // PPM + (-self.discharge_wh * PPM) // eta
        yield "(F3) store recursion", self.stored_wh[1:] == self.stored_wh[:-1] + change
        del change
        yield "(F4) stored ≤ usable", self.stored_wh <= storage.usable_wh
        fastest = np.broadcast_to(cap, self.charge_wh.shape)
        if self.own_surplus:
            surplus = np.zeros_like(self.charge_wh)
            surplus[:, :homes] = community.pv_wh - community.load_wh
            fastest = np.clip(surplus, 0, cap)
            del surplus
            yield "charging from the own surplus only", self.charge_wh <= fastest
            yield "given ≤ discharge", self.given_wh <= self.discharge_wh
        else:
            surplus = np.maximum(community.pv_wh - community.load_wh, 0).sum(axis=1)
            yield "charging from the community's surplus only", self.charge_wh.sum(axis=1) <= surplus
        yield "(F5) charge within the cap", self.charge_wh <= cap
        yield "(F5) discharge within the cap", self.discharge_wh <= cap
        yield "(F5) one window's time", _within(self.charge_wh, self.discharge_wh, fastest, cap)
        yield "(F6) no import beside export", (self.import_wh == 0) | (self.export_wh == 0)
        start, held = self.stored_wh[0], community.storage.stored_wh
        if self.extra_storage is None:
            yield "the stored energy at the start", start == held
            return
        yield "the stored energy at the start", np.array(start.sum() == held.sum())
        yield "no home battery beside a further one", (self.charge_wh + self.discharge_wh)[:, :homes] == 0
        for name in ("usable_wh", "cap_wh"):
            more, own = getattr(self.extra_storage, name), getattr(community.storage, name)
            yield f"{name} of further batteries within that of the homes", np.array(more.sum() <= own.sum())

    def _hold(self, community: Community, law: str, holds: NDArray[np.bool_]) -> None:
        """Raise with the first place at which a law does not hold."""
        if holds.all():
            return
        place = ""
        first = np.unravel_index(int(np.argmin(holds)), holds.shape)
        if holds.ndim and holds.shape[0] in (community.windows, community.windows + 1):
            place = f" in window {first[0]} ({community.at(int(first[0])).isoformat()})"
        if holds.ndim and holds.shape[-1] == self.nodes and (holds.ndim > 1 or not place):
            place += f", node {(*community.homes, *self.extra)[first[-1]]}"
        raise FlowsError(f"{self.name}: {law} fails{place}")


def _within(charge: Int64s, discharge: Int64s, fastest: Int64s, cap: Int64s) -> NDArray[np.bool_]:
    """charge/fastest + discharge/cap ≤ 1, multiplied out; products stay below 2^62 (a cell is at most 2^31)."""
    both = (charge > 0) & (discharge > 0)
    held: NDArray[np.bool_] = ~both | (charge * cap <= (cap - discharge) * fastest)
    return held
