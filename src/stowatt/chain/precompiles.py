"""Fast versions of the precompiled contracts 6 (ecAdd) and 7 (ecMul), EIP-196.

py-evm computes them with py_ecc: 26 ms for a Pedersen commitment's two products. Here the arithmetic is
`stowatt.bn254`; bases that come again and again (G and H of the commitments, §5) get tables. The results are compared
with py_ecc's by tests/chain/test_precompiles.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from eth.exceptions import VMError

from stowatt import bn254

_ECADD_GAS: Final = 150
_ECMUL_GAS: Final = 6_000
_SEEN_BEFORE_TABLE: Final = 3
_BASES_KEPT: Final = 256
_TABLES_KEPT: Final = 16

_seen: OrderedDict[tuple[int, int], int] = OrderedDict()
_tables: OrderedDict[tuple[int, int], bn254.FixedBase] = OrderedDict()


def ec_add(data: bytes) -> bytes:
    """x1 ‖ y1 ‖ x2 ‖ y2 (missing bytes are zeros) → the sum; VMError for what is not a point."""
    data = data[:128].ljust(128, b"\0")
    return _encode(bn254.add(_point(data[:64]), _point(data[64:])))


def ec_mul(data: bytes) -> bytes:
    """x ‖ y ‖ k (missing bytes are zeros) → the product; VMError for what is not a point."""
    data = data[:96].ljust(96, b"\0")
    return _encode(_multiply(_point(data[:64]), int.from_bytes(data[64:], "big")))


def _multiply(point: bn254.Point, k: int) -> bn254.Point:
    if point is None:
        return None
    table = _tables.get(point)
    if table is not None:
        _tables.move_to_end(point)
        return table.mul(k)
    count = _seen.pop(point, 0) + 1
    if count > _SEEN_BEFORE_TABLE:
        table = _tables[point] = bn254.FixedBase(point)
        if len(_tables) > _TABLES_KEPT:
            _tables.popitem(last=False)
        return table.mul(k)
    _seen[point] = count
    if len(_seen) > _BASES_KEPT:
        _seen.popitem(last=False)
    return bn254.mul(point, k)


def _point(data: bytes) -> bn254.Point:
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
    if x == 0 and y == 0:
        return None
    if not bn254.is_on_curve((x, y)):
        raise VMError("not a point of BN254")
    return (x, y)


def _encode(point: bn254.Point) -> bytes:
    x, y = point or (0, 0)
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def _contract(function: Callable[[bytes], bytes], gas: int, reason: str) -> Callable[[Any], Any]:
    def run(computation: Any) -> Any:
        computation.consume_gas(gas, reason=reason)
        computation.output = function(computation.msg.data_as_bytes)
        return computation

    return run


FAST_PRECOMPILES: Final[Mapping[bytes, Callable[[Any], Any]]] = {
    bytes(19) + b"\x06": _contract(ec_add, _ECADD_GAS, "ecAdd"),
    bytes(19) + b"\x07": _contract(ec_mul, _ECMUL_GAS, "ecMul"),
}
