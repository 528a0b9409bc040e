"""The judge of schemes: it lets sound flows pass and names law, window and node of every planted fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.scenarios.accounts import keep_accounts
from stowatt.scenarios.community import MOST_PRICE, MOST_WH, Community, Prices, Storage
from stowatt.scenarios.errors import FlowsError, ScenarioError
from stowatt.scenarios.flows import Flows
from stowatt.scenarios.shared_battery import run_shared_battery
from stowatt.units import PPM
from tests.scenarios.random_communities import START, cases, community, ints
from tests.scenarios.random_schemes import wild

HOMES = community(
    load=[[100, 300], [400, 300], [400, 300]],
    pv=[[900, 0], [0, 0], [0, 0]],
    batteries=[(1_000, 500, 900_000, 50, 10_000), None],
)
PRICES = Prices(ints([300_000, 300_000, 380_000]), feed_in=80_000, levy=10_000)


def sound() -> Flows:
    """The battery takes 500 Wh in, gives 100 and 200 Wh to its home and 50 Wh to the neighbour for 15 million."""
    return Flows(
        name="sound",
        charge_wh=ints([[500, 0], [0, 0], [0, 0]]),
        discharge_wh=ints([[0, 0], [150, 0], [200, 0]]),
        import_wh=ints([[0, 300], [300, 250], [200, 300]]),
        export_wh=ints([[300, 0], [0, 0], [0, 0]]),
        given_wh=ints([[0, 0], [50, 0], [0, 0]]),
        taken_wh=ints([[0, 0], [0, 50], [0, 0]]),
        stored_wh=ints([[50, 0], [500, 0], [333, 0], [110, 0]]),
        paid=ints([-15_000_000, 15_000_000]),
    )


def test_sound_flows_pass_and_their_accounts_by_hand() -> None:
    flows = sound()
    flows.check(HOMES)
    accounts = keep_accounts(HOMES, PRICES, flows)
    worth = 88_889  # ⌈80 000 / 0.9⌉
    first = 300 * 300_000 + 200 * 380_000 - 300 * 80_000 + 350 * 10_000 - 60 * worth - 15_000_000
    second = 300 * 300_000 + 250 * 300_000 + 300 * 380_000 + 50 * 10_000 + 15_000_000
    assert accounts.cost.tolist() == [first, second]
    assert accounts.total == first + second
    assert (accounts.shared_wh, accounts.discharge_wh, accounts.import_wh) == (50, 350, 1_350)
    assert accounts.self_sufficiency_ppm == (1_800 - 1_350) * PPM // 1_800
    assert accounts.self_consumption_ppm == (900 - 300) * PPM // 900
    assert accounts.cycles_milli == (167 + 223)  # of 1,000 Wh


def put(name: str, window: int, node: int, change: int) -> Callable[[Flows], None]:
    """A fault: one number changed."""

    def plant(flows: Flows) -> None:
        getattr(flows, name)[window, node] += change

    return plant


def both(*faults: Callable[[Flows], None]) -> Callable[[Flows], None]:
    """Several changes that belong together."""

    def plant(flows: Flows) -> None:
        for fault in faults:
            fault(flows)

    return plant


def emptied(flows: Flows) -> None:
    """The battery starts fuller than it was, all the way."""
    flows.stored_wh[:, 0] += 10


def paid(flows: Flows) -> None:
    """Money from nowhere."""
    flows.paid[0] -= 1


FAULTS: dict[str, tuple[Callable[[Flows], None], str]] = {
    "energy from nowhere": (put("import_wh", 1, 0, -1), r"\(F1\).*window 1 .*home 0"),
    "energy lost": (put("export_wh", 2, 1, 1), r"\(F1\).*window 2 .*home 1"),
    "given to nobody": (both(put("given_wh", 2, 0, 7), put("import_wh", 2, 0, 7)), r"\(F2\).*window 2 "),
    "taken twice": (both(put("taken_wh", 1, 1, 9), put("import_wh", 1, 1, -9)), r"\(F2\).*window 1 "),
    "a Wh too much in the store": (put("stored_wh", 3, 0, 1), r"\(F3\).*window 2 .*home 0"),
    "no losses": (put("stored_wh", 1, 0, 50), r"\(F3\).*window 0 .*home 0"),
    "a rounding in one's own favour": (
        both(put("stored_wh", 2, 0, 1), put("stored_wh", 3, 0, 1)),
        r"\(F3\).*window 1 .*home 0",
    ),
    "a battery where there is none": (
        both(put("discharge_wh", 0, 1, 5), put("import_wh", 0, 1, -5), put("stored_wh", 1, 1, -5)),
        r"stored_wh.*window 1 .*home 1",
    ),
    "more than full": (
        both(
            put("charge_wh", 0, 0, 600),
            put("export_wh", 0, 0, -300),
            put("import_wh", 0, 0, 300),
            *(put("stored_wh", window, 0, 540) for window in (1, 2, 3)),
        ),
        r"\(F4\).*window 1 .*home 0",
    ),
    "a battery that is fuller from the start": (emptied, r"stored energy at the start.*home 0"),
    "charged beyond its power": (
        both(
            put("charge_wh", 0, 0, 10),
            put("export_wh", 0, 0, -10),
            *(put("stored_wh", window, 0, 9) for window in (1, 2, 3)),
        ),
        r"own surplus.*window 0 .*home 0",
    ),
    "imports beside exports": (
        both(put("import_wh", 0, 0, 3), put("export_wh", 0, 0, 3)),
        r"\(F6\).*window 0 .*home 0",
    ),
    "gives what it imports": (
        both(
            put("given_wh", 2, 1, 20),
            put("import_wh", 2, 1, 20),
            put("taken_wh", 2, 0, 20),
            put("import_wh", 2, 0, -20),
        ),
        r"given ≤ discharge.*window 2 .*home 1",
    ),
    "a negative flow": (both(put("import_wh", 0, 0, -5), put("export_wh", 0, 0, -5)), r"import_wh.*window 0 .*home 0"),
    "a flow beyond all measure": (put("import_wh", 0, 0, 2**40), r"import_wh.*window 0 .*home 0"),
    "money from nowhere": (paid, r"\(F7\).*-1"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    plant, message = FAULTS[name]
    flows = sound()
    plant(flows)
    with pytest.raises(FlowsError, match=message):
        flows.check(HOMES)


def test_charging_from_the_grid_is_found() -> None:
    """In a window without PV; and where a scheme claims no own surplus, it may still not charge from nothing."""
    flows = sound()
    for name, row, change in (("charge_wh", 2, 100), ("import_wh", 2, 100), ("stored_wh", 3, 90)):
        getattr(flows, name)[row, 0] += change
    with pytest.raises(FlowsError, match=r"own surplus.*window 2 .*home 0"):
        flows.check(HOMES)
    with pytest.raises(FlowsError, match=r"community's surplus.*window 2 "):
        replace(flows, own_surplus=False).check(HOMES)


def test_a_window_has_only_so_much_time() -> None:
    """600 of 800 Wh surplus could go in at 500 Wh a window; discharging in the same window takes of that time."""
    homes = community([[100]], [[900]], [(1_000, 500, PPM, 500, 0)])
    nothing = ints([[0]])
    for into, out, fits in ((500, 0, True), (0, 500, True), (250, 250, True), (250, 251, False), (500, 1, False)):
        flows = Flows(
            name="time",
            charge_wh=ints([[into]]),
            discharge_wh=ints([[out]]),
            import_wh=nothing,
            export_wh=ints([[800 - into + out]]),
            given_wh=nothing,
            taken_wh=nothing,
            stored_wh=ints([[500], [500 + into - out]]),
            paid=ints([0]),
        )
        if fits:
            flows.check(homes)
        else:
            with pytest.raises(FlowsError, match=r"\(F5\) one window's time"):
                flows.check(homes)


def test_discharge_beyond_power_is_found() -> None:
    homes = community([[600]], [[0]], [(1_000, 500, PPM, 1_000, 0)])
    nothing = ints([[0]])
    flows = Flows(
        "power", nothing, ints([[501]]), ints([[99]]), nothing, nothing, nothing, ints([[1_000], [499]]), ints([0])
    )
    with pytest.raises(FlowsError, match=r"\(F5\) discharge within the cap.*home 0"):
        flows.check(homes)


@pytest.mark.parametrize("column", ["usable_wh", "cap_wh"])
def test_a_community_battery_is_no_larger_than_what_it_replaces(column: str) -> None:
    flows = run_shared_battery(HOMES, PRICES)
    flows.check(HOMES)
    assert flows.extra_storage is not None
    larger = replace(flows.extra_storage, **{column: getattr(flows.extra_storage, column) + 1})
    with pytest.raises(FlowsError, match=f"{column} of further batteries"):
        replace(flows, extra_storage=larger).check(HOMES)
    with pytest.raises(FlowsError, match="further nodes without a battery"):
        replace(flows, extra_storage=None).check(HOMES)


def test_a_community_battery_starts_with_what_the_homes_had_stored() -> None:
    flows = run_shared_battery(HOMES, PRICES)
    flows.stored_wh[:, -1] += 1
    with pytest.raises(FlowsError, match="stored energy at the start"):
        flows.check(HOMES)


def test_shapes_and_kinds_of_tables_are_checked() -> None:
    with pytest.raises(FlowsError, match="given_wh is float64"):
        replace(sound(), given_wh=np.zeros((3, 2))).check(HOMES)  # type: ignore[arg-type]
    with pytest.raises(FlowsError, match=r"stored_wh is int64 of shape \(3, 2\)"):
        replace(sound(), stored_wh=np.zeros((3, 2), np.int64)).check(HOMES)


@settings(max_examples=100)
@given(cases, st.integers(0, 2**32 - 1), st.data())
def test_any_single_change_is_found(case: tuple[Community, Prices], seed: int, data: st.DataObject) -> None:
    """No table has a number that could be another."""
    homes, prices = case
    flows = wild(homes, prices, seed)
    flows.check(homes)
    name = data.draw(st.sampled_from(["charge_wh", "discharge_wh", "import_wh", "export_wh", "given_wh", "taken_wh"]))
    table = getattr(flows, data.draw(st.sampled_from([name, "stored_wh"])))
    row = data.draw(st.integers(0, len(table) - 1))
    column = data.draw(st.integers(0, table.shape[1] - 1))
    table[row, column] += data.draw(st.sampled_from([-1, 1, 1_000]))
    with pytest.raises(FlowsError):
        flows.check(homes)


@settings(max_examples=50)
@given(cases, st.integers(0, 2**32 - 1))
def test_payments_cancel_in_the_accounts(case: tuple[Community, Prices], seed: int) -> None:
    homes, prices = case
    flows = wild(homes, prices, seed)
    free = replace(flows, paid=np.zeros_like(flows.paid))
    assert keep_accounts(homes, prices, flows).total == keep_accounts(homes, prices, free).total


BATTERY = {"usable_wh": 10, "cap_wh": 5, "efficiency_ppm": 900_000, "stored_wh": 3, "wear": 7}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("usable_wh", -1),
        ("usable_wh", MOST_WH + 1),
        ("cap_wh", MOST_WH + 1),
        ("efficiency_ppm", 0),
        ("efficiency_ppm", PPM + 1),
        ("stored_wh", 11),
        ("wear", MOST_PRICE + 1),
    ],
)
def test_impossible_batteries_are_refused(name: str, value: int) -> None:
    Storage(**{column: ints([number]) for column, number in BATTERY.items()})
    with pytest.raises(ScenarioError, match=f"storage: {name} of battery 0 is {value}"):
        Storage(**{column: ints([number]) for column, number in (BATTERY | {name: value}).items()})


def test_impossible_communities_are_refused() -> None:
    with pytest.raises(ScenarioError, match="load_wh of home 0 in window 1 is -1 Wh"):
        community([[0], [-1]], [[0], [0]], [None])
    with pytest.raises(ScenarioError, match="pv_wh has the shape"):
        community([[0]], [[0], [0]], [None])
    good = community([[0, 0]], [[0, 0]], [None, None])
    for change, message in (
        ({"homes": ("a", "a")}, "2 homes, 1 names"),
        ({"zone": "Nowhere/Land"}, "unknown time zone"),
        ({"start": datetime(2016, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, "not in UTC"),
        ({"load_wh": good.load_wh.astype(float)}, "no int64 array"),
        ({"load_wh": np.asfortranarray(np.zeros((2, 2), np.int64))}, "no int64 array in C order"),
        ({"storage": Storage.none(3)}, "3 entries of storage"),
    ):
        with pytest.raises(ScenarioError, match=message):
            replace(good, **change)
    assert good.at(0).isoformat() == "2016-04-20T12:00:00+02:00"
    assert good.start == START


def test_impossible_prices_are_refused() -> None:
    for retail, feed_in, levy in (([5], 6, 0), ([5], -1, 0), ([5], 1, -1), ([MOST_PRICE + 1], 1, 0)):
        with pytest.raises(ScenarioError, match="prices"):
            Prices(ints(retail), feed_in, levy)


def test_accounts_that_could_overflow_are_refused() -> None:
    homes = community([[2**31]] * 8, [[0]] * 8, [None])
    prices = Prices(ints([2**30] * 8), 0, 0)
    load = homes.load_wh
    nothing = np.zeros_like(load)
    flows = Flows("much", nothing, nothing, load, nothing, nothing, nothing, np.zeros((9, 1), np.int64), ints([0]))
    flows.check(homes)
    with pytest.raises(ScenarioError, match="do not fit 64 bits"):
        keep_accounts(homes, prices, flows)
    assert keep_accounts(homes, Prices(ints([2**27] * 8), 0, 0), flows).total == 2**34 * 2**27
    with pytest.raises(ScenarioError, match="1 retail prices for 8 windows"):
        keep_accounts(homes, Prices(ints([1]), 0, 0), flows)
