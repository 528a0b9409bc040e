"""The same transactions have the same status, gas, logs and revert data on the embedded ledger and on anvil."""

from pathlib import Path
from typing import Any

import pytest

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.embedded.vm import ReferenceState
from stowatt.chain.ledger import Receipt
from stowatt.chain.sender import Sender
from tests.chain.backends import ALICE, CHAIN_ID, EXERCISER, FUNDS, anvil, call_data

TARGET = "0x1111111111111111111111111111111111111111"
SCENARIO: list[tuple[str, tuple[Any, ...], int]] = [
    ("transfer(address,uint256)", (TARGET, 5), 0),
    ("transfer(address,uint256)", (TARGET, 10**40), 0),
    ("atLeast(uint256)", (5,), 0),
    ("atLeast(uint256)", (102,), 0),
    ("lanes(uint256,uint256)", (40, 2**70 + 99), 0),
    ("lanes(uint256,uint256)", (40, 2**70 + 99), 0),
    ("signed(int256,int256)", (-77, 5), 0),
    ("signed(int256,int256)", (-(2**255), -1), 0),
    ("remember(bytes,uint256)", (b"some longer text than fits into one word", 6), 0),
    ("forget()", (), 0),
    ("transientAndCopy(uint256)", (2**200 + 3,), 0),
    ("create(uint256,bool)", (5, False), 3),
    ("create(uint256,bool)", (5, True), 3),
    ("create(uint256,bool)", (5, True), 3),
    ("create(uint256,bool)", (13, True), 0),
    ("createAndEnd(uint256)", (7,), 11),
    ("tryCreate(uint256)", (13,), 0),
    ("tryCreate(uint256)", (14,), 0),
    ("badPoint()", (), 0),
    ("dive(uint256,uint256)", (8, 0), 0),
    ("dive(uint256,uint256)", (8, 1), 0),
    ("dive(uint256,uint256)", (8, 2), 0),
    ("dive(uint256,uint256)", (8, 3), 0),
    ("send(address,uint256)", (TARGET, 0), 5),
    ("send(address,uint256)", (TARGET, 10**30), 0),
    ("unknown()", (), 0),
    ("curve(uint256,uint256)", (2**255 + 5, 12345), 0),
]


def play(sender: Sender) -> list[tuple[Any, ...]]:
    ledger = sender.ledger
    created = ledger.wait(ledger.send_raw(sender.sign(None, bytes.fromhex(EXERCISER["bytecode"]), gas=5_000_000)))
    seen = [summary(created)]
    assert created.contract_address is not None
    ledger.wait(ledger.send_raw(sender.sign(created.contract_address, gas=100_000, value=1000)))
    for signature, values, value in SCENARIO:
        data = call_data(signature, *values)
        raw = sender.sign(created.contract_address, data, gas=1_500_000, value=value)
        seen.append((signature, values, *summary(ledger.wait(ledger.send_raw(raw)))))
    return seen


def summary(receipt: Receipt) -> tuple[Any, ...]:
    logs = tuple((log.address, log.topics, log.data) for log in receipt.logs)
    return receipt.status, receipt.gas_used, receipt.contract_address, logs


def on_embedded(folder: Path, machine: type[ReferenceState] | None = None) -> tuple[list[tuple[Any, ...]], bytes]:
    with EmbeddedLedger.create(
        folder, chain_id=CHAIN_ID, balances=FUNDS, timestamp=2_000_000_000, fixed_clock=True
    ) as ledger:
        if machine is not None:
            ledger._state_class = machine
        return play(Sender(ledger, ALICE)), ledger.head().hash


@pytest.mark.anvil
@pytest.mark.filterwarnings("ignore:SELFDESTRUCT:DeprecationWarning")
def test_embedded_and_anvil(tmp_path: Path) -> None:
    expected, _ = on_embedded(tmp_path / "embedded")
    assert len({entry[2] for entry in expected[1:]}) == 2, "some succeed, some fail"
    with anvil(tmp_path) as other:
        for ours, theirs in zip(expected, play(Sender(other.ledger, ALICE)), strict=True):
            assert ours == theirs


@pytest.mark.filterwarnings("ignore:SELFDESTRUCT:DeprecationWarning")
def test_translated_blocks_and_the_interpreter(tmp_path: Path) -> None:
    """Even the block hashes agree; they cover every change of the state, the gas and the logs."""
    assert on_embedded(tmp_path / "fast") == on_embedded(tmp_path / "reference", ReferenceState)
