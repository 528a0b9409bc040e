"""Posting: each sub-slot once, in order, in time; what the chain has passed is settled by what the chain says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from stowatt.agent.delivery import Energy, report
from stowatt.audit.events import ReadingAccepted
from stowatt.chain.client import MarketClient, Refusal, deploy
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.errors import ConnectionFailed
from stowatt.chain.outbox import Outbox
from stowatt.chain.sender import Sender
from stowatt.credentials import DeviceCertificate
from stowatt.errors import MeterError
from stowatt.gateway import Posted, QueueError, ReadingPoster, Row, SlotQueue, SlotRecord, State, post_due
from stowatt.metering import CounterFile, Voucher, sign_voucher
from stowatt.units import Wh
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS
from tests.chain.evening import METER, calendar


@dataclass
class Desk:
    """A market on an embedded ledger, a queue, and the device's own poster."""

    ledger: EmbeddedLedger
    client: MarketClient
    device: int
    queue: SlotQueue
    counter: CounterFile
    poster: ReadingPoster

    def seal(self, *energies: int, first: int = 0) -> None:
        """Records of 5 minutes each, one after the other."""
        self.queue.commit(
            [
                SlotRecord(position, position // 3, position % 3, Wh(energy), 300_000_000, ())
                for position, energy in enumerate(energies, start=first)
            ]
        )

    def go_to(self, sub_slots: int) -> None:
        """The chain's clock at the end of so many sub-slots."""
        self.ledger.set_time(self.client.calendar.origin + 300 * sub_slots)

    def post(self, **options: bool) -> Posted:
        return post_due(self.queue, self.poster, 300, **options)

    def states(self) -> list[str]:
        return [row.state.value for row in self.queue.rows()]

    def chain(self) -> list[tuple[int, int, int]]:
        events = self.client.events(ReadingAccepted)
        return [(e.window, e.sub_slot, e.energy) for e in events if isinstance(e, ReadingAccepted)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with EmbeddedLedger.create(tmp_path / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger:
        outbox = Outbox(tmp_path / "outbox.sqlite")
        sender = Sender(ledger, ALICE, outbox)
        client = MarketClient(ledger, deploy(sender, calendar(ledger), open_mode=True), sender, ALICE)
        terms = (5000, 5000, 5000, 950_000, 950_000, b"\x09" * 32, METER.address, 0, 2**40 - 1, 1)
        client.execute(client.calls.register_device(DeviceCertificate(ALICE.address, *terms)))
        device = client.admission(ALICE.address).device
        counter = CounterFile(tmp_path / "counter")
        with SlotQueue(tmp_path / "queue", "x") as queue:
            yield Desk(ledger, client, device, queue, counter, ReadingPoster(client, device, METER, counter))
        outbox.close()


def test_what_is_over_is_posted_once_and_what_is_not_waits(desk: Desk) -> None:
    desk.seal(10, 0, 417, 5)
    assert desk.post() == Posted()
    desk.go_to(3)
    assert desk.post() == Posted(accepted=3, due=3)
    assert desk.post() == Posted()
    assert desk.states() == ["accepted", "accepted", "accepted", "sealed"]
    desk.go_to(4)
    desk.post()
    assert desk.chain() == [(0, 0, 10), (0, 1, 0), (0, 2, 417), (1, 0, 5)]


def test_zeros_can_be_left_out(desk: Desk) -> None:
    desk.seal(0, 3, 0)
    desk.go_to(3)
    desk.post(skip_zero=True)
    assert desk.states() == ["unneeded", "accepted", "unneeded"]
    assert desk.chain() == [(0, 1, 3)]


def test_what_comes_too_late_is_given_up_and_the_rest_goes_on(desk: Desk) -> None:
    desk.seal(*range(1, 10))
    desk.go_to(3 + 2)  # ten minutes after the end of window 0: its readings close
    assert desk.post().expired == 3
    assert desk.states()[:6] == ["expired"] * 3 + ["accepted"] * 2 + ["sealed"]
    assert "closed" in desk.queue.rows()[0].reason


def test_a_crash_after_signing_sends_the_same_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.seal(1, 2)
    desk.go_to(2)

    def away(rows: Sequence[Row]) -> dict[int, str]:
        raise ConnectionFailed("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(desk.poster, "send", away)
        with pytest.raises(ConnectionFailed):
            desk.post()
    signed = desk.queue.rows()
    assert [row.state for row in signed] == [State.SIGNED] * 2
    desk.post()
    after = desk.queue.rows()
    assert [row.signature for row in after] == [row.signature for row in signed]
    assert desk.states() == ["accepted"] * 2
    assert len(desk.chain()) == 2


def test_a_crash_after_sending_is_settled_by_the_chains_events(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.seal(1, 2)
    desk.go_to(2)
    send = desk.poster.send

    def dies(rows: Sequence[Row]) -> dict[int, str]:
        send(rows)
        raise ConnectionFailed("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(desk.poster, "send", dies)
        with pytest.raises(ConnectionFailed):
            desk.post()
    assert desk.states() == ["signed"] * 2
    assert desk.post() == Posted(accepted=2, due=2)
    assert desk.states() == ["accepted"] * 2
    assert len(desk.chain()) == 2


def test_a_reading_from_elsewhere_cuts_off_what_is_before_it(desk: Desk) -> None:
    """`meter report` of a later sub-slot: the chain takes earlier ones no more, and counters go on above it."""
    desk.seal(1, 2, 3)
    desk.go_to(3)
    report(desk.client, desk.device, METER, [Energy(0, 1, Wh(7))], desk.counter)
    assert desk.post() == Posted(accepted=1, superseded=2, due=1)
    assert desk.states() == ["superseded", "superseded", "accepted"]
    assert desk.chain() == [(0, 1, 7), (0, 2, 3)]


def test_a_voucher_from_elsewhere_settles_what_it_covers(desk: Desk) -> None:
    """However many: readings that a voucher covers are not tried again and again while later ones wait."""
    desk.seal(*[1] * 66, 5)
    desk.go_to(66)
    for window in range(22):
        voucher = Voucher(desk.device, window, 3, Wh(3))
        with contextlib.suppress(Refusal):
            signed = sign_voucher(desk.client.readings_domain, voucher, METER)
            desk.client.execute(desk.client.calls.redeem(signed))
    desk.go_to(67)
    while desk.post() != Posted():
        pass
    assert desk.states()[-1] == "accepted" and desk.states()[-2] == "superseded"
    assert desk.chain() == [(22, 0, 5)]


def test_a_stale_counter_is_signed_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another reading used a higher number, with a counter file of its own."""
    desk.seal(1, 2, 3)
    desk.go_to(3)
    with monkeypatch.context() as patched:
        patched.setattr(desk.poster, "send", lambda rows: {row.position: "not now" for row in rows})
        desk.post()
    assert [row.counter for row in desk.queue.rows()] == [1, 2, 3]
    other = CounterFile(desk.counter.path.with_name("other"))
    other.raise_to(9)
    report(desk.client, desk.device, METER, [Energy(0, 0, Wh(9))], other)
    desk.post()
    assert [row.counter for row in desk.queue.rows()] == [1, 11, 12]
    assert desk.states() == ["superseded", "accepted", "accepted"]
    assert desk.chain() == [(0, 0, 9), (0, 1, 2), (0, 2, 3)]


def test_a_key_that_is_not_valid_sends_nothing_and_is_tried_again(desk: Desk, tmp_path: Path) -> None:
    desk.poster = ReadingPoster(desk.client, desk.device, BOB, desk.counter)
    with pytest.raises(MeterError, match="no valid meter key"):
        desk.poster.check()
    desk.seal(1)
    desk.go_to(1)
    head = desk.ledger.head().number
    posted = desk.post()
    assert (posted.refused, "no valid key" in posted.problem) == (1, True)
    assert desk.ledger.head().number == head, "a transaction that would be refused costs nothing"
    assert desk.states() == ["signed"]


def test_a_sender_who_is_a_stranger_is_refused(desk: Desk, tmp_path: Path) -> None:
    sender = Sender(desk.ledger, BOB)
    client = MarketClient(desk.ledger, desk.client.deployment, sender, BOB)
    with pytest.raises(MeterError, match="neither the owner"):
        ReadingPoster(client, desk.device, METER, desk.counter).check()
    with pytest.raises(MeterError, match="not registered"):
        ReadingPoster(desk.client, 99, METER, desk.counter).check()
    desk.poster.check()


def test_long_queues_go_in_batches(desk: Desk) -> None:
    desk.seal(*([1] * 130), first=0)
    desk.go_to(130)
    rounds = 0
    while desk.queue.waiting:
        desk.post()
        rounds += 1
    assert set(desk.states()) == {"expired", "accepted"}
    assert rounds == 3


# ---------------------------------------------------------------------- the queue itself


def test_a_queue_is_for_one_gateway_and_one_device(tmp_path: Path) -> None:
    with SlotQueue(tmp_path / "queue", "device 1"), pytest.raises(QueueError, match="another gateway"):
        SlotQueue(tmp_path / "queue", "device 1")
    with pytest.raises(QueueError, match="is for device 1, not device 2"):
        SlotQueue(tmp_path / "queue", "device 2")
    Outbox(tmp_path / "outbox").close()
    before = (tmp_path / "outbox").read_bytes()
    with pytest.raises(QueueError, match="database of something else"):
        SlotQueue(tmp_path / "outbox", "device 1")
    assert (tmp_path / "outbox").read_bytes() == before
    assert (tmp_path / "queue").stat().st_mode & 0o77 == 0


def test_a_file_that_is_no_queue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "queue").touch(0o600)
    (tmp_path / "queue").write_bytes(b"something else" * 100)
    with pytest.raises(QueueError, match="cannot be read"):
        SlotQueue(tmp_path / "queue", "x")


def test_records_and_state_are_stored_together_or_not_at_all(tmp_path: Path) -> None:
    record = SlotRecord(7, 2, 1, Wh(5), 1, ("gap",))
    with SlotQueue(tmp_path / "queue", "x") as queue:
        queue.commit([record], state="one")
        with pytest.raises(Exception, match="UNIQUE"):
            queue.commit([SlotRecord(8, 2, 2, Wh(1), 1, ()), record], state="two")
        assert queue.setting("state") == "one"
        (row,) = queue.rows()
        assert (row.position, row.energy, row.marks, row.state) == (7, 5, ("gap",), State.SEALED)


@pytest.mark.parametrize("name", [".", "/", "folder"])
def test_a_folder_is_no_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(QueueError, match="is a folder"):
        SlotQueue(Path(name), "x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"], "no lock is left behind"


def test_a_full_disk_is_one_error_and_what_was_stored_is_safe(tmp_path: Path) -> None:
    with SlotQueue(tmp_path / "queue", "x") as queue:
        queue.commit([SlotRecord(1, 0, 1, Wh(5), 1, ())], state="one")
        queue._db.execute("PRAGMA max_page_count = 8")
        with pytest.raises(QueueError, match="full"):
            queue.commit([SlotRecord(2, 0, 2, Wh(5), 1, ())], state="two" * 100_000)
        assert (queue.setting("state"), len(queue.rows())) == ("one", 1)
