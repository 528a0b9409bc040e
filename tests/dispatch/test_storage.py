"""The two properties of a window that the proof of the strategy needs, and that the model never flatters a battery."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from stowatt.dispatch import Slot, Storage, advance, check
from tests.dispatch.batteries import LENGTH, ExactBattery, evenings, storages


@given(storages, evenings(1), st.integers(0, 4_000), st.integers(0, 100), st.integers(0, 100))
def test_a_window_is_monotone(battery: Storage, slots: list[Slot], more: int, low: int, high: int) -> None:
    """More stored before never means less after, more sold never more after; the same for what the home gets."""
    (slot,) = slots
    low, high = sorted((battery.usable_wh * low // 100, battery.usable_wh * high // 100))
    poorer, richer = advance(battery, low, slot), advance(battery, high, slot)
    assert poorer.after_wh <= richer.after_wh
    assert poorer.missing_wh >= richer.missing_wh
    assert poorer.unserved_wh >= richer.unserved_wh
    seller = advance(battery, high, replace(slot, sale_wh=slot.sale_wh + more))
    assert seller.after_wh <= richer.after_wh
    assert seller.missing_wh >= richer.missing_wh and seller.unserved_wh >= richer.unserved_wh


@given(storages, evenings())
@example(Storage(17, 4, 8, 600_000, 600_000, 1), [Slot(1, 0, LENGTH, 0, 1), Slot(2, LENGTH, LENGTH, 0, 0, 2)])
def test_the_model_never_holds_more_than_there_is(battery: Storage, slots: list[Slot]) -> None:
    """Window by window, against a battery without roundings that sells the same."""
    exact = ExactBattery(battery, Fraction(battery.stored_wh))
    for step in check(battery, slots).steps:
        exact.run([replace(step.slot, sale_wh=step.delivered_wh)], [step.delivered_wh])
        if step.slot.sale_wh and not step.delivered_wh:
            break  # the exact battery would charge in a window in which it sells nothing
        assert 0 <= step.after_wh <= exact.stored <= battery.usable_wh
        assert step.before_wh <= battery.usable_wh
