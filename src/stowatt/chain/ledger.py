"""What the rest of Stowatt needs from a chain: one small interface, met by the embedded ledger and by JSON-RPC.

Addresses are EIP-55 strings in results and hex strings of any case in arguments; hashes, topics, code and data are
`bytes`; amounts of the native currency are integers in wei.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from eth_utils.address import to_checksum_address

from stowatt.chain.errors import TransactionRefused
from stowatt.typed_data import checksummed

TRANSACTION_GAS_CAP = 16_777_216
"""EIP-7825: no transaction may ask for more gas."""

Topics = Sequence[bytes | Sequence[bytes] | None]
"""A filter by position: one topic, any of several, or None for every topic."""


@dataclass(frozen=True, slots=True)
class Block:
    """The head of a block."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    """Unix seconds; never less than the parent's."""
    gas_used: int
    gas_limit: int
    base_fee: int
    """Wei per gas that every transaction of the block pays."""


@dataclass(frozen=True, slots=True)
class Log:
    """One event."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    transaction_index: int
    log_index: int
    """Position in the block."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction."""

    transaction_hash: bytes
    transaction_index: int
    block_number: int
    block_hash: bytes
    sender: str
    to: str | None
    contract_address: str | None
    """The created contract, if the transaction created one."""
    status: int
    """1: done; 0: reverted or failed, nothing but the fee has changed."""
    gas_used: int
    effective_gas_price: int
    logs: tuple[Log, ...]
    revert_data: bytes = b""
    """What the contract returned with its revert, as far as the ledger knows it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A message that is tried and leaves no trace."""

    to: str | None
    data: bytes = b""
    sender: str | None = None
    value: int = 0
    gas: int | None = None


@dataclass(frozen=True, slots=True)
class Fees:
    """What to offer for a transaction, in wei per gas (EIP-1559)."""

    max_fee: int
    priority_fee: int


class Ledger(Protocol):
    """A chain: reading, trying, sending."""

    @property
    def chain_id(self) -> int:
        """EIP-155's number of the chain."""

    def head(self) -> Block:
        """The newest block."""

    def block(self, number: int) -> Block:
        """The block of that number; LedgerError if there is none."""

    def time(self) -> int:
        """The timestamp by which a contract would judge a transaction that is sent now (the ledger's best guess)."""

    def nonce(self, address: str) -> int:
        """The nonce of the account's next transaction, transactions in flight included."""

    def balance(self, address: str) -> int:
        """Wei."""

    def code(self, address: str) -> bytes:
        """The contract's code; empty if there is none."""

    def fees(self) -> Fees:
        """What to offer now."""

    def call(self, call: Call) -> bytes:
        """The returned data; ChainRevert if the contract reverts."""

    def estimate(self, call: Call) -> int:
        """Gas limit with which the call succeeds as a transaction; ChainRevert if it cannot."""

    def send_raw(self, raw: bytes) -> bytes:
        """Sends a signed transaction and returns its hash. Sending the same bytes again is harmless."""

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt, or None while the transaction is not mined."""

    def wait(self, transaction_hash: bytes, timeout: float | None = None) -> Receipt:
        """The receipt once it has enough confirmations; ReceiptTimeout otherwise."""

    def logs(
        self, from_block: int, to_block: int | None = None, addresses: Sequence[str] = (), topics: Topics = ()
    ) -> list[Log]:
        """Events of the blocks from_block..to_block (None: the head), in order; no addresses: of all contracts."""


@lru_cache(maxsize=4096)
def checksum(address: str | bytes) -> str:
    """The EIP-55 form of an address."""
    spelled = checksummed(address) if isinstance(address, str) else None
    if spelled is None and not (isinstance(address, bytes) and len(address) == 20):
        shown = address if isinstance(address, str) else "0x" + address.hex()
        raise TransactionRefused(
            f"{shown!r} is not an address", "give 20 bytes in hexadecimal, with a right checksum if cases are mixed"
        )
    return spelled or str(to_checksum_address(address))


def address_bytes(address: str) -> bytes:
    """The 20 bytes of an address."""
    return bytes.fromhex(checksum(address)[2:])


def matches_topics(log_topics: Sequence[bytes], wanted: Topics) -> bool:
    """Whether a log passes a topic filter (the rule of eth_getLogs)."""
    if len(wanted) > len(log_topics):
        return False
    for topic, choice in zip(log_topics, wanted, strict=False):
        if choice is None:
            continue
        if topic not in ([choice] if isinstance(choice, bytes) else choice):
            return False
    return True
