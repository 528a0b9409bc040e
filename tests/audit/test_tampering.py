"""Whoever alters, leaves out, repeats or exchanges events is found, and the event is named.

The alterations are generated from the records: every value field of every event type, in the events of a day that has
them all.
"""

import os
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from stowatt.audit import AuditReport, Verdict
from stowatt.audit.events import EVENT_TYPES, ZERO_ADDRESS, Event, RightTransfer, TokenTransfer
from stowatt.rights import RightId
from tests.audit.conftest import Log
from tests.audit.day import key
from tests.audit.tampering import get, names, others, put, value_fields

FULL = bool(os.environ.get("STOWATT_FULL"))
EACH = 10**6 if FULL else 2
"""Events of each type whose values are altered; in `make soak` all of them."""

VALUES = [(name, path) for name, kind in EVENT_TYPES.items() for path in value_fields(kind)]


def sample(events: Sequence[Event], name: str) -> list[int]:
    """Positions of some events of that type."""
    found = [number for number, event in enumerate(events) if type(event).__name__ == name]
    if len(found) <= EACH:
        return found
    return sorted(random.Random(name).sample(found, EACH))


def addresses(log: Log) -> list[str]:
    """Accounts with and without a part in the day, and contracts."""
    people = [key(name).address for name in ("s1", "b1", "b4", "friend", "treasury", "stranger")]
    return [*people, log.deployment.market, ZERO_ADDRESS]


def last_link(log: Log, number: int) -> bool:
    """A transfer of a settlement token is the end of its story: nothing on chain ever refers to its new holder."""
    event = log.events[number]
    if not isinstance(event, RightTransfer) or not RightId.decode(event.token_id).final:
        return False
    later = log.events[number + 1 :]
    return not any(isinstance(other, RightTransfer) and other.token_id == event.token_id for other in later)


def money(report: AuditReport) -> object:
    """Everything that is worth something in a report."""
    windows = [
        (w.window, w.status, w.price, w.volume, w.welfare, w.paid, w.payments, w.earned, w.compensation, w.held)
        for w in report.windows
    ]
    t = report.totals
    return windows, t.deposited, t.withdrawn, t.free, t.held


def test_the_day_has_every_event(log: Log) -> None:
    assert {type(event).__name__ for event in log.events} == set(EVENT_TYPES)
    assert log.clean.verdict is Verdict.PROVED


@pytest.mark.parametrize(("name", "path"), VALUES, ids=[f"{name}.{'.'.join(path)}" for name, path in VALUES])
def test_an_altered_value_is_found_and_its_event_named(log: Log, name: str, path: tuple[str, ...]) -> None:
    for number in sample(log.events, name):
        event = log.events[number]
        if path == ("to",) and last_link(log, number) and get(event, ("from_",)) != ZERO_ADDRESS:
            continue
        for value in others(get(event, path), addresses(log)):
            false = put(event, path, value)
            report = log.audit([*log.events[:number], false, *log.events[number + 1 :]])
            assert report.verdict is Verdict.MISMATCH, f"{event} with {value!r}"
            assert names(report, false), f"{event} with {value!r}: {[str(m) for m in report.mismatches[:3]]}"


def test_what_nothing_refers_to_is_all_that_can_be_altered_unseen(log: Log) -> None:
    """The holder of a settlement token after its last transfer; it is worth nothing, and ERC-721 fixes the event."""
    (number,) = (
        number
        for number, event in enumerate(log.events)
        if last_link(log, number) and get(event, ("from_",)) != ZERO_ADDRESS
    )
    false = put(log.events[number], ("to",), key("stranger").address)
    report = log.audit([*log.events[:number], false, *log.events[number + 1 :]])
    assert report.verdict is Verdict.PROVED
    assert money(report) == money(log.clean)


def test_an_event_of_another_contract_is_found(log: Log) -> None:
    for number, event in enumerate(log.events):
        false = replace(event, address=key("stranger").address)
        report = log.audit([*log.events[:number], false, *log.events[number + 1 :]])
        assert report.verdict is Verdict.MISMATCH, event


def test_a_missing_event_is_found_unless_no_figure_depends_on_it(log: Log) -> None:
    unseen = []
    for number, event in enumerate(log.events):
        report = log.audit([*log.events[:number], *log.events[number + 1 :]])
        if report.verdict is not Verdict.MISMATCH:
            unseen.append(type(event).__name__)
            assert money(report) == money(log.clean), event
    # the last word of the registry; a withdrawal that is followed by a new commitment, which reads as its replacement;
    # an opening in a void window that locked no more than the bond; the last transfer of a settlement token; a
    # commitment's energy given back, which its place in the ring gives back at the latest; a reading that a voucher
    # counted again before anything was paid for it
    harmless = {"RoleRevoked", "ParticipantRevoked", "CommitmentWithdrawn", "Revealed", "RightTransfer", "Refunded"}
    harmless.add("ReadingAccepted")
    assert set(unseen) <= harmless
    assert len(unseen) <= len(harmless)


def test_a_repeated_event_is_found(log: Log) -> None:
    for number, event in enumerate(log.events):
        report = log.audit([*log.events[: number + 1], event, *log.events[number + 1 :]])
        assert report.verdict is Verdict.MISMATCH, event
        assert names(report, event), event


def test_an_inserted_copy_is_found_unless_it_is_a_gift(log: Log) -> None:
    """Anybody can send tokens to the market: a transfer that no deposit answers is noted, and nobody's money."""
    for number, event in enumerate(log.events):
        end = max(place for place, other in enumerate(log.events) if other.block == event.block)
        copy = replace(event, index=log.events[end].index + 1)
        report = log.audit([*log.events[: end + 1], copy, *log.events[end + 1 :]])
        if report.verdict is not Verdict.MISMATCH:
            assert isinstance(event, TokenTransfer) and event.to == log.deployment.market, number
            assert report.totals.unclaimed == event.value
            assert len(report.notes) == 1


def test_events_out_of_order_are_found(log: Log) -> None:
    for number in range(len(log.events) - 1):
        first, second = log.events[number : number + 2]
        report = log.audit([*log.events[:number], second, first, *log.events[number + 2 :]])
        assert report.verdict is Verdict.MISMATCH, first


def test_two_exchanged_events_are_found_unless_no_figure_changes(log: Log) -> None:
    """The contents of two logs change places, as if the transactions had come in another order."""
    dice = random.Random(5)
    pairs = [(number, number + 1) for number in range(len(log.events) - 1)]
    pairs += [tuple(sorted(dice.sample(range(len(log.events)), 2))) for _ in range(150 if FULL else 50)]  # type: ignore[misc]
    found = 0
    for first, second in pairs:
        events = list(log.events)
        events[first], events[second] = moved(events[second], events[first]), moved(events[first], events[second])
        report = log.audit(events)
        found += report.verdict is Verdict.MISMATCH
        assert report.verdict is Verdict.MISMATCH or money(report) == money(log.clean), (first, second)
    assert found > 0.7 * len(pairs)


def moved(event: Event, place: Event) -> Event:
    """The event where another one stood."""
    return replace(event, block=place.block, index=place.index, time=place.time, transaction=place.transaction)
