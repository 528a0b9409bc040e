"""The window's seed from the opened blinders (§5, attack T19).

Addition commutes, so the seed does not depend on the order of reveal or on who calls `clear`; it is fixed by what was
committed, except that a coalition can drop its own openings and forfeit their bonds.
"""

from collections.abc import Iterable
from typing import Final

from eth_hash.auto import keccak

_MODULUS: Final = 1 << 256


def accumulate(accumulator: int, blinder: int) -> int:
    """The accumulator after one more opening: + keccak256(r as 32 bytes) mod 2^256. It starts at 0."""
    return (accumulator + int.from_bytes(keccak(blinder.to_bytes(32)))) % _MODULUS


def final_seed(window: int, accumulator: int) -> int:
    """seed = keccak256(window ‖ accumulator), 32 bytes each."""
    return int.from_bytes(keccak(window.to_bytes(32) + accumulator.to_bytes(32)))


def window_seed(window: int, blinders: Iterable[int]) -> int:
    """The seed of a window from all its opened blinders, in any order."""
    accumulator = 0
    for blinder in blinders:
        accumulator = accumulate(accumulator, blinder)
    return final_seed(window, accumulator)
