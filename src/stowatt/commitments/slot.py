"""The word that a participant's ring slot holds on chain: round, kind, side and a hash of what the bid is (§4, §5).

Windows w and w + ring share a slot; the round w // ring in the tag tells them apart, so that a word left by an earlier
window reads as empty (T17). The claim presents curve and offsets again and is checked against the hash, then replaces
the word by `resolved`, which no second claim can match (T10).

    word = round << 240 | kind << 233 | side << 232 | low 232 bits of keccak256(…)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from eth_hash.auto import keccak

from stowatt.commitments.message import NO_DEVICE, NO_FINGERPRINT
from stowatt.curves import SEGMENT_BYTES, Side
from stowatt.errors import CommitmentError

HASH_BITS: Final = 232
MAX_ROUND: Final = (1 << 16) - 1
_HASH_MASK: Final = (1 << HASH_BITS) - 1
_RESOLVED: Final = 1
_OFFSET_BYTES: Final = 6


class SlotKind(IntEnum):
    """State of a bid in its slot."""

    COMMITTED = 1
    OPENED = 2
    RESOLVED = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot word taken apart."""

    round: int
    kind: SlotKind
    side: Side
    low: int
    """The low 232 bits: a truncated hash, or 1 when resolved."""


def committed_word(
    ring: int,
    window: int,
    side: Side,
    commitment: int,
    device: int = NO_DEVICE,
    limit_wh: int = 0,
    fingerprint: bytes = NO_FINGERPRINT,
) -> int:
    """The word after a commit: hash of window ‖ commitment ‖ device ‖ its Q_max in Wh ‖ H_i, 32 bytes each.

    The device's terms are those at the time of the commitment; a buyer has none.
    """
    named = (("window", window), ("commitment", commitment), ("device", device), ("limit", limit_wh))
    preimage = b"".join(_bytes32(name, value) for name, value in named) + fingerprint
    return _word(ring, window, SlotKind.COMMITTED, side, _truncated(preimage))


def opened_word(ring: int, window: int, side: Side, device: int, curve: bytes, offsets: Sequence[int]) -> int:
    """The word after the reveal: hash of window ‖ device ‖ keccak256(curve ‖ offsets), 32 bytes each.

    `offsets` has one entry for each segment of the curve: the Wh that lay at its tick when it was revealed (§3),
    uint48 big-endian. A segment of the curve is 6 bytes too, so curve and offsets have equal length and cannot be
    shifted against each other.
    """
    if len(curve) != SEGMENT_BYTES * len(offsets):
        raise CommitmentError(
            f"{len(offsets)} offsets for a curve of {len(curve)} bytes", "pass one offset for each segment"
        )
    lanes = []
    for index, offset in enumerate(offsets):
        if not 0 <= offset < 1 << 48:
            raise CommitmentError(f"offset {offset} of segment {index} does not fit into uint48", "pass 0 … 2^48-1")
        lanes.append(offset.to_bytes(_OFFSET_BYTES))
    return opened_bid_word(ring, window, side, device, curve + b"".join(lanes))


def opened_bid_word(ring: int, window: int, side: Side, device: int, bid: bytes) -> int:
    """The same from curve and offsets in one string, as a Revealed event gives them."""
    preimage = _bytes32("window", window) + _bytes32("device", device) + keccak(bid)
    return _word(ring, window, SlotKind.OPENED, side, _truncated(preimage))


def resolved_word(ring: int, window: int) -> int:
    """The word after a claim, refund or withdrawal, whatever the side: the side's bit is 0.

    It is not zero, so that the next commitment in the slot creates no storage.
    """
    return _word(ring, window, SlotKind.RESOLVED, Side.SELL, _RESOLVED)


def read_slot(word: int, ring: int, window: int) -> Slot | None:
    """What the slot says about this window; None if it is empty or holds another round's bid."""
    kind = word >> 233 & 0x7F
    if kind == 0 or word >> 240 != round_of(ring, window):
        return None
    return Slot(word >> 240, SlotKind(kind), Side(word >> 232 & 1), word & _HASH_MASK)


def round_of(ring: int, window: int) -> int:
    """window // ring, refused beyond uint16 (with a ring of 96 quarter hours: 179 years)."""
    number = window // ring
    if not 0 <= number <= MAX_ROUND:
        raise CommitmentError(f"window {window} is not on the calendar", f"choose 0 … {(MAX_ROUND + 1) * ring - 1}")
    return number


def _word(ring: int, window: int, kind: SlotKind, side: Side, low: int) -> int:
    return round_of(ring, window) << 240 | kind << 233 | side << 232 | low


def _truncated(preimage: bytes) -> int:
    return int.from_bytes(keccak(preimage)) & _HASH_MASK


def _bytes32(name: str, value: int) -> bytes:
    if not 0 <= value < 1 << 256:
        raise CommitmentError(f"{name} {value} does not fit into 32 bytes", "pass 0 … 2^256-1")
    return value.to_bytes(32)
