"""§5, §2: sealed bids redone – windows, commitments with their slot words and digest, and every opening (6), (7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from eth_hash.auto import keccak

from stowatt.audit.events import CommitmentWithdrawn, Committed, Event, Revealed, WindowOpened
from stowatt.audit.state import AuditWindow, Sealed, State, is_open, latest
from stowatt.calendar import Status, deadlines
from stowatt.commitments import NO_FINGERPRINT, BidContext, Terms, accumulate, committed_word, resolved_word
from stowatt.curves import SEGMENT_BYTES, Curve, Side
from stowatt.errors import StowattError
from stowatt.settlement.capacity import UNITS, budget
from stowatt.settlement.ledger import WindowBooks
from stowatt.settlement.records import BidState

DIGEST_MODULUS: Final = 1 << 200
_TERMS: Final = (("device", "§2"), ("limit_wh", "§2 (1)"), ("alpha", "§6 (23)"))
"""What of a seller's terms follows from other events, and by which rule."""
_SEGMENT: Final = 2 * SEGMENT_BYTES
"""Bytes of a segment and of its offset."""


def linked(digest: int, word: int, participant: str) -> int:
    """A window's digest chained over one more slot word of a participant, as `StatusWord.linked`."""
    link = word.to_bytes(32) + bytes.fromhex(participant[2:]).rjust(32, b"\0") + digest.to_bytes(32)
    return int.from_bytes(keccak(link)) % DIGEST_MODULUS


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
        if not 0 < event.commitment < 1 << 256:
            self.findings.add(event, "§5", field="commitment", found=event.commitment, expected="a point")
            return
        units = event.terms >> 88
        if not 0 <= units <= UNITS:
            self.findings.add(event, "§2", field="terms.units", found=units, expected=f"0 … {UNITS}")
            return
        side, account = (Side.SELL if units else Side.BUY), event.participant
        if not state.registry.admits(account, side, event.time):
            self.findings.add(event, "§2", f"{account} was not admitted to {side.word} then", field="participant",
                              found=account, expected="an admitted account")  # fmt: skip
        terms = self._terms(event, units)
        device = state.registry.device_of(account) if units else None
        fingerprint = NO_FINGERPRINT if device is None else device.fingerprint
        word = committed_word(state.calendar.ring, event.window, event.commitment, terms, fingerprint)
        window.books.commit(account, terms, event.time, self._earlier(window, account, event))
        self._require_energy(event, units)
        window.digest = linked(window.digest, word, account)
        window.sealed[account] = Sealed(event, terms, fingerprint)

    def _terms(self, event: Committed, units: int) -> Terms:
        """A seller's terms by the rules: device and Q_max as registered, α_S by the replayed reliability (§6).

        The units are the seller's choice; the window's digest binds them.
        """
        c = self.state.calendar
        due = self.state.vault.terms(event.participant, units, c.alpha_seller, c.alpha_proven)
        found = Terms.decode(event.terms)
        self.findings.checks[event.window] += len(_TERMS)
        related = latest([self.state.records.get(event.participant)])
        for name, rule in _TERMS:
            if getattr(found, name) != getattr(due, name):
                self.findings.add(event, rule, "not as it was at the commitment", field=f"terms.{name}",
                                  found=getattr(found, name), expected=getattr(due, name), related=related)  # fmt: skip
        return due

    def _require_energy(self, event: Committed, units: int) -> None:
        """Promised ≤ capacity at every commitment: no battery is sold beyond its energy (§2, T42)."""
        battery = self.state.vault.battery(event.participant)
        self.findings.checks[event.window] += 1
        if units and battery.promised > battery.capacity:
            self.findings.add(
                event, "§2 T42", f"with its units {event.participant} promises more than its battery has",
                field="terms.units", found=units,
                expected=f"at most {max(0, battery.capacity - battery.promised + units)}",
                related=latest([self.state.records.get(event.participant)]),
            )  # fmt: skip

    def _earlier(self, window: AuditWindow, account: str, event: Event) -> WindowBooks | None:
        """The account's last bid in the same ring place; the place may be taken only when nothing can be claimed for
        it (T17)."""
        place = (account, window.number % self.state.calendar.ring)
        earlier = self.state.bids_at.get(place)
        self.state.bids_at[place] = window.number
        if earlier is None or earlier == window.number:
            return None
        books = self.state.windows[earlier].books
        bid = books.bids.get(account)
        forfeited = books.status in (Status.TRADED, Status.NO_TRADE)
        if bid is not None and (bid.state is BidState.OPENED or (bid.state is BidState.COMMITTED and not forfeited)):
            self.findings.add(event, "§5 T17", f"{account}'s bid of window {earlier} was still to be claimed")
        return books

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
        word = resolved_word(self.state.calendar.ring, event.window)
        window.digest = linked(window.digest, word, event.participant)
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
        self._require_budget(event, window, sealed, curve)
        self._enter(event, window, sealed.side, curve, offsets)
        window.books.reveal(event.participant, curve, event.time)
        sealed.opening = event
        window.accumulator = accumulate(window.accumulator, event.blinder)

    def _require_budget(self, event: Revealed, window: AuditWindow, sealed: Sealed, curve: Curve) -> None:
        """A seller offers no more than its commitment's units of Q_max; the replay goes on as if it held all 64."""
        terms = sealed.terms
        if sealed.side is Side.BUY or curve.total <= budget(terms.limit_wh, terms.units):
            return
        self.findings.add(
            event, "§2 (1)", f"it offers {curve.total} Wh, its {terms.units} units hold "
            f"{budget(terms.limit_wh, terms.units)} Wh", field="bid", found=event.bid,
            expected="a curve within its units", related=[sealed.event],
        )  # fmt: skip
        self.state.vault.promise(event.participant, UNITS - terms.units, 0)
        window.books.bids[event.participant].terms = replace(terms, units=UNITS)

    def _verify(self, event: Revealed, window: AuditWindow, sealed: Sealed, curve: bytes) -> None:
        subject = self.state.subject
        context = BidContext(
            subject.chain_id, subject.market, window.number, event.participant, sealed.side,
            sealed.terms.device, sealed.fingerprint,
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
