"""§3: the rationing of `rationing.py` on whole columns, in 64 bits and without overflow for T < 2^56."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def share_pro_rata(x: Ints, size: int, residual: int, phase: int) -> Ints:
    """⌊(x·R + φ) / T⌋ by long division, as many bits of R at a time as fit.

    With T < 2^k and digits of 62 - k bits both x · digit (x ≤ T) and the shifted rest (rest < T) stay below 2^62.
    """
    bits = 62 - size.bit_length()
    quotient, rest = np.zeros_like(x), np.zeros_like(x)
    for digit in _digits(residual, bits):
        step, rest = np.divmod((rest << bits) + x * digit, size)
        quotient = (quotient << bits) + step
    return quotient + (rest + phase) // size


def digit_bits(size: int, residual: int) -> int:
    """Bits of R that one step of the long division takes; 0 if x·R + φ fits 63 bits and none is needed."""
    return 0 if size.bit_length() + residual.bit_length() <= 62 else 62 - size.bit_length()


def _digits(number: int, bits: int) -> list[int]:
    """The number's digits to the base 2^bits, the most significant first."""
    places = range(0, number.bit_length(), bits)
    return [(number >> place) & ((1 << bits) - 1) for place in reversed(places)]


def share_seeded_order(x: Ints, size: int, residual: int, phase: int) -> Ints:
    """The length of [0, x) inside the circular interval [s, s + R) of [0, T)."""
    up_from_s = np.clip(x - phase, 0, residual)
    return up_from_s + np.minimum(x, max(phase + residual - size, 0))
