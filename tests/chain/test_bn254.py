"""The fast curve arithmetic against py_ecc, the reference of the precompiles."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as reference

from stowatt import bn254

scalars = st.one_of(
    st.sampled_from([0, 1, 2, 3, 63, 64, 65, 127, 128, bn254.N - 1, bn254.N, bn254.N + 1, 2**255, 2**256 - 1]),
    st.integers(min_value=0, max_value=2**256 - 1),
)


def expected(k: int, base: tuple[int, int] = bn254.G) -> bn254.Point:
    point = reference.multiply((reference.FQ(base[0]), reference.FQ(base[1]), reference.FQ(1)), k % bn254.N)
    if reference.is_inf(point):
        return None
    x, y = reference.normalize(point)
    return (int(x), int(y))


G_TABLE = bn254.FixedBase(bn254.G)
OTHER = expected(0xDEADBEEF)
assert OTHER is not None
OTHER_TABLE = bn254.FixedBase(OTHER)


def test_constants_are_those_of_the_reference() -> None:
    assert (reference.field_modulus, reference.curve_order) == (bn254.P, bn254.N)


@settings(max_examples=40, deadline=None)
@given(scalars)
def test_multiplication(k: int) -> None:
    assert bn254.mul(bn254.G, k) == G_TABLE.mul(k) == expected(k)
    assert bn254.mul(OTHER, k) == OTHER_TABLE.mul(k) == expected(k, OTHER)


@settings(max_examples=40, deadline=None)
@given(scalars, scalars)
def test_addition(a: int, b: int) -> None:
    left, right = G_TABLE.mul(a), G_TABLE.mul(b)
    assert bn254.add(left, right) == G_TABLE.mul(a + b)
    assert bn254.add(left, left) == G_TABLE.mul(2 * a)
    assert bn254.add(left, bn254.negate(left)) is None
    assert G_TABLE.mul_add(a, OTHER_TABLE, b) == bn254.add(left, OTHER_TABLE.mul(b))


def test_random_products_stay_on_the_curve_and_are_plain_integers() -> None:
    rng = random.Random(1)
    for _ in range(100):
        point = G_TABLE.mul(rng.randrange(1, bn254.N))
        assert point is not None and bn254.is_on_curve(point)
        assert type(point[0]) is int and type(point[1]) is int


def test_infinity() -> None:
    assert bn254.mul(None, 5) is None
    assert bn254.mul(bn254.G, bn254.N) is None
    assert bn254.add(None, bn254.G) == bn254.G == bn254.add(bn254.G, None)
    assert bn254.is_on_curve(None)


@pytest.mark.parametrize("point", [(0, 0), (1, 3), (bn254.P + 1, 2), (1, 2 - bn254.P), (1, 2 + bn254.P)])
def test_points_off_the_curve_or_not_canonical(point: tuple[int, int]) -> None:
    assert not bn254.is_on_curve(point)
    with pytest.raises(ValueError, match="not a finite point"):
        bn254.FixedBase(point)


def test_infinity_is_no_fixed_base() -> None:
    with pytest.raises(ValueError, match="not a finite point"):
        bn254.FixedBase(None)
