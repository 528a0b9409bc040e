"""People with keys, tokens and devices, and the markets that they trade on: what every play starts from."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from stowatt.calendar import Calendar
from stowatt.chain.client import Calls, ContractCall, Deployment, deploy
from stowatt.chain.ledger import Ledger
from stowatt.chain.sender import Sender
from stowatt.credentials import DeviceCertificate
from tests.chain.backends import ALICE, Backend
from tests.differential.ledgers import Signer

TOKENS = 10**24
"""What everybody has of the settlement token, approved to the market."""
TREASURY = "treasury"
WIDEST = 2**32 - 1


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    name: str
    account: LocalAccount

    @classmethod
    def named(cls, name: str) -> "Person":
        return cls(name, Account.from_key(keccak(f"key of {name}".encode())))

    @property
    def address(self) -> str:
        return str(self.account.address)


@dataclass(frozen=True)
class Device:
    """A registered device; `limit` is its Q_max in Wh and `fingerprint` its H_i."""

    number: int
    owner: str
    usable_wh: int
    export_w: int
    limit: int
    fingerprint: bytes

    @property
    def meter(self) -> LocalAccount:
        """The meter's key."""
        return Person.named(f"meter of {self.owner} {self.number}").account


@dataclass(frozen=True)
class Market:
    """A deployed market with its people's devices."""

    deployment: Deployment
    calendar: Calendar
    treasury: str
    devices: dict[str, Device]
    """By owner's address: the device that it sells from."""


def call(signer: Signer, wanted: ContractCall) -> None:
    """Sends a call that must succeed."""
    receipt = signer.send(wanted.to, wanted.data)
    assert receipt.status == 1, (wanted.name, receipt.revert_data.hex())


def fund(ledger: Ledger, people: Iterable[Person]) -> None:
    """Gives everybody, the treasury included, what transactions cost."""
    rich = Signer(ledger, ALICE)
    for person in (*people, Person.named(TREASURY)):
        receipt = rich.send(person.address, b"", gas=21_000, value=10**20)
        assert receipt.status == 1


def found(
    backend: Backend, calendar: Calendar, people: Iterable[Person], sellers: dict[str, tuple[int, int]]
) -> Market:
    """Deploys an open market. Everybody gets tokens; `sellers` are registered with usable Wh and export W by name."""
    treasury = Person.named(TREASURY).address
    deployment = deploy(Sender(backend.ledger, ALICE), calendar, open_mode=True, treasury=treasury)
    calls, owner = Calls(deployment), Signer(backend.ledger, ALICE)
    devices: dict[str, Device] = {}
    for person in people:
        call(owner, calls.mint(person.address, TOKENS))
        own = Signer(backend.ledger, person.account)
        call(own, calls.approve(TOKENS))
        if person.name in sellers:
            devices[person.address] = register(own, calendar, calls, len(devices) + 1, *sellers[person.name])
    return Market(deployment, calendar, treasury, devices)


def register(
    own: Signer, calendar: Calendar, calls: Calls, number: int, usable_wh: int, export_w: int, nonce: int = 1
) -> Device:
    """Registers the signer's device, which must get that number."""
    device = Device(number, own.account.address, usable_wh, export_w, 0, b"")
    certificate = DeviceCertificate(
        own.account.address, usable_wh, export_w, 0, 950_000, 950_000, number.to_bytes(32, "big"),
        device.meter.address, 0, 2**40, nonce,
    )  # fmt: skip
    call(own, calls.register_device(certificate))
    parameters = certificate.parameters
    return replace(device, limit=parameters.q_max(calendar.length), fingerprint=parameters.fingerprint())


def drawn_blinder(random: Random) -> int:
    """A blinder as a test draws one."""
    return random.randint(1, 2**253)
