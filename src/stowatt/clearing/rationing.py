"""§3: rationing the marginal cohort by seed.

A side's marginal segments lie end to end in order of reveal: the segment revealed when the tick held `a` Wh occupies
[a, a + w) of [0, T). It is filled with f(a + w) - f(a), where f rises from f(0) = 0 to f(T) = R. So the fills sum to
R exactly, cost O(1) each, and splitting a bid gains nothing. With R = T, f(x) = x: the cohort is filled whole.
"""

from stowatt.clearing.rules import Rationing
from stowatt.units import Wh


def pro_rata(x: int, size: int, residual: int, phase: int) -> int:
    """f(x) = ⌊(x·R + φ) / T⌋: everybody's share is R/T to within 1 Wh, and φ decides who gets the odd ones."""
    return (x * residual + phase) // size


def seeded_order(x: int, size: int, residual: int, phase: int) -> int:
    """f(x) = length of [0, x) inside the circular interval [s, s + R) of [0, T)."""
    up_from_s = min(max(x - phase, 0), residual)
    wrapped_to_0 = min(x, max(phase + residual - size, 0))
    return up_from_s + wrapped_to_0


_SHARE = {Rationing.PRO_RATA: pro_rata, Rationing.SEEDED_ORDER: seeded_order}


def marginal_fill(rationing: Rationing, offset: int, width: int, size: int, residual: int, seed: int) -> Wh:
    """The fill of a marginal segment of `width` Wh at `offset`, in a cohort of T = `size` that shares R = `residual`.

    φ = s = seed mod T. The cohort is not empty: it holds at least this segment.
    """
    share, phase = _SHARE[rationing], seed % size
    return Wh(share(offset + width, size, residual, phase) - share(offset, size, residual, phase))
