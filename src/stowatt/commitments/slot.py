"""The word that a participant's ring slot holds on chain: round, kind, side, units and a hash of the bid (§4, §5).

Windows w and w + ring share a slot; the round w // ring in the tag tells them apart, so that a word left by an earlier
window reads as empty (T17). The claim presents curve and offsets again and is checked against the hash, then replaces
the word by `resolved`, which no second claim can match (T10). A seller's units are what the bid holds of its battery's
energy: they are given back when the word goes.

    word = round << 240 | kind << 238 | side << 237 | (units - 1) << 231 | low 231 bits of keccak256(…)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from eth_hash.auto import keccak

from stowatt.commitments.message import NO_FINGERPRINT
from stowatt.commitments.terms import NO_TERMS, Terms
from stowatt.curves import SEGMENT_BYTES, Side
from stowatt.errors import CommitmentError

HASH_BITS: Final = 231
MAX_ROUND: Final = (1 << 16) - 1
_HASH_MASK: Final = (1 << HASH_BITS) - 1
_MOST_UNITS: Final = 64
_KIND_SHIFT, _SIDE_SHIFT, _UNITS_SHIFT = 238, 237, 231
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
    units: int
    """Energy units that a seller's committed or opened bid holds; 0 for a buyer's, and once it is resolved."""
    low: int
    """The low 231 bits: a truncated hash, or 1 when resolved."""


def committed_word(
    ring: int, window: int, commitment: int, terms: Terms = NO_TERMS, fingerprint: bytes = NO_FINGERPRINT
) -> int:
    """The word after a commit: hash of window ‖ commitment ‖ terms ‖ H_i, 32 bytes each.

    Terms and H_i are the seller's at the time of the commitment; a buyer has none.
    """
    named = (("window", window), ("commitment", commitment), ("terms", terms.encode()))
    preimage = b"".join(_bytes32(name, value) for name, value in named) + fingerprint
    return _word(ring, window, SlotKind.COMMITTED, terms.units, _truncated(preimage))


def opened_word(ring: int, window: int, curve: bytes, offsets: Sequence[int], terms: Terms = NO_TERMS) -> int:
    """The word after the reveal: hash of window ‖ terms ‖ keccak256(curve ‖ offsets), 32 bytes each.

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
    return opened_bid_word(ring, window, curve + b"".join(lanes), terms)


def opened_bid_word(ring: int, window: int, bid: bytes, terms: Terms = NO_TERMS) -> int:
    """The same from curve and offsets in one string, as a Revealed event gives them."""
    preimage = _bytes32("window", window) + _bytes32("terms", terms.encode()) + keccak(bid)
    return _word(ring, window, SlotKind.OPENED, terms.units, _truncated(preimage))


def resolved_word(ring: int, window: int) -> int:
    """The word after a claim, refund or withdrawal, whatever the side: the bits of side and units are 0.

    It is not zero, so that the next commitment in the slot creates no storage.
    """
    return round_of(ring, window) << 240 | SlotKind.RESOLVED << _KIND_SHIFT | _RESOLVED


def read_slot(word: int, ring: int, window: int) -> Slot | None:
    """What the slot says about this window; None if it is empty or holds another round's bid."""
    kind = word >> _KIND_SHIFT & 3
    if kind == 0 or word >> 240 != round_of(ring, window):
        return None
    side = Side(word >> _SIDE_SHIFT & 1)
    holds = side is Side.SELL and kind != SlotKind.RESOLVED
    units = (word >> _UNITS_SHIFT & _MOST_UNITS - 1) + 1 if holds else 0
    return Slot(word >> 240, SlotKind(kind), side, units, word & _HASH_MASK)


def units_held(word: int) -> int:
    """The energy units that an unopened commitment of whatever round holds; 0 for any other word.

    A new commitment in its ring place gives them back.
    """
    if word >> _KIND_SHIFT & 3 != SlotKind.COMMITTED or word >> _SIDE_SHIFT & 1:
        return 0
    return (word >> _UNITS_SHIFT & _MOST_UNITS - 1) + 1


def round_of(ring: int, window: int) -> int:
    """window // ring, refused beyond uint16 (with a ring of 96 quarter hours: 179 years)."""
    number = window // ring
    if not 0 <= number <= MAX_ROUND:
        raise CommitmentError(f"window {window} is not on the calendar", f"choose 0 … {(MAX_ROUND + 1) * ring - 1}")
    return number


def _word(ring: int, window: int, kind: SlotKind, units: int, low: int) -> int:
    if units > _MOST_UNITS:
        raise CommitmentError(f"a bid of {units} units", f"a bid holds 0 … {_MOST_UNITS} (§2)")
    kept = units - 1 << _UNITS_SHIFT if units else Side.BUY << _SIDE_SHIFT
    return round_of(ring, window) << 240 | kind << _KIND_SHIFT | kept | low


def _truncated(preimage: bytes) -> int:
    return int.from_bytes(keccak(preimage)) & _HASH_MASK


def _bytes32(name: str, value: int) -> bytes:
    if not 0 <= value < 1 << 256:
        raise CommitmentError(f"{name} {value} does not fit into 32 bytes", "pass 0 … 2^256-1")
    return value.to_bytes(32)
