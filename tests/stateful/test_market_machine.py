"""§2, §5, §6: any sequence of actions, right and wrong, does to the contracts what it does to the books.

Hypothesis chooses the actions: deposits, withdrawals, bids, replacements, right and wrong openings, clearings, voids,
claims, payments, defaults, splits, transfers, readings (good, replayed, late, forged …), draws, settlements, refunds,
and jumps in time to, just before and just after every deadline. At the end every window is brought to its end and
everybody takes everything out. `tests/stateful/world.py` says what must agree after each action.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from stowatt.calendar import Calendar, Status, deadlines
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.curves import Curve, Side
from stowatt.metering import (
    Reading,
    SealedSlots,
    SignedReading,
    SignedSealed,
    SignedVoucher,
    Voucher,
    sign_sealed,
)
from stowatt.settlement.records import RightId
from stowatt.units import Wh
from tests.chain.backends import CHAIN_ID, FUNDS, Backend
from tests.conftest import FULL
from tests.differential.ledgers import START, folder, soak
from tests.stateful.community import Market, Person, found, fund
from tests.stateful.world import World

pytestmark = soak
PEOPLE = [Person.named(name) for name in ("ann", "ben", "cem", "dea", "eva")]
SELLERS = {"ann": (300, 1200), "ben": (250, 4000), "cem": (90, 360), "dea": (4_000_000_000, 4_000_000_000)}
"""Usable Wh and export W; eva has no device."""
PLAIN = Calendar(
    origin=START + 10_000, length=900, sub_slot=300, commit_lead=1800, reveal_lead=1200, payment_lead=300,
    reading_grace=600, void_delay=600, ring=3, ticks=12, price_rule=0, rationing=0, tick_size=1000, bond=2_000,
    alpha_seller=200_000, alpha_buyer=500_000, efficiency=950_000, tolerance=980_000,
    alpha_proven=50_000, reliability_gain=300_000,
)  # fmt: skip
CALENDARS = (
    PLAIN,
    replace(PLAIN, price_rule=1, rationing=1, bond=0, ticks=4, tick_size=7, efficiency=333_333, tolerance=1_000_000),
    replace(
        PLAIN,
        price_rule=2,
        rationing=1,
        void_delay=900,
        tick_size=10**9,
        alpha_seller=1,
        alpha_buyer=1_000_000,
        alpha_proven=1,
        reliability_gain=1_000_000,
    ),
    replace(
        PLAIN,
        price_rule=2,
        ring=4,
        bond=10**6,
        ticks=300,
        tick_size=1,
        reading_grace=0,
        payment_lead=0,
        tolerance=1,
        reliability_gain=0,
    ),
)


@cache
def prepared() -> tuple[Path, tuple[Market, ...]]:
    """A ledger with a market for each calendar, to be copied."""
    stack = ExitStack()
    place = stack.enter_context(folder())  # is there until the process ends
    options: dict[str, Any] = {"chain_id": CHAIN_ID, "balances": FUNDS, "timestamp": START, "fixed_clock": True}
    with EmbeddedLedger.create(place / "chain", **options) as ledger:
        backend = Backend("embedded", ledger, ledger)
        fund(ledger, PEOPLE)
        markets = tuple(found(backend, calendar, PEOPLE, SELLERS) for calendar in CALENDARS)
    _kept.append(stack)
    return place / "chain", markets


_kept: list[ExitStack] = []


@pytest.fixture(scope="module", autouse=True)
def _clean_up() -> Iterator[None]:
    yield
    while _kept:
        _kept.pop().close()
    prepared.cache_clear()


@dataclass
class Choice:
    """Draws at run time from what there is."""

    data: st.DataObject

    def one(self, items: Any) -> Any:
        return self.data.draw(st.sampled_from(sorted(items)))

    def number(self, low: int, high: int) -> int:
        return self.data.draw(st.integers(low, high))


Pairs = list[tuple[int, int]]


def pairs(low: int, high: int) -> st.SearchStrategy[Pairs]:
    """Ticks and widths of a curve."""
    return st.dictionaries(st.integers(low, high), st.integers(1, 60), min_size=1, max_size=3).map(
        lambda widths: list(widths.items())
    )


def curves() -> st.SearchStrategy[tuple[Side, Pairs]]:
    """A side, and ticks below 12 with widths; ticks are cut to the market's grid."""
    return st.tuples(st.sampled_from(list(Side)), pairs(0, 11))


WHO = st.integers(0, len(PEOPLE) - 1)
BLINDER = st.integers(1, 2**250)
DATA = st.data()
LAPSED = -1
MORE = st.sampled_from((0, 0, 1, 20, 64))
"""Energy units that a commitment holds beyond what its curve needs."""
FAULTS = ("blinder", "curve", "device", "limit", "alpha", "units", "side", "participant")
VOUCHERS = (
    "good",
    "good",
    "good",
    "sealed",
    "again",
    "forged",
    "too much",
    "less",
    "no sub-slot",
    "sealed",
    "sealed, wrong",
)
READINGS = ("good", "good", "good", "replayed", "forged", "gap", "own gap", "too much", "no sub-slot", "old")


class MarketMachine(RuleBasedStateMachine):
    """The market under any sequence of actions."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.sent: list[SignedReading] = []
        self.keys: list[tuple[int, RightId]] = []

    @initialize(
        which=st.integers(0, len(CALENDARS) - 1),
        stage=st.sampled_from((LAPSED, 0, 1, 2, 3, 4, 4, 4, 5, 5, 6, 6, 7, 7)),
        asks=st.lists(pairs(0, 6), min_size=2, max_size=2),
        bids=st.lists(pairs(5, 11), min_size=2, max_size=2),
        last=curves(),
        blinder=BLINDER,
        away=st.integers(0, 9),
        broke=st.one_of(st.sets(WHO), st.just(set(range(len(PEOPLE))))),
    )
    def begin(
        self,
        which: int,
        stage: int,
        asks: list[Pairs],
        bids: list[Pairs],
        last: tuple[Side, Pairs],
        blinder: int,
        away: int,
        broke: set[int],
    ) -> None:
        """A window that has come as far as `stage`: opened, committed, revealed, cleared, claimed, paid, delivering,
        delivered.

        Or it was never cleared (LAPSED). One bid may stay unopened (`away`); who is broke has nothing to pay with.
        """
        self._start(which)
        world, window, times = self.world, 2, deadlines(self.world.calendar, 2)
        sides = [Side.SELL, Side.SELL, Side.BUY, Side.BUY]
        curves = [self.curve(bid) for bid in (*zip(sides, (*asks, *bids), strict=True), last)]
        if stage:
            for who, curve in enumerate(curves):
                if curve.side is Side.BUY or self.account(who) in world.devices:
                    assert world.commit(self.account(who), (window, curve, blinder + who))
        if stage >= 2 or stage == LAPSED:
            world.move(times.commit)
            absent = self.account(away) if away < len(PEOPLE) else None
            world.reveal_many([seal.opening for (_, who), seal in sorted(world.seals.items()) if who != absent])
        if stage == LAPSED:
            world.move(times.void)
        if stage >= 3:
            if world.seals:
                world.move(times.reveal)
            assert world.clear(window)
        if stage >= 4:
            self._claim_all(window, broke)
            for number, key in enumerate(self._unpaid(window)):
                if blinder >> number & 1:
                    assert world.deposit(world.relay, 10**14)
                    assert world.pay(window, key, world.relay)[0]
        if stage >= 5:
            world.move(times.payment)
            for key in self._unpaid(window):
                assert world.declare_default(window, key)[0]
        if stage >= 6:
            world.move(times.start + 300)
            for device in sorted({right.device for right in world.books[window].rights.values()} - {0}):
                energy = Wh(blinder % 30)
                match (blinder + device) % 3:
                    case 0:
                        assert world.reading(world.sign(Reading(device, window, 0, energy, 1)))
                    case 1:
                        assert world.redeem(world.sign_voucher(Voucher(device, window, 1, energy)))
                    case _:
                        assert world.open_sealed(self.sealed(device, window, 1, energy, wrong=False))
        if stage >= 7:
            world.move(times.reading)

    def _unpaid(self, window: int) -> list[RightId]:
        return [key for key, right in self.world.books[window].rights.items() if not right.paid]

    def _start(self, which: int) -> None:
        """A copy of the ledger; everybody has enough for the largest reserve; window 2 is open."""
        chain, markets = prepared()
        place = Path(tempfile.mkdtemp(prefix="machine", dir=chain.parent))
        self.stack.callback(shutil.rmtree, place)
        shutil.copytree(chain, place / "chain")
        ledger = self.stack.enter_context(EmbeddedLedger.open(place / "chain"))
        self.world = World(Backend("embedded", ledger, ledger), markets[which], PEOPLE, START)
        c = CALENDARS[which]
        self.ticks = c.ticks
        for account in self.world.people:
            assert self.world.deposit(account, 2 * c.bond + 200 * c.ticks * c.tick_size // 1000 + 1)
        self.world.move(deadlines(c, 2).opening)
        assert self.world.open(2)

    def _claim_all(self, window: int, broke: set[int]) -> None:
        for who, account in enumerate(self.world.people):
            if who in broke and (balance := self.world.vault.balance(account)):
                assert self.world.withdraw(account, balance)
            if account in self.world.opened[window]:
                assert self.world.claim(self.world.claim_of(account, window))[0]

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.world.finish()
        finally:
            self.stack.close()

    # ---------------------------------------------------------------- what there is

    def account(self, number: int) -> str:
        return self.world.people[number]

    def window(self, pick: Choice) -> int:
        """One of the last windows."""
        return int(pick.one(sorted(self.world.books)[-3:]))

    def curve(self, drawn: tuple[Side, Pairs]) -> Curve:
        side, segments = drawn
        return Curve.of(
            side, [(tick * self.ticks // 12 if self.ticks < 12 else tick, width) for tick, width in segments]
        )

    def right(self, pick: Choice, *, unpaid: bool = False) -> tuple[int, RightId]:
        """A right that is there (an unpaid one rather, if `unpaid`), or one that was."""
        there = {
            (window, key): right for window, books in self.world.books.items() for key, right in books.rights.items()
        }
        self.keys += [key for key in there if key not in self.keys]
        due = [key for key, right in there.items() if unpaid and not right.paid]
        window, key = pick.one((due or there) if there and pick.number(0, 9) else self.keys)
        return window, key

    def metered(self) -> list[int]:
        """Windows whose first sub-slot is over and whose readings are still taken."""
        c, now = self.world.calendar, self.world.now
        times = {window: deadlines(c, window) for window in sorted(self.world.books)[-3:]}
        return [window for window, t in times.items() if t.start + c.sub_slot <= now < t.reading]

    def has_rights(self) -> bool:
        return bool(self.keys) or any(books.rights for books in self.world.books.values())

    # ---------------------------------------------------------------- time

    @rule(data=DATA, delta=st.sampled_from((-1, 0, 0, 0, 1)))
    def next_deadline(self, data: st.DataObject, delta: int) -> None:
        world, times = self.world, set()
        for window in sorted(world.books)[-3:]:
            t = deadlines(world.calendar, window)
            times |= {t.commit, t.reveal, t.void, t.payment, t.start + 300, t.end, t.reading}
            times.add(deadlines(world.calendar, window + 1).opening)
        later = sorted(time for time in times if time + delta > world.now)
        if later:
            world.move(Choice(data).one(later[:2]) + delta)
            world.check()

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        self.world.move(self.world.now + seconds)
        self.world.check()

    # ---------------------------------------------------------------- vault

    @rule(who=WHO, amount=st.one_of(st.just(0), st.integers(1, 10**6), st.just(10**14)))
    def deposit(self, who: int, amount: int) -> None:
        self.world.deposit(self.account(who), amount)

    @rule(who=WHO, to=WHO, share=st.sampled_from((0, 1, 50, 99, 100, 101)))
    def withdraw(self, who: int, to: int, share: int) -> None:
        balance = self.world.vault.balance(self.account(who))
        self.world.withdraw(self.account(who), -(-balance * share // 100), self.account(to))

    # ---------------------------------------------------------------- sealed bids

    @rule(ahead=st.integers(1, 4))
    def open(self, ahead: int) -> None:
        c = self.world.calendar
        self.world.open(max(0, (self.world.now - c.origin) // c.length + ahead))

    @rule(who=WHO, data=DATA, drawn=curves(), blinder=BLINDER, more=MORE)
    def commit(self, who: int, data: st.DataObject, drawn: tuple[Side, Pairs], blinder: int, more: int) -> None:
        bid = (self.window(Choice(data)), self.curve(drawn), blinder)
        self.world.commit(self.account(who), bid, more=more)

    @rule(who=WHO, drawn=st.lists(curves(), min_size=2, max_size=3), blinder=BLINDER, more=MORE)
    def commit_many(self, who: int, drawn: list[tuple[Side, Pairs]], blinder: int, more: int) -> None:
        windows = sorted(self.world.books)[-2:]
        bids = [(windows[i % len(windows)], self.curve(one), blinder + i) for i, one in enumerate(drawn)]
        self.world.commit(self.account(who), *bids, more=more)

    @precondition(lambda self: self.world.now < deadlines(self.world.calendar, max(self.world.books)).commit)
    @rule(drawn=st.lists(curves(), min_size=5, max_size=5), blinder=BLINDER, more=MORE)
    def everybody_commits(self, drawn: list[tuple[Side, Pairs]], blinder: int, more: int) -> None:
        window = max(self.world.books)
        for who, one in enumerate(drawn):
            self.world.commit(self.account(who), (window, self.curve(one), blinder + who), more=more)

    @rule(who=st.integers(0, 2), pairs=pairs(0, 11), blinder=BLINDER)
    def sell_everything(self, who: int, pairs: Pairs, blinder: int) -> None:
        """Whole batteries in every window that takes bids, one after the other: the last ones are too many (T42)."""
        world = self.world
        world.open(max(world.books) + 1)
        for number, window in enumerate(sorted(world.books)[-3:]):
            bid = (window, self.curve((Side.SELL, pairs)), blinder + number)
            world.commit(self.account(who), bid, more=64)

    @rule(who=WHO, data=DATA)
    def withdraw_commitment(self, who: int, data: st.DataObject) -> None:
        self.world.withdraw_commitment(self.account(who), self.window(Choice(data)))

    @precondition(lambda self: self.world.seals)
    @rule(data=DATA, by=WHO)
    def reveal(self, data: st.DataObject, by: int) -> None:
        key = Choice(data).one(self.world.seals)
        self.world.reveal(self.world.seals[key].opening, self.account(by))

    @precondition(lambda self: self.world.seals)
    @rule(data=DATA, fault=st.sampled_from(FAULTS))
    def reveal_wrongly(self, data: st.DataObject, fault: str) -> None:
        pick = Choice(data)
        opening = self.world.seals[pick.one(self.world.seals)].opening
        self.world.reveal(self.spoilt(opening, fault))

    def spoilt(self, opening: Any, fault: str) -> Any:
        context = opening.context
        match fault:
            case "blinder":
                return replace(opening, blinder=opening.blinder + 1)
            case "curve":
                wider = [(tick, width + 1) for tick, width in opening.curve.segments]
                return replace(opening, curve=Curve.of(opening.curve.side, wider))
            case "side":
                return replace(opening, curve=Curve.of(Side(1 - opening.curve.side), opening.curve.segments))
            case "limit" | "alpha" | "units":
                name = "limit_wh" if fault == "limit" else fault
                return replace(opening, terms=replace(opening.terms, **{name: getattr(opening.terms, name) ^ 1}))
            case "participant":
                other = next(account for account in self.world.people if account != context.participant)
                return replace(opening, context=replace(context, participant=other))
        number = context.device + 1
        return replace(
            opening,
            context=replace(context, side=Side.SELL, device=number),
            terms=replace(opening.terms, device=number),
        )

    @precondition(lambda self: self.world.seals)
    @rule(data=DATA, wrong=st.booleans(), skip=st.integers(0, 7))
    def reveal_many(self, data: st.DataObject, wrong: bool, skip: int) -> None:
        window = max(key[0] for key in self.world.seals)
        keys = sorted(key for key in self.world.seals if key[0] == window)
        openings = [self.world.seals[key].opening for i, key in enumerate(keys) if i != skip]
        if wrong and openings:
            openings.insert(0, self.spoilt(openings[-1], "blinder"))
            openings.append(openings[-1])
        self.world.reveal_many(openings)

    @rule(who=st.integers(0, 3), usable=st.integers(1, 500), export=st.integers(1, 3000))
    def replace_device(self, who: int, usable: int, export: int) -> None:
        self.world.replace_device(self.account(who), usable, export)

    # ---------------------------------------------------------------- clearing, issue

    @rule(data=DATA)
    def clear(self, data: st.DataObject) -> None:
        self.world.clear(self.window(Choice(data)))

    @rule(data=DATA)
    def void(self, data: st.DataObject) -> None:
        self.world.void(self.window(Choice(data)))

    @rule(who=WHO, data=DATA, wrong=st.integers(0, 5))
    def claim(self, who: int, data: st.DataObject, wrong: int) -> None:
        window = self.window(Choice(data))
        claim = self.world.claim_of(self.account(who), window)
        if wrong == 0:
            claim = replace(claim, bid=claim.bid[:-1] + bytes((claim.bid[-1] ^ 1,)))
        elif wrong == 1:
            claim = replace(claim, terms=replace(claim.terms, device=claim.terms.device + 1))
        elif wrong == 2:
            claim = replace(claim, terms=replace(claim.terms, alpha=claim.terms.alpha ^ 1))
        self.world.claim(claim)

    @rule(data=DATA, skip=st.integers(0, 7))
    def claim_many(self, data: st.DataObject, skip: int) -> None:
        window = self.window(Choice(data))
        people = [account for number, account in enumerate(self.world.people) if number != skip]
        self.world.claim_many([self.world.claim_of(account, window) for account in people])

    @precondition(has_rights)
    @rule(data=DATA, payer=WHO)
    def pay(self, data: st.DataObject, payer: int) -> None:
        self.world.pay(*self.right(Choice(data), unpaid=True), self.account(payer))

    @precondition(has_rights)
    @rule(data=DATA)
    def declare_default(self, data: st.DataObject) -> None:
        self.world.declare_default(*self.right(Choice(data), unpaid=True))

    @rule(who=WHO, data=DATA)
    def refund(self, who: int, data: st.DataObject) -> None:
        self.world.refund(self.window(Choice(data)), self.account(who))

    # ---------------------------------------------------------------- rights, delivery

    @precondition(has_rights)
    @rule(data=DATA, by=st.one_of(st.none(), WHO))
    def split(self, data: st.DataObject, by: int | None) -> None:
        pick = Choice(data)
        window, key = self.right(pick)
        right = self.world.books[window].rights.get(key)
        wh = pick.number(0, right.wh if right else 5)
        self.world.split(window, key, wh, None if by is None else self.account(by))

    @precondition(has_rights)
    @rule(data=DATA, to=WHO, by=st.one_of(st.none(), st.none(), WHO))
    def transfer(self, data: st.DataObject, to: int, by: int | None) -> None:
        window, key = self.right(Choice(data))
        self.world.transfer(window, key, self.account(to), None if by is None else self.account(by))

    @rule(data=DATA, kind=st.sampled_from(READINGS), sub_slot=st.integers(0, 2), energy=st.integers(0, 130))
    def read_meter(self, data: st.DataObject, kind: str, sub_slot: int, energy: int) -> None:
        pick, world = Choice(data), self.world
        if kind == "replayed" and self.sent:
            world.reading(self.sent[pick.number(0, len(self.sent) - 1)])
            return
        window = self.window(pick)
        sold = {right.device for right in world.books[window].rights.values()} - {0}
        number = pick.one(sold or world.all_devices)
        device, counter = world.all_devices[number], world.progress.get(number, (0, 0))[0] + 1
        counter += {"gap": 2, "own gap": 1, "old": -1}.get(kind, 0)
        energy = device.export_w // 12 + 2 if kind == "too much" else energy
        sub_slot = 3 if kind == "no sub-slot" else sub_slot
        reading = Reading(number, window, sub_slot, Wh(energy), max(1, counter))
        forger = next(other for other in world.all_devices if other != number)
        signed = world.sign(reading, forger if kind == "forged" else None)
        if world.reading(signed, device.owner if kind == "own gap" else None):
            self.sent.append(signed)

    @rule(
        data=DATA,
        kinds=st.lists(st.sampled_from(VOUCHERS), min_size=1, max_size=3),
        through=st.integers(1, 3),
        energy=st.integers(0, 130),
    )
    def redeem(self, data: st.DataObject, kinds: list[str], through: int, energy: int) -> None:
        """Vouchers and opened sums, good ones and others, alone or several at once."""
        pick, world = Choice(data), self.world
        window = pick.one(self.metered()) if self.metered() and pick.number(0, 9) else self.window(pick)
        over = (world.now - deadlines(world.calendar, window).start) // world.calendar.sub_slot
        if pick.number(0, 4):
            through = max(1, min(through, over))
        sold = {right.device for right in world.books[window].rights.values()} - {0}
        number = pick.one(sold or world.all_devices)
        if kinds[0].startswith("sealed"):
            world.open_sealed(self.sealed(number, window, through, energy, wrong="wrong" in kinds[0]))
            return
        vouchers = [self.voucher(number, window, min(3, through + at), energy, kind) for at, kind in enumerate(kinds)]
        if len(vouchers) == 1:
            world.redeem(vouchers[0])
        else:
            world.redeem_many(vouchers)

    def voucher(self, number: int, window: int, through: int, energy: int, kind: str) -> SignedVoucher:
        world = self.world
        books, device = world.books[window], world.all_devices[number]
        known = books.metered.get(number, 0)
        if kind == "again":
            through = max(1, books.counted.get(number, 0))
        total = {"too much": through * (device.export_w // 12 + 2), "less": max(0, known - 1)}.get(kind, known + energy)
        forger = next(other for other in world.all_devices if other != number)
        voucher = Voucher(number, window, 4 if kind == "no sub-slot" else through, Wh(total))
        return world.sign_voucher(voucher, forger if kind == "forged" else None)

    def sealed(self, number: int, window: int, through: int, energy: int, *, wrong: bool) -> SignedSealed:
        slots = SealedSlots(number, window)
        for _ in range(through):
            slots.seal(Wh(self.world.books[window].metered.get(number, 0) // through + energy), lambda text: None)
        signed = sign_sealed(
            self.world.reader.readings_domain, slots.voucher(through), self.world.all_devices[number].meter
        )
        return replace(signed, sealed=replace(signed.sealed, energy=Wh(signed.sealed.energy + 1))) if wrong else signed

    @rule(who=WHO)
    def refresh(self, who: int) -> None:
        self.world.refresh(self.account(who))

    @precondition(lambda self: self.world.devices)
    @rule(data=DATA)
    def revoke_device(self, data: st.DataObject) -> None:
        self.world.revoke_device(Choice(data).one(self.world.devices))

    @precondition(has_rights)
    @rule(data=DATA)
    def draw(self, data: st.DataObject) -> None:
        self.world.draw(*self.right(Choice(data)))

    @precondition(has_rights)
    @rule(data=DATA)
    def settle(self, data: st.DataObject) -> None:
        self.world.settle(*self.right(Choice(data)))

    @rule(data=DATA)
    def settle_sellers(self, data: st.DataObject) -> None:
        """All sellers of a window, where nothing stands in the way."""
        window = self.window(Choice(data))
        books = self.world.books[window]
        ready = books.status is Status.TRADED and self.world.now >= deadlines(self.world.calendar, window).reading
        if ready and books.resolved == 2 * books.volume:
            keys = [key for key, right in books.rights.items() if right.side is Side.SELL]
            self.world.settle_many(window, keys)


MarketMachine.TestCase.settings = settings(
    max_examples=600 if FULL else 40,
    stateful_step_count=80 if FULL else 50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestMarketMachine = MarketMachine.TestCase
