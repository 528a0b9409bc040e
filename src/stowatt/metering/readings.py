"""§6 Delivery: meter readings, signed by the device, per sub-slot (T23).

    Reading(uint32 device,uint32 window,uint16 subSlot,uint48 energy,uint64 counter)

The signature binds device, window, sub-slot, energy and a counter that only grows, on one contract and one chain: a
reading can be neither forged nor replayed, nor moved to another sub-slot. `energy` is what was discharged in the
sub-slot, Wh. What the chain refuses besides (too early, too late, implausible, an invalid key) depends on its state.
"""

from dataclasses import astuple, dataclass
from typing import Final

from eth_account.signers.base import BaseAccount

from stowatt.metering.fields import require_fields
from stowatt.typed_data import Domain, digest, recover, sign, struct_hash
from stowatt.units import Wh

DOMAIN_NAME: Final = "Stowatt Delivery"

_FIELDS: Final = (
    ("uint32", "device"),
    ("uint32", "window"),
    ("uint16", "subSlot"),
    ("uint48", "energy"),
    ("uint64", "counter"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One meter's reading of one sub-slot."""

    device: int
    """The registry's number of the device, uint32."""
    window: int
    """uint32."""
    sub_slot: int
    """From 0 within the window, uint16."""
    energy: Wh
    """Discharged in the sub-slot, Wh, uint48; rounded down by the meter, which keeps the rest for its next reading."""
    counter: int
    """Larger than in any earlier reading of this device, uint64 from 1."""

    def __post_init__(self) -> None:
        require_fields("reading", _FIELDS, self.encode(), from_one=("counter",))

    def encode(self) -> tuple[int, int, int, int, int]:
        """The tuple that the contract takes."""
        return (self.device, self.window, self.sub_slot, self.energy, self.counter)

    def hash(self) -> bytes:
        """The EIP-712 struct hash."""
        return struct_hash("Reading", _FIELDS, astuple(self))


@dataclass(frozen=True, slots=True)
class SignedReading:
    """A reading as it travels to the chain, through whatever hands."""

    reading: Reading
    signature: bytes

    def signer(self, domain: Domain) -> str | None:
        """The key that signed, or None; whether it is a key of the device is for the registry to say."""
        return recover(domain, self.reading.hash(), self.signature)


def delivery_domain(chain_id: int, contract: str) -> Domain:
    """The domain of a delivery contract."""
    return Domain(DOMAIN_NAME, chain_id, contract)


def reading_digest(domain: Domain, reading: Reading) -> bytes:
    """The hash that a meter signs, as the contract's `digestOf`."""
    return digest(domain, reading.hash())


def sign_reading(domain: Domain, reading: Reading, meter: BaseAccount) -> SignedReading:
    """The reading with its meter's signature."""
    return SignedReading(reading, sign(domain, reading.hash(), meter))
