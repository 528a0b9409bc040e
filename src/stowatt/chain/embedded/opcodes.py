"""How the block compiler (compiler.py) translates each EVM instruction.

An instruction has a number of operands that it pops and results that it pushes. `PURE` ones are given as a Python
expression over their operands ({a} is the top of the stack); `CONTEXT` ones are expressions over the running
computation `c`. Everything else is either control flow and memory, which the compiler writes itself, or is left to
py-evm's own function. Gas costs are py-evm's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from eth.exceptions import OutOfGas
from eth_hash.auto import keccak

WORD: Final = 2**256 - 1
SIGN: Final = 2**255
_MOST_MEMORY: Final = 2**32
"""More memory would cost 2^45 gas; no gas limit is near that."""

STOP, EXP, SHA3, CALLDATALOAD, POP = 0x00, 0x0A, 0x20, 0x35, 0x50
MLOAD, MSTORE, MSTORE8, SLOAD, JUMP, JUMPI, PC, MSIZE, GAS, JUMPDEST = (
    0x51, 0x52, 0x53, 0x54, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x5B,
)  # fmt: skip
PUSH0, PUSH1, PUSH32, DUP1, DUP16, SWAP1, SWAP16, CODESIZE = 0x5F, 0x60, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0x38
RETURN, REVERT, INVALID, SELFDESTRUCT = 0xF3, 0xFD, 0xFE, 0xFF
ENDS: Final = frozenset({STOP, JUMP, RETURN, REVERT, INVALID, SELFDESTRUCT})
"""Instructions after which the next one is not reached by falling through."""

PURE: Final[dict[int, tuple[int, str]]] = {
    0x01: (2, "({a} + {b}) & M"),  # ADD
    0x02: (2, "({a} * {b}) & M"),  # MUL
    0x03: (2, "({a} - {b}) & M"),  # SUB
    0x04: (2, "{a} // {b} if {b} else 0"),  # DIV
    0x05: (2, "sdiv({a}, {b})"),  # SDIV
    0x06: (2, "{a} % {b} if {b} else 0"),  # MOD
    0x07: (2, "smod({a}, {b})"),  # SMOD
    0x08: (3, "({a} + {b}) % {c} if {c} else 0"),  # ADDMOD
    0x09: (3, "({a} * {b}) % {c} if {c} else 0"),  # MULMOD
    0x0B: (2, "signextend({a}, {b})"),  # SIGNEXTEND
    0x10: (2, "1 if {a} < {b} else 0"),  # LT
    0x11: (2, "1 if {a} > {b} else 0"),  # GT
    0x12: (2, "1 if {a} ^ S < {b} ^ S else 0"),  # SLT: flipping the sign bits makes the order unsigned
    0x13: (2, "1 if {a} ^ S > {b} ^ S else 0"),  # SGT
    0x14: (2, "1 if {a} == {b} else 0"),  # EQ
    0x15: (1, "0 if {a} else 1"),  # ISZERO
    0x16: (2, "{a} & {b}"),  # AND
    0x17: (2, "{a} | {b}"),  # OR
    0x18: (2, "{a} ^ {b}"),  # XOR
    0x19: (1, "{a} ^ M"),  # NOT
    0x1A: (2, "{b} >> (248 - 8 * {a}) & 255 if {a} < 32 else 0"),  # BYTE
    0x1B: (2, "{b} << {a} & M if {a} < 256 else 0"),  # SHL
    0x1C: (2, "{b} >> {a} if {a} < 256 else 0"),  # SHR
    0x1D: (2, "sar({a}, {b})"),  # SAR
}

CONTEXT: Final[dict[int, str]] = {
    0x30: "to_int(c.msg.storage_address, 'big')",  # ADDRESS
    0x32: "to_int(c.transaction_context.origin, 'big')",  # ORIGIN
    0x33: "to_int(c.msg.sender, 'big')",  # CALLER
    0x34: "c.msg.value",  # CALLVALUE
    0x36: "len(c.msg.data)",  # CALLDATASIZE
    0x3D: "len(c.return_data)",  # RETURNDATASIZE
    0x42: "c.state.timestamp",  # TIMESTAMP
    0x43: "c.state.block_number",  # NUMBER
    0x46: "c.state.execution_context.chain_id",  # CHAINID
    MSIZE: "len(mem._bytes)",
}

# (pops, pushes) of the instructions left to py-evm's functions; 0x58 and others appear in the tables above
_ARITY: Final[dict[int, tuple[int, int]]] = {
    STOP: (0, 0), EXP: (2, 1), 0x31: (1, 1), 0x37: (3, 0), 0x39: (3, 0), 0x3A: (0, 1), 0x3B: (1, 1), 0x3C: (4, 0),
    0x3E: (3, 0), 0x3F: (1, 1), 0x40: (1, 1), 0x41: (0, 1), 0x44: (0, 1), 0x45: (0, 1), 0x47: (0, 1), 0x48: (0, 1),
    0x49: (1, 1), 0x4A: (0, 1), 0x55: (2, 0), 0x5C: (1, 1), 0x5D: (2, 0), 0x5E: (3, 0),
    0xA0: (2, 0), 0xA1: (3, 0), 0xA2: (4, 0), 0xA3: (5, 0), 0xA4: (6, 0),
    0xF0: (3, 1), 0xF1: (7, 1), 0xF2: (7, 1), RETURN: (2, 0), 0xF4: (6, 1), 0xF5: (4, 1), 0xFA: (6, 1),
    REVERT: (2, 0), SELFDESTRUCT: (1, 0),
    SHA3: (2, 1), CALLDATALOAD: (1, 1), POP: (1, 0), MLOAD: (1, 1), MSTORE: (2, 0), MSTORE8: (2, 0), SLOAD: (1, 1),
    JUMP: (1, 0), JUMPI: (2, 0), PC: (0, 1), GAS: (0, 1), JUMPDEST: (0, 0), CODESIZE: (0, 1),
}  # fmt: skip


def arity(op: int) -> tuple[int, int]:
    """How many items the instruction needs on the stack, and how many it leaves in their place."""
    if op in PURE:
        return PURE[op][0], 1
    if op in CONTEXT or PUSH0 <= op <= PUSH32:
        return 0, 1
    if DUP1 <= op <= DUP16:
        return op - DUP1 + 1, op - DUP1 + 2
    if SWAP1 <= op <= SWAP16:
        return op - SWAP1 + 2, op - SWAP1 + 2
    return _ARITY.get(op, (0, 0))  # an undefined instruction fails before it looks at the stack


def signed(x: int) -> int:
    """The word read as two's complement."""
    return x - (WORD + 1) if x & SIGN else x


def sdiv(a: int, b: int) -> int:
    """Signed division, rounded towards zero; by zero it is 0."""
    x, y = signed(a), signed(b)
    if not y:
        return 0
    quotient = abs(x) // abs(y)
    return (-quotient if (x < 0) != (y < 0) else quotient) & WORD


def smod(a: int, b: int) -> int:
    """Signed remainder, with the sign of the dividend; by zero it is 0."""
    x, y = signed(a), signed(b)
    if not y:
        return 0
    rest = abs(x) % abs(y)
    return (-rest if x < 0 else rest) & WORD


def sar(shift: int, value: int) -> int:
    """Arithmetic shift to the right."""
    return (signed(value) >> min(shift, 256)) & WORD


def signextend(size: int, value: int) -> int:
    """Extends the sign of the (size + 1)-byte number in `value`."""
    if size > 30:
        return value
    sign = 1 << (8 * size + 7)
    low = value & (2 * sign - 1)
    return low | (WORD ^ (2 * sign - 1)) if value & sign else low


def call_data_word(data: Any, start: int) -> int:
    """32 bytes of the call data, zeros beyond its end."""
    return int.from_bytes(bytes(data[start : start + 32]).ljust(32, b"\0"), "big")


@lru_cache(maxsize=1 << 16)
def _keccak_short(data: bytes) -> int:
    """Keys of mappings are hashed again and again; pycryptodome needs 3 µs for each."""
    return int.from_bytes(keccak(data), "big")


def grow(memory: Any, meter: Any, end: int) -> Any:
    """Extends the memory to `end` bytes, rounded up to words, and charges for it; the memory's buffer."""
    buffer = memory._bytes
    if end > _MOST_MEMORY:
        raise OutOfGas(f"memory up to byte {end}")
    old, new = len(buffer) // 32, (end + 31) // 32
    cost = 3 * (new - old) + new * new // 512 - old * old // 512
    if cost > meter.gas_remaining:
        raise OutOfGas("memory costs more than the gas that is left")
    meter.gas_remaining -= cost
    try:
        buffer.extend(bytes(32 * (new - old)))
    except BufferError:  # a view of the old buffer is alive somewhere
        buffer = memory._bytes = buffer + bytes(32 * (new - old))
    return buffer


def sha3(c: Any, meter: Any, start: int, size: int) -> int:
    """KECCAK256 without its constant gas."""
    cost = (size + 31) // 32 * 6
    if cost > meter.gas_remaining:
        raise OutOfGas("KECCAK256 of more than the gas pays for")
    meter.gas_remaining -= cost
    memory = c._memory
    if size and start + size > len(memory._bytes):
        grow(memory, meter, start + size)
    data = bytes(memory._bytes[start : start + size])
    return _keccak_short(data) if size <= 96 else int.from_bytes(keccak(data), "big")


def sload(c: Any, meter: Any, slot: int) -> int:
    """SLOAD with EIP-2929's prices."""
    state, address = c.state, c.msg.storage_address
    cost = 100
    if not state.is_storage_warm(address, slot):
        state.mark_storage_warm(address, slot)
        cost = 2100
    if cost > meter.gas_remaining:
        raise OutOfGas("SLOAD costs more than the gas that is left")
    meter.gas_remaining -= cost
    value: int = state.get_storage(address, slot)
    return value


HELPERS: Final[dict[str, Any]] = {
    "M": WORD, "S": SIGN, "to_int": int.from_bytes, "sdiv": sdiv, "smod": smod, "sar": sar, "signextend": signextend,
    "call_data_word": call_data_word, "sha3": sha3, "grow": grow, "sload": sload,
}  # fmt: skip
