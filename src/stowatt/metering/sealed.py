"""§6 Delivery: sealed vouchers. Each sub-slot is a Pedersen commitment, and only the sum is ever opened (§5, §6).

    C_t = u_t·G + r_t·H        SealedVoucher(uint32 device,uint32 window,uint16 through,bytes32 points)

The meter signs the hash of the points C_0 ‖ … ‖ C_{through-1}, 64 bytes each (x, then y), so none can be left out,
added, reordered or taken from elsewhere (T47). Commitments add up: Σ C_t = (Σ u_t)·G + (Σ r_t)·H, so whoever knows
both sums opens the total, and the chain checks it without seeing a sub-slot. The signed hash does not tell the sum.

The blinders r_t are what hides the load profile (T49). Each is uniform in [1, n) from the operating system's generator
and used for one sub-slot only; a u_t alone is a small number that anybody could try out. Making them is the work of
`stowatt.metering.slots`.

What this cannot do: it is not a range proof. A meter is trusted for each u_t, as with open readings; of the sum the
chain checks that it is plausible. The sum is public, and of two opened sums of one window so is their difference.
"""

from dataclasses import dataclass, field
from typing import Final

from eth_account.signers.base import BaseAccount
from eth_hash.auto import keccak

from stowatt.bn254 import G, N, Point, add, is_on_curve, mul
from stowatt.commitments.pedersen import commit_point
from stowatt.errors import MeterError
from stowatt.metering.fields import require_fields
from stowatt.typed_data import Domain, digest, recover, sign, struct_hash
from stowatt.units import Wh

POINT: Final = 64
"""Bytes of one uncompressed point; infinity is 64 zero bytes (EIP-196)."""

_FIELDS: Final = (
    ("uint32", "device"),
    ("uint32", "window"),
    ("uint16", "through"),
    ("uint48", "energy"),
)
_SIGNED: Final = (*_FIELDS[:3], ("bytes32", "points"))


@dataclass(frozen=True, slots=True)
class SealedVoucher:
    """An opened sum over sealed sub-slots, as the contract takes it."""

    device: int
    """The registry's number of the device, uint32."""
    window: int
    """uint32."""
    through: int
    """How many sub-slots are sealed, from the window's first; uint16 from 1."""
    energy: Wh
    """Σ u_t, Wh, uint48."""
    blinder: int = field(repr=False)
    """Σ r_t mod n; with it anybody can open the sum, but no sub-slot."""
    points: bytes = field(repr=False)
    """C_0 ‖ … ‖ C_{through-1}."""

    def __post_init__(self) -> None:
        require_fields("sealed voucher", _FIELDS, self.encode()[:4], from_one=("through",))
        if not 0 <= self.blinder < N:
            raise MeterError("the sum of the blinders is not below the group's order n", "reduce it modulo n")
        if len(self.points) != POINT * self.through:
            raise MeterError(
                f"{len(self.points)} bytes of points for {self.through} sub-slots", f"pass {POINT} bytes a sub-slot"
            )

    def encode(self) -> tuple[int, int, int, int, int, bytes]:
        """The tuple that the contract takes."""
        return (self.device, self.window, self.through, self.energy, self.blinder, self.points)

    def opens(self) -> bool:
        """Whether the points sum to energy·G + blinder·H, as the contract's `Pedersen.opensSum`."""
        return verify_opening(self.points, self.energy, self.blinder)


@dataclass(frozen=True, slots=True)
class SignedSealed:
    """A sealed voucher with its meter's signature of the points."""

    sealed: SealedVoucher
    signature: bytes

    def signer(self, domain: Domain) -> str | None:
        """The key that signed the points, or None; whether it is the device's is for the registry to say."""
        s = self.sealed
        return recover(domain, sealed_hash(s.device, s.window, s.through, s.points), self.signature)


def sealed_hash(device: int, window: int, through: int, points: bytes) -> bytes:
    """The EIP-712 struct hash of sealed sub-slots; it says nothing of what they hide."""
    require_fields("sealed voucher", _FIELDS[:3], (device, window, through), from_one=("through",))
    return struct_hash("SealedVoucher", _SIGNED, (device, window, through, keccak(points)))


def sealed_digest(domain: Domain, device: int, window: int, through: int, points: bytes) -> bytes:
    """The hash that a meter signs, as the contract's `sealedDigestOf`. The domain is `delivery_domain`'s."""
    return digest(domain, sealed_hash(device, window, through, points))


def sign_sealed(domain: Domain, sealed: SealedVoucher, meter: BaseAccount) -> SignedSealed:
    """The sealed voucher with its meter's signature. A sum that does not open the points is refused."""
    if not sealed.opens():
        raise MeterError("the sum does not open the sealed sub-slots", "take both from the same `SealedSlots`")
    body = sealed_hash(sealed.device, sealed.window, sealed.through, sealed.points)
    return SignedSealed(sealed, sign(domain, body, meter))


def verify_opening(points: bytes, energy: int, blinder: int) -> bool:
    """Whether the points sum to energy·G + blinder·H, to the last case as the contract decides it (T48): scalars at or
    above n, and a point that is not canonical or not on the curve, open nothing."""
    if len(points) % POINT or not (0 <= energy < N and 0 <= blinder < N):
        return False
    total: Point = None
    for at in range(0, len(points), POINT):
        point = decode_point(points[at : at + POINT])
        if not is_on_curve(point):
            return False
        total = add(total, point)
    return total == _commit_sum(energy, blinder)


def encode_point(point: Point) -> bytes:
    """x ‖ y, 32 bytes each."""
    x, y = point or (0, 0)
    return x.to_bytes(32) + y.to_bytes(32)


def decode_point(encoded: bytes) -> Point:
    """The pair of numbers; whether it is on the curve is not checked here."""
    x, y = int.from_bytes(encoded[:32]), int.from_bytes(encoded[32:])
    return (x, y) if x or y else None


def _commit_sum(energy: int, blinder: int) -> Point:
    """m·G + r·H; unlike a single blinder, the sum of blinders may be zero by chance."""
    return commit_point(energy, blinder) if blinder else mul(G, energy)
