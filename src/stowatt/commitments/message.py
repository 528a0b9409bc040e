"""What a commitment commits to (§5): the message m binds the bid's curve to its whole context.

A copied commitment (T1) or one replayed in another window or on another chain (T2) is worthless, since account, window,
contract and chain are part of m. The curve comes last and everything before it has a fixed length, so that no two
contexts share a preimage.
"""

from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak
from eth_utils.address import is_address, to_checksum_address

from stowatt.bn254 import N
from stowatt.commitments.pedersen import commit, new_blinder, verify
from stowatt.curves import Side
from stowatt.errors import CommitmentError

DOMAIN: Final[bytes] = keccak(b"Stowatt/bid/1")
"""The first word of every preimage: separates bids from all other hashed data."""

NO_DEVICE: Final = 0
"""The device number of a buyer."""

NO_FINGERPRINT: Final = bytes(32)
"""The device fingerprint H_i of a buyer."""


@dataclass(frozen=True, slots=True)
class BidContext:
    """Everything that m binds besides the curve. Buyers have device 0 and fingerprint 0."""

    chain_id: int
    """EIP-155 chain id."""
    market: str
    """Address of the market contract."""
    window: int
    """Number of the delivery window, uint32."""
    participant: str
    """Address of the bidder."""
    side: Side
    device: int = NO_DEVICE
    """The registry's number of the seller's device, uint32; 0 for a buyer."""
    fingerprint: bytes = NO_FINGERPRINT
    """H_i, 32 bytes; zero for a buyer."""

    def __post_init__(self) -> None:
        for name, bits in (("chain_id", 256), ("window", 32), ("device", 32)):
            value = getattr(self, name)
            if not 0 <= value < 1 << bits:
                raise CommitmentError(f"{name} {value} does not fit into uint{bits}", f"pass 0 … 2^{bits}-1")
        for name in ("market", "participant"):
            address = getattr(self, name)
            if not is_address(address):
                raise CommitmentError(f"{name} {address!r} is not an address", "pass 0x and 40 hexadecimal digits")
            object.__setattr__(self, name, to_checksum_address(address))
        if len(self.fingerprint) != 32:
            raise CommitmentError(f"fingerprint H_i has {len(self.fingerprint)} bytes", "pass 32")
        if self.side is Side.BUY and (self.device != NO_DEVICE or self.fingerprint != NO_FINGERPRINT):
            raise CommitmentError(
                f"a buyer's bid names device {self.device}", "buyers bid without device and fingerprint"
            )

    def preimage(self, curve: bytes) -> bytes:
        """DOMAIN ‖ chain ‖ market ‖ window ‖ participant ‖ side ‖ device ‖ H_i, 32 bytes each, then the curve."""
        return b"".join(
            (
                DOMAIN,
                _word(self.chain_id),
                _address_word(self.market),
                _word(self.window),
                _address_word(self.participant),
                _word(self.side),
                _word(self.device),
                self.fingerprint,
                curve,
            )
        )

    def message(self, curve: bytes) -> int:
        """m = keccak256(preimage) mod n. The reduction loses nothing: m is only ever compared through C."""
        return int.from_bytes(keccak(self.preimage(curve))) % N

    def commit(self, curve: bytes, blinder: int) -> int:
        """The commitment word of this curve under this blinder (6)."""
        return commit(self.message(curve), blinder)

    def verify(self, word: int, curve: bytes, blinder: int) -> bool:
        """Whether (curve, blinder) opens the word in this context (7)."""
        return verify(word, self.message(curve), blinder)

    def seal(self, curve: bytes) -> tuple[int, int]:
        """(word, blinder) with a fresh blinder: what to send now, and what to keep secret until the reveal."""
        blinder = new_blinder()
        return self.commit(curve, blinder), blinder


def _word(value: int) -> bytes:
    return int(value).to_bytes(32)


def _address_word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")
