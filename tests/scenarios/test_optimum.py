"""The bound of the optimum: no scheme with the market's freedoms beats it; small cases by hand and by brute force."""

from __future__ import annotations

import sys
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.scenarios.accounts import keep_accounts
from stowatt.scenarios.alone import run_alone
from stowatt.scenarios.community import Community, Prices
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.everything import bound_everything
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.optimum import run_optimum
from stowatt.scenarios.programme import Programme
from stowatt.scenarios.shared_battery import run_shared_battery
from stowatt.units import PPM, ceil_div
from tests.scenarios.random_communities import cases, communities, community, ints, prices_for
from tests.scenarios.random_schemes import wild

pytest.importorskip("highspy", reason="the optimum needs HiGHS: install stowatt[study]")

EURO = 10**9
"""Base units · Wh in a euro of six decimals and kWh."""


def cost(homes: Community, prices: Prices, flows: Flows) -> int:
    """What checked flows cost the community."""
    flows.check(homes)
    return keep_accounts(homes, prices, flows).total


@settings(max_examples=60)
@given(cases, st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4))
def test_no_scheme_beats_the_bound(case: tuple[Community, Prices], seeds: list[int]) -> None:
    homes, prices = case
    optimum, everything = run_optimum(homes, prices), bound_everything(homes, prices)
    assert optimum.bound <= optimum.accounts.total
    assert everything <= optimum.bound + EURO // 10**6
    for flows in (run_alone(homes), *(wild(homes, prices, seed) for seed in seeds)):
        assert optimum.bound <= cost(homes, prices, flows), flows.name
    for by, direct in product(("load", "equal"), (True, False)):
        if by == "equal" or homes.load_wh.any():
            flows = run_shared_battery(homes, prices, by, direct=direct)
            assert everything <= cost(homes, prices, flows)


@settings(max_examples=60)
@given(cases)
def test_the_bound_is_that_of_the_programme_in_one_piece_and_is_attained(case: tuple[Community, Prices]) -> None:
    homes, prices = case
    programme = Programme.of(homes, prices)
    whole = programme.staircase.solve(homes.windows, 0)
    assert whole.value - whole.bound <= 1e-7 * (1 + abs(whole.value)) + whole.slack
    pieces = programme.staircase.solve(5, 3)
    assert pieces.bound - pieces.slack <= whole.value + 1e-7 * (1 + abs(whole.value))
    assert pieces.value >= whole.value - 1e-6 * (1 + abs(whole.value))


tiny = communities(windows=4, homes=3, most=3)
tiny_cases = tiny.flatmap(lambda homes: st.tuples(st.just(homes), prices_for(homes.windows)))


@settings(max_examples=60)
@given(tiny_cases)
def test_brute_force_over_all_integer_flows_stays_above_the_bound(case: tuple[Community, Prices]) -> None:
    homes, prices = case
    best, optimum = brute_force(homes, prices), run_optimum(homes, prices)
    assert optimum.bound <= best <= optimum.accounts.total


def brute_force(homes: Community, prices: Prices) -> int:
    """The least cost over all integer movements of all batteries, window by window (dynamic programming)."""
    storage, net = homes.storage, homes.net_load_wh().tolist()
    usable, cap, eta, wear = (
        column.tolist() for column in (storage.usable_wh, storage.cap_wh, storage.efficiency_ppm, storage.wear)
    )
    worth = prices.stored(storage.efficiency_ppm).tolist()
    batteries = [home for home in range(len(usable)) if usable[home]]

    def moves(home: int, load: int, held: int) -> list[tuple[int, int, int]]:
        fastest = min(cap[home], max(0, -load))
        found = []
        for into, out in product(range(fastest + 1), range(cap[home] + 1)):
            after = held + into * eta[home] // PPM - ceil_div(out * PPM, eta[home])
            if 0 <= after <= usable[home] and (not into or not out or into * cap[home] <= (cap[home] - out) * fastest):
                found.append((into, out, after))
        return found

    @cache
    def least(window: int, held: tuple[int, ...]) -> int:
        if window == len(net):
            return -sum(worth[home] * left for home, left in zip(batteries, held, strict=True))
        loads = net[window]
        lacking, surplus = sum(max(0, load) for load in loads), sum(max(0, -load) for load in loads)
        choices = [moves(home, loads[home], now) for home, now in zip(batteries, held, strict=True)]
        best = None
        for chosen in product(*choices):
            out = [move[1] for move in chosen]
            own = sum(min(amount, max(0, loads[home])) for amount, home in zip(out, batteries, strict=True))
            served = min(lacking, sum(out))
            if prices.retail[window] - prices.levy < prices.feed_in:
                served = own
            price = int(prices.retail[window]) * (lacking - served) + prices.levy * max(0, served - own)
            price -= prices.feed_in * (surplus - sum(move[0] for move in chosen) + sum(out) - served)
            price += sum(wear[home] * amount for amount, home in zip(out, batteries, strict=True))
            price += least(window + 1, tuple(move[2] for move in chosen))
            best = price if best is None else min(best, price)
        assert best is not None
        return best

    held = storage.stored_wh.tolist()
    return least(0, tuple(held[home] for home in batteries)) + sum(worth[home] * held[home] for home in batteries)


def test_an_evening_by_hand() -> None:
    """A battery charges 1,000 Wh at noon; its home needs 300 Wh and the neighbour 900 Wh, when prices differ."""
    homes = community(
        load=[[0, 0], [300, 500], [0, 400]],
        pv=[[1_000, 0], [0, 0], [0, 0]],
        batteries=[(1_000, 1_000, PPM, 0, 10_000), None],
    )
    prices = Prices(ints([300_000, 300_000, 380_000]), feed_in=80_000, levy=0)
    optimum = run_optimum(homes, prices)
    # the dear window is served whole (400 Wh), the cheap one with what is left (600 of 800 Wh)
    assert optimum.accounts.total == 200 * 300_000 + 1_000 * 10_000
    assert optimum.bound == pytest.approx(optimum.accounts.total, abs=1_000)
    assert optimum.flows.discharge_wh[:, 0].tolist() == [0, 600, 400]
    assert optimum.accounts.shared_wh == 700
    assert optimum.accounts.paid.tolist() == [-(300 * 300_000 + 400 * 380_000), 300 * 300_000 + 400 * 380_000]


def test_a_levy_can_make_neighbours_not_worth_it() -> None:
    homes = community([[0, 0], [100, 900]], [[900, 0], [0, 0]], [(1_000, 1_000, PPM, 0, 50_000), None])
    prices = Prices(ints([300_000, 300_000]), feed_in=80_000, levy=200_000)
    optimum = run_optimum(homes, prices)
    assert optimum.flows.discharge_wh[1].tolist() == [100, 0]
    assert optimum.accounts.shared_wh == 0


def test_no_battery_at_all() -> None:
    homes = community([[5, 5]], [[10, 0]], [None, None])
    prices = Prices(ints([300_000]), feed_in=80_000, levy=0)
    optimum = run_optimum(homes, prices)
    assert optimum.bound == optimum.relaxed == optimum.accounts.total == 5 * 300_000 - 5 * 80_000
    everything = bound_everything(homes, prices)
    assert everything == pytest.approx(0, abs=1)  # the neighbour takes what the home feeds in


def test_what_is_left_at_the_end_is_worth_the_same_as_what_was_there_at_the_start() -> None:
    homes = community([[0], [0]], [[0], [0]], [(1_000, 1_000, PPM, 600, 0)])
    prices = Prices(ints([300_000, 300_000]), feed_in=80_000, levy=0)
    optimum = run_optimum(homes, prices)
    assert optimum.accounts.total == 0
    assert optimum.bound == pytest.approx(0, abs=1)


def test_the_multipliers_alone_prove_the_bound() -> None:
    """(D) holds for any multipliers, not only for the solver's."""
    homes = community([[0, 50], [80, 50]], [[90, 0], [0, 0]], [(100, 50, 950_000, 0, 1_000), None])
    prices = Prices(ints([300_000, 380_000]), feed_in=80_000, levy=0)
    staircase = Programme.of(homes, prices).staircase
    best = staircase.solve(2, 0)
    random = np.random.default_rng(1)
    for _ in range(100):
        bound, _ = staircase.bound(np.abs(best.y + random.normal(0, 1, len(best.y))))
        assert bound <= best.value + 1e-9


def test_without_highs_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    homes = community([[5]], [[10]], [(10, 10, PPM, 0, 0)])
    with pytest.raises(ScenarioError, match=r"stowatt\[study\]"):
        run_optimum(homes, Prices(ints([300_000]), feed_in=80_000, levy=0))
