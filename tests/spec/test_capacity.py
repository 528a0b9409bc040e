"""§2, no overselling: energy units worked by hand, their roundings and the sentence that they are there for."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.errors import SettlementError
from stowatt.settlement.capacity import MAX_CAPACITY, UNITS, budget, capacity, part_units, units_for, used_units

usable = st.integers(0, 2**32 - 1)
limits = st.integers(1, 2**32 - 1)
units = st.integers(0, UNITS)


def test_a_home_battery_worked_by_hand() -> None:
    """10.2 kWh behind 5 kW in quarters of an hour: Q_max 1250 Wh, a unit is 19.53 Wh, capacity ⌊522.24⌋."""
    assert capacity(10_200, 1_250) == 522
    assert [budget(1_250, u) for u in (0, 1, 2, 63, 64)] == [0, 19, 39, 1_230, 1_250]
    assert [units_for(q, 1_250) for q in (0, 1, 19, 20, 39, 40, 1_230, 1_231, 1_250)] == [0, 1, 1, 2, 2, 3, 63, 64, 64]
    assert used_units(625, 1_250) == 32
    assert [part_units(5, start, 100, 300) for start in (0, 100, 200)] == [2, 2, 1]


def test_ends_of_the_range() -> None:
    assert capacity(5_000, 0) == 0
    assert capacity(0, 5_000) == 0
    assert capacity(5_000, 5_000) == UNITS, "the battery is smaller than what a window lets through"
    assert capacity(2**32 - 1, 1) == MAX_CAPACITY
    assert capacity(1_024 * 7, 7) == MAX_CAPACITY, "one less than 64 · 1024: the seller loses it"
    assert units_for(0, 0) == used_units(0, 0) == 0
    assert budget(63, 1) == 0, "a limit below 64 Wh has units of less than one Wh"


@pytest.mark.parametrize(("quantity", "limit"), [(1_251, 1_250), (1, 0), (2**32, 2**32 - 1)])
def test_more_than_q_max_has_no_units(quantity: int, limit: int) -> None:
    with pytest.raises(SettlementError, match="at most"):
        units_for(quantity, limit)
    with pytest.raises(SettlementError):
        used_units(quantity, limit)


def test_what_is_no_quantity_is_refused() -> None:
    for refused in (
        lambda: capacity(-1, 10),
        lambda: capacity(10, -1),
        lambda: budget(-1, 1),
        lambda: budget(10, 65),
        lambda: budget(10, -1),
        lambda: units_for(-1, 10),
        lambda: part_units(65, 0, 1, 1),
        lambda: part_units(4, 0, 0, 0),
        lambda: part_units(4, 5, 6, 10),
        lambda: part_units(4, -1, 2, 10),
        lambda: part_units(4, 3, -1, 10),
    ):
        with pytest.raises(SettlementError):
            refused()


@given(limits, units, st.integers(0, 2**32 - 1))
def test_units_are_the_inverse_of_the_budget(limit: int, u: int, quantity: int) -> None:
    quantity %= limit + 1
    assert (units_for(quantity, limit) <= u) == (quantity <= budget(limit, u))
    assert budget(limit, units_for(quantity, limit)) >= quantity
    assert 0 <= units_for(quantity, limit) <= UNITS


@given(usable, limits)
def test_every_rounding_is_against_the_seller(wh: int, limit: int) -> None:
    exact = Fraction(UNITS * wh, limit)
    assert exact - 1 < capacity(wh, limit) <= exact or capacity(wh, limit) == MAX_CAPACITY
    q = wh % (limit + 1)
    assert Fraction(UNITS * q, limit) <= units_for(q, limit) < Fraction(UNITS * q, limit) + 1
    assert Fraction(limit * (q % 65), UNITS) - 1 < budget(limit, q % 65) <= Fraction(limit * (q % 65), UNITS)


@given(st.data(), usable, limits)
def test_what_keeps_within_the_capacity_keeps_within_the_battery(data: st.DataObject, wh: int, limit: int) -> None:
    """Bids of any number of windows, each up to its budget: together never more than the usable energy."""
    left, sold = capacity(wh, limit), 0
    for u in data.draw(st.lists(st.integers(1, UNITS), max_size=40)):
        if u > left:
            continue
        quantity = data.draw(st.sampled_from([budget(limit, u), budget(limit, u) // 2]))
        assert used_units(quantity, limit) <= u
        left -= used_units(quantity, limit)
        sold += quantity
    assert sold <= wh


@given(units, st.lists(st.integers(1, 2**32), min_size=1, max_size=8), st.randoms())
def test_the_parts_of_a_split_free_the_whole(u: int, widths: list[int], order: object) -> None:
    whole = sum(widths)
    starts = [sum(widths[:n]) for n in range(len(widths))]
    parts = [part_units(u, start, width, whole) for start, width in zip(starts, widths, strict=True)]
    assert sum(parts) == u
    assert all(part >= 0 for part in parts)
    assert all(abs(part - Fraction(u * width, whole)) < 1 for part, width in zip(parts, widths, strict=True))
    assert part_units(u, 0, whole, whole) == u
