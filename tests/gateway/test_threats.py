"""What a forged, repeated, reordered or lost sample can do between meter and gateway (T50): never add energy."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.gateway import Cause, Sample
from tests.gateway.makers import RULES, counter, power, run, steady

TRUE = steady(2000, 900)
"""Three sub-slots of 2 kW, a sample every ten seconds: 500 Wh."""


def total(samples: list[Sample]) -> int:
    _, records = run(samples)
    return sum(record.energy for record in records)


def test_t50_forged_samples_cannot_exceed_the_certified_power() -> None:
    """Whoever forges every sample makes the device's limit of each sub-slot and no more; beyond it nothing counts."""
    _, records = run(steady(5050, 900))
    assert [record.energy for record in records] == [RULES.cap] * 3
    normaliser, records = run(steady(50_000, 900))
    assert sum(record.energy for record in records) == 0
    assert normaliser.accounts.samples[Cause.OUT_OF_RANGE.value] == 91


@pytest.mark.parametrize("times", [2, 5])
def test_t50_a_repeated_sample_counts_once(times: int) -> None:
    """Every message comes several times, as a bus or a broker may deliver it."""
    normaliser, records = run([sample for sample in TRUE for _ in range(times)])
    assert sum(record.energy for record in records) == total(TRUE) == 500
    assert normaliser.accounts.samples[Cause.DUPLICATE.value] == (times - 1) * len(TRUE)


def test_t50_a_counter_that_comes_again_counts_once() -> None:
    """An old value of an energy counter is no new energy."""
    rising = [counter(10 * i, 5 * i) for i in range(31)]
    assert total(rising) == total([*rising[:20], *rising[10:20], *rising[20:]]) == 150


@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_t50_lost_and_reordered_samples_add_nothing(chance: random.Random, lost: int) -> None:
    """Of a constant power any samples may be missing or late: what is not measured is not filled in, but marked."""
    kept = [sample for sample in TRUE if sample not in chance.sample(TRUE, lost)]
    for _ in range(5):
        i = chance.randrange(len(kept) - 1)
        kept[i], kept[i + 1] = kept[i + 1], kept[i]
    normaliser, records = run(kept)
    assert sum(record.energy for record in records) <= 500
    assert normaliser.accounts.received == len(kept)


def test_t50_a_sample_between_two_others_cannot_be_changed_afterwards() -> None:
    """A second value for a moment that was measured is refused, not averaged."""
    normaliser, records = run([*TRUE[:10], power(90, 4000), *TRUE[10:]])
    assert sum(record.energy for record in records) == 500
    assert normaliser.accounts.samples[Cause.CONFLICT.value] == 1
