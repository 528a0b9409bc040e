"""Replay recorded transactions on EELS, the executable specification of Ethereum, and compare status, gas and logs.

The reference knows nothing of the embedded ledger: it is Ethereum's own specification in Python (the package
ethereum-execution), in an environment of its own (requirements/oracle.in). A recording is JSON: chain_id, base_fee,
gas_limit, balances (wei by address), and transactions in order with raw, number, time, status, gas_used and logs
([address, topics, data], all hex).

Usage: oracle.py RECORDING
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ethereum.crypto.hash import Hash32
from ethereum.forks.cancun import vm
from ethereum.forks.cancun.blocks import Receipt, decode_receipt
from ethereum.forks.cancun.fork import process_transaction
from ethereum.forks.cancun.fork_types import Account, Address
from ethereum.forks.cancun.state import State, set_account
from ethereum.forks.cancun.transactions import LegacyTransaction, decode_transaction
from ethereum.forks.cancun.trie import trie_get
from ethereum_rlp import rlp
from ethereum_types.bytes import Bytes, Bytes32
from ethereum_types.numeric import U64, U256, Uint

LEGACY = 0xC0
"""A raw transaction that begins with at least this byte is an RLP list, without a type."""


def unhex(text: str) -> bytes:
    """Bytes of 0x…"""
    return bytes.fromhex(text.removeprefix("0x"))


class Oracle:
    """A chain under the specification."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.recording, self.state = recording, State()
        for address, wei in recording["balances"].items():
            account = Account(nonce=Uint(0), balance=U256(int(wei)), code=b"")
            set_account(self.state, Address(unhex(address)), account)

    def run(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Status, gas used and logs of one transaction, in a block of its own."""
        r, output = self.recording, vm.BlockOutput()
        block = vm.BlockEnvironment(
            chain_id=U64(r["chain_id"]),
            state=self.state,
            block_gas_limit=Uint(r["gas_limit"]),
            block_hashes=[Hash32(bytes(32))],
            coinbase=Address(bytes(20)),
            number=Uint(entry["number"]),
            base_fee_per_gas=Uint(r["base_fee"]),
            time=U256(entry["time"]),
            prev_randao=Bytes32(bytes(32)),
            excess_blob_gas=U64(0),
            parent_beacon_block_root=Hash32(bytes(32)),
        )
        raw = unhex(entry["raw"])
        transaction = rlp.decode_to(LegacyTransaction, raw) if raw[0] >= LEGACY else decode_transaction(Bytes(raw))
        process_transaction(block, output, transaction, Uint(0))
        receipt = self._receipt(output)
        logs = [
            ["0x" + log.address.hex(), ["0x" + topic.hex() for topic in log.topics], "0x" + log.data.hex()]
            for log in output.block_logs
        ]
        return {"status": int(receipt.succeeded), "gas_used": int(output.block_gas_used), "logs": logs}

    def _receipt(self, output: vm.BlockOutput) -> Receipt:
        encoded = trie_get(output.receipts_trie, output.receipt_keys[0])
        if encoded is None:
            raise SystemExit("the specification wrote no receipt")
        return decode_receipt(encoded)


def main() -> None:
    """Compare a whole recording; exit status 1 and one line for each difference."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    recording = json.loads(Path(sys.argv[1]).read_text())
    oracle, differences = Oracle(recording), 0
    for index, entry in enumerate(recording["transactions"]):
        found = oracle.run(entry)
        for name, value in found.items():
            if value != entry[name]:
                differences += 1
                print(f"transaction {index}: {name} is {entry[name]}, the specification says {value}")
    gas = sum(entry["gas_used"] for entry in recording["transactions"])
    count = len(recording["transactions"])
    print(f"{count} transactions, {gas} gas: {differences} differences from the specification")
    raise SystemExit(differences != 0)


if __name__ == "__main__":
    main()
