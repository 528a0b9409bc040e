"""Posting sealed sub-slots: signed once, stored, sent in batches, and taken for done when the chain shows it.

The chain decides what counts: it takes each sub-slot once and in order. So after a crash nothing has to be remembered
about what was sent: what the chain has passed is settled by its events, the rest is sent (again).

A poster for another kind of evidence (vouchers, say) signs and sends the same records in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from eth_account.signers.base import BaseAccount

from stowatt.agent.once import catch_up
from stowatt.audit.events import ReadingAccepted
from stowatt.calendar import deadlines
from stowatt.chain.client import MarketClient, MeterProgress, Refusal
from stowatt.errors import MeterError
from stowatt.gateway.queue import Row, SlotQueue, State
from stowatt.metering import CounterFile, Reading, SignedReading, sign_reading

BATCH: Final = 64
"""Readings in one transaction."""


class Poster(Protocol):
    """How records become evidence on the chain."""

    name: str
    """Of the kind of evidence, as `--as` has it."""

    def recover(self) -> None:
        """Finishes what an earlier run had stored and perhaps not sent."""

    def time(self) -> int:
        """The chain's clock, unix seconds."""

    def head(self) -> int:
        """The chain's newest block."""

    def progress(self) -> MeterProgress:
        """The last counter, and the position before which sub-slots are counted or cut off for good."""

    def through(self, window: int) -> int:
        """How many of the window's sub-slots, from its first, the chain has counted."""

    def closes(self, window: int) -> tuple[int, int]:
        """(its first sub-slot's beginning, the end of the time for readings), unix seconds."""

    def is_stale(self, row: Row, progress: MeterProgress) -> bool:
        """Whether a signed record can never be accepted as it is, and has to be signed anew."""

    def sign(self, row: Row, progress: MeterProgress) -> tuple[int, bytes]:
        """Counter and signature; the counter is durable before this returns."""

    def send(self, rows: Sequence[Row]) -> dict[int, str]:
        """Sends signed records and waits; for each position "" if it was accepted, else the reason."""

    def accepted(self, rows: Sequence[Row]) -> set[int]:
        """The positions of those signed records that are on the chain with exactly this content."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What one round of posting did."""

    accepted: int = 0
    expired: int = 0
    refused: int = 0
    superseded: int = 0
    due: int = 0
    """Records that could be sent in this round."""
    problem: str = ""
    """Why the first one was refused."""


def post_due(queue: SlotQueue, poster: Poster, sub_slot: int, *, skip_zero: bool = False) -> Posted:
    """One round: settles what the chain has passed, gives up what came too late, signs and sends what is due.

    `sub_slot` is its length, seconds.
    """
    rows = queue.unsettled(BATCH)
    if not rows:
        return Posted()
    poster.recover()
    now, progress = poster.time(), poster.progress()
    passed = progress.position
    through = {window: poster.through(window) for window in {row.window for row in rows}}
    behind = [row for row in rows if row.position < passed or row.sub_slot < through[row.window]]
    done, lost = _settle_passed(queue, poster, behind)
    settled = {row.position for row in behind}
    rows = [row for row in rows if row.position not in settled]
    expired = [row for row in rows if now >= poster.closes(row.window)[1]]
    queue.settle([row.position for row in expired], State.EXPIRED, f"readings had closed at {now} (chain time)")
    gone = {row.position for row in expired}
    due = [
        row
        for row in rows
        if row.position not in gone and poster.closes(row.window)[0] + (row.sub_slot + 1) * sub_slot <= now
    ]
    if skip_zero:
        unneeded = [row.position for row in due if row.energy == 0 and row.state is State.SEALED]
        queue.settle(unneeded, State.UNNEEDED)
        due = [row for row in due if row.position not in set(unneeded)]
    if not due:
        return Posted(done, len(expired), 0, lost, len(behind) + len(gone))
    signed = _signed(queue, poster, due, progress)
    outcome = poster.send(signed)
    good = [position for position, reason in outcome.items() if not reason]
    queue.settle(good, State.ACCEPTED)
    bad = {position: reason for position, reason in outcome.items() if reason}
    last = max(good, default=-1)
    for position, reason in bad.items():
        if position < last:  # the others are tried again until their window closes
            queue.settle([position], State.REFUSED, reason)
    problem = next(iter(bad.values()), "")
    return Posted(done + len(good), len(expired), len(bad), lost, len(due), problem)


def _settle_passed(queue: SlotQueue, poster: Poster, rows: Sequence[Row]) -> tuple[int, int]:
    """(accepted, superseded) of the records that the chain has passed."""
    if not rows:
        return 0, 0
    ours = poster.accepted([row for row in rows if row.state is State.SIGNED])
    queue.settle(sorted(ours), State.ACCEPTED)
    others = [row.position for row in rows if row.position not in ours]
    queue.settle(others, State.SUPERSEDED, "the chain has a reading or a voucher of this or a later sub-slot")
    return len(ours), len(others)


def _signed(queue: SlotQueue, poster: Poster, due: Sequence[Row], progress: MeterProgress) -> list[Row]:
    """The records with signatures that are on the disk. After one that has to be signed (anew) all later ones are."""
    unfit = (n for n, row in enumerate(due) if row.state is State.SEALED or poster.is_stale(row, progress))
    first = next(unfit, len(due))
    if first == len(due):
        return list(due)
    head = poster.head()
    queue.sign([(row.position, *poster.sign(row, progress)) for row in due[first:]], head)
    positions = {row.position for row in due}
    return [row for row in queue.unsettled(BATCH) if row.position in positions]


class ReadingPoster:
    """Open readings, one for each sub-slot."""

    name = "readings"

    def __init__(self, client: MarketClient, device: int, meter: BaseAccount, counter: CounterFile) -> None:
        self._client, self._device, self._meter, self._counter = client, device, meter, counter

    def check(self) -> None:
        """Refuses, before anything is measured, a device or keys with which no reading would be accepted."""
        client, device = self._client, self._device
        known = client.device(device)
        if not known.export_w:
            raise MeterError(f"device {device} is not registered", "`device register` it first")
        if client.address not in (known.owner, self._meter.address):
            raise MeterError(
                f"{client.address} is neither the owner of device {device} nor its meter",
                "send with one of their keys: a stranger may not skip a counter, and readings would get stuck",
            )
        if not client.is_meter_key(device, self._meter.address, client.ledger.time()):
            raise MeterError(
                f"{self._meter.address} is no valid meter key of device {device} now", "sign with its meter key"
            )

    def recover(self) -> None:
        """Waits for stored transactions."""
        catch_up(self._client)

    def time(self) -> int:
        """The chain's clock."""
        return self._client.ledger.time()

    def head(self) -> int:
        """The newest block."""
        return self._client.ledger.head().number

    def through(self, window: int) -> int:
        """Sub-slots that were counted, perhaps by a voucher."""
        return self._client.through(window, self._device)

    def progress(self) -> MeterProgress:
        """The chain's own mark for the device."""
        return self._client.meter_progress(self._device)

    def closes(self, window: int) -> tuple[int, int]:
        """The window's times."""
        times = deadlines(self._client.calendar, window)
        return times.start, times.reading

    def is_stale(self, row: Row, progress: MeterProgress) -> bool:
        """A counter that the chain has passed, by a reading from elsewhere."""
        return row.counter is None or row.counter <= progress.counter

    def sign(self, row: Row, progress: MeterProgress) -> tuple[int, bytes]:
        """Signs with the next counter, larger than the chain's last one."""
        if self._counter.last() < progress.counter:
            self._counter.raise_to(progress.counter)
        counter = self._counter.next()
        reading = Reading(self._device, row.window, row.sub_slot, row.energy, counter)
        return counter, sign_reading(self._client.readings_domain, reading, self._meter).signature

    def send(self, rows: Sequence[Row]) -> dict[int, str]:
        """One transaction; the contract skips what it refuses. What it would refuse from the first on is not sent."""
        outcome: dict[int, str] = {}
        for row in rows:
            if not (reason := self._reason(self._reading(row))):
                break
            outcome[row.position] = reason
        rest = rows[len(outcome) :]
        if not rest:
            return outcome
        done = self._client.execute(self._client.calls.submit_many([self._reading(row) for row in rest]))
        taken = {(e.window, e.sub_slot) for e in done.of(ReadingAccepted) if e.device == self._device}
        for row in rest:
            good = (row.window, row.sub_slot) in taken
            outcome[row.position] = "" if good else self._reason(self._reading(row)) or "it would be accepted now"
        return outcome

    def accepted(self, rows: Sequence[Row]) -> set[int]:
        """By the chain's events, signature for signature."""
        if not rows:
            return set()
        first = min(row.block or 0 for row in rows)
        events = self._client.events(ReadingAccepted, window=self._device, from_block=first)
        signatures = {e.signature for e in events if isinstance(e, ReadingAccepted)}
        return {row.position for row in rows if row.signature in signatures}

    def _reading(self, row: Row) -> SignedReading:
        assert row.counter is not None and row.signature is not None
        return SignedReading(Reading(self._device, row.window, row.sub_slot, row.energy, row.counter), row.signature)

    def _reason(self, signed: SignedReading) -> str:
        """Why the contract would refuse a reading, by trying it alone; "" if it would not."""
        try:
            self._client.try_call(self._client.calls.submit(signed))
        except Refusal as refusal:
            return refusal.what
        return ""
