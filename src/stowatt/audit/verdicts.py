"""The end of an audit: what is still to come in each window, the verdicts, and the totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from stowatt.audit.clearing import status_word
from stowatt.audit.events import Event
from stowatt.audit.findings import Findings
from stowatt.audit.report import AuditReport, Totals, Verdict, WindowReport
from stowatt.audit.state import AuditWindow, State, Subject
from stowatt.calendar import Phase, Status, phase
from stowatt.curves import Side
from stowatt.settlement.records import BidState


def conclude(state: State, events: Sequence[Event]) -> AuditReport:
    """The report after the last event."""
    findings = state.findings
    wrong = {mismatch.window for mismatch in findings.mismatches}
    last = events[-1]
    windows = tuple(
        _window(window, wrong, last.time, findings.checks[number]) for number, window in sorted(state.windows.items())
    )
    return AuditReport(
        chain_id=state.subject.chain_id,
        market=state.subject.market,
        tick_size=state.calendar.tick_size,
        last_block=last.block,
        verdict=_overall(findings, windows),
        windows=windows,
        mismatches=tuple(sorted(findings.mismatches, key=lambda m: (m.place.block, m.place.index))),
        notes=tuple(findings.notes),
        totals=_totals(state, windows, len(events)),
    )


def nothing_audited(events: Sequence[Event], subject: Subject, findings: Findings) -> AuditReport:
    """The report when the events do not even tell the market's parameters."""
    totals = Totals(len(events), *([0] * 12))
    last = events[-1].block if events else 0
    mismatches = tuple(findings.mismatches)
    return AuditReport(
        subject.chain_id, subject.market, 0, last, Verdict.MISMATCH, (), mismatches, tuple(findings.notes), totals
    )


def _overall(findings: Findings, windows: Sequence[WindowReport]) -> Verdict:
    if findings.mismatches:
        return Verdict.MISMATCH
    return Verdict.OPEN if any(window.verdict is Verdict.OPEN for window in windows) else Verdict.PROVED


def _window(window: AuditWindow, wrong: set[int | None], now: int, checks: int) -> WindowReport:
    books, result = window.books, window.result
    missing = tuple(_missing(window, now))
    verdict = Verdict.OPEN if missing else Verdict.PROVED
    devices = {sealed.terms.device for sealed in window.sealed.values() if sealed.opening and sealed.side is Side.SELL}
    return WindowReport(
        window=window.number,
        verdict=Verdict.MISMATCH if window.number in wrong else verdict,
        status=status_word(books.status),
        price=books.price,
        volume=books.volume,
        welfare=result.welfare if result else 0,
        dual=result.dual if result else 0,
        commitments=len(window.sealed),
        opened=len(window.bids),
        claimed=window.claimed,
        paid=books.paid,
        metered=sum(books.metered.get(device, 0) for device in devices),
        payments=window.payments,
        earned=window.earned,
        compensation=window.compensation,
        held=books.held(),
        missing=missing,
        checks=checks,
    )


def _missing(window: AuditWindow, now: int) -> Iterator[str]:
    """What has to happen until the window is over."""
    books = window.books
    match books.status:
        case Status.OPEN:
            unopened = window.unopened(Side.SELL) + window.unopened(Side.BUY)
            waiting = phase(books.calendar, books.window, now, books.status)
            yield {
                Phase.COMMIT: "commitments are still taken",
                Phase.REVEAL: f"{unopened} of {len(window.sealed)} commitments are not opened",
                Phase.LAPSED: "it lapsed and is to be voided",
            }.get(waiting, "it is to be cleared")
        case Status.VOID:
            waiting_bids = sum(bid.state is not BidState.RESOLVED for bid in books.bids.values())
            if waiting_bids:
                yield f"{waiting_bids} bids are to be refunded"
        case _:
            unclaimed = sum(bid.state is BidState.OPENED for bid in books.bids.values())
            if unclaimed:
                yield f"{unclaimed} bids are to be claimed"
            yield from _open_rights(window)


def _open_rights(window: AuditWindow) -> Iterator[str]:
    kinds = Counter((right.side, right.paid) for right in window.books.rights.values())
    for (side, paid), count in sorted(kinds.items()):
        whose = "sellers" if side is Side.SELL else "buyers"
        yield f"{count} {whose}' rights are " + ("to be settled" if paid else "not paid")


def _totals(state: State, windows: Sequence[WindowReport], events: int) -> Totals:
    vault = state.vault
    return Totals(
        events=events,
        checks=state.findings.checks.total(),
        windows=len(windows),
        volume=sum(window.volume for window in windows),
        welfare=sum(window.welfare for window in windows),
        payments=sum(window.payments for window in windows),
        earned=sum(window.earned for window in windows),
        compensation=sum(window.compensation for window in windows),
        deposited=vault.deposited,
        withdrawn=vault.withdrawn,
        free=vault.total,
        held=state.held_total,
        unclaimed=vault.unclaimed,
    )
