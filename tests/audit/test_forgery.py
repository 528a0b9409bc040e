"""A liar who keeps his books: values altered together with every digest that they enter. The rules still find him."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stowatt.audit import AuditReport
from stowatt.audit.events import (
    Committed,
    DeviceRegistered,
    Event,
    MeterKeySet,
    ParticipantRegistered,
    ReadingAccepted,
    ReliabilityChanged,
    Revealed,
    RoleGranted,
    SealedOpened,
    VoucherRedeemed,
    WindowOpened,
)
from stowatt.audit.registry import ADMIN_ROLE
from stowatt.bn254 import N
from stowatt.commitments import Terms
from tests.audit.conftest import Log
from tests.audit.day import CALENDAR, key
from tests.audit.tampering import put


def repaired(log: Log, events: list[Event]) -> tuple[list[Event], AuditReport]:
    """The events with every digest redone, as far as a liar can: those of the registry, of windows, of the market."""
    for _ in range(len(events)):
        report = log.audit(events)
        wrong = next((m for m in report.mismatches if m.field.endswith("digest")), None)
        if wrong is None:
            return events, report
        for number, event in enumerate(events):
            if (event.block, event.index) == (wrong.place.block, wrong.place.index):
                old: Any = wrong.expected
                value = bytes.fromhex(old[2:]) if old.startswith("0x") else int(old)
                events[number] = put(event, wrong.field.split("."), value)
    raise AssertionError("the digests cannot be repaired")


def forged(log: Log, alter: Callable[[Event], Event]) -> AuditReport:
    """The report on a log in which every event was passed through `alter`, and all digests fit."""
    return repaired(log, [alter(event) for event in log.events])[1]


def first_commit(log: Log, name: str) -> Committed:
    """The first commitment of somebody."""
    account = key(name).address
    return next(e for e in log.events if isinstance(e, Committed) and e.participant == account)


@pytest.mark.parametrize("change", [{"roles": 2}, {"expiry": CALENDAR.origin - 20_000}])
def test_who_was_not_admitted_cannot_have_committed(log: Log, change: dict[str, int]) -> None:
    """§2: a seller without the role, or with a credential that expired."""
    account = key("s1").address

    def alter(event: Event) -> Event:
        if isinstance(event, ParticipantRegistered) and event.account == account:
            return replace(event, **change)
        return event

    report = forged(log, alter)
    assert {m.place.event for m in report.mismatches} == {"Committed"}
    assert all(m.found == account and m.rule == "§2" for m in report.mismatches)
    commitments = [e for e in log.events if isinstance(e, Committed) and e.participant == account]
    assert len(report.mismatches) == len(commitments)


def test_a_reading_counts_only_while_its_key_is_valid(log: Log) -> None:
    """T23: a key whose validity ended before the sub-slot's end."""
    meter, end = key("meter s1").address, CALENDAR.origin + 300

    def alter(event: Event) -> Event:
        if isinstance(event, MeterKeySet) and event.key == meter:
            return replace(event, valid_to=end)
        if isinstance(event, DeviceRegistered) and event.certificate.meter_key == meter:
            return replace(event, certificate=replace(event.certificate, valid_to=end))
        return event

    report = forged(log, alter)
    readings = [
        e
        for e in log.events
        if isinstance(e, ReadingAccepted | VoucherRedeemed | SealedOpened)
        and e.device == 1
        and (e.window, getattr(e, "sub_slot", 0)) > (0, 0)
    ]
    assert [(m.place.block, m.place.index) for m in report.mismatches] == [(e.block, e.index) for e in readings]
    assert {m.field for m in report.mismatches} == {"signature"}


def test_a_device_cannot_be_certified_beyond_its_parameters(log: Log) -> None:
    """§2 (1): the limit follows from energy and power, and commitments bind it."""

    def alter(event: Event) -> Event:
        return replace(event, limit_wh=10**6) if isinstance(event, DeviceRegistered) else event

    report = forged(log, alter)
    assert {(m.place.event, m.field, m.rule) for m in report.mismatches} == {("DeviceRegistered", "limit_wh", "§2 (1)")}


def test_more_power_than_certified_is_not_delivered(log: Log) -> None:
    """§6 (1): with a weaker device the metered energy is implausible, and its offers beyond its limit."""

    def alter(event: Event) -> Event:
        if isinstance(event, DeviceRegistered):
            return replace(event, certificate=replace(event.certificate, export_w=2000))
        return event

    rules = {(m.place.event, m.rule) for m in forged(log, alter).mismatches}
    assert {("ReadingAccepted", "§6 (1)"), ("DeviceRegistered", "§2 (1)")} <= rules


def test_a_window_opens_one_ring_ahead_at_most(log: Log) -> None:
    """T17: the last window, opened with the first ones."""
    opened = [event for event in log.events if isinstance(event, WindowOpened)]
    late = opened[-1]
    events = [event for event in log.events if event is not late]
    number = events.index(opened[-2]) + 1
    early = replace(opened[-2], window=late.window, index=opened[-2].index + 1)
    report = log.audit([*events[:number], early, *events[number:]])
    assert {(m.field, m.rule) for m in report.mismatches} == {("time", "§5"), ("", "§5 T17")}


def test_deadlines_are_those_of_the_calendar(log: Log) -> None:
    """T9: the same day under another calendar, whose digest fits: the steps come too early or too late."""
    for change, event_type in (
        ({"commit_lead": CALENDAR.commit_lead + 6500}, "Committed"),
        ({"reveal_lead": CALENDAR.commit_lead - 1}, "Revealed"),
        ({"payment_lead": 1799, "void_delay": 1}, "Cleared"),
        ({"reading_grace": 700}, "SellerSettled"),
        ({"reading_grace": 0}, "ReadingAccepted"),
    ):

        def alter(event: Event, change: dict[str, int] = change) -> Event:
            calendar = getattr(event, "calendar", None)
            return event if calendar is None else put(event, ["calendar"], replace(calendar, **change))

        report = forged(log, alter)
        assert event_type in {m.place.event for m in report.mismatches}, (change, report.mismatches[:3])


def test_only_an_administrator_appoints(log: Log) -> None:
    """§2: a role given by somebody else."""

    def alter(event: Event) -> Event:
        if isinstance(event, RoleGranted) and event.role != ADMIN_ROLE:
            return replace(event, sender=key("stranger").address)
        return event

    report = forged(log, alter)
    assert {(m.place.event, m.field) for m in report.mismatches} == {("RoleGranted", "sender")}


def test_a_replaced_commitment_was_still_made(log: Log) -> None:
    """The day's first commitment was replaced later; as a buyer's in the seller's place it breaks the digest only."""
    first = first_commit(log, "b1")
    report = log.audit([replace(e, commitment=5) if e is first else e for e in log.events])  # type: ignore[call-arg]
    (mismatch,) = report.mismatches
    assert mismatch.field == "outcome.digest"
    assert (first.block, first.index) in {(place.block, place.index) for place in mismatch.related}


def kinds(report: AuditReport) -> set[tuple[str, str, str]]:
    """What was found: event, field, rule."""
    return {(m.place.event, m.field, m.rule) for m in report.mismatches}


def test_t42_no_battery_promises_more_than_it_has(log: Log) -> None:
    """§2: with a smaller battery of the same Q_max, the commitments are one too many."""

    def alter(event: Event) -> Event:
        if isinstance(event, DeviceRegistered) and event.device == 1:
            return replace(event, certificate=replace(event.certificate, usable_wh=2100))
        return event

    report = forged(log, alter)
    assert kinds(report) == {("DeviceRegistered", "fingerprint", "§2 (1)"), ("Committed", "terms.units", "§2 T42")}
    assert all(place.event == "DeviceRegistered" for m in report.mismatches[1:] for place in m.related)


@pytest.mark.parametrize(
    ("name", "value", "rule"), [("device", 2, "§2"), ("limit_wh", 1999, "§2 (1)"), ("alpha", 199_999, "§6 (23)")]
)
def test_terms_are_those_of_the_registry_and_the_record(log: Log, name: str, value: int, rule: str) -> None:
    """§2, §6: device, Q_max and α_S of a commitment follow from other events."""
    first = first_commit(log, "s1")
    false = replace(first, terms=replace(Terms.decode(first.terms), **{name: value}).encode())
    report = log.audit([false if event is first else event for event in log.events])
    (mismatch,) = report.mismatches
    assert (mismatch.place.event, mismatch.field, mismatch.rule) == ("Committed", f"terms.{name}", rule)


def test_units_are_bound_by_the_digest_and_bound_the_offer(log: Log) -> None:
    """Fewer units than the curve needs: the digest breaks, and with it repaired the opening is beyond its units."""
    first = first_commit(log, "s1")
    terms = Terms.decode(first.terms)
    false = replace(first, terms=replace(terms, units=terms.units - 1).encode())
    events: list[Event] = [false if event is first else event for event in log.events]
    assert kinds(log.audit(events)) == {("Revealed", "bid", "§2 (1)"), ("Cleared", "outcome.digest", "§5")}
    assert kinds(repaired(log, events)[1]) == {("Revealed", "bid", "§2 (1)")}
    revealed = next(e for e in log.events if isinstance(e, Revealed) and e.participant == first.participant)
    assert log.audit(events).mismatches[0].place.index == revealed.index


def test_reliability_follows_from_what_was_delivered(log: Log) -> None:
    """§6: every change is computed anew, and one that nothing explains is found."""
    changes = [event for event in log.events if isinstance(event, ReliabilityChanged)]
    assert len(changes) >= 3
    for change in changes:
        report = log.audit([replace(e, reliability=change.reliability + 1) if e is change else e for e in log.events])  # type: ignore[call-arg]
        assert kinds(report) == {("ReliabilityChanged", "reliability", "§6 (30)")}
        report = log.audit([event for event in log.events if event is not change])
        assert "it is not followed by ReliabilityChanged" in report.mismatches[0].message
    end = log.events[-1]
    extra = replace(changes[0], block=end.block + 1, time=end.time, transaction="0x" + "1" * 64)
    (mismatch,) = log.audit([*log.events, extra]).mismatches
    assert mismatch.message == "nothing explains this ReliabilityChanged"


def evidence(log: Log, kind: type[Event]) -> Any:
    """The day's one event of that kind."""
    (event,) = (event for event in log.events if isinstance(event, kind))
    return event


def first_found(log: Log, event: Event, **change: Any) -> tuple[str, str]:
    """Field and rule of the first mismatch at an altered event."""
    false = replace(event, **change)
    report = log.audit([false if other is event else other for other in log.events])
    first = next(m for m in report.mismatches if m.place.event == type(event).__name__)
    return first.field, first.rule


def test_t45_vouchers_are_signed_by_the_meter_and_in_time(log: Log) -> None:
    voucher = evidence(log, VoucherRedeemed)
    assert first_found(log, voucher, energy=voucher.energy + 1) == ("signature", "§6 T23")
    assert first_found(log, voucher, window=1) == ("time", "§6 T23")
    assert first_found(log, voucher, through=4) == ("through", "§6 T23")
    assert first_found(log, voucher, through=0) == ("through", "§6 T23")


def repeated(log: Log, event: Event, kind: type[Event]) -> set[tuple[str, str, str]]:
    """What is found when the event stands once more, in a transaction of its own, after the first of that kind."""
    number = next(number for number, other in enumerate(log.events) if isinstance(other, kind))
    place = log.events[number]
    copy = replace(event, block=place.block, index=place.index + 1, time=place.time, transaction="0x" + "2" * 64)
    return kinds(log.audit([*log.events[: number + 1], copy, *log.events[number + 1 :]]))


def test_t46_what_a_voucher_counted_counts_once(log: Log) -> None:
    voucher = evidence(log, VoucherRedeemed)
    assert ("VoucherRedeemed", "through", "§6 T45") in repeated(log, voucher, VoucherRedeemed)
    readings = [e for e in log.events if isinstance(e, ReadingAccepted) and e.device == voucher.device]
    found = repeated(log, replace(readings[-1], counter=99), VoucherRedeemed)
    assert ("ReadingAccepted", "sub_slot", "§6 T46") in found
    smaller = replace(voucher, energy=readings[0].energy)
    report = log.audit([smaller if event is voucher else event for event in log.events])
    assert ("VoucherRedeemed", "energy", "§6 T45") in kinds(report)


def test_t47_t48_sealed_sub_slots_add_up_to_what_was_opened(log: Log) -> None:
    opened = evidence(log, SealedOpened)
    assert first_found(log, opened, energy=opened.energy + 1) == ("energy, blinder", "§6 T48")
    assert first_found(log, opened, blinder=(opened.blinder + 1) % N) == ("energy, blinder", "§6 T48")
    swapped = opened.points[64:128] + opened.points[:64] + opened.points[128:]
    assert first_found(log, opened, points=swapped) == ("signature", "§6 T23")
    report = log.audit([replace(e, points=e.points[:64]) if e is opened else e for e in log.events])  # type: ignore[attr-defined, call-arg]
    assert report.mismatches[0].place.event == "SealedOpened"
