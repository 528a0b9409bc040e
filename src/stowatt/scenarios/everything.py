"""A second bound, "everything shared": what no sharing of any kind could do better with these homes and batteries.

More freedoms than the market has: PV surplus goes to neighbours at once, batteries charge from anybody's surplus, all
are one battery with the best efficiency and the least wear among them. Only a bound: what attains it is not computed.
With N, P, O the deficits, the surpluses and the deficits of battery owners (up to their power) in a window, and u what
of N is not imported, o what owners take from their own battery:

    min  Σ retail (N − u) − feed_in (P − C + D − u) + levy Σ (u − o) + wear_min Σ D − Σ worth (s_T − s_0)
    (E1) s_{t+1} ≤ s_t + η_max C − D/η_max          (E2) C + D ≤ Σ cap, C ≤ P, s ≤ Σ usable
    (E3) u + C − D ≤ P,  u ≤ N                      (E4) o ≤ u,  o ≤ D,  o ≤ O

Any flows that `Flows.check` lets pass cost at least the minimum: let I be what all nodes import, and u = (N − I)⁺. By
(F1), (F2) the exports are I − N + P − C + D ≥ 0, which is (E3), and import and export cost what is written above (more,
if I > N, for retail ≥ feed_in). A home imports at least deficit − own − taken, so Σ taken ≥ u − o. Sums over batteries
of (F3), (F4), (F5) give (E1), (E2), and the worth of what is left at the end is taken at the highest.
"""

from math import floor

import numpy as np

from stowatt.scenarios.community import Community, Int64s, Prices
from stowatt.scenarios.draft import Draft
from stowatt.scenarios.highs import load_highs
from stowatt.scenarios.staircase import Progress
from stowatt.units import PPM

DAY = 96
STEP, FURTHER = 60 * DAY, 2 * DAY
"""Windows of a piece, and how much further it looks."""


def bound_everything(community: Community, prices: Prices, progress: Progress | None = None) -> int:
    """The least that the community could cost, base units · Wh; rounded down, the rounding of floats allowed for."""
    load_highs()
    net, storage = community.net_load_wh(), community.storage
    lacking, surplus = _sums(np.maximum(net, 0)), _sums(np.maximum(-net, 0))
    owned = _sums(np.minimum(np.maximum(net, 0), storage.cap_wh))
    able = storage.usable_wh > 0
    eta = float(storage.efficiency_ppm[able].max(initial=1)) / PPM
    wear = int(storage.wear[able].min()) if able.any() else 0
    worth = prices.stored(storage.efficiency_ppm)
    usable, cap, held = (int(column[able].sum()) for column in (storage.usable_wh, storage.cap_wh, storage.stored_wh))
    energy, price = float(max(1, lacking.max(), surplus.max())), float(max(1, prices.retail.max()))
    retail = prices.retail[:, None]

    draft = Draft(community.windows)
    everywhere = np.ones(lacking.shape, bool)
    most = np.minimum(surplus, cap)
    end = np.zeros_like(lacking)
    end[-1] = worth.max()
    start = np.zeros_like(lacking)
    start[0] = held
    served = draft.columns(everywhere, (prices.feed_in + prices.levy - retail) / price, lacking / energy)
    charge = draft.columns(everywhere, np.array(prices.feed_in / price), most / energy)
    discharge = draft.columns(everywhere, np.array((wear - prices.feed_in) / price), np.array(cap / energy))
    stored = draft.columns(everywhere, -end / price, np.array(usable / energy))
    balance = draft.rows(everywhere, start / energy)  # (E1)
    draft.put(balance, stored, 1.0)
    draft.put(balance[1:], stored[:-1], -1.0)
    draft.put(balance, discharge, 1 / eta)
    draft.put(balance, charge, -eta)
    time = draft.rows(most > 0, np.array(cap / energy))  # (E2)
    draft.put(time, charge, 1.0)
    draft.put(time, discharge, 1.0)
    local = draft.rows(everywhere, surplus / energy)  # (E3)
    draft.put(local, served, 1.0)
    draft.put(local, charge, 1.0)
    draft.put(local, discharge, -1.0)
    if prices.levy:  # (E4)
        own = draft.columns(everywhere, np.array(-prices.levy / price), owned / energy)
        for whole in (served, discharge):
            part = draft.rows(everywhere, np.array(0.0))
            draft.put(part, own, 1.0)
            draft.put(part, whole, -1.0)
    answer = draft.finish().solve(STEP, FURTHER, progress)
    windows: list[int] = (retail * lacking - prices.feed_in * surplus).ravel().tolist()
    left: list[int] = (worth * storage.stored_wh).tolist()
    return sum(windows) + sum(left) + floor((answer.bound - answer.slack) * energy * price)


def _sums(table: Int64s) -> Int64s:
    """Over the homes, as a column."""
    return np.asarray(table.sum(axis=1, keepdims=True))
