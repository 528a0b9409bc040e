"""A market day with every trouble there is, driven through the real contracts on an embedded ledger.

Window 0: a replaced, a withdrawn and two unopened commitments, a buyer who pays late by another's hand, one in default,
an under-delivering battery, a replayed reading, a voucher, a right drawn, split and handed on, energy of a commitment
that was never opened given back. Window 1: no trade. Window 2: void. Window 3: the only buyer claims too late. Window
4: cleared early, metered by sealed sub-slots. Window 16: the second round of the ring, with a seller's lower deposit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from stowatt.audit.events import Claimed, Event, Revealed
from stowatt.calendar import Calendar, deadlines
from stowatt.chain.client import Claim, Commitment, Deployment, MarketClient, Opening, Refusal, deploy
from stowatt.chain.client.reader import ISSUER_ROLE
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.sender import Sender
from stowatt.commitments import NO_TERMS, BidContext
from stowatt.credentials import Credential, DeviceCertificate, Role, sign_statement
from stowatt.curves import Curve, Side
from stowatt.metering import (
    Reading,
    SealedSlots,
    SignedReading,
    Voucher,
    sign_reading,
    sign_sealed,
    sign_voucher,
)
from stowatt.rights import RightId
from stowatt.settlement.capacity import units_for
from stowatt.units import Wh

CHAIN_ID = 31337
ORIGIN = 1_800_000_000
CALENDAR = Calendar(
    origin=ORIGIN, length=900, sub_slot=300, commit_lead=3600, reveal_lead=1800, payment_lead=300, reading_grace=600,
    void_delay=900, ring=16, ticks=1024, price_rule=1, rationing=0, tick_size=10_000, bond=50_000, alpha_seller=200_000,
    alpha_buyer=150_000, efficiency=950_000, tolerance=980_000, alpha_proven=80_000, reliability_gain=500_000,
)  # fmt: skip
NAMES = ("admin", "issuer", "deputy", "treasury", "s1", "s2", "s3", "b1", "b2", "b3", "b4", "friend")
SELL, BUY = Side.SELL, Side.BUY


def key(name: str) -> LocalAccount:
    """A test key of that name."""
    account: LocalAccount = Account.from_key(keccak(f"stowatt test {name}".encode()))
    return account


@dataclass
class Day:
    """The people of one market and what they keep."""

    ledger: EmbeddedLedger
    deployment: Deployment
    clients: dict[str, MarketClient]
    openings: dict[tuple[str, int], Opening] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    blinders: int = 1000

    @classmethod
    def start(
        cls, folder: Path, calendar: Calendar = CALENDAR, names: Sequence[str] = NAMES, open_mode: bool = False
    ) -> "Day":
        """A market with credentials, deployed three hours before its first window."""
        accounts = {name: key(name) for name in names}
        ledger = EmbeddedLedger.create(
            folder, chain_id=CHAIN_ID, balances={a.address: 10**21 for a in accounts.values()},
            timestamp=calendar.origin - 10_700, fixed_clock=True,
        )  # fmt: skip
        senders = {name: Sender(ledger, account) for name, account in accounts.items()}
        deployment = deploy(
            senders["admin"], calendar, issuer=accounts["issuer"].address, treasury=accounts["treasury"].address,
            open_mode=open_mode,
        )  # fmt: skip
        clients = {name: MarketClient(ledger, deployment, senders[name], accounts[name]) for name in accounts}
        return cls(ledger, deployment, clients)

    def __getitem__(self, name: str) -> MarketClient:
        return self.clients[name]

    def address(self, name: str) -> str:
        return self.clients[name].address

    def events(self) -> list[Event]:
        """The log as an auditor gets it."""
        return self.clients["admin"].events()

    # ---------------------------------------------------------------- people

    def admit(self, name: str, role: Role, funds: int, nonce: int = 1) -> None:
        """Credential, funds and deposit."""
        admin, issuer = self["admin"], key("issuer")
        credential = Credential(self.address(name), f"did:example:{name}", role, 2**39, nonce)
        signature = sign_statement(admin.statements_domain, credential, issuer)
        admin.execute(admin.calls.register(credential, signature))
        if funds:
            admin.execute(admin.calls.mint(self.address(name), funds))
            self[name].deposit(funds)

    def device(self, name: str, usable: int, export: int, nonce: int = 1) -> int:
        """A certified device whose meter signs with the key `meter NAME`."""
        admin = self["admin"]
        certificate = DeviceCertificate(
            self.address(name), usable, export, export, 970_000, 960_000, keccak(f"{name}{nonce}".encode()),
            key(f"meter {name}").address, 0, 2**40, nonce,
        )  # fmt: skip
        signature = sign_statement(admin.statements_domain, certificate, key("issuer"))
        admin.execute(admin.calls.register_device(certificate, signature))
        self.devices[name] = admin.device_count()
        return self.devices[name]

    def own_device(self, name: str, usable: int, export: int) -> None:
        """A device that its owner registers itself, as the open mode allows."""
        client = self[name]
        certificate = DeviceCertificate(
            client.address, usable, export, export, 970_000, 960_000, keccak(name.encode()),
            key(f"meter {name}").address, 0, 2**40, 1,
        )  # fmt: skip
        client.execute(client.calls.register_device(certificate))
        self.devices[name] = client.device_count()

    # ---------------------------------------------------------------- bids

    def seal(self, name: str, window: int, side: Side, *pairs: tuple[int, int]) -> Commitment:
        """Seals a bid of (tick, Wh) pairs and keeps its opening."""
        client, curve = self[name], Curve.of(side, pairs)
        admission = client.admission(client.address)
        device, terms = (0, bytes(32)), NO_TERMS
        if side is SELL:
            device = (admission.device, admission.fingerprint)
            terms = replace(client.next_terms(client.address), units=units_for(curve.total, admission.limit))
        context = BidContext(CHAIN_ID, self.deployment.market, window, client.address, side, *device)
        self.blinders += 7919
        self.openings[name, window] = Opening(context, terms, curve, self.blinders)
        return Commitment(window, terms.units, context.commit(curve.encode(), self.blinders))

    def bid(self, name: str, window: int, side: Side, *pairs: tuple[int, int]) -> None:
        """Seals and commits."""
        self[name].execute(self[name].calls.commit(self.seal(name, window, side, *pairs)))

    def reveal(self, window: int, *names: str) -> None:
        """Opens bids in that order, in one transaction by a relay."""
        relay = self["admin"]
        openings = [self.openings[name, window] for name in names]
        done = relay.execute(relay.calls.reveal_many(openings))
        assert len(list(done.of(Revealed))) == len(names)

    def to(self, window: int, deadline: str, late: int = 1) -> None:
        """Moves the clock to just after a deadline of a window, never back."""
        moment = getattr(deadlines(self["admin"].calendar, window), deadline) + late
        self.ledger.set_time(max(moment, self.ledger.time()))

    # ---------------------------------------------------------------- after the clearing

    def claim(self, window: int, *names: str) -> list[Claimed]:
        """Claims bids as their Revealed events give them."""
        anyone = self["admin"]
        revealed = {event.participant: event for event in anyone.events(Revealed, window=window)}
        claims = []
        for name in names:
            event = revealed[self.address(name)]
            claims.append(Claim(window, event.participant, self.openings[name, window].terms, event.bid))
        return list(anyone.execute(anyone.calls.claim_many(claims)).of(Claimed))

    def right(self, name: str, window: int, side: Side, start: int = 0) -> int:
        """The number of a right."""
        return RightId(self.address(name), window, side, start).encode()

    def reading(self, name: str, window: int, sub_slot: int, energy: int, counter: int | None = None) -> SignedReading:
        """A signed reading."""
        if counter is None:
            counter = self.counters[name] = self.counters.get(name, 0) + 1
        reading = Reading(self.devices[name], window, sub_slot, Wh(energy), counter)
        return sign_reading(self["admin"].readings_domain, reading, key(f"meter {name}"))

    def meter(self, readings: Iterable[SignedReading]) -> None:
        """Submits readings, refused ones are skipped."""
        anyone = self["admin"]
        anyone.execute(anyone.calls.submit_many(list(readings)))

    def redeem(self, name: str, window: int, through: int, energy: int) -> None:
        """Redeems a signed sum over the window's first sub-slots."""
        anyone, voucher = self["admin"], Voucher(self.devices[name], window, through, Wh(energy))
        signed = sign_voucher(anyone.readings_domain, voucher, key(f"meter {name}"))
        anyone.execute(anyone.calls.redeem(signed))

    def open_sealed(self, name: str, window: int, *energies: int) -> None:
        """Seals the window's sub-slots, and opens their sum alone."""
        anyone, slots = self["admin"], SealedSlots(self.devices[name], window)
        for energy in energies:
            slots.seal(Wh(energy), lambda text: None)
        signed = sign_sealed(anyone.readings_domain, slots.voucher(len(energies)), key(f"meter {name}"))
        anyone.execute(anyone.calls.open_sealed(signed))

    def settle(self, rights: Iterable[int]) -> None:
        """Settles rights in that order."""
        anyone = self["admin"]
        anyone.execute(anyone.calls.settle_many(rights))


def people(day: Day) -> None:
    """Who takes part; a second issuer comes and goes."""
    admin, issuer = day["admin"], day["issuer"]
    admin.execute(admin.calls.grant_role(ISSUER_ROLE, day.address("deputy")))
    admin.execute(admin.calls.revoke_role(ISSUER_ROLE, day.address("deputy")))
    for index, name in enumerate(("s1", "s2", "s3")):
        day.admit(name, Role.SELL, 12_000_000 + index)
        day.device(name, 3000 + 100 * index, 8000)
    for name, funds in (("b1", 30_000_000), ("b2", 1_000_001), ("b3", 1_100_002), ("b4", 9_100_003)):
        day.admit(name, Role.BUY, funds)
    day.admit("friend", Role.SELL | Role.BUY, 4_000_000)
    device = day.device("friend", 100, 100)
    issuer.execute(issuer.calls.refresh(day.address("friend")))
    issuer.execute(issuer.calls.revoke_device(device))
    issuer.execute(issuer.calls.set_meter_key(day.devices["s3"], key("spare meter").address, 5, 2**33))
    issuer.execute(issuer.calls.revoke(day.address("friend")))
    friend = day["friend"]
    friend.execute(friend.calls.withdraw(day.address("b4"), 12_345))


def window_0_bids(day: Day) -> None:
    """Replaced, withdrawn and unopened commitments among the bids."""
    day.bid("b1", 0, BUY, (700, 10), (600, 5))
    day.bid("b1", 0, BUY, (500, 900), (300, 400))  # replaces the one before
    day.bid("b2", 0, BUY, (420, 700))
    day.bid("b3", 0, BUY, (410, 600), (300, 100))
    day.bid("b4", 0, BUY, (350, 500))
    day.bid("s1", 0, SELL, (100, 500), (300, 800))
    day.bid("s2", 0, SELL, (200, 400), (300, 700))
    day.bid("s3", 0, SELL, (250, 300))
    client = day["s3"]
    client.execute(client.calls.withdraw_commitment(0))
    day.bid("s3", 0, SELL, (260, 310))


def other_bids(day: Day) -> None:
    """Windows 1 to 4 are bid for in one go."""
    for name, bids in {
        "s1": [(1, SELL, (800, 100)), (2, SELL, (100, 100)), (3, SELL, (50, 250)), (4, SELL, (90, 800))],
        "s2": [(1, SELL, (900, 50)), (2, SELL, (100, 77))],
        "b1": [(1, BUY, (700, 200)), (2, BUY, (300, 50)), (3, BUY, (61, 240)), (4, BUY, (200, 500), (90, 900))],
        "b4": [(1, BUY, (650, 20)), (2, BUY, (310, 60)), (4, BUY, (90, 123))],
    }.items():
        client = day[name]
        client.execute(client.calls.commit_many([day.seal(name, *bid) for bid in bids]))


def clear_0(day: Day) -> None:
    """Two never open; one buyer's right is paid by another, one stays unpaid."""
    day.to(0, "reveal")
    anyone = day["admin"]
    anyone.execute(anyone.calls.clear(0))
    for name in ("b2", "b3"):  # nothing free: their payments cannot be taken at the claim
        client = day[name]
        client.execute(client.calls.withdraw(client.address, client.balance(client.address)))
    day.claim(0, "b2", "b3", "s1", "s2", "b1")
    friend = day["friend"]
    friend.execute(friend.calls.pay(day.right("b2", 0, BUY)))


def openings(day: Day) -> None:
    """The openings of windows 0 to 3 and their clearings, in the order of the clock; window 2 is never cleared."""
    anyone = day["admin"]
    day.to(0, "commit")
    day.reveal(0, "s1", "b1", "s2", "b3", "b2")
    day.to(1, "commit")
    day.reveal(1, "s1", "b1", "s2")
    clear_0(day)
    day.reveal(2, "s1", "b1")
    day.to(1, "reveal")
    anyone.execute(anyone.calls.clear(1))
    day.claim(1, "s1", "b1", "s2")
    day.reveal(3, "b1", "s1")
    anyone.execute(anyone.calls.clear(3))
    day.claim(3, "s1")
    day.to(0, "payment")
    anyone.execute(anyone.calls.declare_default(day.right("b3", 0, BUY)))
    day.to(4, "commit")
    day.reveal(4, "b4", "b1", "s1")
    anyone.execute(anyone.calls.clear(4))
    day.claim(4, "s1", "b1", "b4")


def delivery_0(day: Day) -> None:
    """One battery under-delivers; a reading is replayed; drawn rights are split and handed on."""
    anyone, s1, b1 = day["admin"], day["s1"], day["b1"]
    for sub_slot in range(3):
        day.ledger.set_time(ORIGIN + 300 * (sub_slot + 1))
        first = day.reading("s1", 0, sub_slot, 300 - 40 * sub_slot)
        if sub_slot < 2:
            day.meter([first, day.reading("s2", 0, sub_slot, 111 + sub_slot)])
        else:
            day.meter([first])
            day.redeem("s2", 0, 3, 111 + 112 + 113)
        try:
            anyone.execute(anyone.calls.submit(first))
        except Refusal as refusal:
            assert refusal.error == "ReadingRefused"
        else:
            raise AssertionError("a replayed reading was accepted")
        if sub_slot == 0:
            anyone.execute(anyone.calls.draw(day.right("s1", 0, SELL)))
            s1.execute(s1.calls.split(day.right("s1", 0, SELL), 333))
            part = day.right("s1", 0, SELL, 333)
            s1.execute(s1.calls.transfer(s1.address, day.address("friend"), part))
            anyone.execute(anyone.calls.draw(day.right("s2", 0, SELL)))
            b1.execute(b1.calls.split(day.right("b1", 0, BUY), 200))
            b1.execute(b1.calls.transfer(b1.address, day.address("b4"), day.right("b1", 0, BUY, 200)))
        if sub_slot == 1:
            anyone.execute(anyone.calls.draw(day.right("s1", 0, SELL, 333)))


def void_2(day: Day) -> None:
    """Nobody cleared window 2 in time."""
    anyone = day["admin"]
    day.to(2, "void")
    anyone.execute(anyone.calls.void(2))
    for name in ("s2", "b4"):
        anyone.execute(anyone.calls.refund(2, day.address(name)))
    for event in anyone.events(Revealed, window=2):
        assert isinstance(event, Revealed)
        anyone.execute(anyone.calls.claim(Claim(2, event.participant, anyone.terms(2, event.participant), event.bid)))


def settlements(day: Day) -> None:
    """Sellers first; a settlement token is handed on; in window 3 the only buyer claims too late."""
    day.to(0, "reading")
    day.settle([day.right("s1", 0, SELL), day.right("s1", 0, SELL, 333), day.right("s2", 0, SELL)])
    day.settle([day.right("b2", 0, BUY), day.right("b1", 0, BUY, 200), day.right("b1", 0, BUY)])
    anyone, friend = day["admin"], day["friend"]
    anyone.execute(anyone.calls.refund(0, day.address("s3")))  # never opened: its energy alone comes back
    final = RightId.decode(day.right("s1", 0, SELL, 333)).settled().encode()
    friend.execute(friend.calls.transfer(friend.address, day.address("b4"), final))
    day.to(3, "payment")
    day.claim(3, "b1")
    day.to(4, "end")
    day.open_sealed("s1", 4, 0, 100, 455)
    day.to(4, "reading")
    day.settle([day.right("s1", 3, SELL)])
    day.settle([day.right("s1", 4, SELL), day.right("b4", 4, BUY), day.right("b1", 4, BUY)])


def second_round(day: Day) -> None:
    """Window 16 has the ring place of window 0. Then everybody goes home."""
    anyone, friend = day["admin"], day["friend"]
    anyone.execute(anyone.calls.open_windows(16))
    day.bid("s3", 16, SELL, (10, 60))
    day.bid("b4", 16, BUY, (40, 50))
    day.bid("s1", 16, SELL, (15, 40))  # not filled; its deposit is that of a seller with a record
    day.to(16, "commit")
    day.reveal(16, "b4", "s3", "s1")
    anyone.execute(anyone.calls.clear(16))
    day.claim(16, "b4", "s3", "s1")
    day.to(16, "start", 300)
    day.meter([day.reading("s3", 16, 0, 48)])
    day.to(16, "reading")
    day.settle([day.right("s3", 16, SELL), day.right("b4", 16, BUY)])
    for name in ("s1", "s2", "s3", "b1", "b2", "b4", "treasury"):
        client = day[name]
        client.execute(client.calls.withdraw(client.address, client.balance(client.address)))
    friend.execute(friend.calls.withdraw(friend.address, 1))


def play(folder: Path) -> Day:
    """The whole day."""
    day = Day.start(folder)
    people(day)
    anyone = day["admin"]
    anyone.execute(anyone.calls.open_windows(0, 5))
    window_0_bids(day)
    other_bids(day)
    openings(day)
    delivery_0(day)
    void_2(day)
    settlements(day)
    second_round(day)
    return day
