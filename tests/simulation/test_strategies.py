"""The strategies' promises, on random homes: never oversold, never below cost, never above the tariff."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.curves import Curve, Side
from stowatt.data.homes import WINDOW, Battery, Home
from stowatt.devices import DeviceParameters
from stowatt.dispatch.feasibility import check
from stowatt.dispatch.storage import Storage
from stowatt.simulation.evening import Evening, EveningParameters, build_evening
from stowatt.simulation.portfolio import slots_of
from stowatt.simulation.selfuse import step, stored_before
from stowatt.simulation.strategies import PriceGrid, ask, bid, split, trait
from stowatt.simulation.tariff import BatteryCosts, Tariff, TariffError
from stowatt.units import MAX_SEGMENTS, PPM, ceil_div
from tests.dispatch.batteries import ExactBattery
from tests.simulation.homes import (
    DAY,
    START,
    batteries,
    communities,
    costs,
    grids,
    homes,
    parameters,
    profiles,
    tariffs,
)

TRAITS = [18110, 18342, 29145]


def offered(evening: Evening, home: Home) -> list[int]:
    """Wh that a home offers or asks for in each window."""
    return [sum(b.curve.total for b in window.bids if b.home == home.id) for window in evening.windows]


def storage_of(home: Home, evening: Evening) -> Storage:
    """A home's battery when the evening begins."""
    b = home.battery
    assert b
    return Storage(b.usable_wh, b.power_w, b.power_w, b.efficiency_ppm, b.efficiency_ppm, evening.stored_wh[home.id])


class TestSeller:
    @given(homes(batteries), parameters)
    def test_what_is_sold_is_in_the_battery(self, home: Home, p: EveningParameters) -> None:
        """Every offer filled whole is delivered by a battery in exact fractions, whatever the home takes."""
        evening = build_evening([home], DAY, p)
        assert home.battery
        first = home.index(evening.windows[0].start)
        own = [home.net_load_wh(row) for row in range(first, first + p.windows)]
        battery = ExactBattery(storage_of(home, evening), Fraction(evening.stored_wh[home.id]))
        battery.run(slots_of(0, 0, 900, own), offered(evening, home))

    @given(homes(batteries), parameters)
    def test_the_home_gets_what_it_would_get_without_selling(self, home: Home, p: EveningParameters) -> None:
        evening = build_evening([home], DAY, p)
        first = home.index(evening.windows[0].start)
        rows = range(first, max(first + p.windows, first + 5 * 4))  # the evening tariff ends at 22:00
        own = [home.net_load_wh(row) for row in rows]
        offers = offered(evening, home)
        offers += [0] * (len(own) - len(offers))
        battery = storage_of(home, evening)
        start = int(evening.windows[0].start.timestamp())
        idle = check(battery, slots_of(0, start, 900, own))
        selling = check(battery, slots_of(0, start, 900, own, sold_wh=offers))
        assert selling.feasible
        assert [step.served_wh for step in selling.steps] == [step.served_wh for step in idle.steps]

    @given(homes(batteries), parameters)
    def test_power_is_never_oversold(self, home: Home, p: EveningParameters) -> None:
        evening = build_evening([home], DAY, p)
        assert home.battery
        for window, quantity in zip(evening.windows, offered(evening, home), strict=True):
            if quantity:
                own = max(0, home.net_load_wh(home.index(window.start)))
                assert (quantity + own) * 3600 <= home.battery.power_w * 900

    @given(homes(batteries), parameters)
    def test_every_ask_is_within_the_devices_q_max(self, home: Home, p: EveningParameters) -> None:
        """§2 (1), as the contract will check it."""
        battery = home.battery
        assert battery
        device = DeviceParameters(
            battery.usable_wh,
            battery.power_w,
            battery.power_w,
            battery.efficiency_ppm,
            battery.efficiency_ppm,
            bytes(32),
        )
        assert all(quantity <= device.q_max(900) for quantity in offered(build_evening([home], DAY, p), home))

    @given(st.text(max_size=9), batteries, st.integers(1, 10**6), costs, tariffs, grids)
    def test_no_step_is_below_wear_losses_and_charging(
        self, home: str, battery: Battery, offer: int, cost: BatteryCosts, tariff: Tariff, grid: PriceGrid
    ) -> None:
        curve = ask(home, battery, offer, cost, tariff, grid)
        price = ceil_div(cost.per_kwh(battery.efficiency_ppm, tariff.feed_in), grid.tick_size)
        if curve is None:
            assert max(price, ceil_div(tariff.day, grid.tick_size)) >= grid.ticks
            return
        assert curve.side is Side.SELL and curve.total <= offer
        eta = battery.efficiency_ppm
        for tick, _ in curve.segments:
            # exact: price >= replacement / (cycles * eta) + feed_in / eta^2, cross-multiplied
            assert tick < grid.ticks
            left = tick * grid.tick_size * cost.cycle_life * eta * eta
            right = cost.replacement * PPM * eta + tariff.feed_in * PPM * PPM * cost.cycle_life
            assert left >= right

    @given(st.text(max_size=9), batteries, st.integers(5, 10**6))
    def test_an_ask_has_three_to_five_rising_steps(self, home: str, battery: Battery, offer: int) -> None:
        cheap = Battery(battery.usable_wh, battery.power_w, 950_000, battery.energy_wh)
        curve = ask(home, cheap, offer, BatteryCosts(), Tariff(), PriceGrid())
        assert curve and 3 <= len(curve.segments) <= 5
        assert curve.segments[-1].tick * 100 <= Tariff().day + 100

    def test_a_worked_example(self) -> None:
        """400 EUR/kWh, 6,000 cycles, 95 %: 0.070176 wear + 0.088643 charging = 0.158819 EUR/kWh."""
        cost = BatteryCosts()
        assert cost.wear(950_000) == 70_176
        assert cost.charging(950_000, 80_000) == 88_643
        battery = Battery(10_000, 5_000, 950_000, 8_000)
        curve = ask("anna", battery, 1_000, cost, Tariff(), PriceGrid())
        assert curve is not None
        steps = len(curve.segments)
        room = 300_000 - 158_819
        assert curve.segments[0].tick == -(-(158_819 - (-room // (2 * steps))) // 100)

    def test_a_battery_dearer_than_the_day_tariff_asks_its_cost(self) -> None:
        curve = ask("a", Battery(1, 1, 950_000, 1), 100, BatteryCosts(4_000_000_000), Tariff(), PriceGrid(ticks=16_384))
        assert curve == Curve.of(Side.SELL, [(-(-BatteryCosts(4_000_000_000).per_kwh(950_000, 80_000) // 100), 100)])

    def test_an_ask_above_the_grid_is_left_out(self) -> None:
        low = PriceGrid(ticks=2_000)
        curve = ask("a", Battery(1, 1, 950_000, 1), 1_000, BatteryCosts(), Tariff(), low)
        assert curve and curve.total < 1_000 and curve.segments[-1].tick < 2_000
        assert ask("a", Battery(1, 1, 950_000, 1), 1_000, BatteryCosts(), Tariff(), PriceGrid(ticks=1_000)) is None


class TestBuyer:
    @given(st.text(max_size=9), st.integers(1, 10**7), tariffs, grids)
    def test_no_step_is_above_the_tariff_and_all_of_the_load_is_asked_for(
        self, home: str, load: int, tariff: Tariff, grid: PriceGrid
    ) -> None:
        curve = bid(home, load, tariff, grid)
        assert curve is not None and curve.side is Side.BUY and curve.total == load
        assert 1 <= len(curve.segments) <= 4
        assert all(
            tick < grid.ticks and tick * grid.tick_size <= tariff.evening - tariff.levy for tick, _ in curve.segments
        )

    @given(st.text(max_size=9))
    def test_every_home_wants_one_to_five_cents(self, home: str) -> None:
        curve = bid(home, 1_000, Tariff(), PriceGrid(100))
        assert curve and 10_000 <= 380_000 - curve.segments[0].tick * 100 < 50_100
        assert curve.segments[-1].tick * 100 > Tariff().day - 50_100

    @given(st.integers(-5_000, 0))
    def test_a_home_with_a_surplus_asks_for_nothing(self, load: int) -> None:
        assert bid("a", load, Tariff(), PriceGrid()) is None


class TestEvening:
    @given(communities, parameters)
    def test_all_curves_are_valid_and_every_home_is_on_one_side(
        self, community: list[Home], p: EveningParameters
    ) -> None:
        evening = build_evening(community, DAY, p)
        sells = {home.id for home in community if home.battery}
        for window in evening.windows:
            window.book()  # refuses an account on both sides or with two curves (§2)
            for planned in window.bids:
                assert 1 <= len(planned.curve.segments) <= MAX_SEGMENTS
                assert (planned.curve.side is Side.SELL) == (planned.home in sells)
        assert evening.bid_count == sum(len(window.bids) for window in evening.windows)

    @given(communities, st.integers(0, 5))
    def test_at_most_max_buyers_and_the_greatest_of_them(self, community: list[Home], most: int) -> None:
        everybody = build_evening(community, DAY)
        some = build_evening(community, DAY, EveningParameters(max_buyers=most))
        assert len(some.buyers) == min(most, len(everybody.buyers))
        need = {home.id: sum(offered(everybody, home)) for home in everybody.buyers}
        chosen = {home.id for home in some.buyers}
        left_out = [need[home] for home in need if home not in chosen]
        assert not left_out or min(need[home] for home in chosen or need) >= max(left_out) or most == 0

    @given(communities, parameters)
    def test_the_same_day_twice_is_the_same(self, community: list[Home], p: EveningParameters) -> None:
        assert build_evening(community, DAY, p) == build_evening(community, DAY, p)

    @given(communities)
    def test_windows_follow_each_other_from_17_o_clock(self, community: list[Home]) -> None:
        starts = [window.start for window in build_evening(community, DAY).windows]
        assert f"{starts[0]:%H:%M %z}" == "17:00 +0200" and len(starts) == 12
        assert all(later - earlier == WINDOW for earlier, later in pairwise(starts))


class TestParts:
    @given(st.integers(0, 10**6), st.integers(1, 9))
    def test_split_is_even(self, total: int, parts: int) -> None:
        shares = split(total, parts)
        assert sum(shares) == total and max(shares) - min(shares) <= 1

    def test_traits_are_fixed(self) -> None:
        """The hash is part of the published days: another one would change every figure."""
        assert [trait(home, "margin", 40_001) for home in ("Load 1", "Load 2", "anna")] == TRAITS

    @given(batteries, profiles, profiles)
    def test_the_battery_never_makes_energy(self, battery: Battery, load: tuple[int, ...], pv: tuple[int, ...]) -> None:
        energy = battery.energy_wh
        for consumed, generated in zip(load, pv, strict=True):
            after = step(battery, energy, consumed - generated)
            assert 0 <= after <= battery.usable_wh
            gained = (after - energy) * PPM
            through = min(abs(consumed - generated), battery.window_cap_wh())
            if consumed <= generated:
                assert gained <= through * battery.efficiency_ppm
            else:
                assert after == 0 or -gained * battery.efficiency_ppm >= through * PPM * PPM
            energy = after

    def test_a_battery_serves_its_home_before_the_evening(self) -> None:
        battery = Battery(1_000, 2_000, 900_000, 100)
        home = Home("a", START, (0, 0, 300, 90), (400, 900, 0, 0), battery)
        # 100 + 360; then 500 Wh is the most through the terminals: 450; 300 out cost 334; 90 out cost 100
        assert [stored_before(home, battery, row) for row in range(5)] == [100, 460, 910, 576, 476]


@pytest.mark.parametrize(
    "bad",
    [
        lambda: PriceGrid(tick_size=0),
        lambda: PriceGrid(ticks=0),
        lambda: PriceGrid(ticks=16_385),
        lambda: Tariff(evening=1),
        lambda: Tariff(levy=300_001),
        lambda: Tariff(feed_in=-1),
        lambda: Tariff(levy=-1),
        lambda: BatteryCosts(replacement=-1),
        lambda: BatteryCosts(cycle_life=0),
    ],
)
def test_impossible_prices_are_refused(bad: object) -> None:
    with pytest.raises(TariffError):
        bad()  # type: ignore[operator]
