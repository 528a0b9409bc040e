"""Sealed bids (§5): the message, its Pedersen commitment, the seed, and the slot word on chain."""

from stowatt.commitments.message import DOMAIN, NO_DEVICE, NO_FINGERPRINT, BidContext
from stowatt.commitments.pedersen import (
    H_STRING,
    H,
    commit,
    commit_point,
    compress,
    decompress,
    derive_h,
    new_blinder,
    verify,
)
from stowatt.commitments.seed import accumulate, final_seed, window_seed
from stowatt.commitments.slot import (
    Slot,
    SlotKind,
    committed_word,
    opened_bid_word,
    opened_word,
    read_slot,
    resolved_word,
    round_of,
    units_held,
)
from stowatt.commitments.terms import NO_TERMS, Terms

__all__ = [
    "DOMAIN",
    "H_STRING",
    "NO_DEVICE",
    "NO_FINGERPRINT",
    "NO_TERMS",
    "BidContext",
    "H",
    "Slot",
    "SlotKind",
    "Terms",
    "accumulate",
    "commit",
    "commit_point",
    "committed_word",
    "compress",
    "decompress",
    "derive_h",
    "final_seed",
    "new_blinder",
    "opened_bid_word",
    "opened_word",
    "read_slot",
    "resolved_word",
    "round_of",
    "units_held",
    "verify",
    "window_seed",
]
