"""§5, §2: sealed bids redone – windows, commitments with their slot words and digest, and every opening (6), (7)."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from stowatt.audit.events import CommitmentWithdrawn, Committed, Event, Revealed, WindowOpened
from stowatt.audit.state import AuditWindow, Sealed, State, is_open, latest
from stowatt.calendar import Status, deadlines
from stowatt.commitments import BidContext, accumulate, committed_word
from stowatt.curves import SEGMENT_BYTES, Curve, Side
from stowatt.errors import StowattError
from stowatt.settlement.ledger import WindowBooks
from stowatt.settlement.records import BidState

DIGEST_MODULUS: Final = 1 << 200
_SEGMENT: Final = 2 * SEGMENT_BYTES
"""Bytes of a segment and of its offset."""


def trace_of(word: int, participant: str) -> int:
    """What a commitment adds to its window's digest, and once more when it is replaced or withdrawn."""
    return int.from_bytes(keccak(word.to_bytes(32) + bytes.fromhex(participant[2:]).rjust(32, b"\0"))) % DIGEST_MODULUS


class Bidding:
    """Replays `Bidding.sol`."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings

    def opened(self, event: WindowOpened) -> None:
        """A window opens: at most one ring ahead, before its commit deadline, in a place that is done with (T17)."""
        state, number = self.state, event.window
        times = deadlines(state.calendar, number)
        if number in state.windows:
            self.findings.add(event, "§5", "the window was opened before", related=[state.windows[number].opened])
            return
        if not times.opening <= event.time < times.commit:
            self.findings.add(
                event, "§5", field="time", found=event.time, expected=f"{times.opening} … {times.commit - 1}"
            )
        place = number % state.calendar.ring
        holder = state.windows.get(state.places.get(place, -1))
        if holder is not None and is_open(holder):
            self.findings.add(event, "§5 T17", f"its ring place is held by window {holder.number}",
                              related=[holder.opened])  # fmt: skip
        state.places[place] = number
        books = WindowBooks(state.vault, state.calendar, number, state.deployed.wiring.treasury)
        books.open()
        state.windows[number] = AuditWindow(books, event)

    def committed(self, event: Committed) -> None:
        """A commitment takes the bond; one that replaces another takes none."""
        state = self.state
        window = state.window(event.window, event, "§5")
        if window is None:
            return
        window.commitments.append(event)
        if event.side not in (0, 1) or not 0 < event.commitment < 1 << 256:
            name = "commitment" if event.side in (0, 1) else "side"
            self.findings.add(event, "§5", field=name, found=getattr(event, name), expected="side 0 or 1, a point")
            return
        side, account = Side(event.side), event.participant
        if not state.registry.admits(account, side, event.time):
            self.findings.add(event, "§2", f"{account} was not admitted to {side.word} then", field="participant",
                              found=account, expected="an admitted account")  # fmt: skip
        terms = state.registry.terms(account, side)
        word = committed_word(state.calendar.ring, event.window, side, event.commitment, *terms)
        trace = trace_of(word, account)
        old = window.sealed.get(account)
        self._require_done(window, account, event)
        window.books.commit(account, side, event.time)
        window.digest += trace + (old.trace if old is not None else 0)
        window.sealed[account] = Sealed(event, side, *terms, trace)

    def _require_done(self, window: AuditWindow, account: str, event: Event) -> None:
        """An account's ring place may be taken only when nothing can be claimed for its last bid there (T17)."""
        place = (account, window.number % self.state.calendar.ring)
        earlier = self.state.bids_at.get(place)
        self.state.bids_at[place] = window.number
        if earlier is None or earlier == window.number:
            return
        books = self.state.windows[earlier].books
        bid = books.bids.get(account)
        forfeited = books.status in (Status.TRADED, Status.NO_TRADE)
        if bid is not None and (bid.state is BidState.OPENED or (bid.state is BidState.COMMITTED and not forfeited)):
            self.findings.add(event, "§5 T17", f"{account}'s bid of window {earlier} was still to be claimed")

    def withdrawn(self, event: CommitmentWithdrawn) -> None:
        """The bond is free again."""
        window = self.state.window(event.window, event, "§5")
        if window is None:
            return
        window.commitments.append(event)
        sealed = window.sealed.get(event.participant)
        if sealed is None:
            self._no_commitment(event, window, event.participant)
            return
        window.books.withdraw_commitment(event.participant, event.time)
        window.digest += sealed.trace
        del window.sealed[event.participant]

    def revealed(self, event: Revealed) -> None:
        """An opening: the commitment's, with a curve that §2 allows, in the book's order."""
        window = self.state.window(event.window, event, "§5")
        if window is None:
            return
        sealed = window.sealed.get(event.participant)
        if sealed is None or sealed.opening is not None:
            self._no_commitment(event, window, event.participant)
            return
        cut = len(event.bid) // 2
        encoded, offsets = event.bid[:cut], event.bid[cut:]
        self._verify(event, window, sealed, encoded)
        try:
            curve = Curve.decode(sealed.side, encoded) if len(event.bid) % _SEGMENT == 0 else None
        except StowattError:
            curve = None
        if curve is None or max(tick for tick, _ in curve.segments) >= self.state.calendar.ticks:
            self.findings.add(event, "§2", "its curve is not one that §2 allows", field="bid", found=event.bid,
                              expected="a curve and its offsets", related=[sealed.event])  # fmt: skip
            return
        if sealed.side is Side.SELL and curve.total > sealed.limit:
            self.findings.add(event, "§2 (1)", f"it offers {curve.total} Wh, its device's limit is {sealed.limit} Wh",
                              field="bid", found=event.bid, expected="a curve within the limit")  # fmt: skip
        self._enter(event, window, sealed.side, curve, offsets)
        window.books.reveal(event.participant, curve, event.time, sealed.device)
        sealed.opening = event
        window.accumulator = accumulate(window.accumulator, event.blinder)

    def _verify(self, event: Revealed, window: AuditWindow, sealed: Sealed, curve: bytes) -> None:
        subject = self.state.subject
        context = BidContext(
            subject.chain_id, subject.market, window.number, event.participant, sealed.side, sealed.device,
            sealed.fingerprint,
        )  # fmt: skip
        if not context.verify(sealed.event.commitment, curve, event.blinder):
            self.findings.add(event, "§5 (7)", "blinder and curve do not open the commitment", field="blinder, bid",
                              found=event.blinder, expected=f"an opening of {sealed.event.commitment:#x}",
                              related=[sealed.event])  # fmt: skip

    def _enter(self, event: Revealed, window: AuditWindow, side: Side, curve: Curve, offsets: bytes) -> None:
        """Adds the curve to the book; its offsets must be what its ticks held before (§3)."""
        due = []
        for tick, width in curve.segments:
            held = window.book.get((side, tick), 0)
            due.append(held.to_bytes(SEGMENT_BYTES))
            window.book[side, tick] = held + width
        if offsets != b"".join(due):
            earlier = [sealed.opening for sealed in window.sealed.values() if sealed.side is side]
            self.findings.add(event, "§3", "the offsets are not the book's", field="bid", found=offsets,
                              expected=b"".join(due), related=latest(earlier))  # fmt: skip
        window.bids.append((event.participant, curve))

    def _no_commitment(self, event: Event, window: AuditWindow, account: str) -> None:
        self.findings.add(event, "§5", f"{account} has no unopened commitment in window {window.number}",
                          field="participant", found=account, expected="an account with a commitment",
                          related=window.commitments)  # fmt: skip
