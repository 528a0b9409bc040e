"""The translated blocks against py-evm's own interpreter: the same status, gas, output, logs and state."""

import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from eth.vm.forks.cancun.opcodes import CANCUN_OPCODES
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.message import Message
from eth_abi import encode
from eth_hash.auto import keccak

from stowatt.chain.embedded.accounts import Account, Accounts
from stowatt.chain.embedded.execution import block_context
from stowatt.chain.embedded.opcodes import SIGN, WORD, arity
from stowatt.chain.embedded.vm import FastState, ReferenceState

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT:DeprecationWarning")

CALLER, TARGET, OTHER = bytes(19) + b"\x77", bytes(19) + b"\x99", bytes(19) + b"\xaa"


class Nothing:
    """A database without entries."""

    def read_account(self, address: bytes) -> Account | None:
        return None

    def read_storage(self, address: bytes, slot: int) -> int:
        return 0

    def read_code(self, code_hash: bytes) -> bytes:
        raise AssertionError(code_hash)

    def read_slots(self, address: bytes) -> list[int]:
        return []


def run(
    kind: type[ReferenceState], code: bytes, data: bytes, gas: int, *, value: int = 0, static: bool = False
) -> dict[str, Any]:
    accounts = Accounts(Nothing())
    accounts.set_balance(CALLER, 10**18)
    accounts.set_balance(TARGET, 10**6)
    accounts.set_code(TARGET, code)
    accounts.set_code(OTHER, bytes.fromhex("5f355f5560205fa05f5460015f5260205ff3"))
    accounts.set_storage(TARGET, 0, 5)
    accounts.begin_transaction()
    hashes = (keccak(bytes([i])) for i in range(1, 256))
    state = kind(accounts, block_context(300, 2_000_000_000, 4242, 7, 30_000_000, lambda: hashes))
    message = Message(gas=gas, to=TARGET, sender=CALLER, value=value, data=data, code=code, is_static=static)
    frame = state.computation_class.apply_message(state, message, CancunTransactionContext(gas_price=9, origin=CALLER))
    return {
        "failed": frame.is_error,
        "reverted": frame.is_error and not frame.should_burn_gas,
        "gas": frame.get_gas_remaining(),
        "refund": frame.get_gas_refund(),
        "output": bytes(frame.output),
        "logs": frame.get_log_entries(),
        "storage": {key: value for key, value in accounts.storage.items() if value},
        "accounts": {key: value for key, value in accounts.accounts.items() if value},
        "ended": sorted(frame.get_accounts_for_deletion()),
    }


def compare(code: bytes, data: bytes = b"", gas: int = 200_000, **options: Any) -> dict[str, Any]:
    expected = run(ReferenceState, code, data, gas, **options)
    assert run(FastState, code, data, gas, **options) == expected, code.hex()
    return expected


INTERESTING = [0, 1, 2, 31, 32, 33, 64, 127, 128, 255, 256, 257, 2**64, SIGN - 1, SIGN, SIGN + 1, WORD - 1, WORD]
SMALL = [0, 1, 5, 31, 32, 33, 64, 95, 100]
ENDINGS = (0x00, 0x56, 0x57, 0xF3, 0xFD, 0xFE, 0xFF)
PLAIN = [code for code in CANCUN_OPCODES if code not in ENDINGS]


def random_word(rng: random.Random) -> int:
    return rng.choice(
        [rng.choice(INTERESTING), rng.choice(SMALL), rng.getrandbits(256), rng.getrandbits(rng.randrange(1, 256))]
    )


def push(value: int) -> bytes:
    if value == 0:
        return b"\x5f"
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([0x5F + len(body)]) + body


def random_program(rng: random.Random, length: int) -> bytes:
    """Mostly sensible code: operands are pushed before the instruction that needs them, jumps go to a label."""
    parts: list[bytes] = [push(random_word(rng)) for _ in range(6)]
    waiting: list[int] = []  # jumps whose label comes later
    labels: list[int] = []
    for _ in range(length):
        choice = rng.random()
        if choice < 0.12:
            labels.append(sum(map(len, parts)))
            parts.append(b"\x5b")
            for place in waiting:
                parts[place] = parts[place].replace(b"\x61\xff\xff", b"\x61" + labels[-1].to_bytes(2, "big"))
            waiting.clear()
        elif choice < 0.22:
            back = bool(labels) and rng.random() < 0.1
            target = rng.choice(labels) if back else rng.choice([0xFFFF] * 9 + [rng.randrange(100)])
            condition = push(rng.choice([0, 1, random_word(rng)])) if rng.random() < 0.8 else b""
            waiting.append(len(parts))
            parts.append(condition + b"\x61" + target.to_bytes(2, "big") + (b"\x57" if condition else b"\x56"))
        elif choice < 0.42:
            parts.append(push(random_word(rng)))
        else:
            parts.append(random_instruction(rng))
    labels.append(sum(map(len, parts)))
    for place in waiting:
        parts[place] = parts[place].replace(b"\x61\xff\xff", b"\x61" + labels[-1].to_bytes(2, "big"))
    end = rng.choice([b"\x00", b"", push(64) + b"\x5f\xf3", push(64) + b"\x5f\xf3", push(40) + b"\x5f\xfd"])
    return b"".join([*parts, b"\x5b", end])


def random_instruction(rng: random.Random) -> bytes:
    code = rng.choice(PLAIN)
    operands = b""
    if rng.random() < 0.9 and not 0x80 <= code < 0xA0:
        small = code >= 0xA0 or 0x37 <= code <= 0x3E or 0x51 <= code <= 0x5E or code == 0x20
        for _ in range(arity(code)[0]):
            if code in (0xF1, 0xF2, 0xF4, 0xFA) and rng.random() < 0.3:
                operands += push(rng.choice([0xAA, 1, 4, 6, 7, 50_000]))
            else:
                operands += push(rng.choice(SMALL) if small and rng.random() < 0.98 else random_word(rng))
    return operands + bytes([code])


@pytest.mark.parametrize("seed", range(8))
def test_random_programs(seed: int) -> None:
    rng = random.Random(seed)
    endings = {"done": 0, "reverted": 0, "failed": 0}
    for _ in range(150):
        code = random_program(rng, rng.randrange(1, 40))
        data = rng.randbytes(rng.choice([0, 4, 36, 100]))
        result = compare(
            code,
            data,
            rng.choice([3_000, 30_000, 300_000, 300_000]),
            value=rng.choice([0, 0, 5]),
            static=rng.random() < 0.1,
        )
        endings["reverted" if result["reverted"] else "failed" if result["failed"] else "done"] += 1
    assert endings["done"] > 15 and endings["reverted"] > 1, endings


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes(seed: int) -> None:
    rng = random.Random(1000 + seed)
    for _ in range(150):
        compare(rng.randbytes(rng.randrange(1, 80)), rng.randbytes(40), rng.choice([100, 50_000]))


@pytest.mark.parametrize("instruction", [code for code in range(0x01, 0x1E) if code in CANCUN_OPCODES])
def test_arithmetic_on_all_corners(instruction: int) -> None:
    """Once with constants, which the compiler folds, and once with operands from the call data, which it cannot."""
    rng = random.Random(instruction)
    count = arity(instruction)[0]
    store = b"\x5f\x52\x60\x20\x5f\xf3"
    for _ in range(60):
        operands = [rng.choice([*INTERESTING, rng.getrandbits(256)]) for _ in range(count)]
        folded = b"".join(push(x) for x in reversed(operands)) + bytes([instruction]) + store
        loads = b"".join(push(32 * i) + b"\x35" for i in reversed(range(count)))
        first = compare(folded)
        second = compare(loads + bytes([instruction]) + store, b"".join(x.to_bytes(32, "big") for x in operands))
        assert first["output"] == second["output"]


@pytest.mark.parametrize("gas", range(0, 60, 3))
def test_gas_runs_out_at_every_point(gas: int) -> None:
    compare(bytes.fromhex("600160020160035b5f526001600a57005b5a60205260405ff3"), gas=gas)


def test_gas_is_seen_exactly() -> None:
    compare(bytes.fromhex("5a5a5a01015f525a6020525a60405260605ff3"))


def test_stack_limits() -> None:
    compare(b"\x5f" * 1024 + b"\x00", gas=10_000)
    compare(b"\x5f" * 1025 + b"\x00", gas=10_000)
    compare(b"\x5b\x5f\x5f\x56", gas=30_000)  # a loop that grows the stack
    compare(b"\x50")
    compare(b"\x5f\x81")
    compare(b"\x5f\x90")


def test_jumps() -> None:
    compare(bytes.fromhex("600456fe5b00"))
    compare(bytes.fromhex("600356"))
    compare(bytes.fromhex("60045660" + "5b00"))  # into a push's data
    compare(bytes.fromhex("5f3556fe5b00"), (4).to_bytes(32, "big"))
    compare(bytes.fromhex("5f3556fe5b00"), (3).to_bytes(32, "big"))
    compare(bytes.fromhex("5f3556fe5b00"), WORD.to_bytes(32, "big"))
    compare(bytes.fromhex("6001"))  # runs off the end
    compare(bytes.fromhex("61"))  # a push beyond the end
    compare(b"")


def test_the_deepest_call_stack_fits() -> None:
    """A contract that counts itself and calls itself: 1024 frames below the first, in a thread with its small stack."""
    code = bytes.fromhex("5f546001015f555f5f5f5f5f305af100")
    counts: list[int] = []

    def work() -> None:
        counts.append(run(FastState, code, b"", 10**14)["storage"][TARGET, 0])

    work()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert counts == [5 + 1025, 5 + 1025]


EXERCISER = json.loads((Path(__file__).parent / "contracts" / "Exerciser.json").read_text())


def calls() -> list[tuple[str, list[str], list[Any]]]:
    me = "0x" + TARGET.hex()
    return [
        ("increment", [], []),
        ("transfer", ["address", "uint256"], ["0x" + "11" * 20, 5]),
        ("atLeast", ["uint256"], [5]),
        ("atLeast", ["uint256"], [101]),
        ("atLeast", ["uint256"], [102]),
        ("atLeast", ["uint256"], [500]),
        ("lanes", ["uint256", "uint256"], [20, 2**100 + 12345]),
        ("compute", ["uint256", "uint256"], [50, 77]),
        ("signed", ["int256", "int256"], [-(2**255), -1]),
        ("signed", ["int256", "int256"], [-77, 5]),
        ("remember", ["bytes", "uint256"], [b"x" * 70, 3]),
        ("forget", [], []),
        ("transientAndCopy", ["uint256"], [2**200 + 3]),
        ("create", ["uint256", "bool"], [5, False]),
        ("create", ["uint256", "bool"], [6, True]),
        ("create", ["uint256", "bool"], [13, True]),
        ("createAndEnd", ["uint256"], [5]),
        ("tryCreate", ["uint256"], [13]),
        ("tryCreate", ["uint256"], [14]),
        ("curve", ["uint256", "uint256"], [2**255 + 5, 12345]),
        ("badPoint", [], []),
        ("hashes", ["bytes"], [b"abc" * 30]),
        ("dive", ["uint256", "uint256"], [6, 0]),
        ("dive", ["uint256", "uint256"], [6, 1]),
        ("dive", ["uint256", "uint256"], [6, 2]),
        ("dive", ["uint256", "uint256"], [6, 3]),
        ("writeInStatic", [], []),
        ("delegate", ["address", "bytes"], [me, keccak(b"increment()")[:4]]),
        ("send", ["address", "uint256"], ["0x" + "22" * 20, 5]),
        ("send", ["address", "uint256"], ["0x" + "22" * 20, 10**30]),
        ("surroundings", ["uint256"], [299]),
        ("surroundings", ["uint256"], [43]),
        ("surroundings", ["uint256"], [300]),
        ("gasPrice", [], []),
    ]


@pytest.mark.parametrize(("name", "types", "values"), calls())
@pytest.mark.parametrize("gas", [3_000_000, 60_000, 22_000, 2_500])
def test_compiled_solidity(name: str, types: list[str], values: list[Any], gas: int) -> None:
    creation = bytes.fromhex(EXERCISER["bytecode"])
    deployed = run(ReferenceState, creation, b"", 10_000_000)["output"]
    assert run(FastState, creation, b"", 10_000_000)["output"] == deployed
    compare(deployed, keccak(f"{name}({','.join(types)})".encode())[:4] + encode(types, values), gas)
