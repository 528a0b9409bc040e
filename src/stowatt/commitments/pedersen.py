"""Pedersen commitments on BN254 (§5): C = m·G + r·H, as one 32-byte word on chain, equations (6)-(7).

Binding rests on nobody knowing log_G H, hence `derive_h` obtains H by hashing a public string (try and increment);
hiding is perfect for r uniform in [1, n). Scalars are taken once: `m` is computed, never chosen, and r ≥ n is refused,
for the EVM's ecMul reduces modulo n and would let one commitment open twice (attack T4).

Arithmetic is not constant-time, see `stowatt.bn254`; a blinder is used once, on its owner's machine.
"""

import secrets
from functools import cache
from typing import Final

from eth_hash.auto import keccak

from stowatt.bn254 import FixedBase, G, N, P, Point
from stowatt.errors import CommitmentError

H_STRING: Final = b"Stowatt/Pedersen/H/1"
"""The public string that H is hashed from."""

PARITY_BIT: Final = 1 << 255
"""The bit of the word that holds the parity of y; x < p < 2^254 leaves it free."""


def _root(square: int) -> int | None:
    """A square root in F_p (p ≡ 3 mod 4), or None for a non-residue."""
    root = pow(square, (P + 1) // 4, P)
    return root if root * root % P == square % P else None


def _lift(x: int, parity: int) -> tuple[int, int] | None:
    """The point with this x and parity of y, or None if the curve has no point there."""
    root = _root(x * x * x + 3)
    # y = 0 cannot happen: the order n is an odd prime, so no point is its own inverse
    return None if root is None else (x, root if root & 1 == parity else P - root)


def derive_h() -> tuple[int, int]:
    """H by try and increment (§5): x = keccak256(H_STRING ‖ uint32 counter) mod p, counter 0, 1 …; the even root."""
    for counter in range(2**32):
        x = int.from_bytes(keccak(H_STRING + counter.to_bytes(4, "big"))) % P
        point = _lift(x, 0)
        if point is not None:
            return point
    raise AssertionError("unreachable: half of all x lie on the curve")


H: Final[tuple[int, int]] = (
    14244407515052692508505706587545879380859316245972536186414384918895952863157,
    5699633166782232394546789794585505432432454257610700745476380673113938615496,
)
"""The second generator; `derive_h` derives it anew and a test compares."""


@cache
def _bases() -> tuple[FixedBase, FixedBase]:
    """The tables of G and H, built at the first commitment (some 30 ms)."""
    return FixedBase(G), FixedBase(H)


def new_blinder() -> int:
    """r uniform in [1, n), from the operating system's generator."""
    return 1 + secrets.randbelow(N - 1)


def commit_point(message: int, blinder: int) -> Point:
    """C = m·G + r·H (6). Scalars that are not canonical are refused, not reduced (T4)."""
    _require_scalars(message, blinder)
    base_g, base_h = _bases()
    return base_g.mul_add(message, base_h, blinder)


def commit(message: int, blinder: int) -> int:
    """The commitment as the word that goes on chain."""
    return compress(commit_point(message, blinder))


def compress(point: Point) -> int:
    """x | (y & 1) << 255. Infinity has no word: 0 marks "no commitment" on chain.

    0 is no point's word: it would need x = 0, and 3 is not a square modulo p.
    """
    if point is None:
        raise CommitmentError("the point at infinity is not a commitment", "draw another blinder")
    x, y = point
    return x | (PARITY_BIT if y & 1 else 0)


def decompress(word: int) -> tuple[int, int]:
    """The point of a word. Refused: what is not 32 bytes, x ≥ p, and an x that is on no point of the curve."""
    if not 0 <= word < 1 << 256:
        raise CommitmentError(f"commitment {word:#x} is not a 32-byte word", "pass the word that `commit` returned")
    x = word & (PARITY_BIT - 1)
    if x >= P:
        raise CommitmentError(f"commitment {word:#066x} is not canonical", "its x must be below the field's order p")
    point = _lift(x, word >> 255)
    if point is None:
        raise CommitmentError(f"commitment {word:#066x} is no point of BN254", "pass the word that `commit` returned")
    return point


def verify(word: int, message: int, blinder: int) -> bool:
    """Whether (m, r) opens the word (7). False also for scalars out of range and for words that are no point.

    The opening is compared as a word, so an encoding other than the canonical one cannot match.
    """
    return 0 <= message < N and 0 < blinder < N and word == commit(message, blinder)


def _require_scalars(message: int, blinder: int) -> None:
    if not 0 <= message < N:
        raise CommitmentError(f"message {message:#x} is not below the group's order n", "use `BidContext.message`")
    if not 0 < blinder < N:
        # the value is a secret: it must not reach a log through an error
        raise CommitmentError("the blinder r is outside 1 … n-1", "draw one with `new_blinder`")
