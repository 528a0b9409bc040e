"""The linear programme of `optimum`, as a staircase of windows.

Scaled for the solver: energy by the largest cap, prices by the highest retail price.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from stowatt.scenarios.community import Community, Int64s, Prices
from stowatt.scenarios.draft import Draft
from stowatt.scenarios.schedule import Plan
from stowatt.scenarios.staircase import Answer, Staircase
from stowatt.units import PPM

PIECE: Final = 200
"""Battery-days in a piece: the simplex method takes more than linearly longer for larger ones. Measured on one core: a
year of 14 batteries takes 17 s in pieces of 14 days. Many batteries take far longer: 44 of them took 220 s even in
pieces of 3 days that look one day further, which left the two bounds 1 % apart."""
LONGEST: Final = 14
"""Days of the longest piece."""
FURTHER: Final = (2, 4)
"""Days that a piece looks further than it keeps, without and with a levy: with one, owners keep energy for themselves,
and for longer. Measured on a year of 14 batteries: the bounds meet to 10^-9 without, to 0.12 % with a levy of 5 ct."""


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """The programme and what its columns and rows are."""

    staircase: Staircase
    owners: Int64s
    """Homes whose batteries can do anything."""
    energy: float
    """Wh in one unit of the programme."""
    price: float
    """Base units per kWh in one unit of the programme."""
    constant: int
    """Cost of the windows if no battery moved, all it holds counted as left over, base units · Wh."""
    charge: Int64s
    """Number of each column, (windows, owners); −1 where there is none."""
    discharge: Int64s
    scarce: Int64s
    """Number of the row (L3) of each window; −1 where power cannot reach the community's deficit."""
    levied: bool
    """Whether there is a levy."""
    limit: Int64s
    """What a buyer at most pays a neighbour in each window: retail − levy, from 0."""

    @property
    def unit(self) -> float:
        """Base units · Wh in one unit of the programme's cost."""
        return self.energy * self.price

    @property
    def days(self) -> int:
        """Length of a piece."""
        return max(1, min(LONGEST, PIECE // max(1, len(self.owners))))

    @property
    def further(self) -> int:
        """Days that a piece looks further."""
        return FURTHER[self.levied]

    @classmethod
    def of(cls, community: Community, prices: Prices) -> Self:
        """The programme for a community with at least one battery that can do anything."""
        owners = np.flatnonzero((community.storage.usable_wh > 0) & (community.storage.cap_wh > 0))
        storage = community.storage.only(owners)
        net = community.net_load_wh()
        lacking, surplus = np.maximum(net, 0).sum(axis=1), np.maximum(-net, 0).sum(axis=1)
        net = net[:, owners]
        worth, held = prices.stored(storage.efficiency_ppm), storage.stored_wh
        constant = sum((prices.retail * lacking - prices.feed_in * surplus).tolist()) + sum((worth * held).tolist())
        energy, price = float(max(1, storage.cap_wh.max(initial=1))), float(max(1, prices.retail.max()))
        draft = Draft(community.windows)
        eta, cap = storage.efficiency_ppm / PPM, storage.cap_wh

        earned = (prices.retail - prices.levy)[:, None] - storage.wear
        everywhere = np.ones_like(net, bool)
        discharge = draft.columns(everywhere, -earned / price, np.minimum(cap, lacking[:, None]) / energy)
        end = np.zeros_like(net)
        end[-1] = worth
        stored = draft.columns(everywhere, -end / price, storage.usable_wh / energy)
        fastest = np.minimum(np.maximum(-net, 0), cap)
        charge = draft.columns(fastest > 0, np.array(prices.feed_in / price), fastest / energy)

        start = np.zeros_like(net)
        start[0] = held
        balance = draft.rows(everywhere, start / energy)  # (L1)
        draft.put(balance, stored, 1.0)
        draft.put(balance[1:], stored[:-1], -1.0)
        draft.put(balance, discharge, 1 / eta)
        draft.put(balance, charge, -eta)
        time = draft.rows(fastest > 0, np.array(1.0))  # (L2)
        draft.put(time, charge, energy / np.maximum(fastest, 1))
        draft.put(time, discharge, energy / cap)
        few = (lacking < cap.sum())[:, None]
        scarce = draft.rows(few, lacking[:, None] / energy)  # (L3)
        draft.put(scarce, discharge, 1.0)
        if prices.levy:  # (L4)
            deficit = np.minimum(np.maximum(net, 0), cap)
            own = draft.columns(deficit > 0, np.array(-prices.levy / price), deficit / energy)
            part = draft.rows(deficit > 0, np.array(0.0))
            draft.put(part, own, 1.0)
            draft.put(part, discharge, -1.0)
        levied, limit = prices.levy > 0, np.maximum(prices.retail - prices.levy, 0)
        return cls(draft.finish(), owners, energy, price, constant, charge, discharge, scarce[:, 0], levied, limit)

    def plan(self, answer: Answer) -> Plan:
        """The solution in Wh, and the price that supports it in each window: the limit less the multiplier of (L3)."""
        x, y = np.append(answer.x, 0.0), np.append(answer.y, 0.0)  # what does not exist is number −1
        rent = np.rint(y[self.scarce] * self.price).astype(np.int64)
        price = np.maximum(self.limit - rent, 0)
        return Plan(self.owners, x[self.charge] * self.energy, x[self.discharge] * self.energy, price)
