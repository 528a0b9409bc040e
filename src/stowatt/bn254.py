"""Arithmetic on the curve BN254 (y² = x³ + 3 over F_p), the group of the Pedersen commitments (§5).

The group is the one of the EVM's precompiled contracts 6 and 7 (EIP-196). Points are affine pairs of integers, `None`
is infinity; inside, additions run in Jacobian coordinates so that a multiplication inverts only once.

What this module cannot do: it is **not constant-time**. Its running time depends on the scalar, so a party that
measures many multiplications by the same secret closely may learn something about it. A blinder is used once, on the
participant's own machine; do not put this module behind a network service that multiplies by a long-lived secret.

If gmpy2 can be imported its integers are used (about twice as fast); results are plain `int` either way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

Point = tuple[int, int] | None
"""An affine point, or None for the point at infinity."""

P: Final = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""The order of the field."""

N: Final = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""The (prime) order of the group; the cofactor is 1, so every point of the curve is in the group."""

G: Final[tuple[int, int]] = (1, 2)
"""The generator."""

_B: Final = 3
_WNAF_WIDTH: Final = 5
_FIXED_WIDTH: Final = 7

_p: Any = P  # the modulus in the fastest integer type at hand; products with it stay in that type
try:
    import gmpy2  # type: ignore[import-not-found, import-untyped, unused-ignore]
except ImportError:
    pass
else:
    _p = gmpy2.mpz(P)

# A Jacobian triple (X, Y, Z) stands for (X/Z², Y/Z³); Z = 0 is infinity. Entries are int or gmpy2.mpz.
_Jacobian = tuple[Any, Any, Any]
_Affine = tuple[Any, Any]
_INFINITY: Final[_Jacobian] = (1, 1, 0)


def is_on_curve(point: Point) -> bool:
    """Whether `point` is infinity or a pair of canonical field elements on the curve."""
    if point is None:
        return True
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - x * x * x - _B) % P == 0


def negate(point: Point) -> Point:
    """The inverse in the group."""
    return None if point is None else (point[0], -point[1] % P)


def add(a: Point, b: Point) -> Point:
    """a + b; both points must be on the curve (not checked here)."""
    if a is None:
        return b
    if b is None:
        return a
    (x1, y1), (x2, y2) = a, b
    if x1 == x2:
        if (y1 + y2) % P == 0:
            return None
        slope = 3 * x1 * x1 * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x3 = (slope * slope - x1 - x2) % P
    return (x3, (slope * (x1 - x3) - y1) % P)


def mul(point: Point, k: int) -> Point:
    """k · point for any integer k (reduced mod N); the point must be on the curve (not checked here)."""
    k %= N
    if point is None or k == 0:
        return None
    digits = _wnaf(k, _WNAF_WIDTH)
    odd = _odd_multiples(point, 1 << (_WNAF_WIDTH - 2))
    acc = _INFINITY
    for digit in reversed(digits):
        acc = _double(acc)
        if digit > 0:
            acc = _add_affine(acc, odd[digit >> 1])
        elif digit < 0:
            x, y = odd[-digit >> 1]
            acc = _add_affine(acc, (x, _p - y))
    return _to_affine(acc)


class FixedBase:
    """A base that is multiplied often: tables of d · 2^(7i) · point, so that a product is at most 37 additions.

    Digits are signed (-63..64), which halves the tables: 37 rows of 64 points, some 15 ms to build and 0.6 MB.
    """

    __slots__ = ("_rows", "point")

    def __init__(self, point: Point) -> None:
        if point is None or not is_on_curve(point):
            raise ValueError(f"the base {point} is not a finite point of BN254; pass a pair (x, y) with y² = x³ + 3")
        self.point: tuple[int, int] = point
        self._rows = _window_tables(point)

    def mul(self, k: int) -> Point:
        """k · point for any integer k (reduced mod N)."""
        return _to_affine(self._accumulate(_INFINITY, k))

    def mul_add(self, k: int, other: FixedBase, m: int) -> Point:
        """k · point + m · other.point, with a single inversion (the shape of a Pedersen commitment)."""
        return _to_affine(other._accumulate(self._accumulate(_INFINITY, k), m))

    def _accumulate(self, acc: _Jacobian, k: int) -> _Jacobian:
        k %= N
        full, half = 1 << _FIXED_WIDTH, 1 << (_FIXED_WIDTH - 1)
        for row in self._rows:
            digit = k & (full - 1)
            k >>= _FIXED_WIDTH
            if digit > half:
                k += 1
                x, y = row[full - digit - 1]
                acc = _add_affine(acc, (x, _p - y))
            elif digit:
                acc = _add_affine(acc, row[digit - 1])
        return acc


def _window_tables(point: tuple[int, int]) -> list[list[_Affine]]:
    """Rows i of the points 1..64 times 2^(7i) · point, affine (one inversion for all of them)."""
    half = 1 << (_FIXED_WIDTH - 1)
    rows = N.bit_length() // _FIXED_WIDTH + 1  # one bit to spare takes the carry of the top digit
    entries: list[_Jacobian] = []
    base: _Affine = point
    for _ in range(rows):
        acc: _Jacobian = (base[0], base[1], 1)
        for _ in range(half):
            entries.append(acc)
            acc = _add_affine(acc, base)
        # after the loop acc = (half + 1) · base; the last entry doubled is 2 · half = 2^7 times the base
        base = _normalise([_double(entries[-1])])[0]
    flat = _normalise(entries)
    return [flat[i * half : (i + 1) * half] for i in range(rows)]


def _wnaf(k: int, width: int) -> list[int]:
    """The width-w non-adjacent form of k > 0, least significant digit first."""
    digits = []
    full, half = 1 << width, 1 << (width - 1)
    while k:
        if k & 1:
            digit = k & (full - 1)
            if digit >= half:
                digit -= full
            k -= digit
            digits.append(digit)
        else:
            digits.append(0)
        k >>= 1
    return digits


def _odd_multiples(point: tuple[int, int], count: int) -> list[_Affine]:
    """1, 3, 5, … times the point."""
    twice = _normalise([_double((point[0], point[1], 1))])[0]
    multiples: list[_Jacobian] = [(point[0], point[1], 1)]
    for _ in range(count - 1):
        multiples.append(_add_affine(multiples[-1], twice))
    return _normalise(multiples)


def _double(a: _Jacobian) -> _Jacobian:
    x, y, z = a
    yy = y * y % _p
    s = 4 * x * yy % _p
    m = 3 * x * x % _p
    x3 = (m * m - 2 * s) % _p
    return (x3, (m * (s - x3) - 8 * yy * yy) % _p, 2 * y * z % _p)


def _add_affine(a: _Jacobian, b: _Affine) -> _Jacobian:
    """a + b for a finite affine b, whatever a is."""
    x1, y1, z1 = a
    x2, y2 = b
    if not z1:
        return (x2, y2, 1)
    zz = z1 * z1 % _p
    h = (x2 * zz - x1) % _p
    r = (y2 * zz * z1 - y1) % _p
    if not h:
        return _INFINITY if r else _double(a)
    hh = h * h % _p
    hhh = h * hh % _p
    v = x1 * hh % _p
    x3 = (r * r - hhh - 2 * v) % _p
    return (x3, (r * (v - x3) - y1 * hhh) % _p, z1 * h % _p)


def _to_affine(a: _Jacobian) -> Point:
    if not a[2]:
        return None
    x, y = _normalise([a])[0]
    return (int(x), int(y))


def _normalise(points: Iterable[_Jacobian]) -> list[_Affine]:
    """Finite Jacobian points as affine ones, with one inversion for all (Montgomery's trick)."""
    listed = list(points)
    prefixes = [1]
    for _, _, z in listed:
        prefixes.append(prefixes[-1] * z % _p)
    inverse = pow(prefixes[-1], -1, _p)
    out: list[_Affine] = []
    for (x, y, z), prefix in zip(reversed(listed), reversed(prefixes[:-1]), strict=True):
        z_inverse = inverse * prefix % _p
        inverse = inverse * z % _p
        zz = z_inverse * z_inverse % _p
        out.append((x * zz % _p, y * zz * z_inverse % _p))
    out.reverse()
    return out
