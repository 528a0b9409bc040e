"""The year of the market: physics, money, nothing oversold, and the same as a slow readable market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from stowatt.scenarios.community import Community
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.flows import TABLES, Flows
from stowatt.scenarios.market import MarketRecord, run_market
from stowatt.scenarios.settings import MarketSettings
from stowatt.simulation.strategies import PriceGrid
from stowatt.units import PPM
from tests.scenarios.reference_market import run_reference
from tests.scenarios.small_communities import DAY, prices_for, settings, small_community

NUMBERS = st.integers(0, 2**32)


@given(NUMBERS, settings(outages=True), st.sampled_from([0, 40_000]))
@limits(max_examples=20, deadline=None)
def test_any_market_obeys_physics_and_adds_up(number: int, market: MarketSettings, levy: int) -> None:
    community = small_community(number)
    flows, record = run_market(community, prices_for(community, levy=levy), market, number)
    flows.check(community)
    surplus = np.maximum(-community.net_load_wh(), 0)
    assert (flows.charge_wh <= surplus).all()
    assert (flows.given_wh <= flows.discharge_wh).all()
    assert (flows.stored_wh >= 0).all()
    assert sum(record.paid.tolist()) == 0
    assert record.sold.sum() == record.bought.sum() == record.volume.sum()
    assert (flows.given_wh.sum(axis=1) == record.volume - record.missing).all()
    assert (record.volume <= np.minimum(record.offered, record.asked)).all()
    assert ((record.price >= 0) == (record.volume > 0)).all()
    assert (record.welfare >= 0).all()


@given(NUMBERS, settings())
@limits(max_examples=10, deadline=None)
def test_without_outages_everything_that_is_sold_is_delivered(number: int, market: MarketSettings) -> None:
    community = small_community(number)
    flows, record = run_market(community, prices_for(community), market, number)
    assert not record.missing.any()
    assert (flows.given_wh.sum(axis=0) == record.sold).all()
    assert (flows.taken_wh.sum(axis=0) == record.bought).all()


@given(NUMBERS, settings(), st.integers(0, 2**64 - 1))
@limits(max_examples=20, deadline=None)
def test_the_same_as_the_readable_market(number: int, market: MarketSettings, seed: int) -> None:
    community = small_community(number, windows=3 * DAY + 40)
    prices = prices_for(community, levy=number % 3 * 30_000)
    flows, record = run_market(community, prices, market, seed)
    gone = run_reference(community, prices, market, seed)
    assert record.price.tolist() == gone.price
    assert record.volume.tolist() == gone.volume
    assert dict(zip(community.homes, record.paid.tolist(), strict=True)) == gone.paid
    for k, house in enumerate(gone.houses):
        for table in ("charge", "discharge", "given", "taken", "stored"):
            assert getattr(flows, f"{table}_wh")[:, k].tolist() == getattr(house, table), (house.name, table)


def test_the_differential_test_sees_trades_of_every_kind() -> None:
    """Else it would compare nothing with nothing."""
    traded = 0
    for number in range(5):
        community = small_community(number)
        _, record = run_market(community, prices_for(community), MarketSettings(), number)
        traded += int((record.price >= 0).sum())
    assert traded > 100


def run(community: Community, market: MarketSettings, seed: int = 1) -> tuple[Flows, MarketRecord]:
    return run_market(community, prices_for(community), market, seed)


def same(one: Flows, other: Flows) -> bool:
    return all((getattr(one, name) == getattr(other, name)).all() for name in (*TABLES, "stored_wh", "paid"))


class TestSeed:
    MIXED = MarketSettings(sellers=(("reserve", PPM // 2), ("flat", PPM // 2)), outages_ppm=10_000)

    def test_one_seed_one_year(self) -> None:
        community = small_community(3)
        assert same(run(community, self.MIXED)[0], run(community, self.MIXED)[0])

    def test_another_seed_another_year(self) -> None:
        community = small_community(3)
        assert not same(run(community, self.MIXED, 1)[0], run(community, self.MIXED, 2)[0])


class TestOutages:
    def test_a_market_that_is_always_down_pays_its_deposits_to_the_buyers(self) -> None:
        community = small_community(3)
        flows, record = run(community, MarketSettings(outages_ppm=PPM, deposit_ppm=250_000))
        assert record.volume.sum() > 0
        assert (record.missing == record.volume).all()
        assert not flows.taken_wh.any() and not flows.discharge_wh.any()
        stakes = sum(int(p) * int(v) for p, v in zip(record.price, record.volume, strict=True)) * 0.25
        assert record.paid[record.paid > 0].sum() == pytest.approx(stakes, abs=len(record.price) * 8)

    def test_a_buyer_pays_for_what_came_and_is_compensated_for_the_rest(self) -> None:
        community = small_community(3)
        flows, record = run(community, MarketSettings(outages_ppm=100_000, deposit_ppm=0))
        assert 0 < record.missing.sum() < record.volume.sum()
        came = flows.taken_wh * np.maximum(record.price, 0)[:, np.newaxis]
        left = flows.given_wh * np.maximum(record.price, 0)[:, np.newaxis]
        # Without deposits only Wh that cannot be divided, one for each buyer and window, separate the two.
        assert np.abs(record.paid - (came - left).sum(axis=0)).max() <= record.price.max() * (record.missing > 0).sum()


class TestRules:
    def test_a_closed_market_asks_and_offers_nothing(self) -> None:
        community = small_community(3)
        _, record = run(community, MarketSettings(first=17, last=21))
        hours = np.array([community.at(k).hour for k in range(community.windows)])
        closed = (hours < 17) | (hours >= 21)
        assert not record.offered[closed].any() and not record.asked[closed].any()
        assert record.volume[~closed].any()

    def test_no_batteries_no_market(self) -> None:
        community = small_community(3)
        bare = replace(community, storage=type(community.storage).none(len(community.homes)))
        flows, record = run(bare, MarketSettings())
        flows.check(bare)
        assert not record.volume.any() and record.sellers == ("",) * len(community.homes)

    def test_perfect_foresight_costs_nobody_anything(self) -> None:
        """Who knows its own load buys and sells at a gain in every window, so no home imports while it gives."""
        community = small_community(3)
        market = MarketSettings(forecast="perfect", buyers=(("truthful", PPM),))
        flows, record = run(community, market)
        assert record.forecast.error_ppm == 0
        assert not ((flows.given_wh > 0) & (flows.import_wh > 0)).any()
        assert not ((flows.taken_wh > 0) & (flows.export_wh > 0)).any()

    def test_progress_is_told_day_by_day(self) -> None:
        told: list[int] = []
        community = small_community(3)
        run_market(community, prices_for(community), MarketSettings(), 1, told.append)
        assert told == [DAY, 2 * DAY, 3 * DAY, 4 * DAY]

    def test_money_that_could_overflow_is_refused(self) -> None:
        community = small_community(3, homes=60)
        with pytest.raises(ScenarioError, match="use a lower highest price"):
            run(community, MarketSettings(grid=PriceGrid(2**27, 2**13)))


@pytest.mark.parametrize("forecast", ["perfect", "persistence"])
@pytest.mark.parametrize(("homes", "windows"), [(1, 1), (2, 2), (1, DAY - 1), (3, DAY), (2, DAY + 1)])
def test_short_times_and_few_homes(homes: int, windows: int, forecast: str) -> None:
    community = small_community(8, homes=homes, windows=windows)
    flows, record = run(community, MarketSettings(forecast=forecast))
    flows.check(community)
    assert len(record.price) == windows and record.price[0] == -1


def test_a_grid_that_ends_below_every_cost_sells_nothing() -> None:
    flows, record = run(small_community(3), MarketSettings(grid=PriceGrid(10_000, 15)))
    flows.check(small_community(3))
    assert not record.offered.any() and record.asked.any()
