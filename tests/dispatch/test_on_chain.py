"""Strategy, schedules and contracts together: what is offered is accepted, what is scheduled fulfils the right."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stowatt.audit.events import Claimed, Event, Revealed
from stowatt.audit.records import write_events
from stowatt.chain.client import Claim, Commitment, Refusal
from stowatt.cli import app
from stowatt.curves import Side
from stowatt.dispatch import Storage, build, cleared_market
from stowatt.metering import Reading, sign_reading
from stowatt.rights import RightId
from stowatt.simulation.portfolio import plan, slots_of
from stowatt.units import PPM, Wh
from tests.chain.backends import ALICE, BOB, embedded
from tests.chain.evening import METER, Evening

BATTERY = Storage(5_000, 5_000, 5_000, 950_000, 950_000, 5_000)
"""The device that `Evening` registers, full."""


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    with embedded(tmp_path) as backend:
        yield Evening.begin(backend.ledger, backend.clock, ALICE, BOB)


def test_the_market_takes_what_the_strategy_offers_and_not_more(evening: Evening) -> None:
    seller = evening.seller
    seller.execute(seller.calls.open_windows(0, 8))
    slots = slots_of(0, seller.calendar.origin, 900, [0] * 7)
    offers = plan(BATTERY, slots, range(7), contract_ppm=950_000)
    for offer in offers:
        sealed = evening.opening(seller, offer.window, Side.SELL, (1_000, offer.wh))
        assert sealed.terms.units == offer.units
        point = sealed.context.commit(sealed.curve.encode(), sealed.blinder)
        seller.execute(seller.calls.commit(Commitment(offer.window, offer.units, point)))
    known = seller.admission(seller.address)
    assert known.promised == sum(offer.units for offer in offers) <= known.capacity == 256
    with pytest.raises(Refusal, match=r"energy|oversold|promise"):
        evening.commit(seller, 7, Side.SELL, (1_000, 1_250))
    again = plan(BATTERY, slots_of(7, slots[-1].start + 900, 900, [0]), [7], promised=known.promised)
    assert again[0].units <= known.free


def trade_twice(evening: Evening) -> None:
    """Windows 0 and 1 from one battery; the buyer cannot pay the second."""
    seller, buyer = evening.seller, evening.buyer
    seller.execute(seller.calls.open_windows(0, 2))
    for window in (0, 1):
        openings = [
            evening.commit(seller, window, Side.SELL, (4_000, 777)),
            evening.commit(buyer, window, Side.BUY, (4_090, 777)),
        ]
        evening.go_to(window, "commit")
        opened = seller.execute(seller.calls.reveal_many(openings)).of(Revealed)
        seller.execute(seller.calls.clear(window))
        if window == 1:
            buyer.execute(buyer.calls.withdraw(buyer.address, buyer.balance(buyer.address)))
        for event in opened:
            terms = seller.terms(window, event.participant)
            seller.execute(seller.calls.claim(Claim(window, event.participant, terms, event.bid)))
    evening.go_to(1, "payment")


@pytest.mark.parametrize("short", [0, 1])
def test_the_schedule_fulfils_the_right(evening: Evening, short: int) -> None:
    """What is planned at the meter is the least that is enough: a Wh less is not."""
    seller = evening.seller
    trade_twice(evening)
    dispatch = build(cleared_market(seller.events()), at=evening.ledger.time())
    (battery,) = dispatch.batteries
    assert [(row.sold_wh, row.due_wh, row.deliver_wh) for row in battery.rows] == [(777, 777, 739), (777, 0, 0)]
    assert battery.feasible and battery.device == evening.device
    right = RightId(seller.address, 0, Side.SELL).encode()
    evening.go_to(0, "end")
    share, odd = divmod(battery.rows[0].deliver_wh, 3)
    for slot, energy in enumerate((share, share, share + odd - short)):
        reading = Reading(evening.device, 0, slot, Wh(energy), slot + 1)
        seller.execute(seller.calls.submit(sign_reading(seller.readings_domain, reading, METER)))
    assert (seller.fulfilment(right) == PPM) == (not short)
    evening.go_to(1, "end")
    assert seller.fulfilment(RightId(seller.address, 1, Side.SELL).encode()) == PPM, "nothing was due"


def dispatched(
    evening: Evening,
    events: list[Event],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, str, str]:
    """Status, stdout and stderr of `stowatt dispatch` with the market's file."""
    monkeypatch.chdir(folder)
    write_events(Path("events.jsonl"), events)
    evening.deployment.save(Path("market.json"))
    monkeypatch.setattr("sys.argv", ["stowatt", "dispatch", "events.jsonl", "--market", "market.json", "--out", "plan"])
    with pytest.raises(SystemExit) as end:
        app.main()
    out, err = capsys.readouterr()
    return (end.value.code if isinstance(end.value.code, int) else 0), out, err


def test_the_command_audits_first(
    evening: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trade_twice(evening)
    status, out, err = dispatched(evening, evening.seller.events(), tmp_path, monkeypatch, capsys)
    assert (status, err) == (0, "")
    assert "taken as they are" not in out and Path("plan/dispatch.json").exists()


def test_events_that_do_not_follow_are_not_scheduled(
    evening: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trade_twice(evening)
    events = [
        replace(event, quantity=776) if isinstance(event, Claimed) and event.window == 1 else event
        for event in evening.seller.events()
    ]
    status, _, err = dispatched(evening, events, tmp_path, monkeypatch, capsys)
    assert status == 1 and "do not follow from the rules" in err and err.count("\n") == 1
    assert not Path("plan").exists()
