"""§3, §5, §6: whole windows of the real market agree with the engines and the books, on the embedded ledger and anvil.

Ten windows for each price rule and rationing rule, from sealed commitment to final settlement: real Pedersen points;
openings one by one and in batches, some never made; cleared after the deadline or early; claimed one by one and in
batches; buyers in default, readings, draws, splits. What must agree is all that `tests/stateful/world.py` compares; and
both ledgers must use the same gas and write the same logs.
"""

from random import Random

import pytest

from stowatt.calendar import Calendar, Status, deadlines
from stowatt.clearing import PriceRule, Rationing
from stowatt.curves import Curve, Side
from stowatt.metering import Reading, Voucher
from stowatt.units import Wh
from tests.chain.backends import Backend
from tests.conftest import FULL
from tests.differential.ledgers import LEDGERS, START, Trace, soak
from tests.stateful.community import WIDEST, Person, drawn_blinder, found, fund
from tests.stateful.world import World
from tests.vectors.generate_books import ALL_RULES, grid

pytestmark = [pytest.mark.anvil, *soak]
WINDOWS = 100 if FULL else 10
PEOPLE = [Person.named(name) for name in ("ann", "ben", "cem", "dea", "eva", "fay", "gus", "hal", "ida")]
MONEY = 10**20


@pytest.mark.parametrize(("price_rule", "rationing"), ALL_RULES, ids=lambda rule: rule.name.lower())
def test_whole_windows(price_rule: PriceRule, rationing: Rationing) -> None:
    traces: dict[str, list[Trace]] = {}
    for name, opened in LEDGERS.items():
        with opened() as backend:
            traces[name] = Evening(backend, price_rule, rationing).run()
    assert traces["embedded"] == traces["anvil"]


class Evening:
    """Consecutive windows of one market."""

    def __init__(self, backend: Backend, price_rule: PriceRule, rationing: Rationing, windows: int = WINDOWS) -> None:
        self.windows = windows
        self.random = Random(f"{price_rule.name} {rationing.name}")
        self.ticks = grid(price_rule)
        lead = (self.windows + 4) * 900
        self.calendar = Calendar(
            origin=START + lead + 1800, length=900, sub_slot=300, commit_lead=lead, reveal_lead=1200, payment_lead=600,
            reading_grace=600, void_delay=600, ring=2 * self.windows + 8, ticks=self.ticks, price_rule=price_rule,
            rationing=rationing, tick_size=self.random.choice((1, 7, 1000, 10**9)), bond=50_000,
            alpha_seller=200_000, alpha_buyer=333_333, efficiency=950_000, tolerance=980_000,
            alpha_proven=20_000, reliability_gain=1_000_000,
        )  # fmt: skip
        fund(backend.ledger, PEOPLE)
        market = found(backend, self.calendar, PEOPLE, {person.name: (WIDEST, WIDEST) for person in PEOPLE})
        # views are slow over HTTP, and the same logs cannot leave other figures
        every = (1 if windows <= 10 else 40) if backend.name == "embedded" else 200
        self.world = World(backend, market, PEOPLE, START, every=every)

    def run(self) -> list[Trace]:
        world = self.world
        for account in world.people:
            assert world.deposit(account, MONEY)
        for window in range(self.windows):
            assert world.open(window)
        self._commit()
        for window in range(self.windows):
            self._reveal_and_clear(window)
            if window >= 2:
                self._deliver(window - 2)  # its delivery has just ended
        world.finish()
        return world.traces

    def _commit(self) -> None:
        """Everybody to all its windows in one transaction, then somebody changes its mind."""
        random, world = self.random, self.world
        for account in world.people:
            bids = [(w, self._curve(w), drawn_blinder(random)) for w in range(self.windows) if random.randrange(4)]
            assert not bids or world.commit(account, *bids)
        window, who = random.choice(sorted(world.seals))
        assert world.commit(who, (window, self._curve(window), drawn_blinder(random)))
        window, who = random.choice(sorted(world.seals))
        assert world.withdraw_commitment(who, window)

    def _curve(self, window: int) -> Curve:
        """Windows differ in how many ticks they use, so that some have heavy ties and some long flat intervals."""
        random = self.random
        ticks = (3, 12, 300, self.ticks)[window % 4]
        chosen = random.sample(range(ticks), min(ticks, random.randint(1, (3, 4, 16, 6)[window % 4])))
        widest = 5 if window % 5 == 0 else 5000
        return Curve.of(random.choice(list(Side)), [(tick, random.randint(1, widest)) for tick in chosen])

    def _reveal_and_clear(self, window: int) -> None:
        random, world, times = self.random, self.world, deadlines(self.calendar, window)
        world.move(times.commit)
        openings = [seal.opening for (other, _), seal in sorted(world.seals.items()) if other == window]
        random.shuffle(openings)
        early = window % 3 == 0
        if not early:
            openings = [opening for opening in openings if random.randrange(6)]
        half = len(openings) // 2
        for opening in openings[:half]:
            assert world.reveal(opening)
        assert world.reveal_many([*openings[half:], *openings[:1]])  # the last is refused: it is opened already
        if any(other == window for other, _ in world.seals):
            assert not world.clear(window)
            world.move(times.reveal)
        assert world.clear(window)
        self._claim(window)

    def _claim(self, window: int) -> None:
        random, world, times = self.random, self.world, deadlines(self.calendar, window)
        claims = [world.claim_of(who, window) for who in world.opened[window]]
        late = claims.pop() if claims and random.randrange(2) else None
        for claim in claims[::2]:
            if random.randrange(4) == 0 and (balance := world.vault.balance(claim.participant)):
                assert world.withdraw(claim.participant, balance)  # then a buyer cannot pay at once
            assert world.claim(claim)[0]
        assert world.claim_many(claims[1::2])
        for account in world.people:
            if world.vault.balance(account) < MONEY // 2:
                assert world.deposit(account, MONEY)
        for key in [key for key, right in world.books[window].rights.items() if not right.paid]:
            if random.randrange(2):
                assert world.pay(window, key, random.choice(world.people))[0]
        if late:
            world.move(times.payment)
            assert world.claim(late)[0]

    def _deliver(self, window: int) -> None:
        random, world, books = self.random, self.world, self.world.books[window]
        if books.status is not Status.TRADED:
            return
        world.move(deadlines(self.calendar, window).end)
        for key, right in sorted(books.rights.items()):
            if right.paid and right.wh > 1 and random.randrange(2):
                assert world.split(window, key, random.randint(1, right.wh - 1))[0]
            if random.randrange(3) == 0:
                assert world.transfer(window, key, random.choice(world.people))
        signed, vouchers = [], []
        for device in sorted({right.device for right in books.rights.values()} - {0}):
            counter = world.progress.get(device, (0, 0))[0]
            due = max(1, sum(right.wh for right in books.rights.values() if right.device == device))
            if random.randrange(2):
                sums = [Voucher(device, window, n, Wh(n * random.randint(due // 4, due // 2))) for n in (2, 3)]
                vouchers += [world.sign_voucher(voucher) for voucher in sums]
                continue
            for sub_slot in range(3):
                counter += 1
                energy = Wh(random.randint(0, due // 2))
                signed.append(world.sign(Reading(device, window, sub_slot, energy, counter)))
        assert not signed or world.reading_many([*signed, signed[0]])  # the last is a replay
        assert not vouchers or world.redeem_many([*vouchers, vouchers[0]])
        for key, right in list(books.rights.items()):
            if right.side is Side.SELL and random.randrange(2):
                assert world.draw(window, key)[0]
