"""Schemes without any sense, that keep the laws of `Flows` with the freedoms of the market: opponents for the bound."""

import numpy as np

from stowatt.scenarios.alone import draw, gain, reach, room
from stowatt.scenarios.community import Community, Prices
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.shares import split


def wild(community: Community, prices: Prices, seed: int) -> Flows:
    """Batteries charge, serve and sell by chance; energy may be sold to homes that do not need it, and exported."""
    random = np.random.default_rng(seed)
    net, storage = community.net_load_wh(), community.storage
    surplus, cap = np.maximum(-net, 0), storage.cap_wh
    charge, discharge = np.zeros_like(net), np.zeros_like(net)
    stored = np.empty((community.windows + 1, net.shape[1]), np.int64)
    stored[0] = storage.stored_wh
    eager = random.random()
    for window in range(community.windows):
        now = stored[window]
        fastest = np.minimum(surplus[window], cap)
        most = np.minimum(cap, reach(storage, now))
        out = np.where(random.random(len(cap)) < eager, random.integers(0, most + 1), 0)
        time = (cap - out) * fastest // np.maximum(cap, 1)
        into = np.minimum(np.where(out > 0, time, fastest), room(storage, now))
        into = np.where(random.random(len(cap)) < 0.3, random.integers(0, into + 1), into)
        charge[window], discharge[window] = into, out
        stored[window + 1] = now + gain(storage, into) - draw(storage, out)
    given = random.integers(0, discharge + 1) if random.random() < 0.5 else discharge.copy()
    if random.random() < 0.5:
        given = np.maximum(0, discharge - np.maximum(net, 0))
    lacking = np.maximum(net - discharge + given, 0)
    wishes = random.integers(0, 3, lacking.shape) if random.random() < 0.3 else lacking
    wishes = np.where(wishes.sum(axis=1, keepdims=True) > 0, wishes, 1)
    taken = split(given.sum(axis=1), wishes)
    left = net + charge - discharge + given - taken
    prices_paid = random.integers(0, prices.retail + 1)
    return Flows(
        name="wild",
        charge_wh=charge,
        discharge_wh=discharge,
        import_wh=np.maximum(left, 0),
        export_wh=np.maximum(-left, 0),
        given_wh=given,
        taken_wh=taken,
        stored_wh=stored,
        paid=prices_paid @ (taken - given),
    )
