"""The seller's strategy: whatever subset of its bids is filled, whole or in part, the battery delivers it."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.dispatch import DispatchError, Slot, Storage, check
from stowatt.settlement.capacity import UNITS, budget, capacity
from stowatt.simulation.portfolio import Offer, plan, slots_of
from stowatt.units import PPM, Wh, ceil_div
from tests.dispatch.batteries import LENGTH, START, ExactBattery, evenings, storages

FULL = Storage(10_000, 5_000, 5_000, PPM, PPM, 10_000)
LOSSY = Storage(10_000, 5_000, 5_000, 950_000, 950_000, 10_000)


def wh(offers: list[Offer]) -> list[int]:
    return [offer.wh for offer in offers]


def quiet(count: int, **values: list[int]) -> list[Slot]:
    """Windows in which the home needs nothing."""
    return slots_of(0, START, LENGTH, values.pop("net", [0] * count), **values)  # type: ignore[arg-type]


class TestByHand:
    def test_two_windows_share_one_battery(self) -> None:
        """18:00 and 18:15 out of 1,000 Wh: the same 1,000 Wh are not offered twice."""
        battery = Storage(1_000, 5_000, 5_000, PPM, PPM, 1_000)
        assert wh(plan(battery, quiet(2), [0, 1])) == [500, 500]

    def test_power_bounds_each_window(self) -> None:
        assert wh(plan(FULL, quiet(4), range(4))) == [1_250] * 4

    def test_losses_come_out_of_the_store(self) -> None:
        offers = wh(plan(LOSSY, quiet(12), range(12)))
        assert sum(offers) <= 9_500 < sum(offers) + 24, "the draws of 12 windows are rounded up, one by one"
        assert max(offers) - min(offers) <= 24

    def test_the_contractual_efficiency_makes_room_for_the_losses(self) -> None:
        """A right to q Wh is fulfilled by η·q at the meter (30): with η = η_d, q is what leaves the store."""
        assert sum(wh(plan(LOSSY, quiet(12), range(12), contract_ppm=950_000))) >= 9_900

    def test_the_own_home_comes_first(self) -> None:
        offers = plan(FULL, quiet(4, net=[0, 500, 2_000, 6_000]), [0, 1])
        assert wh(offers) == [1_250, 750], "energy for all windows is kept, and power for the window itself"
        assert wh(plan(FULL, quiet(9, net=[0] + [1_250] * 8), [0])) == [0], "all of it is needed later"

    def test_a_recharge_between_windows_counts_once_it_happened(self) -> None:
        battery = Storage(1_000, 4_000, 4_000, PPM, PPM, 100)
        surplus = quiet(3, net=[0, -700, 0])
        assert wh(plan(battery, surplus, [0, 2])) == [100, 700]
        grid = quiet(3, grid_charge_wh=[0, 700, 0])
        assert wh(plan(battery, grid, [0, 2])) == [100, 700]
        assert wh(plan(battery, quiet(3), [0, 2])) == [50, 50], "and without it, nothing is counted"

    def test_no_charging_is_counted_in_a_window_that_is_offered(self) -> None:
        battery = Storage(1_000, 4_000, 4_000, PPM, PPM, 100)
        assert wh(plan(battery, quiet(3, net=[0, -700, 0]), [0, 1, 2])) == [34, 33, 33]

    def test_a_full_battery_cannot_count_on_surplus(self) -> None:
        battery = Storage(1_000, 4_000, 4_000, PPM, PPM, 1_000)
        assert wh(plan(battery, quiet(3, net=[0, -700, 0]), [2])) == [1_000]

    def test_the_market_counts_no_recharge(self) -> None:
        """1,700 Wh could be delivered, but no more than the usable energy is promised at once: the units say so."""
        battery = Storage(1_000, 4_000, 4_000, PPM, PPM, 1_000)
        assert wh(plan(battery, quiet(3, net=[0, -700, 0]), [0, 2])) == [500, 500]

    def test_earlier_sales_and_live_offers_are_kept(self) -> None:
        battery = Storage(1_000, 4_000, 4_000, PPM, PPM, 1_000)
        assert wh(plan(battery, quiet(3, sold_wh=[0, 0, 900]), [0, 1])) == [50, 50]
        assert wh(plan(battery, quiet(2, sold_wh=[900, 0]), [0, 1])) == [50, 50]
        assert wh(plan(battery, quiet(2, sold_wh=[0, 1_000]), [0])) == [0]

    def test_a_reserve_stays(self) -> None:
        battery = Storage(1_000, 4_000, 4_000, PPM, PPM, 800)
        assert wh(plan(battery, quiet(2), [0, 1], reserve_wh=300)) == [250, 250]
        assert wh(plan(battery, quiet(2, net=[-600, 0]), [1], reserve_wh=900)) == [0]

    def test_what_makes_no_sense_is_refused(self) -> None:
        with pytest.raises(DispatchError, match="forecast each once"):
            plan(FULL, quiet(2), [0, 5])
        with pytest.raises(DispatchError, match="η"):
            plan(FULL, quiet(2), [0], contract_ppm=0)
        with pytest.raises(DispatchError, match="same number"):
            slots_of(0, START, LENGTH, [1, 2], [0])
        assert plan(FULL, quiet(2), []) == plan(FULL, [], []) == []


class TestUnits:
    def test_the_fewest_units(self) -> None:
        assert plan(FULL, quiet(2), [0, 1]) == [Offer(0, budget(1_250, 64), 64), Offer(1, budget(1_250, 64), 64)]

    def test_rounding_up_never_asks_for_more_than_is_free(self) -> None:
        """7 windows of a battery whose energy is no whole number of units for each."""
        battery = Storage(5_001, 5_000, 5_000, PPM, PPM, 5_001)
        offers = plan(battery, quiet(7), range(7))
        assert sum(offer.units for offer in offers) == capacity(5_001, 1_250) == 256
        assert 5_001 - sum(wh(offers)) < 7 * 20
        assert all(offer.wh <= budget(1_250, offer.units) for offer in offers)

    def test_an_offer_is_cut_to_its_units(self) -> None:
        """1,000 Wh in windows of 300 Wh: 213 units; four even offers of 250 Wh would take 54 each, 216."""
        battery = Storage(1_000, 1_200, 1_200, PPM, PPM, 1_000)
        assert plan(battery, quiet(4), range(4)) == [
            Offer(0, Wh(250), 54), *(Offer(window, budget(300, 53), 53) for window in (1, 2, 3))
        ]  # fmt: skip

    def test_promised_units_are_not_promised_again(self) -> None:
        offers = plan(FULL, quiet(4), range(4), promised=capacity(10_000, 1_250) - 6)
        assert [offer.units for offer in offers] == [2, 2, 1, 1]
        assert wh(plan(FULL, quiet(4), range(4), promised=10**6)) == [0] * 4

    def test_equal_units_tell_nothing(self) -> None:
        """They depend on the capacity, what is promised and the number of windows: all public."""
        for battery, net in ((FULL, [0] * 10), (Storage(10_000, 5_000, 5_000, PPM, PPM, 3_000), [300] * 10)):
            offers = plan(battery, quiet(10, net=net), range(10), equal_units=True)
            assert {offer.units for offer in offers if offer.wh} <= {51}
            assert max(wh(offers)) <= budget(1_250, 51)


@given(storages, evenings(), st.data())
def test_every_subset_of_fills_is_delivered(battery: Storage, slots: list[Slot], data: st.DataObject) -> None:
    windows = data.draw(st.sets(st.sampled_from([slot.window for slot in slots])))
    equal, contract = data.draw(st.booleans()), data.draw(st.sampled_from([PPM, 900_000]))
    reserve = data.draw(st.integers(0, battery.stored_wh))
    promised = data.draw(st.sampled_from([0, 30]))
    offers = {
        offer.window: offer
        for offer in plan(
            battery, slots, windows,
            promised=promised, reserve_wh=reserve, contract_ppm=contract, equal_units=equal,
        )
    }  # fmt: skip
    assert set(offers) == windows
    limit = battery.limit_wh(LENGTH)
    assert all(offer.wh <= budget(limit, offer.units) and offer.units <= UNITS for offer in offers.values())
    assert sum(offer.units for offer in offers.values()) <= max(0, capacity(battery.usable_wh, limit) - promised)
    if not check(battery, slots).feasible:
        return  # the earlier sales were too much: nothing can be promised about them
    filled = {
        window: data.draw(st.sampled_from([0, offer.wh, offer.wh, offer.wh // 3])) for window, offer in offers.items()
    }
    sales = [
        data.draw(st.sampled_from([slot.sale_wh, 0])) + ceil_div(filled.get(slot.window, 0) * contract, PPM)
        for slot in slots
    ]
    above = replace(battery, usable_wh=battery.usable_wh - reserve, stored_wh=battery.stored_wh - reserve)
    if not check(above, slots).feasible:
        return  # they would use the reserve
    real, without = ExactBattery(above, Fraction(above.stored_wh)), ExactBattery(above, Fraction(above.stored_wh))
    unserved, baseline = real.run(slots, sales), without.run(slots, [slot.sale_wh for slot in slots])
    # the own home loses nothing but, in a window, the fraction of a Wh that the model does not count
    assert unserved <= baseline + 2 * len(slots)


@given(storages, evenings(6), st.data())
def test_no_offer_can_grow(battery: Storage, slots: list[Slot], data: st.DataObject) -> None:
    """What is held back is held back for a reason: one Wh more in any window and something is missing."""
    windows = data.draw(st.sets(st.sampled_from([slot.window for slot in slots]), min_size=1))
    offers = {offer.window: offer.wh for offer in plan(battery, slots, windows)}
    free, limit = capacity(battery.usable_wh, battery.limit_wh(LENGTH)), battery.limit_wh(LENGTH)

    def judged(extra: int | None) -> tuple[list[int], list[int]]:
        sales = [
            Slot(s.window, s.start, s.length_s, s.sale_wh + offers.get(s.window, 0) + (s.window == extra), s.own_wh,
                 s.charge_wh)
            for s in slots
        ]  # fmt: skip
        steps = check(battery, sales).steps
        return [step.missing_wh for step in steps], [step.unserved_wh for step in steps]

    first = judged(None)
    for window in windows:
        units = -(-64 * (offers[window] + 1) // limit) if limit else 65
        rest = sum(-(-64 * offer // limit) for other, offer in offers.items() if other != window) if limit else 0
        if units <= UNITS and units + rest <= free and offers[window] + 1 <= limit:
            cap, slot = battery.cap_wh(LENGTH), next(s for s in slots if s.window == window)
            if offers[window] + 1 > cap - slot.sale_wh - min(slot.own_wh, cap):
                continue
            assert judged(window) != first


@given(st.data(), st.integers(1, 20_000), st.integers(4, 20_000), st.integers(600_000, PPM))
def test_what_the_market_lets_through_a_full_battery_delivers(
    data: st.DataObject, usable: int, export: int, eta: int
) -> None:
    """The second layer alone: units within the capacity, η_d at least η, no own load. Roundings cost 2 Wh a window."""
    limit = min(usable, export * LENGTH // 3600)
    free, slots = capacity(usable, limit), []
    for window in range(data.draw(st.integers(1, 12))):
        units = data.draw(st.integers(0, min(UNITS, free)))
        free -= units
        slots.append(Slot(window, window * LENGTH, LENGTH, ceil_div(budget(limit, units) * eta, PPM)))
    margin = 2 * len(slots)
    battery = Storage(usable + margin, export, 0, PPM, data.draw(st.integers(eta, PPM)), usable + margin)
    assert check(battery, slots).feasible
