"""No sharing ("none"): each battery serves its own home, surplus in and deficit out, as ordinary home batteries do.

The greedy rule of self-consumption, without foresight: what the home's PV leaves over goes into the battery as far as
power and room reach, the rest to the grid; what the home lacks comes out of the battery as far as power and charge
reach, the rest from the grid. Nobody gives, takes or pays inside the community.
"""

import numpy as np

from stowatt.scenarios.community import Community, Int64s, Storage
from stowatt.scenarios.flows import Flows
from stowatt.units import PPM


def run_alone(community: Community) -> Flows:
    """The flows of all homes, each on its own."""
    net = community.net_load_wh()
    charge, discharge = np.zeros_like(net), np.zeros_like(net)
    stored = np.zeros((community.windows + 1, net.shape[1]), np.int64)
    owners = np.flatnonzero(community.storage.usable_wh)
    charge[:, owners], discharge[:, owners], stored[:, owners] = serve(net[:, owners], community.storage.only(owners))
    left = net + charge - discharge
    nothing = np.zeros_like(net)
    return Flows(
        name="none",
        charge_wh=charge,
        discharge_wh=discharge,
        import_wh=np.maximum(left, 0),
        export_wh=np.maximum(-left, 0),
        given_wh=nothing,
        taken_wh=nothing,
        stored_wh=stored,
        paid=np.zeros(net.shape[1], np.int64),
    )


def serve(net_wh: Int64s, storage: Storage) -> tuple[Int64s, Int64s, Int64s]:
    """(charge, discharge, stored) of batteries that each follow one column of net load, window by window."""
    surplus = np.minimum(np.maximum(-net_wh, 0), storage.cap_wh)
    deficit = np.minimum(np.maximum(net_wh, 0), storage.cap_wh)
    charge, discharge = np.zeros_like(net_wh), np.zeros_like(net_wh)
    stored = np.empty((len(net_wh) + 1, net_wh.shape[1]), np.int64)
    stored[0] = storage.stored_wh
    for window in range(len(net_wh)):
        now = stored[window]
        charge[window] = np.minimum(surplus[window], room(storage, now))
        discharge[window] = np.minimum(deficit[window], reach(storage, now))
        stored[window + 1] = now + gain(storage, charge[window]) - draw(storage, discharge[window])
    return charge, discharge, stored


def gain(storage: Storage, charge_wh: Int64s) -> Int64s:
    """(F3) What a charge at the terminals adds to the store. Rounded down."""
    return charge_wh * storage.efficiency_ppm // PPM


def draw(storage: Storage, discharge_wh: Int64s) -> Int64s:
    """(F3) What a discharge at the terminals takes from the store. Rounded up."""
    return -((-discharge_wh * PPM) // storage.efficiency_ppm)


def room(storage: Storage, stored_wh: Int64s) -> Int64s:
    """The most that can go in at the terminals: the largest charge whose gain fits, power aside."""
    return ((storage.usable_wh - stored_wh + 1) * PPM - 1) // storage.efficiency_ppm


def reach(storage: Storage, stored_wh: Int64s) -> Int64s:
    """The most that can come out at the terminals: the largest discharge whose draw is there, power aside."""
    return stored_wh * storage.efficiency_ppm // PPM
