"""The fast precompiles against py-evm's, which use py_ecc: the same bytes, the same refusals."""

import random
from typing import Any

import pytest
from eth.exceptions import VMError
from eth.precompiles.ecadd import _ecadd
from eth.precompiles.ecmul import _ecmull
from eth.vm.forks.cancun.computation import CancunComputation
from eth_utils import ValidationError

from stowatt import bn254
from stowatt.chain import precompiles
from stowatt.chain.embedded.vm import FastComputation

G_TABLE = bn254.FixedBase(bn254.G)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def point(k: int) -> bytes:
    x, y = G_TABLE.mul(k) or (0, 0)
    return word(x) + word(y)


def reference(function: Any, data: bytes) -> bytes | None:
    try:
        x, y = function(data)
    except ValidationError:
        return None
    return word(x.n) + word(y.n)


def fast(function: Any, data: bytes) -> bytes | None:
    try:
        output: bytes = function(data)
    except VMError:
        return None
    return output


CORNERS = [0, 1, 2, bn254.N - 1, bn254.N, bn254.N + 1, 2**255, 2**256 - 1]
POINTS = [
    bytes(64), point(1), point(2), point(bn254.N - 1), point(12345),
    word(1) + word(3), word(bn254.P) + word(0), word(bn254.P + 1) + word(2), word(1) + word(bn254.P - 2),
    word(0) + word(1),
]  # fmt: skip


@pytest.mark.parametrize("base", POINTS)
def test_ec_mul(base: bytes) -> None:
    rng = random.Random(base)
    for k in [*CORNERS, rng.getrandbits(256), rng.getrandbits(256)]:
        data = base + word(k)
        assert fast(precompiles.ec_mul, data) == reference(_ecmull, data)


@pytest.mark.parametrize("left", POINTS)
def test_ec_add(left: bytes) -> None:
    for right in POINTS:
        assert fast(precompiles.ec_add, left + right) == reference(_ecadd, left + right)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 63, 64, 65, 95, 96, 97, 127, 128, 129, 200])
def test_short_and_long_inputs(size: int) -> None:
    data = (point(5) + point(7) + point(9) + point(11))[:size]
    assert fast(precompiles.ec_mul, data) == reference(_ecmull, data)
    assert fast(precompiles.ec_add, data) == reference(_ecadd, data)


def test_many_bases_neither_grow_the_tables_nor_change_the_results() -> None:
    for k in range(1, 400):
        base = point(k)
        for factor in (2, 3, 5, 7, 11) if k % 15 == 0 else (3,):
            assert precompiles.ec_mul(base + word(factor)) == point(k * factor)
    assert len(precompiles._tables) <= 16
    assert len(precompiles._seen) <= 256


def test_only_two_precompiles_are_replaced() -> None:
    ours, theirs = FastComputation.get_precompiles(), CancunComputation.get_precompiles()
    assert ours.keys() == theirs.keys()
    assert {int.from_bytes(a, "big") for a in ours if ours[a] is not theirs[a]} == {6, 7}
