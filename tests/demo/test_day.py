"""What a demo leaves behind: every trouble's end by the chain's events, the audit, the report, the JSON."""

import json
import re
import stat

import pytest

from stowatt.audit import Subject
from stowatt.audit.events import (
    BuyerSettled,
    Claimed,
    Cleared,
    Committed,
    Defaulted,
    DeviceRegistered,
    Drawn,
    Event,
    ReadingAccepted,
    ReliabilityChanged,
    Revealed,
    RightTransfer,
    SealedOpened,
    SellerSettled,
    Split,
    VoucherRedeemed,
)
from stowatt.audit.replay import audit
from stowatt.chain.abi import errors_by_selector
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.commitments import Terms
from stowatt.metering.sealed import verify_opening
from stowatt.openings import OpeningStore
from stowatt.rights import RightId
from tests.demo import process
from tests.demo.conftest import WINDOWS, SmallDay

BOND = 50_000
EVIDENCE = {"readings": ReadingAccepted, "vouchers": VoucherRedeemed, "sealed": SealedOpened}


def silent(day: SmallDay, window: int) -> set[str]:
    """Accounts whose commitment was never opened."""
    return {e.participant for e in day.of(Committed, window)} - {e.participant for e in day.of(Revealed, window)}


def side(day: SmallDay, window: int, account: str) -> int:
    return next(Terms.decode(e.terms).side for e in day.of(Committed, window) if e.participant == account)


def account_of(day: SmallDay, home: str) -> str:
    """A home's account, by the order of admission: sellers first, then buyers, as the flows list them."""
    names = [flow["participant"] for flow in day.document["flows"]]
    registered = [e.account for e in day.events if type(e).__name__ == "ParticipantRegistered"]
    return registered[names.index(home)]


def reverted(day: SmallDay, transaction: str, error: str) -> None:
    """A transaction that was mined, failed with that error, and left no event."""
    with EmbeddedLedger.open(day.folder / "ledger") as ledger:
        receipt = ledger.receipt(bytes.fromhex(transaction[2:]))
    assert receipt is not None and receipt.status == 0 and not receipt.logs
    assert errors_by_selector()[receipt.revert_data[:4]].name == error


def test_every_kind_of_trouble_happened(small_day: SmallDay) -> None:
    assert [trouble["kind"] for trouble in small_day.document["troubles"]] and not small_day.document[
        "troubles_without_a_place"
    ]
    assert len(small_day.document["troubles"]) == 6
    for trouble in small_day.document["troubles"]:
        assert trouble["home"] in trouble["sentence"] and trouble["sentence"].endswith(".")


def test_who_never_reveals_loses_the_bond_to_the_other_side(small_day: SmallDay) -> None:
    """§5."""
    trouble = small_day.trouble("never reveals")
    window, account = trouble["window"], account_of(small_day, trouble["home"])
    assert account in silent(small_day, window)
    mine = side(small_day, window, account)
    same = sum(side(small_day, window, other) == mine for other in silent(small_day, window))
    shares = [e.bond_share for e in small_day.of(Claimed, window) if side(small_day, window, e.participant) != mine]
    assert sum(shares) <= same * BOND < sum(shares) + len(shares)
    assert not [e for e in small_day.of(Claimed, window) if e.participant == account]


def test_a_wrong_opening_is_refused_and_counts_as_unopened(small_day: SmallDay) -> None:
    """§5 (7)."""
    trouble = small_day.trouble("wrong opening")
    reverted(small_day, trouble["facts"]["transaction"], "OpeningRefused")
    assert trouble["facts"]["reason"] == "OpeningMismatch"
    assert account_of(small_day, trouble["home"]) in silent(small_day, trouble["window"])


def test_who_does_not_pay_is_in_default(small_day: SmallDay) -> None:
    """§6: the right is void, the deposit goes to the sellers, who owe less."""
    trouble = small_day.trouble("does not pay")
    window, account = trouble["window"], account_of(small_day, trouble["home"])
    (claimed,) = [e for e in small_day.of(Claimed, window) if e.participant == account]
    (default,) = small_day.of(Defaulted, window)
    assert claimed.payment == 0 and default.participant == account
    assert (default.quantity, default.deposit) == (claimed.quantity, claimed.deposit)
    settled = [e for e in small_day.of(SellerSettled) if RightId.decode(e.right_id).window == window]
    shares = sum(e.forfeit_share for e in settled)
    assert shares <= default.deposit < shares + len(settled)
    volume = small_day.of(Cleared, window)[0].outcome.volume
    assert small_day.document["windows"][window]["paid_wh"] == volume - default.quantity


def test_a_failing_battery_earns_and_keeps_what_it_delivered(small_day: SmallDay) -> None:
    """§6 (26), (30): ρ < 1, a part of the deposit is forfeited, buyers are compensated."""
    trouble = small_day.trouble("battery fails")
    window, account = trouble["window"], account_of(small_day, trouble["home"])
    deposit = next(e.deposit for e in small_day.of(Claimed, window) if e.participant == account)
    rights = [(RightId.decode(e.right_id), e) for e in small_day.of(SellerSettled)]
    settled = [e for right, e in rights if (right.window, right.participant) == (window, account)]
    assert all(0 < e.fulfilment < 400_000 for e in settled)
    assert 0 < sum(e.released for e in settled) < deposit * 4 // 10
    bought = [e for e in small_day.of(BuyerSettled) if RightId.decode(e.right_id).window == window]
    assert sum(e.compensation for e in bought) == trouble["facts"]["compensation"] > 0


def test_a_replayed_reading_is_refused(small_day: SmallDay) -> None:
    """§6, T23."""
    trouble = small_day.trouble("replayed reading")
    reverted(small_day, trouble["facts"]["transaction"], "ReadingRefused")
    counters = [(e.device, e.counter) for e in small_day.of(ReadingAccepted)]
    assert len(counters) == len(set(counters)) > 0
    assert trouble["facts"]["times_counted"] == 1


def test_who_buys_a_right_receives_its_payments(small_day: SmallDay) -> None:
    """§6 (25)."""
    trouble = small_day.trouble("right sold on")
    seller, other = (account_of(small_day, trouble[key]) for key in ("home", "other"))
    (split,) = small_day.of(Split)
    handed = [e for e in small_day.of(RightTransfer) if e.token_id == split.new_right_id and e.from_ == seller]
    assert [e.to for e in handed] == [other]
    drawn = [e for e in small_day.of(Drawn) if e.right_id == split.new_right_id]
    (settled,) = [e for e in small_day.of(SellerSettled) if e.right_id == split.new_right_id]
    assert {e.holder for e in drawn} | {settled.holder} == {other}
    received = sum(e.amount for e in drawn) + settled.payment + settled.forfeit_share
    assert received == trouble["facts"]["holder_received"] > 0


def test_each_kind_of_evidence_pays_who_delivered(small_day: SmallDay) -> None:
    """§6: readings in most windows, vouchers in one, sealed sums in one; whoever delivered has ρ = 1 in each."""
    found = [window["evidence"] for window in small_day.document["windows"]]
    assert sorted(found) == ["readings"] * (WINDOWS - 2) + ["sealed", "vouchers"]
    for window, evidence in enumerate(found):
        proved = {name for name, kind in EVIDENCE.items() if small_day.of(kind, window)}
        assert proved == {evidence}
        settled = [e for e in small_day.of(SellerSettled) if RightId.decode(e.right_id).window == window]
        assert settled and max(e.fulfilment for e in settled) == 1_000_000
        assert sum(e.amount for e in small_day.of(Drawn) if RightId.decode(e.right_id).window == window) > 0


def test_a_private_window_shows_sums_and_nothing_else(small_day: SmallDay) -> None:
    """§5, §6: three sealed sub-slots for each meter, all different, which add up to what was opened."""
    opened = small_day.of(SealedOpened)
    points = [e.points[at : at + 64] for e in opened for at in range(0, len(e.points), 64)]
    assert len(points) == len(set(points)) == 3 * len(opened)
    assert all(verify_opening(e.points, e.energy, e.blinder) for e in opened)
    secrets = sorted((small_day.folder / "private" / "meters").glob("*.sealed"))
    assert len(secrets) == len(opened) and all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in secrets)


def test_deposits_follow_the_record(small_day: SmallDay) -> None:
    """§6: all sellers begin at the highest α; who delivered commits to the next hour with a lower one."""
    terms = {(e.participant, e.window): Terms.decode(e.terms) for e in small_day.of(Committed) if e.terms}
    assert {t.alpha for (_, window), t in terms.items() if window < 4} == {200_000}
    later = {account: t.alpha for (account, window), t in terms.items() if window >= 4}
    known = {e.account for e in small_day.of(ReliabilityChanged, None) if e.reliability}
    assert known and any(later[account] < 200_000 for account in known & later.keys())
    assert all(100_000 <= alpha <= 200_000 for alpha in later.values())


def test_no_battery_is_oversold(small_day: SmallDay) -> None:
    """§2: what a battery promises over the evening is within its energy."""
    registered = {e.device: e for e in small_day.events if isinstance(e, DeviceRegistered)}
    offers: dict[int, int] = {}
    for event in small_day.of(Committed):
        terms = Terms.decode(event.terms)
        if terms.units:
            offers[terms.device] = offers.get(terms.device, 0) + terms.limit_wh * terms.units
    assert offers
    for device, offered in offers.items():
        assert offered <= 64 * registered[device].certificate.usable_wh


def test_the_audit_of_the_events_alone_proves_the_day(small_day: SmallDay) -> None:
    document = small_day.document
    again = audit(small_day.events, Subject(document["chain_id"], document["market"]))
    assert again.verdict == "proved" and len(again.windows) == WINDOWS
    assert document["audit"]["verdict"] == "proved" and not document["audit"]["mismatches"]
    assert not document["engine_differences"] and all(window["engine_agrees"] for window in document["windows"])


@pytest.mark.parametrize("source", [("--events", "events.jsonl"), ("--ledger", "ledger")])
def test_the_audit_command_takes_what_the_demo_wrote(small_day: SmallDay, source: tuple[str, str]) -> None:
    done = process.stowatt("audit", "--market", "market.json", *source, "--json", cwd=small_day.folder)
    assert done.returncode == 0, done.stderr
    report, ours = json.loads(done.stdout), small_day.document["audit"]
    assert report["verdict"] == "proved" and report["windows"] == ours["windows"]
    # from a file alone the audit has no calendar to compare with
    assert {**report["totals"], "checks": 0} == {**ours["totals"], "checks": 0}


def test_no_money_appears_or_vanishes_and_all_of_it_gets_out(small_day: SmallDay) -> None:
    money = small_day.document["money"]
    assert money["conserved"] and money["deposited"] == money["withdrawn"] > 0
    assert money["free"] == money["held"] == money["tokens"] == 0
    assert sum(flow["net"] for flow in small_day.document["flows"]) == small_day.document["totals"]["balance"] == 0


def test_everything_happens_in_the_order_of_the_ledgers_clock(small_day: SmallDay) -> None:
    times = [event.time for event in small_day.events]
    assert times == sorted(times)
    origin = small_day.document["calendar"]["origin"]
    for window in range(WINDOWS):
        start = origin + 900 * window
        assert all(e.time < start - 900 for e in small_day.of(Committed, window))
        assert all(start - 900 <= e.time < start - 600 for e in small_day.of(Revealed, window))
        for e in small_day.of(ReadingAccepted, window):
            assert start + 300 * (e.sub_slot + 1) <= e.time < start + 1200


def test_every_opening_was_stored_privately(small_day: SmallDay) -> None:
    private = small_day.folder / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((private / "openings.sqlite3").stat().st_mode) == 0o600
    with OpeningStore(private / "openings.sqlite3") as store:
        assert all(store.of_commitment(event.commitment) for event in small_day.of(Committed))


def test_no_key_is_written(small_day: SmallDay) -> None:
    files = {path.relative_to(small_day.folder).parts[0] for path in small_day.folder.rglob("*") if path.is_file()}
    assert files == {"ledger", "private", "market.json", "report.html", "day.json", "events.jsonl"}


FIELDS = {
    "format": str, "community": str, "source": str, "day": str, "chain_id": int, "market": str, "currency": dict,
    "calendar": dict, "sellers": int, "buyers": int, "bids": int, "physics": list, "windows": list, "troubles": list,
    "troubles_without_a_place": list, "totals": dict, "money": dict, "flows": list, "gas": list, "audit": dict,
    "engine_differences": list, "seconds": dict, "files": dict,
}  # fmt: skip
WINDOW_FIELDS = {
    "window": int, "start": str, "end": str, "price_tick": int | None, "price_interval_ticks": list, "volume_wh": int,
    "welfare": int, "committed": int, "opened": int, "paid_wh": int, "metered_wh": int, "gas": int,
    "evidence": str, "engine_agrees": bool, "audit": str, "checks": int,
}  # fmt: skip


def test_the_json_has_its_documented_form(small_day: SmallDay) -> None:
    document = small_day.document
    assert document == json.loads((small_day.folder / "day.json").read_text(encoding="utf-8"))
    assert document.keys() == FIELDS.keys() and document["format"] == "stowatt demo day 1"
    assert all(isinstance(document[name], kind) for name, kind in FIELDS.items())
    for window in document["windows"]:
        assert window.keys() == WINDOW_FIELDS.keys()
        assert all(isinstance(window[name], kind) for name, kind in WINDOW_FIELDS.items())
        assert window["audit"] == "proved" and window["volume_wh"] > 0 and window["checks"] > 0
    assert sum(window["committed"] for window in document["windows"]) == document["bids"]


def test_the_figures_are_those_of_the_events(small_day: SmallDay) -> None:
    for window in small_day.document["windows"]:
        outcome = small_day.of(Cleared, window["window"])[0].outcome
        assert (window["price_tick"], window["volume_wh"]) == (outcome.tick, outcome.volume)
        assert window["opened"] == len(small_day.of(Revealed, window["window"]))
        kind = EVIDENCE[window["evidence"]]
        assert window["metered_wh"] == sum(e.energy for e in small_day.of(kind, window["window"])) > 0
    received = sum(e.amount for e in small_day.of(Drawn)) + sum(e.payment for e in small_day.of(SellerSettled))
    resold = small_day.trouble("right sold on")["facts"]["price"]
    assert sum(flow["received"] for flow in small_day.document["flows"]) == received + resold


def test_the_report_is_one_page_that_needs_no_network(small_day: SmallDay) -> None:
    page = (small_day.folder / "report.html").read_text(encoding="utf-8")
    assert "The audit agrees" in page and page.count("<article") == WINDOWS
    assert not re.search(r'(src|href)="(?!#|data:)', page) and "<script" not in page
    for trouble in small_day.document["troubles"]:
        assert trouble["sentence"].split(":")[0].replace("'", "&#39;") in page
    assert {type(event).__name__ for event in small_day.events} >= {"Cleared", "SellerSettled", "BuyerSettled"}
    assert all(isinstance(event, Event) for event in small_day.events)
