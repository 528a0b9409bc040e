"""Small communities with a sun, for tests: everything follows from one number."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from stowatt.clearing.rules import PriceRule, Rationing
from stowatt.scenarios.community import Community, Prices, Storage
from stowatt.scenarios.settings import BUYERS, FORECASTS, SELLERS, MarketSettings
from stowatt.simulation.strategies import PriceGrid
from stowatt.simulation.tariff import BatteryCosts
from stowatt.units import PPM

DAY = 96


def small_community(number: int, homes: int = 5, windows: int = 4 * DAY + 40) -> Community:
    """Homes with loads, some with PV, most of these with a battery; not every number is a sensible one."""
    random = np.random.default_rng(number)
    hour = np.arange(windows)[:, np.newaxis] % DAY / 4
    load = random.integers(0, 400, (windows, homes)) + (300 * np.exp(-((hour - 19) ** 2) / 6)).astype(np.int64)
    load *= random.integers(0, 3, homes)
    sun = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, None) * random.uniform(0.2, 1, (windows, 1))
    pv = (sun * random.integers(0, 1_500, homes)).astype(np.int64)
    usable = random.integers(1, 12_000, homes) * (random.random(homes) < 0.7)
    cap = np.where(usable > 0, random.integers(1, 1_500, homes), 0)
    efficiency = np.where(usable > 0, random.choice([950_000, PPM, 700_001, 999_999], homes), PPM)
    stored = (usable * random.choice([0, 0.5, 1], homes)).astype(np.int64)
    wear = np.where(usable > 0, [BatteryCosts().wear(int(eta)) for eta in efficiency], 0)
    storage = Storage(*(np.asarray(a, np.int64) for a in (usable, cap, efficiency, stored, wear)))
    names = tuple(f"home {k}" for k in range(homes))
    return Community(names, datetime(2016, 4, 14, 22, tzinfo=UTC), "Europe/Berlin", load, pv, storage)


def prices_for(community: Community, evening: int = 380_000, day: int = 300_000, levy: int = 0) -> Prices:
    """The usual tariff: dear from 17 to 22 h."""
    hours = np.array([community.at(k).hour for k in range(community.windows)])
    retail = np.where((hours >= 17) & (hours < 22), evening, day).astype(np.int64)
    return Prices(retail, 80_000, levy)


def _shares(names: tuple[str, ...], cuts: list[int]) -> tuple[tuple[str, int], ...]:
    ends = [0, *sorted(cuts[: len(names) - 1]), PPM]
    return tuple((name, high - low) for name, (low, high) in zip(names, pairwise(ends), strict=True))


def settings(*, outages: bool = False) -> st.SearchStrategy[MarketSettings]:
    """Any mixture of strategies, rules, hours and grids."""
    share = st.lists(st.integers(0, PPM), min_size=2, max_size=2)
    return st.builds(
        MarketSettings,
        grid=st.sampled_from([PriceGrid(), PriceGrid(10_000, 34), PriceGrid(997, 16_384)]),
        price_rule=st.sampled_from(PriceRule),
        rationing=st.sampled_from(Rationing),
        first=st.sampled_from([0, 6]),
        last=st.sampled_from([20, 24]),
        outages_ppm=st.sampled_from([0, 50_000, PPM]) if outages else st.just(0),
        deposit_ppm=st.sampled_from([0, 200_000, PPM]),
        sellers=st.builds(_shares, st.just(SELLERS), share),
        buyers=st.builds(_shares, st.just(BUYERS), share),
        forecast=st.sampled_from(FORECASTS),
    )
