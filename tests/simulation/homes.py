"""Random homes and evenings for the tests of the strategies."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from stowatt.data.homes import Battery, Home
from stowatt.simulation.evening import EveningParameters
from stowatt.simulation.strategies import PriceGrid
from stowatt.simulation.tariff import BatteryCosts, Tariff

DAY = date(2016, 10, 20)
START = datetime(2016, 10, 20, 12, tzinfo=UTC)
"""14:00 on the clock of Berlin."""
ROWS = 40

batteries = st.builds(
    lambda usable, power, efficiency, share: Battery(usable, power, efficiency, usable * share // 100),
    st.integers(1, 40_000),
    st.integers(1, 20_000),
    st.integers(500_000, 1_000_000),
    st.integers(0, 100),
)

profiles = st.lists(st.one_of(st.just(0), st.integers(0, 3_000)), min_size=ROWS, max_size=ROWS).map(tuple)


def homes(battery: st.SearchStrategy[Battery | None]) -> st.SearchStrategy[Home]:
    """One home with 10 hours of profile from 14:00."""
    names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
    return st.builds(Home, names, st.just(START), profiles, profiles, battery)


communities = st.lists(homes(st.one_of(st.none(), batteries)), min_size=1, max_size=8, unique_by=lambda home: home.id)

tariffs = st.builds(
    lambda prices, feed_in: Tariff(evening=prices[2], day=prices[1], levy=prices[0], feed_in=feed_in),
    st.lists(st.integers(0, 900_000), min_size=3, max_size=3).map(sorted),
    st.integers(0, 300_000),
)

costs = st.builds(BatteryCosts, st.integers(0, 2_000_000_000), st.integers(1, 20_000))

grids = st.builds(PriceGrid, st.sampled_from([1, 7, 100, 10_000]), st.sampled_from([1, 64, 4_096, 16_384]))

parameters = st.builds(
    lambda windows, grid, tariff, cost: EveningParameters(windows=windows, grid=grid, tariff=tariff, costs=cost),
    st.integers(1, 12),
    grids,
    tariffs,
    costs,
)
