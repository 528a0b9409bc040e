"""What only the embedded ledger has: its directory, its clock, batches, headers."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from eth.db.trie import make_trie_root_and_nodes
from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.chain.embedded import EmbeddedLedger, headers
from stowatt.chain.embedded.clock import Clock
from stowatt.chain.errors import BrokenLedger, ClockError, DirectoryLocked, TransactionRefused
from stowatt.chain.ledger import Call
from stowatt.chain.sender import Sender
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS, Contract, call_data

START = 2_000_000_000


def make(folder: Path) -> EmbeddedLedger:
    return EmbeddedLedger.create(folder, chain_id=CHAIN_ID, balances=FUNDS, timestamp=START, fixed_clock=True)


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        contract = Contract.deploy(Sender(ledger, ALICE))
        contract.transact("remember(bytes,uint256)", b"x" * 100, 5)
        ledger.advance(100)
        contract.transact("increment()")
        head, logs, clock = ledger.head(), ledger.logs(0), ledger.time()
        receipts = [ledger.receipt(h) for n in range(head.number + 1) for h in ledger.transaction_hashes(n)]
        balance, code = ledger.balance(ALICE.address), ledger.code(contract.address)
    with EmbeddedLedger.open(tmp_path / "c") as ledger:
        assert (ledger.head(), ledger.logs(0), ledger.time()) == (head, logs, clock)
        assert [ledger.receipt(h) for n in range(head.number + 1) for h in ledger.transaction_hashes(n)] == receipts
        assert (ledger.balance(ALICE.address), ledger.code(contract.address)) == (balance, code)
        again = Contract(Sender(ledger, ALICE), contract.address)
        assert again.call("counter()") == 1
        again.transact("forget()")
        assert again.call("counter()") == 0


def test_without_flushing_it_is_still_there_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import os; from stowatt.chain.embedded import EmbeddedLedger\n"
        f"ledger = EmbeddedLedger.create({str(tmp_path / 'c')!r}, chain_id=5, flush=False)\n"
        "for _ in range(20): ledger.mine()\n"
        "os.kill(os.getpid(), 9)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == -9
    with EmbeddedLedger.open(tmp_path / "c", flush=False) as ledger:
        assert ledger.head().number == 20


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with make(tmp_path / "c"):
        with pytest.raises(DirectoryLocked, match="in use by another process"):
            EmbeddedLedger.open(tmp_path / "c")
        code = f"from stowatt.chain.embedded import EmbeddedLedger; EmbeddedLedger.open({str(tmp_path / 'c')!r})"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
        assert "DirectoryLocked" in done.stderr
    EmbeddedLedger.open(tmp_path / "c").close()


def test_directories_that_hold_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(BrokenLedger, match="holds no ledger"):
        EmbeddedLedger.open(tmp_path / "nowhere")
    make(tmp_path / "c").close()
    with pytest.raises(BrokenLedger, match="holds a ledger already"):
        make(tmp_path / "c")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "ledger.sqlite").write_bytes(b"not a database at all, but long enough to be read as one" * 30)
    with pytest.raises(BrokenLedger, match="is not a ledger"):
        EmbeddedLedger.open(tmp_path / "d")
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokenLedger, match="cannot be used"):
        make(tmp_path / "file" / "c")
    with pytest.raises(BrokenLedger, match="no chain id"):
        EmbeddedLedger.create(tmp_path / "e", chain_id=0)


def test_a_creation_that_was_interrupted_is_repeated(tmp_path: Path) -> None:
    """Tables and genesis come in one SQLite transaction: an empty database is what a kill leaves."""
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "ledger.sqlite").write_bytes(b"")
    with pytest.raises(BrokenLedger, match="holds no ledger"):
        EmbeddedLedger.open(tmp_path / "c")
    make(tmp_path / "c").close()


def test_the_fixed_clock_moves_only_when_told(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        assert (ledger.head().timestamp, ledger.time()) == (START, START)
        assert ledger.mine().timestamp == START
        ledger.advance(900)
        assert ledger.time() == START + 900
        assert ledger.mine().timestamp == START + 900
        for wrong in (START + 899, -1, 2**63):
            with pytest.raises(ClockError, match="cannot be set"):
                ledger.set_time(wrong)
        ledger.set_next_timestamp(START + 5_000)
    with EmbeddedLedger.open(tmp_path / "c") as ledger:
        assert ledger.time() == START + 5_000  # the clock is durable


def test_the_system_clock_ticks_with_an_offset() -> None:
    clock = Clock()
    assert clock.reading(lambda: 1000.9) == 1000
    moved = clock.moved_to(5000, 900, lambda: 1000.2)
    assert [moved.reading(lambda: 1000.5), moved.reading(lambda: 1007.0)] == [5000, 5007]
    assert Clock.decode(moved.encode()) == moved
    assert Clock.decode(Clock(fixed=7).encode()) == Clock(fixed=7)


def test_time_never_runs_backwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedLedger.create(tmp_path / "c", chain_id=CHAIN_ID, balances=FUNDS) as ledger:
        head = ledger.mine()
        monkeypatch.setattr(Clock, "reading", lambda self: head.timestamp - 3600)  # the machine's clock was corrected
        assert ledger.mine().timestamp == head.timestamp


def test_a_batch_is_one_block_or_nothing(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        alice = Sender(ledger, ALICE)
        contract = Contract.deploy(alice)
        raws = [alice.sign(contract.address, call_data("increment()"), gas=100_000) for _ in range(50)]
        hashes = ledger.send_batch(raws)
        assert {ledger.wait(h).block_number for h in hashes} == {2}
        assert [ledger.wait(h).transaction_index for h in hashes] == list(range(50))
        assert contract.call("counter()") == 50
        assert ledger.send_batch(raws) == hashes  # a repeated batch does nothing
        assert ledger.head().number == 2
        good = alice.sign(contract.address, call_data("increment()"), gas=100_000)
        poor = Account.create().sign_transaction(
            {"chainId": CHAIN_ID, "nonce": 0, "gas": 21_000, "gasPrice": 10**9, "to": BOB.address, "value": 0}
        )
        with pytest.raises(TransactionRefused, match="insufficient funds"):
            ledger.send_batch([good, bytes(poor.raw_transaction)])
        assert contract.call("counter()") == 50
        assert ledger.head().number == 2
        ledger.send_batch([good])
        assert contract.call("counter()") == 51


def test_a_large_batch_fills_several_blocks(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        alice = Sender(ledger, ALICE)
        hashes = ledger.send_batch([alice.sign(BOB.address, value=1, gas=10_000_000) for _ in range(7)])
        assert all(ledger.wait(h).status for h in hashes)
        used = [ledger.block(n).gas_used for n in range(1, ledger.head().number + 1)]
        assert sum(used) == 7 * 21_000 and len(used) == 1
        big = [alice.sign(BOB.address, b"\x01" * 100_000, gas=16_000_000) for _ in range(30)]
        ledger.send_batch(big)
        assert ledger.head().number > 3
        assert all(ledger.block(n).gas_used <= 30_000_000 for n in range(ledger.head().number + 1))


def test_gas_above_the_cap_is_refused(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        with pytest.raises(TransactionRefused, match="EIP-7825"):
            ledger.send_raw(Sender(ledger, ALICE).sign(BOB.address, gas=16_777_217))
        Sender(ledger, ALICE).transact(BOB.address, gas=16_777_216)


def test_calls_see_the_block_that_would_be_mined(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        contract = Contract.deploy(Sender(ledger, ALICE))
        ledger.advance(77)
        output = ledger.call(Call(contract.address, call_data("where()")))
        assert int.from_bytes(output[:32], "big") == 2
        assert int.from_bytes(output[32:], "big") == START + 77


class Encoded(bytes):
    """py-evm's trie maker asks every item to encode itself."""

    def encode(self) -> bytes:
        return bytes(self)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=80), max_size=300))
def test_the_roots_are_ethereums(values: list[bytes]) -> None:
    assert headers.list_root(values) == make_trie_root_and_nodes([Encoded(value) for value in values])[0]


def test_the_block_hash_is_that_of_the_header(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        Contract.deploy(Sender(ledger, ALICE)).transact("transfer(address,uint256)", BOB.address, 5)
        for number in range(3):
            block = ledger.stored_block(number)
            head = block.head
            header = CancunBlockHeader(
                difficulty=0,
                block_number=number,
                gas_limit=head.gas_limit,
                timestamp=head.timestamp,
                coinbase=bytes(20),
                parent_hash=head.parent_hash,
                state_root=block.state,
                transaction_root=block.transactions_root,
                receipt_root=block.receipts_root,
                bloom=int.from_bytes(block.bloom, "big"),
                gas_used=head.gas_used,
                extra_data=b"",
                mix_hash=bytes(32),
                nonce=bytes(8),
                base_fee_per_gas=head.base_fee,
                parent_beacon_block_root=bytes(32),
            )
            assert header.hash == head.hash
        assert int.from_bytes(ledger.stored_block(2).bloom, "big") != 0


def test_logs_are_indexed(tmp_path: Path) -> None:
    with make(tmp_path / "c") as ledger:
        alice = Sender(ledger, ALICE)
        contract = Contract.deploy(alice)
        data = [call_data("transfer(address,uint256)", f"0x{i % 50 + 1:040x}", 1) for i in range(300)]
        for entry in data:
            ledger.send_raw(alice.sign(contract.address, entry, gas=100_000))
        start = time.process_time()
        for number in range(1, 300):
            ledger.logs(number, number + 5, [contract.address])
        assert (time.process_time() - start) / 299 < 0.01
        assert len(ledger.logs(0, None, (), [None, None, bytes(31) + b"\x07"])) == 6
