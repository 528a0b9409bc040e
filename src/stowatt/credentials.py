"""§2 Admission: EIP-712 statements by the community's issuer. Anybody may submit one, nobody can alter it.

    Credential(address account,string did,uint8 roles,uint64 expiry,uint256 nonce)
    DeviceCertificate(address owner,uint32 usableWh,uint32 exportW,uint32 chargeW,
        uint32 chargeEfficiency,uint32 dischargeEfficiency,bytes32 serial,
        address meterKey,uint64 validFrom,uint64 validTo,uint256 nonce)

A nonce must be larger than the account's last one, so that an old statement cannot be played again after a revocation.
"""

from dataclasses import astuple, dataclass
from enum import IntFlag
from typing import Final

from eth_account.signers.base import BaseAccount

from stowatt.devices import DeviceParameters
from stowatt.errors import StowattError
from stowatt.typed_data import Domain, checksummed, recover, sign, struct_hash
from stowatt.units import PPM, Ppm, Wh

DOMAIN_NAME: Final = "Stowatt Registry"
MAX_DID_BYTES: Final = 128
MAX_EXPIRY: Final = 2**40 - 1
"""The registry keeps an expiry in 40 bits, good for 34,000 years."""


class CredentialError(StowattError):
    """§2: a statement that the registry would refuse."""


class Role(IntFlag):
    """What an account may do."""

    SELL = 1
    BUY = 2


_CREDENTIAL: Final = (
    ("address", "account"),
    ("string", "did"),
    ("uint8", "roles"),
    ("uint64", "expiry"),
    ("uint256", "nonce"),
)
_CERTIFICATE: Final = (
    ("address", "owner"),
    ("uint32", "usableWh"),
    ("uint32", "exportW"),
    ("uint32", "chargeW"),
    ("uint32", "chargeEfficiency"),
    ("uint32", "dischargeEfficiency"),
    ("bytes32", "serial"),
    ("address", "meterKey"),
    ("uint64", "validFrom"),
    ("uint64", "validTo"),
    ("uint256", "nonce"),
)


@dataclass(frozen=True, slots=True)
class Credential:
    """The issuer admits an account."""

    account: str
    did: str
    """The participant's decentralised identifier, 1 to 128 bytes."""
    roles: Role
    expiry: int
    """The last second of validity, unix time."""
    nonce: int
    """Larger than in the account's last credential."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "account", _address("account", self.account))
        _range("roles", self.roles, 1, Role.SELL | Role.BUY)
        _range("expiry", self.expiry, 0, MAX_EXPIRY)
        _range("nonce", self.nonce, 1, 2**256 - 1)
        length = len(self.did.encode(errors="replace"))
        if not 1 <= length <= MAX_DID_BYTES or not self.did.isprintable():
            raise CredentialError(
                f"did {self.did[:40]!r} has {length} bytes", f"use 1 to {MAX_DID_BYTES} bytes of printable text"
            )

    def encode(self) -> tuple[str, str, int, int, int]:
        """The tuple that the contract takes."""
        return (self.account, self.did, int(self.roles), self.expiry, self.nonce)

    def hash(self) -> bytes:
        """The EIP-712 struct hash."""
        return struct_hash("Credential", _CREDENTIAL, self.encode())


@dataclass(frozen=True, slots=True)
class DeviceCertificate:
    """The issuer certifies a device (1), its owner and its first meter key."""

    owner: str
    usable_wh: int
    """Usable energy, Wh."""
    export_w: int
    """Export cap, W."""
    charge_w: int
    """Charging power, W."""
    charge_efficiency: int
    """η_c, ppm."""
    discharge_efficiency: int
    """η_d, ppm."""
    serial: bytes
    """32 bytes."""
    meter_key: str
    """The address of the key that signs the meter's readings."""
    valid_from: int
    """First second at which the meter key counts, unix time."""
    valid_to: int
    """Last second at which it counts."""
    nonce: int
    """Larger than in the owner's last certificate."""

    def __post_init__(self) -> None:
        for name in ("owner", "meter_key"):
            object.__setattr__(self, name, _address(name, getattr(self, name)))
        for name in ("usable_wh", "export_w"):
            _range(name, getattr(self, name), 1, 2**32 - 1)
        _range("charge_w", self.charge_w, 0, 2**32 - 1)
        for name in ("charge_efficiency", "discharge_efficiency"):
            _range(name, getattr(self, name), 1, PPM)
        _range("valid_to", self.valid_to, 0, 2**64 - 1)
        _range("valid_from", self.valid_from, 0, self.valid_to)
        _range("nonce", self.nonce, 1, 2**256 - 1)
        if len(self.serial) != 32:
            raise CredentialError(f"a serial of {len(self.serial)} bytes", "give 32 bytes; hash a longer number")

    @property
    def parameters(self) -> DeviceParameters:
        """The device as §2 sees it, with Q_max and fingerprint H_i."""
        return DeviceParameters(
            Wh(self.usable_wh),
            self.export_w,
            self.charge_w,
            Ppm(self.charge_efficiency),
            Ppm(self.discharge_efficiency),
            self.serial,
        )

    def encode(self) -> tuple[object, ...]:
        """The tuple that the contract takes."""
        return astuple(self)

    def hash(self) -> bytes:
        """The EIP-712 struct hash."""
        return struct_hash("DeviceCertificate", _CERTIFICATE, self.encode())


Statement = Credential | DeviceCertificate


def registry_domain(chain_id: int, contract: str) -> Domain:
    """The domain of a registry."""
    return Domain(DOMAIN_NAME, chain_id, contract)


def sign_statement(domain: Domain, statement: Statement, issuer: BaseAccount) -> bytes:
    """The issuer's signature."""
    return sign(domain, statement.hash(), issuer)


def issuer_of(domain: Domain, statement: Statement, signature: bytes) -> str | None:
    """Who signed, or None; whether that is an issuer of the community is for the registry to say."""
    return recover(domain, statement.hash(), signature)


def _address(name: str, value: str) -> str:
    address = checksummed(value)
    if address is None or int(address, 16) == 0:
        raise CredentialError(f"{name} {value!r} is not an address", "use 0x and 40 hexadecimal digits, not all zero")
    return address


def _range(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise CredentialError(f"{name} is {value!r}", f"use a whole number from {low} to {high}")
