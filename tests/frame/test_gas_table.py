"""What the committed gas snapshots must show beyond their bounds, which forge's tests hold."""

from __future__ import annotations

import json

import gas_table


def test_clearing_costs_the_same_for_any_number_of_bids() -> None:
    figures = json.loads((gas_table.SNAPSHOTS / "clearing.json").read_text())
    costs = [int(figures[f"clear, {n} bids/steady"]) for n in (10, 100, 1000, 10_000)]
    assert max(costs) - min(costs) < 1_000


def test_numbers_in_names_sort_by_value() -> None:
    names = ["clear, 100 bids", "clear, 10 bids", "clear, no bids"]
    assert sorted(names, key=gas_table.natural) == ["clear, no bids", "clear, 10 bids", "clear, 100 bids"]
