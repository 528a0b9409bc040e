"""A community battery with fixed shares: static sharing, as Austria, Spain and France know it, and a battery.

Static sharing gives every member a fixed share of what is generated in each quarter of an hour; what it does not use
of that counts as fed into the grid and is not passed on to others (Austria's coordination office for energy
communities: "statische Aufteilung"; likewise the fixed coefficients of Spain's RD 244/2019 and the static keys of
France's autoconsommation collective). The battery adds a virtual slice for each member, by the same key. Exactly:

 1. One battery, with all the usable energy and power of the homes' batteries, which it replaces; its efficiency and
    wear are their means by usable energy (the efficiency rounded down, the wear up).
 2. Each home's PV serves its own load first. What is left of all of them is the window's pool.
 3. A home's share of the pool is fixed by the key: by load over the period, or the same for each.
 4. The share serves the home's own remaining load at once; what is left of it goes into the home's slice as far as the
    slice has room; what is left then is fed into the grid, even if a neighbour could have used it.
 5. What a home still lacks comes out of its own slice, as far as that reaches; the rest is imported.
 6. Power is not sliced: where all slices together ask for more than the battery's power, all get the same part of it.
 7. The battery is operated at the net of all slices; what one slice puts in and another takes out in the same window
    passes by without loss or wear, and both slices are credited so.
 8. Money: who uses a share, at once or in the slice, pays its producer the feed-in price, so the producer neither
    gains nor loses; the levy is owed when a home takes energy; wear is borne in proportion to what slices gave.
    At the start, slices hold the energy of the homes' batteries by the key, and pay their owners what it is worth.

`direct = False` is the same battery where only stored energy is shared, as in the market: instead of 4, 5 and 7, in a
window in which the share exceeds what the home lacks, all of the share goes to the slice and the home imports; in any
other, the slice serves the home and the share is fed into the grid; nothing passes by the battery, which charges and
discharges one after the other. The difference of the two is what sharing PV at once is worth.

No foresight, no price, no strategy. Kinder than life in 3 (the load of the whole period is known), 6 and 7. Who owns
the battery and what it cost is left out: homes that give up their own battery for it may lose, those without one gain.
"""

from typing import Final

import numpy as np

from stowatt.scenarios.community import Community, Prices, Storage
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.shares import key, portions, split
from stowatt.scenarios.slices import Slices
from stowatt.units import PPM, ceil_div

KEYS: Final = ("load", "equal")
"""By what the shares are fixed: the home's load over the whole period, or nothing."""
NAME: Final = "community battery"


def run_shared_battery(community: Community, prices: Prices, by: str = "load", *, direct: bool = True) -> Flows:
    """The flows of the community battery; where there are no batteries to pool, it is static sharing alone."""
    if by not in KEYS:
        raise ScenarioError(f"shares by {by!r}", f"choose from {', '.join(KEYS)}")
    homes = len(community.homes)
    shares = key(community.load_wh.sum(axis=0) if by == "load" else np.ones(homes, np.int64))
    storage = pooled(community.storage)
    start = int(storage.stored_wh[0])
    net = community.net_load_wh()
    surplus, lacking = np.maximum(-net, 0), np.maximum(net, 0)
    offered = split(surplus.sum(axis=1), shares)
    at_once = np.minimum(offered, lacking) if direct else np.zeros_like(net)
    over = offered > lacking
    lacking -= at_once
    slices = Slices.of(storage, shares, passing=direct)
    into, out, stored = np.zeros_like(net), np.zeros_like(net), np.full((len(net) + 1, 1), start, np.int64)
    charge, discharge = np.zeros((len(net), 1), np.int64), np.zeros((len(net), 1), np.int64)
    for window in range(len(net)):
        into[window], out[window], charge[window], discharge[window] = slices.step(
            np.where(over[window], offered[window] - at_once[window], 0), np.where(over[window], 0, lacking[window])
        )
        stored[window + 1] = slices.stored
    used = at_once + into
    given = split(used.sum(axis=1), surplus)
    none, idle = np.zeros_like(charge), np.zeros_like(net)
    wear = int(discharge.sum()) * int(storage.wear[0])
    worth = int(prices.stored(storage.efficiency_ppm)[0])
    paid = (used - given).sum(axis=0) * prices.feed_in + portions(wear, out.sum(axis=0))
    paid += portions(worth * start, shares) - community.storage.stored_wh * worth
    paid -= portions(worth * slices.stored, slices.held)
    return Flows(
        name=NAME if direct else f"{NAME}, stored only",
        charge_wh=np.hstack([idle, charge]),
        discharge_wh=np.hstack([idle, discharge]),
        import_wh=np.hstack([lacking - out, none]),
        export_wh=np.hstack([surplus - given, none]),
        given_wh=np.hstack([given, discharge]),
        taken_wh=np.hstack([at_once + out, charge]),
        stored_wh=np.hstack([np.zeros((len(net) + 1, homes), np.int64), stored]),
        paid=np.append(paid, worth * slices.stored - wear),
        extra=(NAME,),
        extra_storage=storage,
        own_surplus=False,
    )


def pooled(storage: Storage) -> Storage:
    """The homes' batteries as one (rule 1)."""
    sizes = storage.usable_wh.tolist()
    usable = sum(sizes)
    eta = sum(size * ppm for size, ppm in zip(sizes, storage.efficiency_ppm.tolist(), strict=True))
    wear = sum(size * cost for size, cost in zip(sizes, storage.wear.tolist(), strict=True))
    whole = (
        usable,
        sum(storage.cap_wh.tolist()),
        eta // usable if usable else PPM,
        sum(storage.stored_wh.tolist()),
        ceil_div(wear, max(1, usable)),
    )
    return Storage(*(np.array([value], np.int64) for value in whole))
