"""§6 Delivery: vouchers, a meter's signed sums over the sub-slots of a window so far (32).

    Voucher(uint32 device,uint32 window,uint16 through,uint48 energy)

A voucher says: in the window's sub-slots 0 … through-1 the device discharged `energy` Wh in all. It has no counter: of
two vouchers of one window the one that covers more sub-slots wins, of equal ones that of more energy, whoever redeems
them and in whatever order; so one transaction a window is enough, and a lost voucher costs nothing that the next one
does not restore. It can be neither forged nor moved to another window, device, contract or chain (T45). What else the
chain refuses depends on its state.
"""

from dataclasses import dataclass
from typing import Final

from eth_account.signers.base import BaseAccount

from stowatt.metering.fields import require_fields
from stowatt.typed_data import Domain, digest, recover, sign, struct_hash
from stowatt.units import Wh

_FIELDS: Final = (
    ("uint32", "device"),
    ("uint32", "window"),
    ("uint16", "through"),
    ("uint48", "energy"),
)


@dataclass(frozen=True, slots=True)
class Voucher:
    """A meter's sum over the first sub-slots of a window."""

    device: int
    """The registry's number of the device, uint32."""
    window: int
    """uint32."""
    through: int
    """How many sub-slots the sum covers, from the window's first; uint16 from 1."""
    energy: Wh
    """Discharged in them, Wh, uint48; never less than in an earlier voucher of the window."""

    def __post_init__(self) -> None:
        require_fields("voucher", _FIELDS, self.encode(), from_one=("through",))

    def encode(self) -> tuple[int, int, int, int]:
        """The tuple that the contract takes."""
        return (self.device, self.window, self.through, self.energy)

    def hash(self) -> bytes:
        """The EIP-712 struct hash."""
        return struct_hash("Voucher", _FIELDS, self.encode())


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """A voucher as it travels to the buyer, the operator and, some day, the chain."""

    voucher: Voucher
    signature: bytes

    def signer(self, domain: Domain) -> str | None:
        """The key that signed, or None; whether it is a key of the device is for the registry to say."""
        return recover(domain, self.voucher.hash(), self.signature)


def voucher_digest(domain: Domain, voucher: Voucher) -> bytes:
    """The hash that a meter signs, as the contract's `voucherDigestOf`. The domain is `delivery_domain`'s."""
    return digest(domain, voucher.hash())


def sign_voucher(domain: Domain, voucher: Voucher, meter: BaseAccount) -> SignedVoucher:
    """The voucher with its meter's signature."""
    return SignedVoucher(voucher, sign(domain, voucher.hash(), meter))
