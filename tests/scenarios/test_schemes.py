"""No sharing and the community battery: by hand, in step with the readable battery model, and their invariants."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.data.homes import Battery, Home
from stowatt.scenarios.accounts import keep_accounts
from stowatt.scenarios.alone import run_alone
from stowatt.scenarios.community import Community, Prices, Storage
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.shared_battery import pooled, run_shared_battery
from stowatt.scenarios.shares import MOST, PARTS, key, portions, split
from stowatt.scenarios.slices import UWH, Slices
from stowatt.simulation.selfuse import step
from stowatt.units import PPM
from tests.scenarios.random_communities import START, cases, communities, community, ints

PRICES = Prices(ints([300_000, 300_000, 380_000]), feed_in=80_000, levy=10_000)


def test_alone_by_hand() -> None:
    homes = community([[100, 200], [900, 200], [0, 0]], [[800, 0], [0, 0], [0, 0]], [(500, 600, PPM, 0, 0), None])
    flows = run_alone(homes)
    flows.check(homes)
    assert flows.charge_wh[:, 0].tolist() == [500, 0, 0]
    assert flows.discharge_wh[:, 0].tolist() == [0, 500, 0]
    assert flows.import_wh.tolist() == [[0, 200], [400, 200], [0, 0]]
    assert flows.export_wh.tolist() == [[200, 0], [0, 0], [0, 0]]
    assert not flows.given_wh.any() and not flows.paid.any()


@settings(max_examples=60)
@given(communities())
def test_alone_wastes_nothing_that_it_could_use(homes: Community) -> None:
    flows, net = run_alone(homes), homes.net_load_wh()
    flows.check(homes)
    storage, stored = homes.storage, flows.stored_wh[:-1]
    room = storage.usable_wh - flows.stored_wh[1:]
    more = (flows.export_wh > 0) & (flows.charge_wh < storage.cap_wh)
    assert (room[more] <= 1).all()  # another Wh at the terminals adds a Wh at the most
    short = (flows.import_wh > 0) & (flows.discharge_wh < storage.cap_wh)
    reach = stored * storage.efficiency_ppm // PPM
    assert (flows.discharge_wh == np.minimum(np.minimum(np.maximum(net, 0), storage.cap_wh), reach)).all()
    assert (flows.discharge_wh[short] == reach[short]).all()


@settings(max_examples=60)
@given(communities(homes=3))
def test_alone_is_the_rule_of_self_consumption(homes: Community) -> None:
    """`simulation.selfuse` may leave an emptied or full battery a Wh or so apart: it drops the last fraction."""
    flows = run_alone(homes)
    for home, (usable, cap, eta) in enumerate(
        zip(homes.storage.usable_wh, homes.storage.cap_wh, homes.storage.efficiency_ppm, strict=True)
    ):
        if not usable:
            continue
        battery = Battery(int(usable), int(cap) * 4, int(eta), int(homes.storage.stored_wh[home]))
        profile = Home(
            "h", START, tuple(homes.load_wh[:, home].tolist()), tuple(homes.pv_wh[:, home].tolist()), battery
        )
        for window in range(homes.windows):
            after = step(battery, int(flows.stored_wh[window, home]), profile.net_load_wh(window))
            assert abs(after - int(flows.stored_wh[window + 1, home])) <= 1 + PPM // int(eta)


def test_static_sharing_by_hand() -> None:
    """1,000 Wh of surplus; equal shares of 500: one home uses 200 at once, the rest goes into its slice of 250 Wh."""
    homes = community(
        load=[[0, 200], [300, 900], [0, 0]],
        pv=[[1_000, 0], [0, 0], [0, 0]],
        batteries=[(500, 5_000, PPM, 0, 20_000), None],
    )
    flows = run_shared_battery(homes, PRICES, "equal")
    flows.check(homes)
    # the owner of the PV gets 500 of its own surplus back: 250 fit into its slice, 250 are fed in
    assert flows.taken_wh.tolist() == [[0, 200, 500], [248, 248, 0], [0, 0, 0]]
    assert flows.given_wh.tolist() == [[700, 0, 0], [0, 0, 496], [0, 0, 0]]
    assert flows.export_wh[0].tolist() == [300, 0, 0]
    assert flows.import_wh.tolist() == [[0, 0, 0], [52, 652, 0], [0, 0, 0]]
    assert flows.stored_wh[:, 2].tolist() == [0, 500, 4, 4]  # 1 Wh and 2 ppm of each slice are kept back
    accounts = keep_accounts(homes, PRICES, flows)
    assert accounts.cost[2] == 0
    feed_in, levy, wear, worth = 80_000, 10_000, 20_000, 80_000
    owner = 52 * 300_000 - 300 * feed_in - 700 * feed_in + 250 * feed_in + 248 * (levy + wear) - 2 * worth
    other = 652 * 300_000 + 450 * feed_in + (200 + 248) * levy + 248 * wear - 2 * worth
    assert accounts.cost.tolist() == [owner, other, 0]


def test_stored_only_uses_nothing_at_once() -> None:
    homes = community(
        load=[[0, 200], [300, 900], [0, 0]],
        pv=[[1_000, 0], [0, 0], [0, 0]],
        batteries=[(2_000, 5_000, PPM, 0, 20_000), None],
    )
    flows = run_shared_battery(homes, PRICES, "equal", direct=False)
    flows.check(homes)
    assert flows.taken_wh.tolist() == [[0, 0, 1_000], [300, 498, 0], [0, 0, 0]]
    assert flows.import_wh.tolist() == [[0, 200, 0], [0, 402, 0], [0, 0, 0]]


def test_power_is_shared_in_proportion() -> None:
    homes = community([[0, 0], [300, 100]], [[0, 0], [0, 0]], [(2_000, 200, PPM, 2_000, 0), None])
    flows = run_shared_battery(homes, Prices(ints([300_000] * 2), 80_000, 0), "equal")
    flows.check(homes)
    assert flows.taken_wh[1].tolist() == [150, 50, 0]


@settings(max_examples=60)
@given(cases, st.sampled_from(["load", "equal"]), st.booleans())
def test_a_community_battery_keeps_the_laws(case: tuple[Community, Prices], by: str, direct: bool) -> None:
    homes, prices = case
    if by == "load" and not homes.load_wh.any():
        with pytest.raises(ScenarioError, match="all 0"):
            run_shared_battery(homes, prices, by)
        return
    flows = run_shared_battery(homes, prices, by, direct=direct)
    flows.check(homes)
    accounts = keep_accounts(homes, prices, flows)
    assert accounts.cost[-1] == 0  # the battery keeps no money
    net = homes.net_load_wh()
    assert (flows.given_wh[:, :-1] <= np.maximum(-net, 0)).all()  # producers only, and no more than their surplus
    assert (flows.taken_wh[:, :-1] <= np.maximum(net, 0)).all()  # nobody takes more than it lacks
    producers = flows.given_wh[:, :-1].sum(axis=0) * prices.feed_in
    assert int(producers.sum()) <= int(prices.feed_in) * int(np.maximum(-net, 0).sum())


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([PPM, 950_000, 333_333]))
def test_slices_never_hold_more_than_the_battery(seed: int, passing: bool, eta: int) -> None:
    random = np.random.default_rng(seed)
    homes, scale = int(random.integers(1, 8)), int(random.choice([3, 200, 5_000]))
    usable = int(random.integers(1, 4 * scale))
    columns = (usable, int(random.integers(1, scale + 1)), eta, int(random.integers(0, usable + 1)), 0)
    slices = Slices.of(
        Storage(*(ints([value]) for value in columns)),
        key(random.integers(0, 1_000, homes) + ints([1] + [0] * (homes - 1))),
        passing=passing,
    )
    for _ in range(60):
        wish = random.integers(-scale, scale + 1, homes)
        before = slices.stored
        into, out, charge, discharge = slices.step(np.maximum(wish, 0), np.maximum(-wish, 0))
        assert (into <= np.maximum(wish, 0)).all() and (out <= np.maximum(-wish, 0)).all()
        assert (into >= 0).all() and (out >= 0).all()
        assert charge - discharge == int(into.sum() - out.sum())
        assert charge + discharge <= columns[1]
        assert slices.stored == before + charge * eta // PPM + -discharge * PPM // eta
        assert 0 <= slices.stored <= usable
        assert (slices.held >= 0).all() and (slices.held <= slices.size).all()
        assert int(slices.held.sum()) <= slices.stored * UWH


def test_little_is_lost_between_the_slices_and_the_battery() -> None:
    """Over 5,000 windows, what the battery holds and no slice owns stays below a Wh or two."""
    storage = Storage(ints([100_000]), ints([5_000]), ints([950_000]), ints([0]), ints([0]))
    slices = Slices.of(storage, key(ints([1, 2, 3, 4])), passing=True)
    random = np.random.default_rng(3)
    for _ in range(5_000):
        wish = random.integers(-900, 1_000, 4)
        slices.step(np.maximum(wish, 0), np.maximum(-wish, 0))
        assert slices.stored * UWH - int(slices.held.sum()) < 2 * UWH


def test_the_pooled_battery_is_the_sum_of_all() -> None:
    whole = pooled(Storage(ints([100, 300]), ints([10, 20]), ints([900_000, 950_001]), ints([5, 6]), ints([10, 21])))
    assert [int(column[0]) for column in (whole.usable_wh, whole.cap_wh, whole.stored_wh)] == [400, 30, 11]
    assert (int(whole.efficiency_ppm[0]), int(whole.wear[0])) == (937_500, 19)
    nothing = pooled(Storage.none(3))
    assert int(nothing.usable_wh[0]) == 0 and int(nothing.efficiency_ppm[0]) == PPM


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ScenarioError, match="shares by 'wealth'; choose from load, equal"):
        run_shared_battery(community([[1]], [[1]], [None]), Prices(ints([1]), 0, 0), "wealth")


@settings(max_examples=100)
@given(st.lists(st.integers(0, 2**20), min_size=1, max_size=9), st.lists(st.integers(0, 2**31), min_size=1, max_size=9))
def test_shares_add_up_and_are_within_one(weights: list[int], quantities: list[int]) -> None:
    whole = sum(weights)
    shares = split(ints(quantities), ints(weights))
    assert shares.sum(axis=1).tolist() == [quantity if whole else 0 for quantity in quantities]
    for (row, quantity), (place, weight) in product(enumerate(quantities), enumerate(weights)):
        if whole:
            assert abs(int(shares[row, place]) * whole - quantity * weight) < 2 * whole
    assert sum(portions(10**30 % 2**60, ints(weights)).tolist()) == 10**30 % 2**60
    if whole:
        assert int(key(ints(weights)).sum()) == PARTS


def test_odd_wh_go_round() -> None:
    """One Wh among three, window after window: nobody waits for long, and all get the same but for one."""
    got = split(ints([1] * 300), ints([1, 1, 1]))
    assert np.abs(got.sum(axis=0) - 100).max() <= 1
    assert (np.add.reduceat(got, np.arange(0, 300, 10)) >= 2).all()


def test_shares_too_large_for_64_bits_are_refused() -> None:
    for quantity, weight in ((MOST + 1, 1), (1, MOST + 1)):
        with pytest.raises(ScenarioError, match="shared in one window"):
            split(ints([quantity]), ints([weight]))
    assert split(ints([MOST]), ints([MOST - 1, 1])).sum() == MOST
