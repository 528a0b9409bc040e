"""Kinds of sellers for the study of dynamic α: how much each sells in a window, and how much of that it delivers.

Each kind is a function of the window, the α that its bid is bound to, and three uniform numbers of the window (in ppm),
which are the same under every policy. What they cannot be: equilibrium strategies; they are stated caricatures.
"""

from collections.abc import Callable
from math import log
from typing import Final, NamedTuple

from stowatt.units import PPM


class Chance(NamedTuple):
    """A window's luck, each number uniform in 0 … 10^6 − 1."""

    size: int
    fate: int
    depth: int


class Act(NamedTuple):
    """What a seller does in one window; shares in ppm."""

    sold: int
    """Of the device's window limit."""
    delivered: int
    """Of what it sold."""
    new_device: bool = False
    """It registers another device after this window (whitewashing): reliability starts at 0 again."""


Kind = Callable[[int, int, Chance], Act]

FAILURE: Final = range(80, 140)
"""The windows in which the `failing` seller's device is broken."""
FARM_EVERY: Final = 50
CON_EVERY: Final = 10
OUTSIDE_MEAN: Final = 150_000
"""Mean of what selling elsewhere pays beyond the market's price, ppm of the price."""


def _sold(chance: Chance) -> int:
    """20 to 100 % of the limit."""
    return 200_000 + 800_000 * chance.size // PPM


def reliable(window: int, alpha: int, chance: Chance) -> Act:
    """Delivers everything in 99 of 100 windows, else 90 to 100 %."""
    return Act(_sold(chance), PPM if chance.fate < 990_000 else 900_000 + chance.depth // 10)


def flaky(window: int, alpha: int, chance: Chance) -> Act:
    """Delivers everything in 85 of 100 windows, else 0 to 90 %."""
    return Act(_sold(chance), PPM if chance.fate < 850_000 else 900_000 * chance.depth // PPM)


def deteriorating(window: int, alpha: int, chance: Chance) -> Act:
    """Sound for 50 windows; then it delivers less and less, 40 % in window 200 (± 5 %)."""
    lost = max(0, window - 50) * 4_000
    return Act(_sold(chance), min(PPM, max(0, PPM - lost + (chance.depth - PPM // 2) // 10)) if lost else PPM)


def failing(window: int, alpha: int, chance: Chance) -> Act:
    """Reliable; but broken for 60 windows, in which it delivers nothing; then repaired."""
    if window in FAILURE:
        return Act(_sold(chance), 0)
    return reliable(window, alpha, chance)


def opportunist(window: int, alpha: int, chance: Chance) -> Act:
    """Delivers nothing when selling elsewhere pays more than the price and the deposit together.

    What elsewhere pays beyond the price is exponential with mean 15 % of the price; it defaults above α.
    """
    beyond = -log((chance.fate + 1) / (PPM + 1)) * OUTSIDE_MEAN
    return Act(_sold(chance), 0 if beyond > alpha else PPM)


def farmer(window: int, alpha: int, chance: Chance) -> Act:
    """Earns trust with sales of 5 % of its limit; every 50th window it sells the whole limit and delivers nothing."""
    return Act(PPM, 0) if window % FARM_EVERY == FARM_EVERY - 1 else Act(50_000, PPM)


def whitewasher(window: int, alpha: int, chance: Chance) -> Act:
    """Honest with its whole limit for nine windows, delivers nothing in the tenth, then comes with a new device."""
    return Act(PPM, 0, True) if window % CON_EVERY == CON_EVERY - 1 else Act(PPM, PPM)


KINDS: Final[dict[str, Kind]] = {
    kind.__name__: kind for kind in (reliable, flaky, deteriorating, failing, opportunist, farmer, whitewasher)
}

COMMUNITY: Final = {
    "reliable": 70,
    "flaky": 10,
    "deteriorating": 5,
    "failing": 5,
    "opportunist": 5,
    "farmer": 3,
    "whitewasher": 2,
}
"""The mix that policies are judged on, percent of sellers."""
