"""The chains: each takes a signed transaction and answers with its receipt; one transaction, one block."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.chains.tape import BALANCE, CHAIN_ID, GENESIS, Tape, balances
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.embedded.ledger import BASE_FEE, GAS_LIMIT
from stowatt.chain.errors import ConnectionFailed
from stowatt.chain.jsonrpc import Endpoint
from stowatt.chain.ledger import Ledger, address_bytes
from stowatt.chain.rpc import DevClock, RpcLedger

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that a tape is played on."""

    send: Callable[[bytes], tuple[int, int]]
    """Sends one transaction; its status and gas once it is mined."""
    set_time: Callable[[int], None]
    ledger: Ledger | None = None
    batch: Callable[[Sequence[bytes]], Sequence[bytes]] | None = None


Opener = Callable[[Path, Tape], AbstractContextManager[Chain]]


def _through(ledger: Ledger) -> Callable[[bytes], tuple[int, int]]:
    def send(raw: bytes) -> tuple[int, int]:
        receipt = ledger.wait(ledger.send_raw(raw))
        return receipt.status, receipt.gas_used

    return send


def _create(folder: Path, tape: Tape, flush: bool) -> EmbeddedLedger:
    return EmbeddedLedger.create(
        folder, chain_id=CHAIN_ID, balances=balances(tape), timestamp=GENESIS, fixed_clock=True, flush=flush
    )


@contextmanager
def embedded(folder: Path, tape: Tape) -> Iterator[Chain]:
    """The embedded ledger as it is: acknowledged when the disk has it."""
    with _create(folder / "chain", tape, True) as ledger:
        yield Chain(_through(ledger), ledger.set_time, ledger, ledger.send_batch)


@contextmanager
def embedded_unflushed(folder: Path, tape: Tape) -> Iterator[Chain]:
    """Without waiting for the disk: survives a kill, not a loss of power."""
    with _create(folder / "chain", tape, False) as ledger:
        yield Chain(_through(ledger), ledger.set_time, ledger)


@contextmanager
def node(folder: Path, tape: Tape) -> Iterator[Chain]:
    """The embedded ledger behind `stowatt node`, a process of its own."""
    _create(folder / "chain", tape, True).close()
    with serve(folder / "chain") as (remote, url):
        yield Chain(_through(remote), DevClock(url).set_time, remote)


@contextmanager
def serve(directory: Path) -> Iterator[tuple[RpcLedger, str]]:
    """`stowatt node` over an existing ledger."""
    port = _free_port()
    command = [sys.executable, "-m", "stowatt", "node", str(directory), "--port", str(port), "--dev-clock"]
    with _endpoint(command, port) as served:
        yield served


@contextmanager
def _endpoint(command: list[str], port: int, **environment: str) -> Iterator[tuple[RpcLedger, str]]:
    """A process that answers JSON-RPC, for as long as it is needed."""
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        for attempt in range(300):
            try:
                remote = RpcLedger(url, chain_id=CHAIN_ID, poll=0.001)
                break
            except ConnectionFailed:
                if attempt == 299:
                    raise
                time.sleep(0.05)
        with remote:
            yield remote, url
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def py_evm(_: Path, tape: Tape) -> Iterator[Chain]:
    """py-evm as it comes: its own chain, trie and precompiles, a database in memory, no index of logs."""
    from eth import constants
    from eth.chains.base import MiningChain
    from eth.consensus.pos import PosConsensus
    from eth.db.atomic import AtomicDB
    from eth.vm.forks.cancun import CancunVM

    vm = CancunVM.configure(consensus_class=PosConsensus)
    kind = MiningChain.configure(__name__="Chain", vm_configuration=((constants.GENESIS_BLOCK_NUMBER, vm),),
                                 chain_id=CHAIN_ID)  # fmt: skip
    state: Any = {
        address_bytes(address): {"balance": BALANCE, "nonce": 0, "code": b"", "storage": {}}
        for address in tape.accounts
    }
    parameters: Any = {
        "difficulty": 0, "gas_limit": GAS_LIMIT, "timestamp": GENESIS, "coinbase": constants.ZERO_ADDRESS,
        "extra_data": b"", "mix_hash": bytes(32), "nonce": bytes(8), "base_fee_per_gas": BASE_FEE,
    }  # fmt: skip
    chain: Any = kind.from_genesis(AtomicDB(), parameters, state)
    moment = GENESIS

    def set_time(timestamp: int) -> None:
        nonlocal moment
        moment = timestamp

    def send(raw: bytes) -> tuple[int, int]:
        transaction = chain.get_vm().get_transaction_builder().decode(raw)
        parent = chain.get_canonical_head()
        chain.set_header_timestamp(max(moment, parent.timestamp + 1))
        _, receipts, _ = chain.mine_all([transaction])
        return int(receipts[0].state_root == b"\x01"), int(receipts[0].gas_used)

    yield Chain(send, set_time)


@contextmanager
def anvil(folder: Path, tape: Tape, *options: str) -> Iterator[Chain]:
    """anvil in memory, over HTTP with the same client as `node`."""
    binary = find_anvil()
    assert binary is not None
    port = _free_port()
    command = [
        str(binary), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID), "--hardfork", "cancun",
        "--gas-limit", str(GAS_LIMIT), "--timestamp", str(GENESIS), "--silent", "--prune-history", *options,
    ]  # fmt: skip
    with (
        tempfile.TemporaryDirectory(prefix="anvil", ignore_cleanup_errors=True) as home,
        _endpoint(command, port, HOME=home) as (remote, url),
    ):
        control = Endpoint(url)
        for address in tape.accounts:
            control.ask("anvil_setBalance", address, hex(BALANCE))
        control.close()
        yield Chain(_through(remote), DevClock(url).set_time, remote)


@contextmanager
def anvil_saving(folder: Path, tape: Tape) -> Iterator[Chain]:
    """anvil that writes its state to a file every second: what it has of durability."""
    folder.mkdir(parents=True, exist_ok=True)
    with anvil(folder, tape, "--state", str(folder / "state.json"), "--state-interval", "1") as chain:
        yield chain


def find_anvil() -> Path | None:
    """The binary that the npm tool chain brings, else the one on PATH."""
    found = next(iter(sorted(ROOT.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))), None)
    other = shutil.which("anvil")
    return found or (Path(other) if other else None)


@dataclass(frozen=True, slots=True)
class Backend:
    """A row of the tables."""

    label: str
    survives: str
    """What an acknowledged transaction survives."""
    open: Opener


BACKENDS: dict[str, Backend] = {
    "embedded": Backend("**Stowatt** embedded ledger", "loss of power", embedded),
    "unflushed": Backend("**Stowatt** embedded, `flush=False`", "kill −9", embedded_unflushed),
    "node": Backend("**Stowatt** `node` over HTTP", "loss of power", node),
    "py_evm": Backend("py-evm, unmodified", "nothing (in memory)", py_evm),
    "anvil": Backend("anvil over HTTP", "nothing (in memory)", anvil),
    "anvil_saving": Backend("anvil over HTTP, `--state-interval 1`", "kill −9, but for the last second", anvil_saving),
}


def present() -> dict[str, Backend]:
    """Those that can run here."""
    return {name: b for name, b in BACKENDS.items() if find_anvil() or not name.startswith("anvil")}
