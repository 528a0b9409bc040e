"""The gas table in the docs is that of the committed snapshots, and every bound holds."""

from __future__ import annotations

import json

import gas_table


def test_the_table_is_up_to_date() -> None:
    assert gas_table.TARGET.read_text() == gas_table.page(), "run scripts/gas_table.py"


def test_every_bound_holds_in_steady_state() -> None:
    over = []
    for path in gas_table.SNAPSHOTS.glob("*.json"):
        for key, value in json.loads(path.read_text()).items():
            name, _, age = key.rpartition("/")
            bound = gas_table.bound_of(name)
            if age == "steady" and bound is not None and int(value) > bound:
                over.append(f"{name}: {value} > {bound}")
    assert not over


def test_clearing_costs_the_same_for_any_number_of_bids() -> None:
    figures = json.loads((gas_table.SNAPSHOTS / "clearing.json").read_text())
    costs = [int(figures[f"clear, {n} bids/steady"]) for n in (10, 100, 1000, 10_000)]
    assert max(costs) - min(costs) < 1_000


def test_an_operation_has_the_bound_of_its_name() -> None:
    assert gas_table.bound_of("reveal, seller, 4 segments") == 105_000
    assert gas_table.bound_of("reveal, seller, 4 segments, beyond the bond") is None
    assert gas_table.bound_of("claim, buyer, 1 segment, beyond the bond") == 130_000
    assert gas_table.bound_of("pay") is None


def test_numbers_in_names_sort_by_value() -> None:
    names = ["clear, 100 bids", "clear, 10 bids", "clear, no bids"]
    assert sorted(names, key=gas_table.natural) == ["clear, no bids", "clear, 10 bids", "clear, 100 bids"]
