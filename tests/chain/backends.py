"""The three ledgers that the chain tests run on: embedded, the node through JSON-RPC, anvil through JSON-RPC."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_abi import decode, encode
from eth_account import Account
from eth_hash.auto import keccak

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.errors import ConnectionFailed
from stowatt.chain.ledger import Call, Ledger, Receipt
from stowatt.chain.node.server import BackgroundNode, Node
from stowatt.chain.rpc import DevClock, RpcLedger
from stowatt.chain.sender import Sender
from tests.ports import free_port

CHAIN_ID = 31337
ALICE = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
BOB = Account.from_key("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
"""The first two of anvil's well-known test keys, which it funds by itself."""
FUNDS = {ALICE.address: 10**22, BOB.address: 10**22}
EXERCISER = json.loads((Path(__file__).parent / "contracts" / "Exerciser.json").read_text())


@dataclass
class Backend:
    name: str
    ledger: Ledger
    clock: Any
    url: str | None = None


def anvil_binary() -> Path | None:
    """The binary of the npm tool chain: STOWATT_ANVIL, or node_modules beside the tests."""
    named = os.environ.get("STOWATT_ANVIL")
    if named:
        return Path(named)
    root = Path(__file__).resolve().parents[2]
    return next(iter(sorted(root.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))), None)


@contextmanager
def embedded(folder: Path) -> Iterator[Backend]:
    with EmbeddedLedger.create(folder / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger:
        yield Backend("embedded", ledger, ledger)


@contextmanager
def node(folder: Path) -> Iterator[Backend]:
    with (
        EmbeddedLedger.create(folder / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger,
        BackgroundNode(Node(ledger, port=0, dev_clock=True)) as server,
        RpcLedger(server.url, chain_id=CHAIN_ID, poll=0.01) as remote,
    ):
        yield Backend("node", remote, DevClock(server.url), server.url)


@contextmanager
def anvil(folder: Path) -> Iterator[Backend]:
    binary = anvil_binary()
    if binary is None or not binary.is_file():
        pytest.skip("no anvil: run npm ci, or name the binary in STOWATT_ANVIL")
    port = free_port()
    home = tempfile.mkdtemp(prefix="anvil")
    options = f"--host 127.0.0.1 --port {port} --chain-id {CHAIN_ID} --hardfork cancun --gas-limit 30000000 --silent"
    process = subprocess.Popen([binary, *options.split(), "--prune-history"], env={**os.environ, "HOME": home})
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                remote = RpcLedger(url, chain_id=CHAIN_ID, poll=0.01)
                break
            except ConnectionFailed:
                assert process.poll() is None, "anvil starts"
                time.sleep(0.1)
        else:
            raise AssertionError("anvil does not answer")
        with remote:
            yield Backend("anvil", remote, DevClock(url), url)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


BACKENDS = {"embedded": embedded, "node": node, "anvil": anvil}


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def call_data(signature: str, *values: Any) -> bytes:
    types = [t for t in signature[signature.index("(") + 1 : -1].split(",") if t]
    return selector(signature) + encode(types, values)


@dataclass
class Contract:
    """The Exerciser on one ledger, as one sender sees it."""

    sender: Sender
    address: str

    @classmethod
    def deploy(cls, sender: Sender) -> "Contract":
        receipt = sender.transact(None, bytes.fromhex(EXERCISER["bytecode"]))
        assert receipt.contract_address is not None
        return cls(sender, receipt.contract_address)

    def transact(self, signature: str, *values: Any, **options: Any) -> Receipt:
        return self.sender.transact(self.address, call_data(signature, *values), **options)

    def call(self, signature: str, *values: Any, returns: str = "uint256") -> Any:
        output = self.sender.ledger.call(Call(self.address, call_data(signature, *values), self.sender.address))
        return decode([returns], output)[0]
