"""The day: every step of every window at its moment, in the order of the ledger's clock.

Windows overlap: while one is delivered, the next one's bids are opened. Homes, the relaying operator and the meters act
through transactions; what they do next depends on events alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stowatt.audit.events import Cleared, NoTrade, Revealed, RightTransfer
from stowatt.calendar import Calendar
from stowatt.chain.client import Claim
from stowatt.curves import Side
from stowatt.demo.bidding import batches, commit_bids, seal_bids, stored_openings
from stowatt.demo.check import clear_again, differences
from stowatt.demo.community import Community
from stowatt.demo.delivery import Deliveries
from stowatt.demo.dispatch import Dispatch, Order
from stowatt.demo.evidence import Evidence
from stowatt.demo.incidents import Incidents
from stowatt.demo.meters import SUB_SLOTS
from stowatt.demo.settings import ROUND, ROUND_BEFORE_S, SUB_SLOT_S
from stowatt.demo.troubles import Kind
from stowatt.demo.window import WindowRun
from stowatt.openings import OpeningStore


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    at: int
    """Ledger time, unix seconds."""
    window: WindowRun
    name: str
    act: Callable[[WindowRun], None]
    last: bool = False
    """Whether the window is over with it."""


class Day:
    """Everything between the first commitments and the last settlement."""

    def __init__(
        self,
        community: Community,
        dispatch: Dispatch,
        calendar: Calendar,
        windows: list[WindowRun],
        store: OpeningStore,
        deliveries: Deliveries,
    ) -> None:
        self.community, self.dispatch, self.calendar, self.windows = community, dispatch, calendar, windows
        self.store, self.deliveries = store, deliveries
        self.incidents = Incidents(community, dispatch)
        self.faults: list[str] = []
        """Figures in which engine and contract differ."""

    def steps(self) -> list[Step]:
        """The whole schedule."""
        return sorted((step for window in self.windows for step in self._of(window)), key=lambda step: step.at)

    def _of(self, window: WindowRun) -> Iterator[Step]:
        times = window.times

        def step(at: int, name: str, act: Callable[[WindowRun], None]) -> Step:
            return Step(at, window, name, act)

        if window.number and window.number % ROUND == 0:
            yield step(times.commit - ROUND_BEFORE_S, "the next hour's bids are sealed", self.commit)
        yield step(times.commit + 10, "bids are opened", self.reveal)
        if window.trouble(Kind.WRONG):
            yield step(times.commit + 60, "a wrong opening", self.open_wrongly)
        yield step(times.commit + 90, "cleared, if all bids are open", self.clear_early)
        yield step(times.reveal + 1, "cleared", self.clear)
        if window.trouble(Kind.UNPAID):
            yield step(times.reveal + 15, "a buyer takes its money away", self.withdraw)
        yield step(times.reveal + 30, "rights are issued and paid", self.claim)
        yield step(times.payment + 1, "defaults are declared", self.incidents.default)
        if window.trouble(Kind.UNPAID):
            yield step(times.payment + 10, "the buyer pays in again", self.deposit_again)
        if window.trouble(Kind.SOLD):
            yield step(times.payment + 60, "a right is sold on", self.sell_right)
        for sub_slot in range(SUB_SLOTS):
            at = times.start + (sub_slot + 1) * SUB_SLOT_S + 5
            yield step(at, "meters report", lambda w, s=sub_slot: self.deliveries.report(w, s))  # type: ignore[misc]
        if window.trouble(Kind.REPLAY):
            yield step(times.start + SUB_SLOT_S + 20, "a reading is sent twice", self.replay)
        proved = 2 if window.evidence is Evidence.READINGS else SUB_SLOTS
        yield step(times.start + proved * SUB_SLOT_S + 20, "sellers draw what they earned", self.draw)
        yield Step(times.reading + 1, window, "settled", self.settle, last=True)

    # ------------------------------------------------------------------ sealed bids

    def commit(self, window: WindowRun) -> None:
        """The homes commit to a round of windows, of which this is the first."""
        round_ = self.windows[window.number : window.number + ROUND]
        commit_bids(self.community, round_, seal_bids(self.community, round_, self.store), self.dispatch)

    def reveal(self, window: WindowRun) -> None:
        """The operator relays the openings; they prove themselves, so it needs nobody's key."""
        kept = {t.home for t in (window.trouble(Kind.SILENT), window.trouble(Kind.WRONG)) if t}
        openings = stored_openings(self.community, window, self.store)
        due = [opening for home, opening in openings.items() if home not in kept]
        operator = self.community.operator
        orders = [
            Order(operator, operator.calls.reveal_many(group), "reveal, relayed", len(group), window.number)
            for group in batches(due)
        ]
        for done in self.dispatch.send(orders):
            window.events += done.of(Revealed)

    def open_wrongly(self, window: WindowRun) -> None:
        """A home tries to open another bid than it committed to."""
        trouble = window.trouble(Kind.WRONG)
        if trouble:
            opening = stored_openings(self.community, window, self.store)[trouble.home]
            self.incidents.open_wrongly(window, trouble, opening)

    def withdraw(self, window: WindowRun) -> None:
        """A buyer empties its account before it has to pay."""
        trouble = window.trouble(Kind.UNPAID)
        if trouble:
            self.incidents.withdraw(window, trouble)

    # ------------------------------------------------------------------ clearing and issue

    def clear_early(self, window: WindowRun) -> None:
        """Nobody needs to wait for the deadline when everything is open."""
        if not window.unopened:
            self.clear(window)

    def clear(self, window: WindowRun) -> None:
        """One call, whose gas does not depend on the bids; then the engine does the same."""
        if window.closed:
            return
        operator = self.community.operator
        (done,) = self.dispatch.send([Order(operator, operator.calls.clear(window.number), "clear", 1, window.number)])
        window.events += [*done.of(Cleared), *done.of(NoTrade)]
        window.result = clear_again(window, self.calendar)
        self._compare(window)

    def claim(self, window: WindowRun) -> None:
        """The operator has all fills issued; buyers with enough balance pay at once."""
        operator = self.community.operator
        claims = [
            Claim(window.number, event.participant, window.terms[event.participant], event.bid)
            for event in window.of(Revealed)
        ]
        orders = [
            Order(operator, operator.calls.claim_many(group), "claim, relayed", len(group), window.number)
            for group in batches(claims)
        ]
        for done in self.dispatch.send(orders):
            window.events += done.events
        self._compare(window)

    def deposit_again(self, window: WindowRun) -> None:
        """The buyer in default comes back."""
        trouble = window.trouble(Kind.UNPAID)
        if trouble:
            self.incidents.deposit_again(window, trouble)

    def sell_right(self, window: WindowRun) -> None:
        """A seller sells half of its right."""
        trouble = window.trouble(Kind.SOLD)
        if trouble:
            self.incidents.sell_right(window, trouble)

    # ------------------------------------------------------------------ delivery and settlement

    def replay(self, window: WindowRun) -> None:
        """Somebody sends an accepted reading once more."""
        trouble = window.trouble(Kind.REPLAY)
        account = self.community.members[trouble.home].address if trouble else ""
        readings = self.deliveries.readings.get(window.number, {})
        if trouble and account in readings:
            self.incidents.replay(window, trouble, readings[account])

    def draw(self, window: WindowRun) -> None:
        """Every holder of a seller's right takes what it has earned so far."""
        orders = []
        for right in window.rights(Side.SELL):
            holder = self.community.by_address[self.holder(window, right.encode())].client
            orders.append(Order(holder, holder.calls.draw(right.encode()), "draw the stream", 1, window.number))
        for done in self.dispatch.send(orders):
            window.events += done.events

    def holder(self, window: WindowRun, right: int) -> str:
        """Who holds a right now."""
        return next((event.to for event in reversed([*window.of(RightTransfer)]) if event.token_id == right), "")

    def settle(self, window: WindowRun) -> None:
        """Final settlement: sellers' rights first, then buyers'."""
        operator = self.community.operator
        for side in (Side.SELL, Side.BUY):
            ids = [right.encode() for right in window.rights(side)]
            orders = [
                Order(operator, operator.calls.settle_many(group), f"settle {side.word}ers", len(group), window.number)
                for group in batches(ids)
            ]
            for done in self.dispatch.send(orders):
                window.events += done.events

    def faults_of(self, window: WindowRun) -> list[str]:
        """The window's figures in which engine and contract differ."""
        return [line for line in self.faults if line.startswith(f"window {window.number}:")]

    def _compare(self, window: WindowRun) -> None:
        if window.result is not None:
            found = differences(window, window.result, self.calendar)
            self.faults += [f"window {window.number}: {line}" for line in found]
