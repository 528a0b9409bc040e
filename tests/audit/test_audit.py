"""The audit of days that were right: every figure agrees with the contracts, at every moment of the day."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from stowatt.audit import Subject, Verdict
from stowatt.audit.events import (
    ZERO_ADDRESS,
    Deposited,
    Event,
    MarketDeployed,
    Revealed,
    RoleGranted,
    RoleRevoked,
    TokenTransfer,
)
from stowatt.audit.replay import audit
from stowatt.chain.abi import contract
from stowatt.chain.client import ContractCall
from stowatt.rights import RightId
from tests.audit.conftest import Log
from tests.audit.day import CALENDAR, CHAIN_ID, NAMES, Day, key
from tests.audit.market import random_market, separate


def test_every_window_of_the_day_is_proved(log: Log) -> None:
    report = log.clean
    assert report.verdict is Verdict.PROVED
    assert not report.mismatches and not report.notes
    assert [(w.window, w.status) for w in report.windows] == [
        (0, "traded"), (1, "no trade"), (2, "void"), (3, "traded"), (4, "traded"), (16, "traded"),
    ]  # fmt: skip
    assert all(w.verdict is Verdict.PROVED and w.gap == 0 and w.held == 0 and w.checks > 0 for w in report.windows)


def test_totals_are_those_of_the_contracts(day: Day, log: Log) -> None:
    totals, anyone = log.clean.totals, day["admin"]
    balances = sum(anyone.balance(day.address(name)) for name in NAMES)
    assert totals.free == balances == anyone.token_balance(day.deployment.market)
    assert totals.held == totals.unclaimed == 0
    assert totals.deposited - totals.withdrawn == totals.free
    for window in log.clean.windows:
        result, money = anyone.result(window.window), anyone.money(window.window)
        assert (window.volume, window.price or 0) == (result.volume, result.tick)
        assert (window.paid, money.pool, money.escrow) == (money.paid, 0, 0)


def test_the_day_is_right_at_every_moment(log: Log) -> None:
    """Cut anywhere between two transactions, the log has no mismatch, and says what is still to come."""
    events = log.events
    first = next(number for number, event in enumerate(events) if isinstance(event, MarketDeployed)) + 1
    still: set[str] = set()
    for cut in range(first, len(events)):
        if events[cut].transaction != events[cut - 1].transaction:
            report = log.audit(events[:cut])
            assert report.verdict is not Verdict.MISMATCH, (cut, report.mismatches[:2])
            still |= {missing.lstrip("0123456789 ") for window in report.windows for missing in window.missing}
    assert still == {
        "commitments are still taken", "of 7 commitments are not opened", "it is to be cleared",
        "of 4 commitments are not opened", "bids are to be claimed", "sellers' rights are to be settled",
        "buyers' rights are to be settled", "buyers' rights are not paid", "bids are to be refunded",
    } | (still & {"it lapsed and is to be voided", "of 2 commitments are not opened",
                  "of 3 commitments are not opened"})  # fmt: skip


def test_a_gift_is_noted_and_no_mismatch(tmp_path: Path) -> None:
    """Anybody can send tokens to the market, or withdraw to it: nobody can spoil an audit with that."""
    day = Day.start(tmp_path / "ledger", names=("admin", "issuer", "treasury"), open_mode=True)
    admin = day["admin"]
    admin.execute(admin.calls.mint(admin.address, 1000))
    admin.deposit(600)
    token, market = day.deployment.token, day.deployment.market
    admin.execute(ContractCall(token, contract("CommunityToken").call("transfer", market, 50), "transfer"))
    admin.execute(admin.calls.withdraw(market, 7))
    events = list(dict.fromkeys(day.events()))
    report = audit(events, Subject(CHAIN_ID, market, CALENDAR))
    assert report.verdict is Verdict.PROVED
    assert (report.totals.unclaimed, report.totals.free) == (57, 593)
    assert admin.token_balance(market) == 650
    assert [note.split(" base")[0].split(" sent ")[1] for note in report.notes] == ["50"]
    day.ledger.close()


def test_the_speed_is_that_of_reading(tmp_path: Path) -> None:
    """Three windows of 24 bids: far less than a millisecond for each event but openings and readings."""
    calendar = separate(CALENDAR)
    day = random_market(tmp_path / "ledger", calendar, windows=3, sellers=12, buyers=12, seed=9)
    events, subject = day.events(), Subject(CHAIN_ID, day.deployment.market)
    seen: list[tuple[int, int]] = []
    start = time.process_time()
    report = audit(events, subject, lambda done, all_: seen.append((done, all_)))
    assert time.process_time() - start < 5
    assert report.verdict is Verdict.PROVED
    assert seen[-1] == (len(events), len(events)) and len(seen) == 1 + -(-len(events) // 256)
    day.ledger.close()


def test_roles_that_mean_nothing_are_noted(log: Log) -> None:
    """An administrator can grant any role; no rule reads it."""
    grant = next(event for event in log.events if isinstance(event, RoleRevoked))
    number = log.events.index(grant)
    odd = RoleGranted(
        block=grant.block, index=grant.index + 1, time=grant.time, transaction=grant.transaction,
        address=grant.address, role=b"\7" * 32, account=ZERO_ADDRESS, sender=grant.sender,
    )  # fmt: skip
    report = log.audit([*log.events[: number + 1], odd, *log.events[number + 1 :]])
    assert report.verdict is Verdict.PROVED and len(report.notes) == 1
    market = log.deployment.market
    zero = next(event for event in log.events if isinstance(event, TokenTransfer) and event.to == market)
    report = log.audit([*log.events, replace(zero, block=10**6, value=0, time=log.events[-1].time)])
    assert report.verdict is Verdict.PROVED and not report.notes


def test_a_missing_deposit_reads_as_a_gift(log: Log) -> None:
    """The account then lacks the money that it spends, so the missing event shows."""
    number = next(number for number, event in enumerate(log.events) if isinstance(event, Deposited))
    report = log.audit([*log.events[:number], *log.events[number + 1 :]])
    assert report.verdict is Verdict.MISMATCH
    assert len(report.notes) == 1


def test_what_the_auditor_knows_is_compared(log: Log) -> None:
    d = log.deployment
    good = Subject(CHAIN_ID, d.market, CALENDAR, d.token, d.registry, d.rights, d.delivery)
    assert audit(log.events, good).verdict is Verdict.PROVED
    assert audit(log.events, replace(good, market=d.market.lower())).verdict is Verdict.PROVED
    for wrong, field in (
        (replace(good, calendar=replace(CALENDAR, tolerance=970_000)), "calendar.tolerance"),
        (replace(good, registry=d.token), "wiring.registry"),
    ):
        (mismatch,) = audit(log.events, wrong).mismatches
        assert mismatch.field == field and mismatch.place.event == "MarketDeployed"


def test_another_chain_opens_no_commitment(log: Log) -> None:
    report = audit(log.events, replace(log.subject, chain_id=1))
    found = {(mismatch.place.event, mismatch.rule) for mismatch in report.mismatches}
    evidence = ("ReadingAccepted", "VoucherRedeemed", "SealedOpened")
    assert found == {("Revealed", "§5 (7)"), *((kind, "§6 T23") for kind in evidence)}
    assert len(report.mismatches) == sum(type(e).__name__ in ("Revealed", *evidence) for e in log.events)


def test_without_its_first_event_a_market_cannot_be_audited(log: Log) -> None:
    assert audit([], log.subject).verdict is Verdict.MISMATCH
    report = log.audit([event for event in log.events if not isinstance(event, MarketDeployed)])
    assert report.verdict is Verdict.MISMATCH and "MarketDeployed" in report.notes[0]


def test_a_mismatch_says_all_that_is_needed_to_look(log: Log) -> None:
    number = next(number for number, event in enumerate(log.events) if isinstance(event, Revealed))
    event = log.events[number]
    assert isinstance(event, Revealed)
    report = log.audit([*log.events[:number], replace(event, blinder=event.blinder + 1), *log.events[number + 1 :]])
    first = report.mismatches[0]
    assert str(first).startswith(
        f"block {event.block}, log {event.index}, Revealed.blinder, bid: found {event.blinder + 1}"
    )
    assert first.rule == "§5 (7)" and first.related[0].event == "Committed" and first.window == 0
    by_window = {window.window: window.verdict for window in report.windows}
    assert by_window.pop(0) is Verdict.MISMATCH and set(by_window.values()) == {Verdict.PROVED}
    rows = report.to_json()
    assert rows["verdict"] == "mismatch" and rows["mismatches"][0]["text"] == str(first)


@pytest.mark.parametrize("price_rule", [0, 1, 2])
@pytest.mark.parametrize("rationing", [0, 1])
def test_random_markets_are_proved(tmp_path: Path, price_rule: int, rationing: int) -> None:
    """Heavy ties in an open market, by every rule; contract and audit agree on every figure."""
    calendar = separate(replace(CALENDAR, price_rule=price_rule, rationing=rationing))
    day = random_market(tmp_path / "ledger", calendar, windows=4, sellers=5, buyers=6, seed=price_rule * 2 + rationing)
    report = audit(day.events(), Subject(CHAIN_ID, day.deployment.market, calendar))
    assert report.verdict is Verdict.PROVED, report.mismatches[:3]
    assert report.totals.volume > 0
    day.ledger.close()


def test_a_transfer_of_an_unknown_token_is_ignored_only_if_it_is_not_the_markets(log: Log) -> None:
    """The log of the token holds others' transfers too, if the reader does not filter them."""
    first = next(event for event in log.events if isinstance(event, TokenTransfer))
    stranger = replace(first, from_=key("stranger").address, to=key("friend").address, index=first.index - 1)
    number = log.events.index(first)
    report = log.audit([*log.events[:number], stranger, *log.events[number:]])
    assert report.verdict is Verdict.PROVED


def test_right_ids_name_the_window(log: Log) -> None:
    """A mismatch of a right concerns its window."""
    event = next(e for e in log.events if type(e).__name__ == "Drawn")
    number = log.events.index(event)
    false: Event = replace(event, amount=event.amount + 1)  # type: ignore[attr-defined, call-arg]
    report = log.audit([*log.events[:number], false, *log.events[number + 1 :]])
    assert report.mismatches[0].window == RightId.decode(event.right_id).window  # type: ignore[attr-defined]
    assert report.of_window(0) == report.mismatches
