"""From samples to Wh per sub-slot: exact, and nothing that was not measured."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.gateway import Cause, GatewayError, Mark, Normaliser, Rules, Sample
from stowatt.gateway.slots import SlotRecord
from tests.gateway.makers import RULES, at, counter, power, run, steady


def energies(records: list[SlotRecord]) -> list[int]:
    return [record.energy for record in records]


def test_a_constant_power_is_exact_and_the_rest_is_carried() -> None:
    """1 kW is 83⅓ Wh in five minutes: 83, 83, 84, and the three make the quarter hour's 250."""
    _, records = run(steady(1000, 900))
    assert energies(records) == [83, 83, 84]
    assert all(record.marks == () for record in records)


def test_charging_counts_as_nothing_and_is_tallied_apart() -> None:
    normaliser, records = run([*steady(-1200, 150), *steady(1200, 140, start=160)])
    assert energies(records) == [46]  # 140 s of 1.2 kW, without the ten seconds of change
    assert normaliser.accounts.charged == Fraction(1200 * 160, 3600)


def test_a_power_holds_until_the_next_sample_and_no_longer_than_the_gap() -> None:
    normaliser, records = run([power(0, 3600), power(60, 3600), power(121, 3600), power(122, 0), power(300, 0)])
    assert energies(records) == [61]  # the 61 s after the second sample are not measured, nor the 178 s of silence
    assert records[0].marks == (Mark.INCOMPLETE,)
    assert records[0].measured == 61_000_000
    assert normaliser.accounts.gaps == 2


def test_a_sentinel_ends_the_hold_and_is_not_bridged() -> None:
    _, records = run([power(0, 3600), power(10, 65_535), power(20, 3600), power(30, 3600), power(300, 0)])
    assert energies(records) == [20]
    assert records[0].marks == (Mark.INCOMPLETE, Cause.SENTINEL)


@pytest.mark.parametrize(
    ("sample", "cause"),
    [
        (power(20, 65_535), Cause.SENTINEL),
        (power(20, Fraction(65.535004)*1000), Cause.SENTINEL),
        (power(20, -32_768), Cause.SENTINEL),
        (power(20, 1000, soc=6.5535), Cause.SENTINEL_SOC),
        (power(20, 1000, soc=6.55), Cause.SENTINEL_SOC),
        (power(20, 5051), Cause.OUT_OF_RANGE),
        (power(20, 10**30), Cause.OUT_OF_RANGE),
        (power(20, -50_001), Cause.OUT_OF_RANGE),
        (power(20, 5050), Cause.USED),
        (power(10, 1000), Cause.DUPLICATE),
        (power(10, 1001), Cause.CONFLICT),
        (power(5, 1000), Cause.LATE),
        (power(-1, 1000), Cause.OUTSIDE),
        (power(1e13, 1000), Cause.OUTSIDE),
        (power(20, 1000, received=9), Cause.AHEAD),
        (power(20, 1000, received=10), Cause.USED),
        (power(20, 1000, received=20_000), Cause.USED),
        (power(40 * 86_400, 1000), Cause.AHEAD),
        (Sample(at(20)), Cause.MISSING),
        (Sample(at(20), fault=Cause.MISSING), Cause.MISSING),
        (Sample(at(20), fault=Cause.SENTINEL), Cause.SENTINEL),
        (Sample(None), Cause.MALFORMED),
        (Sample(None, fault=Cause.MALFORMED), Cause.MALFORMED),
        (replace(power(10, 1000), retained=True), Cause.RETAINED),
        (replace(power(5, 1000), retained=True), Cause.RETAINED),
        (replace(power(20, 1000, received=5000), retained=True), Cause.USED),
        (Sample(at(20), power=Fraction(1), length=0), Cause.MALFORMED),
        (Sample(at(20), power=Fraction(1), length=10**12), Cause.MALFORMED),
    ],
)  # fmt: skip
def test_each_sample_ends_in_one_account(sample: Sample, cause: Cause) -> None:
    normaliser, _ = run([power(0, 1000), power(10, 1000), sample])
    others = normaliser.accounts.samples.copy()
    others.subtract({"used": 2})
    assert +others == {cause.value: 1}
    assert normaliser.accounts.received == 3


def test_an_old_retained_message_does_not_begin_the_measurement() -> None:
    first = replace(power(0, 1000, received=61), retained=True)
    normaliser, records = run([first, *(replace(s, received=at(3600)) for s in steady(1000, 300, start=3300))])
    assert normaliser.accounts.samples == {"retained": 1, "used": 31}
    assert [record.position for record in records] == [11]
    assert normaliser.accounts.slots == {"complete": 1}


def test_the_tolerance_is_used_and_marked_and_the_record_is_capped() -> None:
    normaliser, records = run(steady(5050, 300))
    assert energies(records) == [417]  # ⌈5000·300/3600⌉; 420.8 were measured
    assert records[0].marks == (Mark.ABOVE_RATING, Mark.CAPPED)
    assert normaliser.accounts.capped == 3


def test_a_sample_of_a_sealed_sub_slot_is_late() -> None:
    normaliser = Normaliser(RULES)
    for sample in steady(1000, 290):
        normaliser.feed(sample)
    assert [record.energy for record in normaliser.close(at(300))] == [80]
    assert normaliser.feed(power(295, 1000)) == []
    assert normaliser.accounts.samples["late"] == 1
    assert normaliser.feed(power(300, 1000)) == []
    assert normaliser.balanced


def test_silent_sub_slots_make_no_record_and_are_counted() -> None:
    normaliser, records = run([*steady(1000, 300), *steady(1000, 300, start=3000)])
    assert [record.position for record in records] == [0, 10]
    assert normaliser.accounts.slots == {"complete": 2, "empty": 9}
    assert normaliser.accounts.gap_time == 2_700_000_000


def test_a_clock_that_is_set_ends_the_hold_and_marks() -> None:
    normaliser = Normaliser(RULES)
    normaliser.feed(power(0, 3600))
    normaliser.feed(power(10, 3600))
    normaliser.clock_was_set()
    normaliser.feed(power(50, 3600))
    (record,) = [*normaliser.feed(power(60, 3600)), *normaliser.finish()]
    assert record.energy == 20
    assert record.marks == (Mark.CLOCK_JUMP, Mark.INCOMPLETE)
    assert normaliser.accounts.events == {"clock_jump": 1}
    assert normaliser.feed(power(55, 3600)) == []
    assert normaliser.accounts.samples["late"] == 1


def test_one_wrong_time_in_a_replay_does_not_cut_off_the_rest() -> None:
    normaliser, records = run(
        [power(0, 3600), power(10, 3600), power(86_400 * 300, 3600), *steady(3600, 280, start=20)]
    )
    assert normaliser.accounts.samples == {"used": 31, "clock_ahead": 1}
    assert energies(records) == [300]


def test_a_long_jump_that_the_next_sample_confirms_is_taken() -> None:
    far = 86_400 * 300
    normaliser, records = run([power(0, 3600), power(10, 3600), *steady(3600, 300, start=far)])
    assert normaliser.accounts.samples == {"used": 32, "clock_ahead": 1}
    assert energies(records) == [10, 290]


# ---------------------------------------------------------------------- counters


def test_a_counter_is_exact_over_a_silence_in_one_sub_slot() -> None:
    normaliser, records = run([counter(0, 1000), counter(290, 1390), counter(301, 1400)])
    assert energies(records) == [400, 0]  # the middle of the last span, 295.5 s, lies in the first sub-slot
    assert normaliser.accounts.gaps == 0


def test_a_counters_difference_over_a_long_silence_and_a_border_is_not_allocated() -> None:
    normaliser, records = run([counter(0, 0), counter(100, 50), counter(500, 250), counter(550, 275)])
    assert energies(records) == [50, 25]
    assert normaliser.accounts.unallocated == 200
    assert normaliser.accounts.discharged == 275


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_a_counter_that_wraps(bits: int) -> None:
    top = 2**bits
    normaliser, records = run([counter(0, top - 10, bits), counter(30, top - 1, bits), counter(60, 8, bits)])
    assert energies(records) == [18]
    assert records[0].marks == (Mark.INCOMPLETE, Mark.WRAP)
    assert normaliser.accounts.samples == {"used": 3}


def test_a_counter_without_a_known_width_does_not_wrap() -> None:
    normaliser, records = run([counter(0, 65_530), counter(30, 65_535), counter(60, 3), counter(90, 8)])
    assert energies(records) == [10]
    assert normaliser.accounts.samples == {"used": 3, "counter_reset": 1}
    assert normaliser.accounts.events == {"counter_restart": 1}
    assert "counter_reset" in records[0].marks and Mark.INCOMPLETE in records[0].marks


def test_a_counter_that_restarts_is_remembered_over_a_restart_of_the_gateway() -> None:
    normaliser = Normaliser(RULES)
    for sample in (counter(0, 500), counter(30, 510), counter(60, 3)):
        normaliser.feed(sample)
    again = Normaliser.restore(RULES, normaliser.encode())
    again.feed(counter(90, 8))
    assert [record.energy for record in again.finish()] == [15]
    assert again.accounts.events == {"counter_restart": 1}


def test_one_corrupt_counter_value_loses_nothing() -> None:
    for corrupt in (0, 4_294_967_295, 10**40):
        normaliser, records = run([counter(0, 100), counter(30, 110), counter(40, corrupt), counter(60, 120)])
        assert energies(records) == [20]
        assert normaliser.accounts.samples["used"] == 3


def test_a_counters_sentinel_does_not_break_it() -> None:
    normaliser, records = run([counter(0, 100), Sample(at(10), fault=Cause.SENTINEL), counter(30, 110)])
    assert energies(records) == [10]
    assert normaliser.accounts.samples == {"used": 2, "sentinel": 1}


def test_a_counter_that_counts_faster_than_the_device_can_is_refused() -> None:
    normaliser, _ = run([counter(0, 0), counter(36, 50), counter(72, 103)])
    assert normaliser.accounts.samples == {"used": 2, "out_of_range": 1}


def test_after_the_clock_was_set_a_counters_difference_belongs_nowhere() -> None:
    normaliser = Normaliser(RULES)
    normaliser.feed(counter(0, 0))
    normaliser.feed(counter(10, 5))
    normaliser.clock_was_set()
    normaliser.feed(counter(250, 20))
    normaliser.feed(counter(260, 22))
    (record,) = normaliser.finish()
    assert record.energy == 7
    assert normaliser.accounts.unallocated == 15
    assert normaliser.balanced


# ---------------------------------------------------------------------- anything


values = st.one_of(st.fractions(-60_000, 70_000), st.sampled_from([65_535, -32_768, 0, 5000, 5050]).map(Fraction))
moments = st.one_of(st.integers(0, 4000), st.sampled_from([-5, 10**9, 299, 300, 301]))
anything = st.one_of(
    st.builds(power, moments, values, st.sampled_from([None, 0.5, 6.55, 2.0])),
    st.builds(counter, moments, st.integers(-5, 2**32 + 5), st.sampled_from([None, 16, 32])),
    st.builds(
        Sample,
        moments.map(at),
        power=values,
        length=st.sampled_from([1, 60_000_000, 900_000_000]),
    ),
    st.builds(Sample, moments.map(at), fault=st.sampled_from([Cause.MISSING, Cause.SENTINEL, Cause.MALFORMED])),
)


@given(st.lists(anything, max_size=40), st.booleans(), st.randoms(use_true_random=False))
def test_the_books_balance_whatever_comes_and_over_restarts(
    samples: list[Sample], ordered: bool, chance: random.Random
) -> None:
    """Restarts change nothing; each sub-slot is sealed once, in order, and within the chain's limit."""
    if ordered:
        samples = sorted(samples, key=lambda sample: sample.time or 0)
    plain, split = Normaliser(RULES), Normaliser(RULES)
    records, again = [], []
    for number, sample in enumerate(samples):
        records += plain.feed(sample)
        if chance.random() < 0.3:
            split = Normaliser.restore(RULES, split.encode())
        again += split.feed(sample)
        if number % 7 == 6:
            records += plain.close(at(number * 100))
            again += split.close(at(number * 100))
        assert plain.balanced
    records += plain.finish()
    again += split.finish()
    assert records == again
    assert plain.balanced and plain.encode() == split.encode()
    positions = [record.position for record in records]
    assert positions == sorted(set(positions))
    assert all(0 <= record.energy <= RULES.cap and 0 <= record.measured <= 300_000_000 for record in records)
    assert plain.slots.carry < 1 or not records


def test_rules_that_make_no_sense_are_refused() -> None:
    for wrong in ({"max_gap": 301}, {"max_gap": 0}, {"tolerance": -1}, {"export_w": 0}):
        with pytest.raises(GatewayError):
            Rules(**({"origin": 0, "sub_slot": 300, "per_window": 3, "positions": 9, "export_w": 1} | wrong))
