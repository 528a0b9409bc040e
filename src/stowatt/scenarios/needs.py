"""What a home's own load needs of its battery: the energy to be stored so that the coming day is served.

Backwards from the end of the day, window by window: what must be stored before a window is what must be stored after
it, more by what the window's load draws, less by what its surplus charges, at least nothing and at most a full battery

    need_k = clip(need_{k+1} + ⌈deficit_k/η⌉ − ⌊surplus_k·η⌋, 0, usable),    need at the end of the day = 0,

power caps included. Counted once for all load and once for each higher price: only the load in windows that cost at
least that much. The difference is what is kept for the cheaper windows.
"""

from typing import Final

import numpy as np

from stowatt.scenarios.alone import draw, gain
from stowatt.scenarios.community import Int64s, Prices, Storage
from stowatt.scenarios.forecast import HORIZON

MOST_LEVELS: Final = 4
"""Steps of price that are told apart; of more, neighbours count as the dearest of them."""
_PIECE: Final = 4_096
"""Windows at a time: the working arrays stay in cache."""


def levels_of(prices: Prices) -> tuple[Int64s, Int64s]:
    """(lowest, highest) retail price of each level, rising."""
    found = np.unique(prices.retail)
    places = np.unique(np.arange(MOST_LEVELS) * len(found) // MOST_LEVELS)
    return found[places], found[np.append(places[1:], len(found)) - 1]


def needs(net_wh: Int64s, storage: Storage, retail: Int64s, lowest: Int64s) -> Int64s:
    """(levels, windows + 1, batteries): Wh to be stored at the start of each window for load of at least each price.

    `net_wh` is what is expected; the last row is the end of the last window.
    """
    drawn, gained = _changes(net_wh, storage)
    found = np.empty((len(lowest), len(net_wh) + 1, net_wh.shape[1]), np.int64)
    for level, price in enumerate(lowest.tolist()):
        found[level] = _backwards(np.where((retail >= price)[:, np.newaxis], drawn, 0) - gained, storage)
    return found


def held_for_sale(net_wh: Int64s, storage: Storage, retail: Int64s) -> Int64s:
    """(windows + 1, batteries): Wh to be stored to give all power in the day's dearest windows, and serve all load.

    0 where the window before is one of the dearest: then the time to sell has come.
    """
    drawn, gained = _changes(net_wh, storage)
    dearest = (retail == retail.max())[:, np.newaxis]
    found = _backwards(np.where(dearest, draw(storage, storage.cap_wh), drawn - gained), storage)
    found[1:][dearest[:, 0]] = 0
    return found


def _changes(net_wh: Int64s, storage: Storage) -> tuple[Int64s, Int64s]:
    """What each window's load draws from a battery, and what its surplus charges."""
    drawn = draw(storage, np.minimum(np.maximum(net_wh, 0), storage.cap_wh))
    return drawn, gain(storage, np.minimum(np.maximum(-net_wh, 0), storage.cap_wh))


def _backwards(change_wh: Int64s, storage: Storage) -> Int64s:
    """The need before each window, of the change that each of the coming day's windows makes."""
    windows, homes = change_wh.shape
    change = np.concatenate([change_wh, np.zeros((HORIZON, homes), np.int64)])
    found = np.zeros((windows + 1, homes), np.int64)
    for start in range(0, windows, _PIECE):
        end = min(start + _PIECE, windows)
        need = found[start:end]
        for ahead in reversed(range(HORIZON)):
            need += change[start + ahead : end + ahead]
            np.clip(need, 0, storage.usable_wh, out=need)
    return found
