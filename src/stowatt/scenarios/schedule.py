"""From a solution in floats to integer flows that a judge lets pass.

Battery by battery and window by window, each quantity is rounded to the nearest Wh and cut to what is there: room and
reach of the store as (F3) rounds them, the window's time (F5), the community's deficit. So the flows are feasible, and
cost a little more than the solution.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.scenarios.alone import draw, gain, reach, room
from stowatt.scenarios.community import Community, Int64s
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.highs import Floats
from stowatt.scenarios.shares import split

NAME: Final = "optimum"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What some homes' batteries should do, Wh, and what is paid between neighbours, base units per kWh."""

    owners: Int64s
    charge: Floats
    """(windows, owners)."""
    discharge: Floats
    price: Int64s
    """By window."""


def schedule(community: Community, plan: Plan) -> Flows:
    """The plan as flows. A battery serves its own home first, then neighbours by what each of them still lacks."""
    net = community.net_load_wh()
    lacking, surplus = np.maximum(net, 0), np.maximum(-net, 0)
    charge, discharge = np.zeros_like(net), np.zeros_like(net)
    stored = np.empty((community.windows + 1, net.shape[1]), np.int64)
    stored[:] = community.storage.stored_wh
    charge[:, plan.owners], discharge[:, plan.owners], stored[:, plan.owners] = _follow(
        community, plan, surplus[:, plan.owners], lacking.sum(axis=1)
    )
    own = np.minimum(discharge, lacking)
    given = discharge - own
    lacking -= own
    taken = split(given.sum(axis=1), lacking)
    return Flows(
        name=NAME,
        charge_wh=charge,
        discharge_wh=discharge,
        import_wh=lacking - taken,
        export_wh=surplus - charge,
        given_wh=given,
        taken_wh=taken,
        stored_wh=stored,
        paid=plan.price @ (taken - given),
    )


def _follow(community: Community, plan: Plan, surplus: Int64s, lacking: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """(charge, discharge, stored) in whole Wh."""
    storage = community.storage.only(plan.owners)
    cap = storage.cap_wh
    fastest = np.minimum(surplus, cap)
    charge = np.clip(np.rint(plan.charge).astype(np.int64), 0, fastest)
    discharge = np.clip(np.rint(plan.discharge).astype(np.int64), 0, cap)
    time = np.where(discharge > 0, (cap - discharge) * fastest // np.maximum(cap, 1), fastest)
    charge = np.minimum(charge, time)
    stored = np.empty((len(charge) + 1, len(cap)), np.int64)
    stored[0] = storage.stored_wh
    for window in range(len(charge)):
        now, into = stored[window], charge[window]
        out = np.minimum(discharge[window], reach(storage, now + gain(storage, into)))
        if int(out.sum()) > lacking[window]:
            out = np.diff(np.minimum(np.cumsum(out), lacking[window]), prepend=0)
        into = np.minimum(into, room(storage, now - draw(storage, out)))
        charge[window], discharge[window] = into, out
        stored[window + 1] = now + gain(storage, into) - draw(storage, out)
    return charge, discharge, stored
