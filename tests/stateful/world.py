"""One market on a ledger in step with `stowatt.settlement`'s books and §3's engine.

Every action is taken twice, by the contracts and by the model. Both must accept it or both refuse it; what the
contracts' events say must be what the model says, value by value; and after it every balance, pool, escrow, count,
phase and right must be equal, money conserved, and the token balance the sum of it all. What only the chain decides
(calendar, ring, seals, devices, meters) is predicted here, from the rules.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from stowatt.audit import events as ev
from stowatt.calendar import Phase, Status, deadlines
from stowatt.chain.abi import errors_by_selector
from stowatt.chain.client import Claim, Commitment, ContractCall, MarketReader, Opening
from stowatt.chain.events import decode_logs
from stowatt.chain.ledger import Receipt
from stowatt.clearing import Book, PriceRule, Rationing, Rules, WindowResult, clear_fast, clear_readable
from stowatt.commitments import NO_TERMS, BidContext, Terms, committed_word, resolved_word, window_seed
from stowatt.curves import Curve, Side
from stowatt.errors import SettlementError
from stowatt.rights import RightId as TokenId
from stowatt.settlement.capacity import UNITS
from stowatt.settlement.ledger import WindowBooks
from stowatt.settlement.records import Bid, RightId
from stowatt.settlement.vault import Vault
from tests.chain.backends import Backend
from tests.differential.ledgers import Signer, Trace
from tests.stateful.community import TREASURY, Market, Person
from tests.stateful.compare import compare_window
from tests.stateful.delivering import Delivering

PANIC = bytes.fromhex("4e487b71")
Expected = tuple[type[ev.Event], dict[str, Any]]
_HEAD = {field.name for field in fields(ev.Event)}
_OTHER_EVENTS = (*ev.EVENTS["rights"], *ev.EVENTS["token"], *ev.EVENTS["registry"])


@dataclass(frozen=True)
class Seal:
    """A commitment, and what opens it."""

    opening: Opening
    word: int
    """The slot's word on chain."""

    @property
    def curve(self) -> Curve:
        return self.opening.curve


@dataclass(frozen=True)
class Opened:
    """An opened bid."""

    account: str
    curve: Curve
    terms: Terms
    blinder: int
    bid: bytes


class World(Delivering):
    """The market and its model. Accounts are addresses; `people` are those who act."""

    def __init__(self, backend: Backend, market: Market, people: Iterable[Person], now: int, *, every: int = 1) -> None:
        self.backend, self.market, self.calendar = backend, market, market.calendar
        self.reader = MarketReader(backend.ledger, market.deployment)
        self.calls = self.reader.calls
        self.people = [person.address for person in people]
        treasury = Person.named(TREASURY)
        self.signers = {p.address: Signer(backend.ledger, p.account) for p in (*people, treasury)}
        self.relay = self.people[0]
        self.now, self.every = now, every
        self.devices = dict(market.devices)
        self.all_devices = {device.number: device for device in self.devices.values()}
        self.device_nonces: Counter[str] = Counter(self.devices.keys())
        # the model
        self.vault = Vault()
        for account, device in self.devices.items():
            self.vault.sync(account, device.number, device.usable_wh, device.limit)
        self.books: dict[int, WindowBooks] = {}
        self.results: dict[int, WindowResult] = {}
        self.finals: dict[int, tuple[int, int, int, int]] = {}
        # what only the chain knows
        self.seals: dict[tuple[int, str], Seal] = {}
        self.opened: defaultdict[int, dict[str, Opened]] = defaultdict(dict)
        self.digests: Counter[int] = Counter()
        self.occupants: dict[int, int] = {}
        self.places: dict[tuple[str, int], int] = {}
        """The window of the last bid that lies in an account's ring place."""
        self.progress: dict[int, tuple[int, int]] = {}
        # what happened
        self.taken: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.traces: list[Trace] = []

    # ---------------------------------------------------------------- acting

    def move(self, time: int) -> None:
        """Time passes; it never goes back."""
        if time > self.now:
            self.backend.clock.set_time(time)
            self.now = time

    def act(
        self, who: str, call: ContractCall, allowed: bool, step: Callable[[], tuple[Any, list[Expected]]]
    ) -> tuple[bool, Any]:
        """Takes one action; `allowed` is what the chain alone decides. Whether it was accepted, and its result."""
        result, expected, accepted = None, [], False
        if allowed:
            try:
                result, expected = step()
                accepted = True
            except SettlementError:
                pass
        receipt = self.signers[who].send(call.to, call.data)
        self.traces.append(Trace.of(receipt))
        self._judge(call, receipt, accepted)
        if accepted:
            assert self._events(receipt) == expected, call.name
        if sum(self.taken.values()) % self.every == 0:
            self.check()
        return accepted, result

    def _judge(self, call: ContractCall, receipt: Receipt, accepted: bool) -> None:
        error = errors_by_selector().get(receipt.revert_data[:4])
        assert receipt.status == accepted, f"{call.name}: contract {receipt.status}, {error}; model {accepted}"
        if accepted:
            self.taken[call.name] += 1
        else:
            assert receipt.logs == ()
            assert receipt.revert_data[:4] != PANIC, call.name
            assert error is not None, f"{call.name}: {receipt.revert_data.hex()}"
            self.refused[f"{call.name} {error.name}"] += 1

    def _events(self, receipt: Receipt) -> list[Expected]:
        """The events of market and delivery, without their place in the chain."""
        found = decode_logs(receipt.logs, lambda _: self.now)
        return [
            (type(event), {f.name: getattr(event, f.name) for f in fields(event) if f.name not in _HEAD})
            for event in found
            if not isinstance(event, _OTHER_EVENTS)
        ]

    # ---------------------------------------------------------------- vault

    def deposit(self, who: str, amount: int) -> bool:
        def step() -> tuple[None, list[Expected]]:
            self.vault.deposit(who, amount)
            return None, [(ev.Deposited, {"account": who, "amount": amount, "balance": self.vault.balance(who)})]

        return self.act(who, self.calls.deposit(amount), True, step)[0]

    def withdraw(self, who: str, amount: int, to: str | None = None) -> bool:
        to = to or who

        def step() -> tuple[None, list[Expected]]:
            self.vault.withdraw(who, amount)
            values = {"account": who, "to": to, "amount": amount, "balance": self.vault.balance(who)}
            return None, [(ev.Withdrawn, values)]

        return self.act(who, self.calls.withdraw(to, amount), True, step)[0]

    # ---------------------------------------------------------------- sealed bids

    def place(self, window: int) -> int:
        return window % self.calendar.ring

    def open(self, window: int) -> bool:
        times, occupant = deadlines(self.calendar, window), self.occupants.get(self.place(window))
        free = occupant is None or self.books[occupant].status is not Status.OPEN
        allowed = window not in self.books and times.opening <= self.now < times.commit and free

        def step() -> tuple[None, list[Expected]]:
            self.books[window] = WindowBooks(self.vault, self.calendar, window, self.market.treasury)
            self.books[window].open()
            self.occupants[self.place(window)] = window
            return None, [(ev.WindowOpened, {"window": window})]

        return self.act(self.relay, self.calls.open_windows(window), allowed, step)[0]

    def units(self, who: str, curve: Curve, more: int = 0) -> int:
        """The fewest that hold the curve and some more, at most 64; 0 for a buyer."""
        device = self.devices.get(who)
        if curve.side is Side.BUY:
            return 0
        fewest = -(-UNITS * curve.total // device.limit) if device is not None and device.limit else UNITS
        return min(UNITS, fewest + more)

    def seal(self, who: str, window: int, curve: Curve, blinder: int, more: int = 0) -> Seal:
        """What `who` would commit now: a seller's terms as they are now."""
        c, units = self.calendar, self.units(who, curve, more)
        terms = self.vault.terms(who, units, c.alpha_seller, c.alpha_proven)
        fingerprint = self.devices[who].fingerprint if units and who in self.devices else bytes(32)
        d = self.market.deployment
        context = BidContext(d.chain_id, d.market, window, who, curve.side, terms.device, fingerprint)
        word = committed_word(c.ring, window, context.commit(curve.encode(), blinder), terms, fingerprint)
        return Seal(Opening(context, terms, curve, blinder), word)

    def commit(self, who: str, *bids: tuple[int, Curve, int], more: int = 0) -> bool:
        """Commits to bids (window, curve, blinder), or replaces commitments; several in one transaction.

        A seller's holds `more` energy units than it needs.
        """
        seals = [self.seal(who, *bid, more=more) for bid in bids]
        rows = [
            Commitment(
                s.opening.context.window,
                s.opening.terms.units,
                s.opening.context.commit(s.curve.encode(), s.opening.blinder),
            )
            for s in seals
        ]
        allowed = all(self._may_commit(who, row) for row in rows)

        def step() -> tuple[None, list[Expected]]:
            bond, new = self.calendar.bond, {row.window for row in rows if who not in self.books[row.window].bids}
            for row in rows:
                self.books[row.window]._require(self.now, Phase.COMMIT)
            if self.vault.balance(who) < bond * len(new):
                raise SettlementError("the bonds are not covered", "deposit more")
            self._require_energy(who, rows)
            for seal, row in zip(seals, rows, strict=True):
                self._enter(who, seal, row.window)
            return None, [self._committed(who, *pair) for pair in zip(seals, rows, strict=True)]

        call = self.calls.commit(rows[0]) if len(rows) == 1 else self.calls.commit_many(rows)
        return self.act(who, call, allowed, step)[0]

    def _require_energy(self, who: str, rows: Sequence[Commitment]) -> None:
        """All or none: whether the battery covers the units, one commitment after the other."""
        battery, held = self.vault.battery(who), {}
        promised = battery.promised
        for row in rows:
            old = self._standing(who, row.window)
            promised += row.units - held.get(row.window, old.terms.units if old is not None else 0)
            held[row.window] = row.units
            if row.units and promised > battery.capacity:
                raise SettlementError("the battery's energy is promised already", "offer less")

    def _standing(self, who: str, window: int) -> Bid | None:
        """The commitment that a new one would replace: in the window, or a forfeited one in its ring place."""
        bid = self.books[window].bids.get(who)
        earlier = self._earlier(who, window)
        return bid if bid is not None or earlier is None else earlier.abandoned(who)

    def _earlier(self, who: str, window: int) -> WindowBooks | None:
        last = self.places.get((who, self.place(window)))
        return None if last is None or last == window else self.books[last]

    def _committed(self, who: str, seal: Seal, row: Commitment) -> Expected:
        values = {"window": row.window, "participant": who, "commitment": row.point}
        return ev.Committed, {**values, "terms": seal.opening.terms.encode()}

    def _may_commit(self, who: str, row: Commitment) -> bool:
        if row.window not in self.books or (row.units and who not in self.devices):
            return False
        last = self.places.get((who, self.place(row.window)))
        if last is None or last == row.window:
            return True
        earlier = self.seals.get((last, who))
        if last in self.opened and who in self.opened[last]:
            return False  # opened and not claimed
        return earlier is None or self.books[last].status is not Status.VOID

    def _enter(self, who: str, seal: Seal, window: int) -> None:
        earlier = self._earlier(who, window)
        self.books[window].commit(who, seal.opening.terms, self.now, earlier)
        if earlier is not None:
            self.seals.pop((earlier.window, who), None)
        self.seals[window, who] = seal
        self.places[who, self.place(window)] = window
        self._link(window, who, seal.word)

    def _link(self, window: int, who: str, word: int) -> None:
        """The window's digest is a chain over the slot words that commitments and withdrawals leave."""
        link = keccak(encode(["uint256", "address", "uint256"], [word, who, self.digests[window]]))
        self.digests[window] = int.from_bytes(link) % 2**200

    def withdraw_commitment(self, who: str, window: int) -> bool:
        def step() -> tuple[None, list[Expected]]:
            self.books[window].withdraw_commitment(who, self.now)
            self._link(window, who, resolved_word(self.calendar.ring, window))
            self._resolve(window, who)
            return None, [(ev.CommitmentWithdrawn, {"window": window, "participant": who})]

        return self.act(who, self.calls.withdraw_commitment(window), window in self.books, step)[0]

    def _resolve(self, window: int, who: str) -> None:
        self.seals.pop((window, who), None)
        self.places.pop((who, self.place(window)), None)

    def reveal(self, opening: Opening, by: str | None = None) -> bool:
        """Opens a commitment, with a right opening or a wrong one."""
        step = self._revealing(opening)
        return self.act(by or self.relay, self.calls.reveal(opening), self._opens(opening), step)[0]

    def reveal_many(self, openings: Sequence[Opening]) -> bool:
        """The same in one transaction, which skips what is refused."""

        def step() -> tuple[None, list[Expected]]:
            expected: list[Expected] = []
            for opening in openings:
                if self._opens(opening):
                    try:
                        expected += self._revealing(opening)()[1]
                    except SettlementError:
                        self.refused["revealMany, skipped"] += 1
            return None, expected

        return self.act(self.relay, self.calls.reveal_many(openings), True, step)[0]

    def _opens(self, opening: Opening) -> bool:
        """Whether it opens what was committed."""
        seal = self.seals.get((opening.context.window, opening.context.participant))
        return seal is not None and opening == seal.opening

    def _revealing(self, opening: Opening) -> Callable[[], tuple[None, list[Expected]]]:
        c = opening.context

        def step() -> tuple[None, list[Expected]]:
            self.books[c.window].reveal(c.participant, opening.curve, self.now)
            book = [(other.account, other.curve) for other in self.opened[c.window].values()]
            offsets = Book.of([*book, (c.participant, opening.curve)]).offsets()[-len(opening.curve.segments) :]
            bid = opening.curve.encode() + b"".join(offset.to_bytes(6, "big") for offset in offsets)
            opened = Opened(c.participant, opening.curve, opening.terms, opening.blinder, bid)
            self.opened[c.window][c.participant] = opened
            del self.seals[c.window, c.participant]
            values = {"window": c.window, "participant": c.participant, "blinder": opening.blinder, "bid": bid}
            return None, [(ev.Revealed, values)]

        return step

    # ---------------------------------------------------------------- clearing

    def clearing(self, window: int) -> WindowResult:
        """What §3's engines make of the opened bids."""
        bids = self.opened[window].values()
        seed = window_seed(window, (bid.blinder for bid in bids))
        rules = Rules(PriceRule(self.calendar.price_rule), Rationing(self.calendar.rationing), seed)
        book = Book.of((bid.account, bid.curve) for bid in bids)
        result = clear_readable(book, rules)
        assert clear_fast(book, rules) == result
        return result

    def clear(self, window: int) -> bool:
        def step() -> tuple[None, list[Expected]]:
            result, books = self.clearing(window), self.books[window]
            books.clear(result.price, result.volume, self.now)
            self.results[window] = result
            seed = window_seed(window, (bid.blinder for bid in self.opened[window].values()))
            tail = (seed, *(books.forfeiters[side] for side in Side), self.digests[window])
            if result.price is None:
                names = ("window", "seed", "unopened_sellers", "unopened_buyers", "digest")
                return None, [(ev.NoTrade, dict(zip(names, (window, *tail), strict=True)))]
            supply, demand = result.supply, result.demand
            head = (result.price, result.volume, supply.better, supply.size, demand.better, demand.size)
            return None, [(ev.Cleared, {"window": window, "outcome": ev.Outcome(*head, *tail)})]

        return self.act(self.relay, self.calls.clear(window), window in self.books, step)[0]

    def void(self, window: int) -> bool:
        def step() -> tuple[None, list[Expected]]:
            self.books[window].void(self.now)
            return None, [(ev.Voided, {"window": window, "digest": self.digests[window]})]

        return self.act(self.relay, self.calls.void(window), window in self.books, step)[0]

    # ---------------------------------------------------------------- issue

    def claim_of(self, who: str, window: int) -> Claim:
        """The claim of an opened bid; some bid for an account that has none."""
        bid = self.opened[window].get(who)
        if bid is None:
            return Claim(window, who, NO_TERMS, Curve.of(Side.BUY, [(1, 1)]).encode() + bytes(6))
        return Claim(window, who, bid.terms, bid.bid)

    def claim(self, claim: Claim, by: str | None = None) -> tuple[bool, Any]:
        """Issues a bid's allocation."""
        right = claim == self.claim_of(claim.participant, claim.window) and claim.window in self.books
        return self.act(by or self.relay, self.calls.claim(claim), right, self._claiming(claim))

    def claim_many(self, claims: Sequence[Claim]) -> bool:
        """The same in one transaction, which skips what is claimed already."""

        def step() -> tuple[None, list[Expected]]:
            expected: list[Expected] = []
            for claim in claims:
                if claim.participant in self.opened[claim.window]:
                    expected += self._claiming(claim)()[1]
            return None, expected

        return self.act(self.relay, self.calls.claim_many(claims), True, step)[0]

    def fill(self, who: str, window: int) -> int:
        """What §3 gives it."""
        if window not in self.results:
            return 0
        return next((fill.quantity for fill in self.results[window].fills if fill.participant == who), 0)

    def _claiming(self, claim: Claim) -> Callable[[], tuple[Any, list[Expected]]]:
        window, who = claim.window, claim.participant

        def step() -> tuple[Any, list[Expected]]:
            books = self.books[window]
            issued = books.claim(who, self.fill(who, window), self.now)
            del self.opened[window][who]
            self._resolve(window, who)
            base = {"window": window, "participant": who}
            if books.status is Status.VOID:
                return issued, [(ev.Refunded, {**base, "amount": issued.unlocked})]
            names = ("quantity", "deposit", "payment", "bond_share", "unlocked")
            expected: list[Expected] = [(ev.Claimed, {**base, **{name: getattr(issued, name) for name in names}})]
            if issued.defaulted:
                values = {**base, "quantity": issued.quantity, "deposit": issued.deposit}
                expected.append((ev.Defaulted, values))
            return issued, expected

        return step

    def token(self, window: int, key: RightId, side: Side | None = None) -> int:
        """The right's number on chain."""
        right = self.books[window].rights.get(key)
        side = right.side if right else (side or Side.BUY)
        return TokenId(key.participant, window, side, key.start).encode()

    def pay(self, window: int, key: RightId, payer: str) -> tuple[bool, Any]:
        number = self.token(window, key)

        def step() -> tuple[Any, list[Expected]]:
            due = self.books[window].pay(key, payer, self.now)
            values = {"right_id": number, "payer": payer, "payment": due, "balance": self.vault.balance(payer)}
            return due, [(ev.Paid, values)]

        return self.act(payer, self.calls.pay(number), True, step)

    def declare_default(self, window: int, key: RightId) -> tuple[bool, Any]:
        number, right = self.token(window, key), self.books[window].rights.get(key)

        def step() -> tuple[Any, list[Expected]]:
            lost = self.books[window].declare_default(key, self.now)
            assert right is not None
            values = {"window": window, "participant": key.participant, "quantity": right.wh, "deposit": lost}
            return lost, [(ev.Defaulted, values)]

        return self.act(self.relay, self.calls.declare_default(number), True, step)

    def refund(self, window: int, who: str) -> bool:
        def step() -> tuple[None, list[Expected]]:
            amount = self.books[window].refund_commitment(who, self.now)
            self._resolve(window, who)
            return None, [(ev.Refunded, {"window": window, "participant": who, "amount": amount})]

        return self.act(self.relay, self.calls.refund(window, who), window in self.books, step)[0]

    # ---------------------------------------------------------------- rights

    def split(self, window: int, key: RightId, wh: int, by: str | None = None) -> tuple[bool, Any]:
        right, number = self.books[window].rights.get(key), self.token(window, key)
        by = by or (right.holder if right else self.relay)
        mine = right is not None and right.holder == by
        return self.act(by, self.calls.split(number, wh), mine, lambda: (self.books[window].split(key, wh), []))

    def transfer(self, window: int, key: RightId, to: str, by: str | None = None) -> bool:
        right, number = self.books[window].rights.get(key), self.token(window, key)
        holder = right.holder if right else self.relay
        by = by or holder
        mine = right is not None and right.holder == by
        call = self.calls.transfer(holder, to, number)
        return self.act(by, call, mine, lambda: (self.books[window].transfer(key, to), []))[0]

    # ---------------------------------------------------------------- stream and settlement

    def draw(self, window: int, key: RightId) -> tuple[bool, Any]:
        number = self.token(window, key, Side.SELL)
        holder = self.books[window].rights[key].holder if key in self.books[window].rights else ""

        def step() -> tuple[Any, list[Expected]]:
            amount = self.books[window].draw(key, self.now)
            values = {"right_id": number, "holder": holder, "amount": amount}
            return amount, [(ev.Drawn, values)] if amount else []

        return self.act(self.relay, self.calls.draw(number), True, step)

    def settle(self, window: int, key: RightId, side: Side = Side.SELL) -> tuple[bool, Any]:
        call = self.calls.settle(self.token(window, key, side))
        return self.act(self.relay, call, True, self._settling(window, key))

    def settle_many(self, window: int, keys: Sequence[RightId]) -> bool:
        """Settles rights in this order in one transaction."""
        call = self.calls.settle_many([self.token(window, key) for key in keys])

        def step() -> tuple[None, list[Expected]]:
            expected: list[Expected] = []
            for key in keys:
                if key in self.books[window].rights:  # twice named: skipped
                    expected += self._settling(window, key)()[1]
            return None, expected

        return self.act(self.relay, call, True, step)[0]

    def _settling(self, window: int, key: RightId) -> Callable[[], tuple[Any, list[Expected]]]:
        def step() -> tuple[Any, list[Expected]]:
            books, number = self.books[window], self.token(window, key)
            right = books.rights.get(key)
            if right is None or right.side is Side.BUY:
                bought = books.settle_buyer(key, self.now)
                assert right is not None
                self._final(number, right.wh, 1_000_000, bought.compensation, bought.released)
                return bought, [(ev.BuyerSettled, {"right_id": number, "holder": right.holder, **bought._asdict()})]
            drawn, before = right.drawn, self.vault.balance(self.market.treasury)
            known = self.vault.battery(key.participant).reliability
            sold = books.settle_seller(key, self.now)
            self._final(number, right.wh, sold.fulfilment, drawn + sold.payment + sold.forfeit_share, sold.released)
            expected: list[Expected] = [
                (ev.SellerSettled, {"right_id": number, "holder": right.holder, **sold._asdict()})
            ]
            if books.settled == books.volume and not books.paid:
                swept = self.vault.balance(self.market.treasury) - before
                expected.append((ev.PoolSwept, {"window": window, "amount": swept}))
            if (now := self.vault.battery(key.participant).reliability) != known:
                values = {"account": key.participant, "device": right.device, "reliability": now}
                expected.append((ev.ReliabilityChanged, values))
            return sold, expected

        return step

    def _final(self, number: int, *record: int) -> None:
        """A final settlement token's record (27)."""
        self.finals[TokenId.decode(number).settled().encode()] = tuple(record)  # type: ignore[assignment]

    # ---------------------------------------------------------------- comparing

    def check(self, *, whole: bool = False) -> None:
        """Every figure of the contracts is the model's; `whole`: also of windows that are over."""
        assert self.vault.imbalance() == 0
        market = self.market.deployment.market
        assert self.reader.token_balance(market) == self.vault.tokens
        for account in (*self.people, self.market.treasury):
            assert self.reader.balance(account) == self.vault.balance(account), account
            known, battery = self.reader.admission(account), self.vault.battery(account)
            assert (known.device, known.limit, known.capacity, known.reliability, known.promised) == (
                battery.device, battery.limit_wh, battery.capacity, battery.reliability, battery.promised,
            ), account  # fmt: skip
        for window, books in self.books.items():
            if whole or books.held() or books.rights or books.status is Status.OPEN:
                compare_window(self.reader, window, books, self.now, self.results.get(window))
        if whole:
            for number, record in self.finals.items():
                s = self.reader.settlement(number)
                assert (s.quantity, s.fulfilment, s.amount, s.released) == record

    # ---------------------------------------------------------------- the end

    def finish(self) -> None:
        """Every window to its end, and everybody takes everything out: nobody's money can be held up."""
        for window in sorted(self.books):
            self._end(window)
        self.check(whole=True)
        for account in (*self.people, self.market.treasury):
            if balance := self.vault.balance(account):
                assert self.withdraw(account, balance)
            assert self.vault.battery(account).promised == 0, "every unit comes back"
            if account in self.devices:
                assert self.refresh(account), "and the device that it has now can sell"
        assert self.vault.tokens == 0 == self.reader.token_balance(self.market.deployment.market)

    def _end(self, window: int) -> None:
        books, times = self.books[window], deadlines(self.calendar, window)
        if books.status is Status.OPEN:
            self.move(times.reveal)
            assert self.clear(window) if self.now < times.void else self.void(window)
        if waiting := [self.claim_of(who, window) for who in self.opened[window]]:
            assert self.claim_many([*waiting, waiting[0]])
        for other, who in [key for key in self.seals if key[0] == window]:
            assert self.refund(other, who)
        if books.status is Status.TRADED:
            self.move(times.payment)
            for key in [key for key, right in books.rights.items() if not right.paid]:
                assert self.declare_default(window, key)[0]
            self.move(times.reading)
            keys = sorted(books.rights, key=lambda key: books.rights[key].side)
            assert not keys or self.settle_many(window, [*keys, keys[0]])
        assert books.held() == 0, window
