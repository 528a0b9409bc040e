"""One suite for every ledger: embedded, node and anvil behave alike."""

import threading
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_hash.auto import keccak

from stowatt.chain.errors import ChainRevert, ReceiptTimeout, TransactionRefused
from stowatt.chain.ledger import Call
from stowatt.chain.sender import Sender
from stowatt.errors import LedgerError
from tests.chain.backends import ALICE, BOB, CHAIN_ID, Backend, Contract, call_data, selector

TRANSFER = keccak(b"Transfer(address,address,uint256)")


def signed(backend: Backend, **changes: Any) -> bytes:
    fees = backend.ledger.fees()
    fields = {
        "type": 2, "chainId": CHAIN_ID, "nonce": backend.ledger.nonce(BOB.address), "gas": 21_000,
        "maxFeePerGas": 2 * fees.max_fee + 10, "maxPriorityFeePerGas": 0, "to": ALICE.address, "value": 1, "data": b"",
    }  # fmt: skip
    fields |= changes
    if fields["type"] < 2:
        price = fields.pop("maxFeePerGas")
        del fields["maxPriorityFeePerGas"]
        fields["gasPrice"] = price
        if fields["type"] == 0:
            del fields["type"]
    return bytes(BOB.sign_transaction(fields).raw_transaction)


def test_the_chain(backend: Backend) -> None:
    ledger = backend.ledger
    assert ledger.chain_id == CHAIN_ID
    head = ledger.head()
    assert ledger.block(head.number) == head
    assert ledger.block(0).number == 0
    with pytest.raises(LedgerError, match=f"no block {head.number + 1000}"):
        ledger.block(head.number + 1000)


def test_a_transfer(backend: Backend, alice: Sender) -> None:
    stranger = Account.create().address
    ledger = backend.ledger
    assert ledger.balance(stranger) == 0 == ledger.nonce(stranger)
    before, nonce = ledger.balance(ALICE.address), ledger.nonce(ALICE.address)
    receipt = alice.transact(stranger, value=12345, gas=21_000)
    assert (receipt.status, receipt.gas_used, receipt.to) == (1, 21_000, stranger)
    assert receipt.sender == ALICE.address
    assert ledger.balance(stranger) == 12345
    assert ledger.balance(ALICE.address) == before - 12345 - 21_000 * receipt.effective_gas_price
    assert ledger.nonce(ALICE.address) == nonce + 1
    assert ledger.block(receipt.block_number).hash == receipt.block_hash


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_transaction_types(backend: Backend, kind: int) -> None:
    extra = {"accessList": [{"address": ALICE.address, "storageKeys": ["0x" + "00" * 32]}]} if kind else {}
    raw = signed(backend, type=kind, gas=30_000, **extra)
    receipt = backend.ledger.wait(backend.ledger.send_raw(raw))
    assert receipt.status == 1
    assert receipt.gas_used == 21_000 + (2_400 + 1_900 if kind else 0)


def test_code_and_calls(backend: Backend, contract: Contract) -> None:
    assert len(backend.ledger.code(contract.address)) > 4_000
    assert backend.ledger.code(ALICE.address) == b""
    before = contract.call("counter()")
    assert contract.call("increment()") == before + 1
    assert contract.call("counter()") == before  # a call leaves no trace
    contract.transact("increment()")
    assert contract.call("counter()") == before + 1


def test_reverts_carry_their_data(backend: Backend, contract: Contract) -> None:
    small = selector("TooSmall(uint256,uint256)") + encode(["uint256", "uint256"], [5, 100])
    call = Call(contract.address, call_data("atLeast(uint256)", 5), ALICE.address)
    for attempt in (backend.ledger.call, backend.ledger.estimate):
        with pytest.raises(ChainRevert) as caught:
            attempt(call)
        assert caught.value.data == small
    with pytest.raises(ChainRevert, match="custom error 0x"):
        contract.transact("atLeast(uint256)", 5)  # refused at the estimate
    with pytest.raises(ChainRevert) as caught:
        contract.transact("atLeast(uint256)", 5, gas=100_000)  # mined
    assert caught.value.transaction is not None
    assert caught.value.data == small
    receipt = backend.ledger.receipt(caught.value.transaction)
    assert receipt is not None and receipt.status == 0 and receipt.logs == ()
    with pytest.raises(ChainRevert, match="reverted: not 101"):
        contract.call("atLeast(uint256)", 101)
    with pytest.raises(ChainRevert, match="panic 0x01"):
        contract.call("atLeast(uint256)", 102)


def test_out_of_gas(backend: Backend, contract: Contract) -> None:
    with pytest.raises(ChainRevert):
        contract.transact("lanes(uint256,uint256)", 50, 1, gas=60_000)


def test_logs(backend: Backend, contract: Contract) -> None:
    ledger = backend.ledger
    first = ledger.head().number + 1
    targets = [Account.create().address for _ in range(3)]
    for target in targets:
        contract.transact("transfer(address,uint256)", target, 7)
    contract.transact("remember(bytes,uint256)", b"hello", 2)
    last = ledger.head().number
    everything = ledger.logs(first, last)
    assert len(everything) == 4
    assert [log.block_number for log in everything] == sorted(log.block_number for log in everything)
    transfers = ledger.logs(first, last, [contract.address], [TRANSFER])
    assert [log.topics[2][12:] for log in transfers] == [bytes.fromhex(t[2:]) for t in targets]
    assert {log.address for log in transfers} == {contract.address}
    assert int.from_bytes(transfers[0].data, "big") == 7

    def word(address: str) -> bytes:
        return bytes(12) + bytes.fromhex(address[2:])

    assert ledger.logs(first, last, (), [TRANSFER, None, word(targets[1])]) == [transfers[1]]
    assert ledger.logs(first, last, (), [None, None, [word(targets[0]), word(targets[2])]]) == transfers[::2]
    assert ledger.logs(first, last, [ALICE.address]) == []
    assert ledger.logs(first, last, (), [bytes(32)]) == []
    assert ledger.logs(first + 1, first + 1) == [transfers[1]]
    receipt = ledger.receipt(transfers[0].transaction_hash)
    assert receipt is not None and receipt.logs == (transfers[0],)


def test_creation(backend: Backend, contract: Contract) -> None:
    made = contract.call("create(uint256,bool)", 99, True, returns="address")
    contract.transact("create(uint256,bool)", 99, True, value=5)
    assert backend.ledger.balance(made) == 5
    assert backend.ledger.code(made)


def test_cancun(backend: Backend, contract: Contract) -> None:
    """PUSH0 is everywhere in the contract; transient storage is empty again in the next transaction; MCOPY copies."""
    value = 2**200 + 7
    for _ in range(2):
        call = Call(contract.address, call_data("transientAndCopy(uint256)", value), ALICE.address)
        output = backend.ledger.call(call)
        assert int.from_bytes(output[:32], "big") == value and output[32:64] == bytes(32)
        memory = bytearray(value.to_bytes(32, "big") + bytes(64))
        memory[13:58] = memory[0:45]
        assert output[64:] == keccak(bytes(memory[:77]))
        contract.transact("transientAndCopy(uint256)", value)


def test_time(backend: Backend, contract: Contract) -> None:
    now = backend.ledger.time()
    backend.clock.advance(3_600)
    later = backend.ledger.time()
    assert now + 3_600 <= later < now + 3_660
    backend.clock.set_time(later + 10_000)
    receipt = contract.transact("increment()")
    stamp = backend.ledger.block(receipt.block_number).timestamp
    assert later + 10_000 <= stamp < later + 10_060
    blocks = [backend.ledger.block(n).timestamp for n in range(backend.ledger.head().number + 1)]
    assert blocks == sorted(blocks)


def test_refused_transactions_change_nothing(backend: Backend) -> None:
    ledger = backend.ledger
    nonce, head = ledger.nonce(BOB.address), ledger.head().number
    balance = ledger.balance(BOB.address)
    refused = {
        "chain 1, this is chain": signed(backend, chainId=1),
        "EIP-7825": signed(backend, gas=16_777_217),
        "nonce": signed(backend, nonce=nonce - 1) if nonce else signed(backend, chainId=1),
        "(?i)intrinsic": signed(backend, gas=20_999),
        "(?i)insufficient": signed(backend, value=10**30),
        "(?i)fee": signed(backend, maxFeePerGas=1),
        "not a transaction": b"\x02hello",
        "type 3": b"\x03" + signed(backend)[1:],
        "empty": b"",
    }
    for message, raw in refused.items():
        with pytest.raises(TransactionRefused, match=message):
            ledger.send_raw(raw)
    assert (ledger.nonce(BOB.address), ledger.balance(BOB.address)) == (nonce, balance)
    assert ledger.head().number == head


def test_sending_the_same_bytes_again_is_harmless(backend: Backend) -> None:
    raw = signed(backend)
    first = backend.ledger.send_raw(raw)
    backend.ledger.wait(first)
    balance = backend.ledger.balance(BOB.address)
    assert backend.ledger.send_raw(raw) == first == keccak(raw)
    assert backend.ledger.balance(BOB.address) == balance


def test_unknown_transaction(backend: Backend) -> None:
    assert backend.ledger.receipt(bytes(32)) is None
    with pytest.raises(ReceiptTimeout):
        backend.ledger.wait(bytes(32), timeout=0.05)


def test_nonces_from_several_threads(backend: Backend) -> None:
    sender = Sender(backend.ledger, BOB)
    before = backend.ledger.nonce(BOB.address)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                sender.transact(ALICE.address, value=1, gas=21_000)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert backend.ledger.nonce(BOB.address) == before + 20


def test_the_nonce_is_resynchronised(backend: Backend) -> None:
    """Another program used the same key in between."""
    sender = Sender(backend.ledger, BOB)
    sender.transact(ALICE.address, value=1, gas=21_000)
    backend.ledger.wait(backend.ledger.send_raw(signed(backend)))
    sender.transact(ALICE.address, value=2, gas=21_000)


def test_estimates_suffice(backend: Backend, contract: Contract) -> None:
    for signature, values in (
        ("lanes(uint256,uint256)", (30, 5)),
        ("dive(uint256,uint256)", (5, 0)),
        ("create(uint256,bool)", (4, False)),
        ("forget()", ()),
    ):
        call = Call(contract.address, call_data(signature, *values), ALICE.address)
        gas = backend.ledger.estimate(call)
        receipt = contract.transact(signature, *values, gas=gas)
        assert receipt.gas_used <= gas
    assert backend.ledger.estimate(Call(ALICE.address, sender=BOB.address, value=1)) == 21_000
