"""Random small communities for the tests of schemes."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import strategies as st

from stowatt.scenarios.community import Community, Int64s, Prices, Storage
from stowatt.units import PPM

START = datetime(2016, 4, 20, 10, tzinfo=UTC)


def ints(values: object) -> Int64s:
    """An int64 array in C order."""
    return np.ascontiguousarray(values, dtype=np.int64)


def community(load: object, pv: object, batteries: list[tuple[int, int, int, int, int] | None]) -> Community:
    """A community from tables of (windows, homes) and (usable, cap, efficiency, stored, wear) for each home."""
    columns = zip(*(battery or (0, 0, PPM, 0, 0) for battery in batteries), strict=True)
    storage = Storage(*(ints(column) for column in columns))
    names = tuple(f"home {number}" for number in range(len(batteries)))
    return Community(names, START, "Europe/Berlin", ints(load), ints(pv), storage)


@st.composite
def communities(
    draw: st.DrawFn, *, windows: int = 24, homes: int = 5, most: int = 1_500, efficiency: int = 700_000
) -> Community:
    """Up to `homes` homes over up to `windows` windows; some with PV, some with a battery."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    count, length = draw(st.integers(1, homes)), draw(st.integers(1, windows))
    scale = draw(st.sampled_from([3, most // 20 + 1, most]))
    load = random.integers(0, scale + 1, (length, count)) * (random.random((length, count)) < 0.8)
    pv = random.integers(0, 2 * scale + 1, (length, count)) * (random.random((length, count)) < 0.4)
    batteries: list[tuple[int, int, int, int, int] | None] = []
    for _ in range(count):
        if not draw(st.booleans()):
            batteries.append(None)
            continue
        usable = int(random.integers(1, 6 * scale + 2))
        stored = draw(st.sampled_from([0, usable, usable // 2]))
        eta = draw(st.sampled_from([PPM, 950_000, efficiency]))
        batteries.append((usable, int(random.integers(1, scale + 2)), eta, stored, int(random.integers(0, 100_000))))
    return community(load, pv, batteries)


@st.composite
def prices_for(draw: st.DrawFn, windows: int) -> Prices:
    """Two retail prices that change at random, a feed-in price below both, perhaps a levy."""
    low, high = sorted(draw(st.tuples(st.integers(0, 400_000), st.integers(0, 400_000))))
    feed_in = draw(st.one_of(st.integers(0, low), st.just(min(low, 80_000))))
    evening = draw(st.lists(st.booleans(), min_size=windows, max_size=windows))
    retail = ints([high if now else low for now in evening])
    return Prices(retail, feed_in, draw(st.sampled_from([0, 0, 20_000, 500_000])))


cases = communities().flatmap(lambda homes: st.tuples(st.just(homes), prices_for(homes.windows)))
"""A community with prices for its windows."""
