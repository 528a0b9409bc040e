"""Markets of any size drawn from real evenings: the homes of SimBench's six low-voltage grids.

A book takes one quarter of an hour between 17:00 and 20:00 of one day, and draws sellers and buyers among all homes of
the six grids (scenario 2: about 55 with a battery, 440 without) in their natural ratio, with at least two sellers.
Markets larger than one evening's homes take in further days. The asks follow what a battery's wear costs
(`simulation.worn`), or a flat cost in steps (`simulation.evening.flat_asks`).

What it cannot do: with flat costs, homes with the same number of steps ask the same prices (they differ in quantity
only); the profiles are standardised shapes.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from stowatt.curves import Curve, Side
from stowatt.data import simbench
from stowatt.simulation.evening import Asks, Evening, build_evening
from stowatt.studies.books import Offers, SampleBook
from stowatt.studies.errors import StudyError

DAYS: Final = (simbench.DEMO_DAY, date(2016, 4, 14), date(2016, 6, 16), date(2016, 8, 18))
"""Thursdays of three seasons; in winter the batteries are empty."""
GRIDS: Final = tuple(f"1-LV-{kind}--2-sw" for kind in ("rural1", "rural2", "rural3", "semiurb4", "semiurb5", "urban6"))
LEAST_SELLERS: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The curves of all homes by day, window and side."""

    curves: tuple[tuple[tuple[list[Curve], list[Curve]], ...], ...]

    @property
    def windows(self) -> int:
        """Windows of an evening."""
        return len(self.curves[0])

    def draw(self, size: int, random: np.random.Generator) -> SampleBook:
        """A market of `size` participants: a random evening's window, random homes of it."""
        first, window = int(random.integers(len(self.curves))), int(random.integers(self.windows))
        sellers: list[Curve] = []
        buyers: list[Curve] = []
        wanted_sellers = wanted_buyers = size
        for step in range(len(self.curves)):
            asks, bids = self.curves[(first + step) % len(self.curves)][window]
            sellers, buyers = sellers + asks, buyers + bids
            share = len(sellers) / max(1, len(sellers) + len(buyers))
            wanted_sellers = max(LEAST_SELLERS, round(size * share))
            wanted_buyers = size - wanted_sellers
            if len(sellers) >= wanted_sellers and len(buyers) >= wanted_buyers:
                break
        else:
            raise StudyError(f"{size} participants are more than the grids have", f"use at most {self.most()}")
        return SampleBook(
            Offers.of([sellers[i] for i in random.permutation(len(sellers))[:wanted_sellers]]),
            Offers.of([buyers[i] for i in random.permutation(len(buyers))[:wanted_buyers]]),
            int(random.integers(2**63)),
        )

    def most(self) -> int:
        """The most participants that every window can have."""
        return min(
            sum(len(day[window][0]) + len(day[window][1]) for day in self.curves) for window in range(self.windows)
        )


def read_pool(asks: Asks, days: int = len(DAYS)) -> Pool:
    """The curves of all homes on the first `days` of DAYS, when every seller asks by one strategy."""
    grids = [simbench.read_grid(code) for code in GRIDS]
    evenings = [
        [build_evening(simbench.read_homes(day, grid), day, asks=asks) for grid in grids] for day in DAYS[:days]
    ]
    return Pool(
        tuple(
            tuple((_side(grids, window, Side.SELL), _side(grids, window, Side.BUY)) for window in range(12))
            for grids in evenings
        )
    )


def _side(grids: list[Evening], window: int, side: Side) -> list[Curve]:
    return [bid.curve for evening in grids for bid in evening.windows[window].bids if bid.curve.side is side]
