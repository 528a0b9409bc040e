"""§3 (19)–(22): price, cohorts and phases of one window in machine code, for `compiled_windows.py`."""

from typing import Any, Final

import numpy as np

from stowatt.clearing.compiled import machine_code

_LOW32: Final = np.uint64(2**32 - 1)
_U8: Final = np.uint64(8)
_U32: Final = np.uint64(32)
_MIDPOINT: Final = 1


@machine_code
def pick(lowest: Any, highest: Any, price_rule: Any, seed: Any) -> Any:
    """`PriceRule.pick`; λ_lo if λ_hi is missing (-1)."""
    if highest < 0 or price_rule < _MIDPOINT:
        return lowest
    return (lowest + highest) // 2 if price_rule == _MIDPOINT else lowest + modulo(seed, highest - lowest + 1)


@machine_code
def settle(price: Any, better: Any, size: Any, value: Any, seed: Any, cohorts: Any, row: Any) -> None:
    """The price, Φ(λ) = the welfare, and both cohorts, in the table's row and as `fill` takes them."""
    volume = min(better[0] + size[0], better[1] + size[1])
    row[1] = price
    row[10], row[11] = np.int64(value[0] + (value[1] >> _U32)), np.int64(value[1] & _LOW32)
    if row[3] < 0 or volume == 0:
        row[1] = -1
        row[4:] = 0
        return
    for side in range(2):
        residual = volume - better[side]
        row[4 + 3 * side], row[5 + 3 * side], row[6 + 3 * side] = better[side], size[side], residual
        cohorts[side] = 0
        cohorts[side, 0], cohorts[side, 1] = size[side], residual
        if 0 < residual < size[side]:
            cohorts[side, 2] = modulo(seed, size[side])
            bits = length(size[side])
            cohorts[side, 4] = 0 if bits + length(residual) <= 62 else 62 - bits


@machine_code
def modulo(seed: Any, divisor: Any) -> Any:
    """The seed, 32 big-endian bytes, modulo a divisor below 2^56: no step passes 2^64."""
    rest, by = np.uint64(0), np.uint64(divisor)
    if by <= _LOW32:
        for i in range(0, 32, 4):
            word = rest
            for byte in seed[i : i + 4]:
                word = (word << _U8) | np.uint64(byte)
            rest = word % by
    else:
        for byte in seed:
            rest = ((rest << _U8) | np.uint64(byte)) % by
    return np.int64(rest)


@machine_code
def length(number: Any) -> Any:
    """Bits of a number ≥ 0."""
    bits = np.int64(0)
    while number > 0:
        number >>= 1
        bits += 1
    return bits
