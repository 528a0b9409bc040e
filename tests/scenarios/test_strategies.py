"""Forecasts, needs and prices by themselves, each against what is known or against the rest of the project."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stowatt.curves import Curve, Side
from stowatt.data.homes import Battery
from stowatt.scenarios.build import storage_of
from stowatt.scenarios.community import Prices
from stowatt.scenarios.forecast import HORIZON, forecast_of
from stowatt.scenarios.needs import held_for_sale, levels_of, needs
from stowatt.scenarios.strategies import Asks, Bids
from stowatt.simulation.strategies import PriceGrid, ask, bid
from stowatt.simulation.tariff import BatteryCosts, Tariff
from tests.scenarios.small_communities import DAY, prices_for, small_community

PRICES = Prices(np.array([300_000, 380_000], np.int64), 80_000, 20_000)
TARIFF = Tariff(380_000, 300_000, 80_000, levy=20_000)
NAMES = [f"home {k}" for k in range(12)]


class TestForecast:
    def test_persistence_is_yesterday_and_at_first_nothing(self) -> None:
        community = small_community(1)
        net = community.net_load_wh()
        forecast = forecast_of("persistence", community)
        assert not forecast.net_wh[:DAY].any()
        assert (forecast.net_wh[DAY:] == net[:-DAY]).all()
        wrong = np.abs(forecast.net_wh - net).sum() / np.abs(net).sum()
        assert forecast.error_ppm == pytest.approx(wrong * 1e6, abs=1)

    def test_a_forecast_of_what_repeats_errs_on_the_first_day_only(self) -> None:
        community = small_community(1, windows=4 * DAY)
        again = np.tile(community.load_wh[:DAY], (4, 1))
        community = replace(community, load_wh=again, pv_wh=np.zeros_like(again))
        assert forecast_of("persistence", community).error_ppm == 250_000
        assert forecast_of("persistence", community).bias_ppm == -250_000

    def test_what_is_possible_is_the_last_week_and_nothing(self) -> None:
        community = small_community(1, windows=9 * DAY)
        possible = forecast_of("persistence", community).possible(8 * DAY + 5)
        assert len(possible) == 8
        net = community.net_load_wh()
        assert (possible[:7] == net[[DAY * k + 5 for k in (7, 6, 5, 4, 3, 2, 1)]]).all()
        assert not possible[7].any()
        early = forecast_of("persistence", community).possible(DAY + 5)
        assert (early == [net[5], np.zeros(len(community.homes))]).all()

    def test_nothing_of_what_is_to_come_is_looked_at(self) -> None:
        """When a bid for window t is sealed, t - 1 has just begun."""
        community = small_community(1, windows=9 * DAY)
        t = 4 * DAY
        other = replace(community, load_wh=community.load_wh.copy())
        other.load_wh[t - 1 :] += 100
        one, two = forecast_of("persistence", community), forecast_of("persistence", other)
        assert (one.net_wh[: t + HORIZON] == two.net_wh[: t + HORIZON]).all()
        assert (one.possible(t) == two.possible(t)).all()


class TestNeeds:
    def test_as_window_by_window(self) -> None:
        community = small_community(5)
        storage, prices, net = community.storage, prices_for(community), community.net_load_wh()
        lowest, highest = levels_of(prices)
        assert (lowest.tolist(), highest.tolist()) == ([300_000, 380_000],) * 2
        found = needs(net, storage, prices.retail, lowest)
        for home in range(len(community.homes)):
            usable, cap, eta = (int(a[home]) for a in (storage.usable_wh, storage.cap_wh, storage.efficiency_ppm))
            for level, price in enumerate(lowest.tolist()):
                for first in (0, 30, 70, community.windows - 40, community.windows):
                    need = 0
                    for window in reversed(range(first, min(first + HORIZON, community.windows))):
                        load = int(net[window, home])
                        if load > 0 and prices.retail[window] >= price:
                            need += -(-min(load, cap) * 1_000_000 // eta)
                        need -= min(max(0, -load), cap) * eta // 1_000_000
                        need = min(max(need, 0), usable)
                    assert found[level, first, home] == need

    def test_the_horizon_is_a_day_less_a_window(self) -> None:
        net = np.zeros((2 * DAY, 1), np.int64)
        net[150] = 100
        storage = storage_of([Battery(5_000, 4_000, 1_000_000, 0)], BatteryCosts())
        found = needs(net, storage, np.full(2 * DAY, 300_000), np.array([300_000]))[0, :, 0]
        assert np.flatnonzero(found).tolist() == list(range(150 - HORIZON + 1, 151))

    def test_many_prices_are_grouped_under_the_dearest(self) -> None:
        retail = np.arange(100_000, 200_000, 10_000)
        lowest, highest = levels_of(Prices(retail, 0, 0))
        assert len(lowest) == 4 and lowest[0] == 100_000 and highest[-1] == 190_000
        assert (lowest[1:] == highest[:-1] + 10_000).all()


def curve(side: Side, ticks: np.ndarray, widths: np.ndarray) -> Curve | None:
    pairs = [(int(t), int(w)) for t, w in zip(ticks, widths, strict=True) if w]
    return Curve.of(side, pairs) if pairs else None


@pytest.mark.parametrize("grid", [PriceGrid(), PriceGrid(10_000, 25), PriceGrid(7, 16_384)])
class TestPrices:
    def test_flat_asks_are_those_of_the_evenings(self, grid: PriceGrid) -> None:
        batteries = [Battery(10_000, 5_000, 950_000 - 10_000 * k, 0) for k in range(len(NAMES))]
        storage = storage_of(batteries, BatteryCosts())
        flat = np.zeros(len(NAMES), np.bool_)
        asks = Asks.of(NAMES, flat, storage, PRICES, grid, np.array([300_000, 380_000]))
        for offer in (0, 1, 4, 999, 1_250):
            room = np.full(len(NAMES), offer, np.int64)
            widths = asks.widths(room, room * 2, np.zeros((2, len(NAMES)), np.int64))
            for k, name in enumerate(NAMES):
                due = ask(name, batteries[k], offer, BatteryCosts(), TARIFF, grid)
                assert curve(Side.SELL, asks.ticks[k], widths[k]) == due

    @pytest.mark.parametrize(("level", "tariff"), [(0, replace(TARIFF, evening=300_000)), (1, TARIFF)])
    def test_marked_up_bids_are_those_of_the_evenings(self, grid: PriceGrid, level: int, tariff: Tariff) -> None:
        bids = Bids.of(NAMES, ["marked-up"] * len(NAMES), PRICES, grid)
        for wanted in (0, 1, 3, 777):
            widths = bids.widths(np.full(len(NAMES), wanted, np.int64), np.zeros((8, len(NAMES)), np.int64))
            for k, name in enumerate(NAMES):
                assert curve(Side.BUY, bids.ticks[3, level, k], widths[k]) == bid(name, wanted, tariff, grid)


class TestReserve:
    STORAGE = storage_of([Battery(10_000, 5_000, 1_000_000, 0)], BatteryCosts())
    ASKS = Asks.of(["a"], np.array([True]), STORAGE, PRICES, PriceGrid(), np.array([300_000, 380_000]))

    def widths(self, room: int, held: int, all_load: int, dear_load: int) -> list[int]:
        need = np.array([[all_load], [dear_load]], np.int64)
        found: list[int] = self.ASKS.widths(np.array([room]), np.array([held]), need)[0].tolist()
        return found

    def test_the_prices_are_cost_and_then_what_the_load_would_pay(self) -> None:
        cost = BatteryCosts().per_kwh(1_000_000, 80_000)
        assert self.ASKS.ticks[0].tolist() == [-(-cost // 100), 3_000, 3_800, 3_800, 3_800]

    def test_what_is_kept_costs_what_it_is_kept_for(self) -> None:
        assert self.widths(room=1_000, held=1_000, all_load=600, dear_load=250) == [400, 350, 250, 0, 0]

    def test_a_small_offer_is_the_cheapest_part(self) -> None:
        assert self.widths(room=300, held=1_000, all_load=600, dear_load=250) == [300, 0, 0, 0, 0]
        assert self.widths(room=500, held=1_000, all_load=600, dear_load=250) == [400, 100, 0, 0, 0]

    def test_who_needs_everything_offers_nothing_cheap(self) -> None:
        assert self.widths(room=500, held=1_000, all_load=9_000, dear_load=1_000) == [0, 0, 500, 0, 0]


class TestPrudent:
    def test_each_wh_at_its_mean_worth(self) -> None:
        bids = Bids.of(["a"], ["prudent"], Prices(np.array([300_000]), 100_000, 20_000), PriceGrid())
        widths = bids.widths(np.array([999]), np.array([[50], [0], [80], [50]], np.int64))
        pairs = [(int(t), int(w)) for t, w in zip(bids.ticks[3, 0, 0], widths[0], strict=True) if w]
        # 50 Wh in three of four cases: (3 · 30 + 10)/4 = 25 ct less 2 ct levy; 30 more in one: (30 + 3 · 10)/4 - 2.
        assert pairs == [(2_300, 50), (1_300, 30)]

    def test_with_certainty_it_is_the_truth(self) -> None:
        prudent, truthful = (Bids.of(NAMES, [kind] * len(NAMES), PRICES, PriceGrid()) for kind in BOTH)
        wanted = np.arange(len(NAMES), dtype=np.int64) * 40
        assert (prudent.ticks[0, :, :, 0] == truthful.ticks[0, :, :, 0]).all()
        one, two = prudent.widths(wanted, wanted[np.newaxis]), truthful.widths(wanted, wanted[np.newaxis])
        assert (one == two).all()


BOTH = ("prudent", "truthful")


class TestPatient:
    def test_before_the_dear_hours_what_they_could_take_is_held(self) -> None:
        net = np.zeros((DAY, 1), np.int64)
        net[:40] = -1_000
        retail = np.where(np.arange(DAY) // 4 < 17, 300_000, 380_000)
        retail[88:] = 300_000
        storage = storage_of([Battery(5_000, 4_000, 1_000_000, 0)], BatteryCosts())
        held = held_for_sale(net, storage, retail)[:, 0]
        # A full battery at 17:00, after which nothing is held; before the sun has gone, less.
        assert held[35:42].tolist() == [0, 1_000, 2_000, 3_000, 4_000, 5_000, 5_000]
        assert held[68] == 5_000 and not held[69:89].any()


def test_what_is_asked_is_the_sum_of_the_widths() -> None:
    random = np.random.default_rng(1)
    bids = Bids.of(NAMES, ["prudent", "truthful", "marked-up"] * 4, PRICES, PriceGrid())
    wanted, possible = random.integers(0, 900, len(NAMES)), random.integers(0, 900, (8, len(NAMES)))
    assert bids.asked(wanted, possible) == bids.widths(wanted, possible).sum()
