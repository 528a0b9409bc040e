"""Running one transaction, one call, one gas estimate on a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth.abc import ExecutionContextAPI
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.message import Message
from eth_hash.auto import keccak
from eth_typing import Address, BlockNumber, Hash32

from stowatt.chain.embedded.vm import ReferenceState
from stowatt.chain.errors import ChainRevert, TransactionRefused
from stowatt.chain.ledger import TRANSACTION_GAS_CAP
from stowatt.chain.transactions import Transaction

COINBASE = bytes(20)
"""Priority fees go to the zero address: the ledger's operator earns nothing."""

RawLog = tuple[bytes, tuple[int, ...], bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did, apart from its changes of the state."""

    status: int
    gas_used: int
    gas_price: int
    logs: tuple[RawLog, ...]
    contract: bytes | None
    revert_data: bytes


@dataclass(frozen=True, slots=True)
class CallMessage:
    """A call with its defaults filled in."""

    sender: bytes
    to: bytes
    """Empty: the data is creation code."""
    data: bytes
    value: int
    gas: int


def block_context(
    number: int, timestamp: int, chain_id: int, base_fee: int, gas_limit: int, ancestors: Callable[[], Iterator[bytes]]
) -> ExecutionContextAPI:
    """What the contracts see of the block that they run in; `ancestors` yields block hashes, the parent's first."""

    def hashes() -> Iterator[Hash32]:  # asked only if a contract runs BLOCKHASH
        yield from (Hash32(ancestor) for ancestor in ancestors())

    return ExecutionContext(
        coinbase=Address(COINBASE),
        timestamp=timestamp,
        block_number=BlockNumber(number),
        difficulty=0,
        mix_hash=Hash32(bytes(32)),  # no randomness: nothing may depend on it
        gas_limit=gas_limit,
        prev_hashes=hashes(),
        chain_id=chain_id,
        base_fee_per_gas=base_fee,
        excess_blob_gas=0,
    )


def check_transaction(state: ReferenceState, transaction: Transaction, chain_id: int) -> None:
    """Refuses what may not enter a block; the state is not changed."""
    nonce = state.accounts.get_nonce(Address(transaction.sender))
    balance = state.accounts.get_balance(Address(transaction.sender))
    sender = "0x" + transaction.sender.hex()
    most = transaction.value + transaction.gas * transaction.max_fee
    base_fee = state.base_fee
    if transaction.chain_id != chain_id:
        raise TransactionRefused(
            f"the transaction is signed for chain {transaction.chain_id}, this is chain {chain_id}",
            "sign it for this chain",
        )
    if transaction.gas > TRANSACTION_GAS_CAP:
        raise TransactionRefused(
            f"a gas limit of {transaction.gas} exceeds the cap of {TRANSACTION_GAS_CAP} (EIP-7825)",
            "split the work into several transactions",
        )
    if transaction.gas < transaction.intrinsic_gas:
        raise TransactionRefused(
            f"a gas limit of {transaction.gas} is below the intrinsic gas {transaction.intrinsic_gas}",
            "raise the gas limit",
        )
    if transaction.max_fee < base_fee:
        raise TransactionRefused(
            f"the maximum fee {transaction.max_fee} is below the base fee {base_fee}", f"offer at least {base_fee}"
        )
    if state.accounts.get_code(Address(transaction.sender)):
        raise TransactionRefused(f"{sender} is a contract (EIP-3607)", "send from an account that has a key")
    if transaction.nonce != nonce:
        word = "low" if transaction.nonce < nonce else "high"
        raise TransactionRefused(
            f"nonce too {word}: {sender} sent {transaction.nonce}, its next nonce is {nonce}",
            f"sign the transaction with nonce {nonce}",
        )
    if balance < most:
        raise TransactionRefused(
            f"insufficient funds: {sender} has {balance} wei, the transaction may cost {most}", "fund the account"
        )


def run_transaction(state: ReferenceState, transaction: Transaction) -> Outcome:
    """Runs a checked transaction; the changes stay in the accounts, to be committed with the block."""
    accounts, sender = state.accounts, Address(transaction.sender)
    accounts.begin_transaction()
    price = transaction.gas_price(state.base_fee)
    state.delta_balance(sender, -transaction.gas * price)
    contract = contract_address(transaction.sender, transaction.nonce) if not transaction.to else None
    accounts.increment_nonce(sender)
    for address, slots in transaction.access_list:
        accounts.mark_address_warm(Address(address))
        for slot in slots:
            accounts.mark_storage_warm(Address(address), slot)
    message = CallMessage(
        transaction.sender, transaction.to, transaction.data, transaction.value,
        transaction.gas - transaction.intrinsic_gas,
    )  # fmt: skip
    frame = _run(state, message, contract, price)
    left = frame.get_gas_remaining()
    used = transaction.gas - left
    refund = min(0 if frame.is_error else frame.get_gas_refund(), used // 5)  # EIP-3529
    used -= refund
    state.delta_balance(sender, (transaction.gas - used) * price)
    state.delta_balance(Address(COINBASE), used * (price - state.base_fee))
    for address in frame.get_accounts_for_deletion():
        accounts.delete_account(address)
    accounts.sweep_empty()
    failed = bool(frame.is_error)
    return Outcome(
        status=0 if failed else 1, gas_used=used, gas_price=price, logs=() if failed else frame.get_log_entries(),
        contract=None if failed else contract, revert_data=bytes(frame.output) if failed else b"",
    )  # fmt: skip


def run_call(state: ReferenceState, message: CallMessage) -> bytes:
    """The output of a message whose changes are undone; ChainRevert if it fails."""
    frame = _try(state, message)
    if frame.is_error:
        raise ChainRevert(bytes(frame.output), reason="" if frame.output else _failure(frame))
    return bytes(frame.output)


def estimate_gas(state: ReferenceState, message: CallMessage, intrinsic: int) -> int:
    """A gas limit, at most 1.5 % above the least one, with which the message succeeds as a transaction."""

    def attempt(limit: int) -> Any:
        gas = limit - intrinsic
        return _try(state, CallMessage(message.sender, message.to, message.data, message.value, gas))

    high = message.gas
    if high < intrinsic:
        raise TransactionRefused(f"a gas limit of {high} is below the intrinsic gas {intrinsic}", "raise the gas limit")
    frame = attempt(high)
    if frame.is_error:
        raise ChainRevert(bytes(frame.output), reason="" if frame.output else _failure(frame))
    spent = high - frame.get_gas_remaining()
    low = max(intrinsic, spent - min(frame.get_gas_refund(), spent // 5)) - 1
    guess = spent + spent // 63 + 2_300  # one level of calls keeps back a 64th; a stipend may be unused
    for limit in (spent, guess):
        if low < limit < high:
            if not attempt(limit).is_error:
                high = limit
            else:
                low = limit
    while high - low > max(1, high * 15 // 1000):
        middle = (low + high) // 2
        if attempt(middle).is_error:
            low = middle
        else:
            high = middle
    return high


def contract_address(sender: bytes, nonce: int) -> bytes:
    """The address of the contract that the sender's transaction of that nonce creates."""
    return keccak(rlp.encode([sender, nonce]))[12:]


def _try(state: ReferenceState, message: CallMessage) -> Any:
    accounts = state.accounts
    accounts.begin_transaction()
    try:
        if accounts.get_balance(Address(message.sender)) < message.value:
            raise TransactionRefused(
                f"insufficient funds: 0x{message.sender.hex()} has less than {message.value} wei", "fund the account"
            )
        nonce = accounts.get_nonce(Address(message.sender))
        contract = contract_address(message.sender, nonce) if not message.to else None
        accounts.increment_nonce(Address(message.sender))
        return _run(state, message, contract, 0)
    finally:
        accounts.undo_all()


def _run(state: ReferenceState, message: CallMessage, contract: bytes | None, gas_price: int) -> Any:
    """The outermost frame, run to its end."""
    accounts = state.accounts
    target = Address(contract if contract is not None else message.to)
    accounts.mark_address_warm(Address(message.sender))
    accounts.mark_address_warm(target)
    context = CancunTransactionContext(gas_price=gas_price, origin=Address(message.sender))
    evm_message = Message(
        gas=message.gas,
        to=Address(message.to),
        sender=Address(message.sender),
        value=message.value,
        data=b"" if contract is not None else message.data,
        code=message.data if contract is not None else accounts.get_code(target),
        create_address=target,
    )
    machine = type(state).computation_class
    if contract is None:
        return machine.apply_message(state, evm_message, context)
    return machine.apply_create_message(state, evm_message, context)


def _failure(frame: Any) -> str:
    return f"{type(frame.error).__name__}: {frame.error}"
