"""The embedded ledger: a chain of one node in one directory, durable and without a network."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from eth_typing import Address

from stowatt.chain.embedded import headers
from stowatt.chain.embedded.accounts import Accounts
from stowatt.chain.embedded.clock import Clock
from stowatt.chain.embedded.execution import (
    CallMessage,
    Outcome,
    block_context,
    check_transaction,
    estimate_gas,
    run_call,
    run_transaction,
)  # fmt: skip
from stowatt.chain.embedded.store import SCHEMA_VERSION, Store, StoredBlock
from stowatt.chain.embedded.vm import FastState, ReferenceState
from stowatt.chain.errors import BrokenLedger, DirectoryLocked, ReceiptTimeout, TransactionRefused
from stowatt.chain.ledger import (
    TRANSACTION_GAS_CAP,
    Block,
    Call,
    Fees,
    Log,
    Receipt,
    Topics,
    address_bytes,
)  # fmt: skip
from stowatt.chain.transactions import Transaction, decode_transaction

GAS_LIMIT = 30_000_000
BASE_FEE = 1_000_000_000
DATABASE = "ledger.sqlite"
_LOCK = "lock"


class EmbeddedLedger:
    """A Ledger in a directory. Every transaction is mined at once; what has been acknowledged is on the disk.

    The state is that of the newest block only; calls and estimates see the block that would be mined now. The base fee
    is constant. One process at a time may have the directory open.
    """

    def __init__(self, directory: Path, lock: IO[str], store: Store) -> None:
        self._directory, self._lock_file, self._store = directory, lock, store
        self._chain_id = int(store.setting("chain id"))
        self._gas_limit = int(store.setting("gas limit"))
        self._base_fee = int(store.setting("base fee"))
        self._clock = Clock.decode(store.setting("clock"))
        self._next_timestamp: int | None = None
        self._last = store.last_block()
        self._accounts = Accounts(store)
        self._state_class: type[ReferenceState] = FastState
        self._mutex = threading.RLock()

    # ------------------------------------------------------------------ opening and closing

    @classmethod
    def create(
        cls,
        directory: Path | str,
        *,
        chain_id: int,
        balances: Mapping[str, int] | None = None,
        timestamp: int | None = None,
        fixed_clock: bool = False,
        gas_limit: int = GAS_LIMIT,
        base_fee: int = BASE_FEE,
        flush: bool = True,
    ) -> Self:
        """A new ledger whose block 0 gives `balances` (wei by address) and has the time `timestamp` (default: now).

        With `fixed_clock` time stands still until `set_time` or `advance` moves it. Without `flush` a transaction is
        acknowledged before the disk has it: it then survives a kill of the process, but not a loss of power.
        """
        clock = Clock()
        if timestamp is not None or fixed_clock:
            start = clock.reading() if timestamp is None else timestamp
            clock = Clock(fixed=start) if fixed_clock else clock.moved_to(start, 0)
        if not 0 < chain_id < 2**53:
            raise BrokenLedger(f"{chain_id} is no chain id", "choose a number from 1 to 2^53 - 1")
        directory, lock, store = _open_directory(Path(directory), flush)
        try:
            if store.initialised:
                raise BrokenLedger(f"{directory} holds a ledger already", "open it, or name an empty directory")
            accounts = Accounts(store)
            with store.atomic():
                store.create_tables()
                for address, balance in (balances or {}).items():
                    accounts.set_balance(Address(address_bytes(address)), balance)
                for name, value in (
                    ("version", SCHEMA_VERSION), ("chain id", chain_id), ("gas limit", gas_limit),
                    ("base fee", base_fee), ("clock", clock.encode()),
                ):  # fmt: skip
                    store.set_setting(name, value)
                digest = headers.state_digest(bytes(32), accounts.changes())
                empty = Block(-1, bytes(32), b"", 0, 0, gas_limit, base_fee)
                parent = StoredBlock(empty, b"", b"", b"", b"")
                store.write_block(_seal(parent, digest, clock.reading(), [], []), [], [])
                store.write_state(accounts)
            return cls(directory, lock, store)
        except BaseException:
            store.close()
            lock.close()
            raise

    @classmethod
    def open(cls, directory: Path | str, *, flush: bool = True) -> Self:
        """The ledger that the directory holds; for `flush` see `create`."""
        if not (Path(directory) / DATABASE).is_file():
            raise BrokenLedger(f"{directory} holds no ledger", "create one, or name another directory")
        directory, lock, store = _open_directory(Path(directory), flush)
        try:
            if not store.initialised:
                raise BrokenLedger(f"{directory} holds no ledger", "create one there, or name another directory")
            version = store.setting("version")
            if version != SCHEMA_VERSION:
                raise BrokenLedger(
                    f"{directory} has version {version}, not {SCHEMA_VERSION}", "use the matching version of stowatt"
                )
            return cls(directory, lock, store)
        except BaseException:
            store.close()
            lock.close()
            raise

    def close(self) -> None:
        """Releases the directory."""
        with self._mutex:
            self._store.close()
            self._lock_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ------------------------------------------------------------------ clock

    def time(self) -> int:
        """The timestamp of a block that would be mined now."""
        with self._mutex:
            if self._next_timestamp is not None:
                return self._next_timestamp
            return max(self._last.head.timestamp, self._clock.reading())

    def set_time(self, timestamp: int) -> None:
        """Moves the clock, durably; it then ticks on or stands still as before."""
        with self._mutex:
            clock = self._clock.moved_to(timestamp, self._last.head.timestamp)
            with self._store.atomic():
                self._store.set_setting("clock", clock.encode())
            self._clock, self._next_timestamp = clock, None

    def advance(self, seconds: int) -> None:
        """Moves the clock forward by so many seconds."""
        self.set_time(self.time() + seconds)

    def set_next_timestamp(self, timestamp: int) -> None:
        """Like `set_time`; besides, the next block has exactly this timestamp."""
        with self._mutex:
            self.set_time(timestamp)
            self._next_timestamp = timestamp

    # ------------------------------------------------------------------ reading

    @property
    def directory(self) -> Path:
        """Where the ledger lives."""
        return self._directory

    @property
    def chain_id(self) -> int:
        """EIP-155's number of the chain."""
        return self._chain_id

    def head(self) -> Block:
        """The newest block."""
        return self._last.head

    def block(self, number: int) -> Block:
        """The block of that number."""
        return self.stored_block(number).head

    def stored_block(self, number: int) -> StoredBlock:
        """The block with its roots."""
        with self._mutex:
            return self._store.block(number)

    def block_number(self, block_hash: bytes) -> int | None:
        """The number of the block with that hash."""
        with self._mutex:
            return self._store.block_number(block_hash)

    def transaction_hashes(self, number: int) -> list[bytes]:
        """The transactions of a block in their order."""
        with self._mutex:
            return self._store.transaction_hashes(number)

    def transaction(self, transaction_hash: bytes) -> tuple[Transaction, int, int] | None:
        """A mined transaction with block number and position."""
        with self._mutex:
            found = self._store.raw_transaction(transaction_hash)
            return (decode_transaction(found[0]), found[1], found[2]) if found else None

    def total_gas(self, transaction_hash: bytes) -> int:
        """Gas used in its block up to and including the transaction."""
        with self._mutex:
            return self._store.total_gas(transaction_hash)

    def nonce(self, address: str) -> int:
        """The nonce of the account's next transaction."""
        with self._mutex:
            return self._accounts.get_nonce(Address(address_bytes(address)))

    def balance(self, address: str) -> int:
        """Wei."""
        with self._mutex:
            return self._accounts.get_balance(Address(address_bytes(address)))

    def code(self, address: str) -> bytes:
        """The contract's code; empty if there is none."""
        with self._mutex:
            return self._accounts.get_code(Address(address_bytes(address)))

    def storage_at(self, address: str, slot: int) -> int:
        """A contract's storage word."""
        with self._mutex:
            return self._accounts.get_storage(Address(address_bytes(address)), slot)

    def fees(self) -> Fees:
        """The base fee is constant and nothing competes: no priority fee is needed."""
        return Fees(max_fee=self._base_fee, priority_fee=0)

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt of a mined transaction."""
        with self._mutex:
            return self._store.receipt(transaction_hash)

    def wait(self, transaction_hash: bytes, timeout: float | None = None) -> Receipt:
        """The receipt; here it exists as soon as the transaction is acknowledged."""
        receipt = self.receipt(transaction_hash)
        if receipt is None:
            raise ReceiptTimeout(f"0x{transaction_hash.hex()} is not on this ledger", "send the transaction first")
        return receipt

    def logs(
        self,
        from_block: int,
        to_block: int | None = None,
        addresses: Sequence[str] = (),
        topics: Topics = (),
        *,
        limit: int | None = None,
    ) -> list[Log]:
        """Events of the blocks from_block..to_block (None: the head), in order; at most `limit` of them."""
        with self._mutex:
            last = self._last.head.number if to_block is None else to_block
            return self._store.logs(from_block, last, [address_bytes(a) for a in addresses], topics, limit)

    def call(self, call: Call) -> bytes:
        """The returned data; ChainRevert if the contract reverts."""
        with self._mutex:
            return run_call(self._state(self.time()), self._message(call, self._gas_limit))

    def estimate(self, call: Call) -> int:
        """A gas limit with which the call succeeds as a transaction; ChainRevert if it cannot."""
        message = self._message(call, TRANSACTION_GAS_CAP)
        zeros = message.data.count(0)
        intrinsic = 21_000 + 4 * zeros + 16 * (len(message.data) - zeros) + (0 if message.to else 32_000)
        with self._mutex:
            return estimate_gas(self._state(self.time()), message, intrinsic)

    # ------------------------------------------------------------------ writing

    def send_raw(self, raw: bytes) -> bytes:
        """Mines the transaction in a block of its own and returns its hash once it is on the disk."""
        return self.send_batch([raw])[0]

    def send_batch(self, raws: Sequence[bytes]) -> list[bytes]:
        """Mines several transactions with one flush to the disk, in as few blocks as the gas limit allows.

        All or none: if one of them is refused, the chain stays as it was. Transactions that are on the chain already
        are skipped, so a batch can be repeated after a crash.
        """
        with self._mutex:
            transactions = [decode_transaction(raw) for raw in raws]
            new = [t for t in transactions if self._store.raw_transaction(t.hash) is None]
            if new:
                self._mine(new)
            return [transaction.hash for transaction in transactions]

    def mine(self) -> Block:
        """An empty block."""
        with self._mutex:
            self._mine([])
            return self.head()

    def _mine(self, transactions: Sequence[Transaction]) -> None:
        last, timestamp = self._last, self.time()
        try:
            with self._store.atomic():
                rest = list(transactions)
                while True:
                    last, rest = self._mine_block(last, timestamp, rest)
                    if not rest:
                        break
        except BaseException:
            self._accounts.abandon()
            raise
        self._last, self._next_timestamp = last, None

    def _mine_block(
        self, parent: StoredBlock, timestamp: int, transactions: list[Transaction]
    ) -> tuple[StoredBlock, list[Transaction]]:
        """One block with as many of the transactions as fit; the others are returned."""
        state = self._state(timestamp, parent)
        mined: list[Transaction] = []
        outcomes: list[Outcome] = []
        gas_used = 0
        for transaction in transactions:
            check_transaction(state, transaction, self._chain_id)
            if transaction.gas > self._gas_limit:
                raise TransactionRefused(
                    f"a gas limit of {transaction.gas} exceeds the block's {self._gas_limit}", "split the work"
                )
            if gas_used + transaction.gas > self._gas_limit:
                break
            outcomes.append(run_transaction(state, transaction))
            mined.append(transaction)
            gas_used += outcomes[-1].gas_used
        digest = headers.state_digest(parent.state, self._accounts.changes())
        block = _seal(parent, digest, timestamp, mined, outcomes)
        self._store.write_block(block, mined, outcomes)
        self._store.write_state(self._accounts)
        self._accounts.committed()
        return block, transactions[len(mined) :]

    # ------------------------------------------------------------------ helpers

    def _state(self, timestamp: int, parent: StoredBlock | None = None) -> ReferenceState:
        number = (parent or self._last).head.number + 1
        context = block_context(
            number, timestamp, self._chain_id, self._base_fee, self._gas_limit,
            lambda: self._store.hashes_before(number),
        )  # fmt: skip
        return self._state_class(self._accounts, context)

    def _message(self, call: Call, most_gas: int) -> CallMessage:
        return CallMessage(
            sender=address_bytes(call.sender) if call.sender else bytes(20),
            to=address_bytes(call.to) if call.to else b"",
            data=call.data,
            value=call.value,
            gas=min(call.gas, most_gas) if call.gas is not None else most_gas,
        )


def _seal(
    parent: StoredBlock, state: bytes, timestamp: int, transactions: Sequence[Transaction], outcomes: Sequence[Outcome]
) -> StoredBlock:
    roots = (headers.transactions_root(transactions), headers.receipts_root(transactions, outcomes))
    bloom = headers.bloom(log for outcome in outcomes for log in outcome.logs)
    number, gas_used = parent.head.number + 1, sum(outcome.gas_used for outcome in outcomes)
    limit, base_fee = parent.head.gas_limit, parent.head.base_fee
    block_hash = headers.header_hash(
        parent=parent.head.hash, state=state, transactions_root=roots[0], receipts_root=roots[1], bloom=bloom,
        number=number, gas_limit=limit, gas_used=gas_used, timestamp=timestamp, base_fee=base_fee,
    )  # fmt: skip
    head = Block(number, block_hash, parent.head.hash, timestamp, gas_used, limit, base_fee)
    return StoredBlock(head, state, *roots, bloom)


def _open_directory(directory: Path, flush: bool) -> tuple[Path, IO[str], Store]:
    """Makes the directory if need be, locks it against other processes and opens its database."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = open(directory / _LOCK, "a")  # noqa: SIM115 - stays open as long as the ledger
    except OSError as error:
        raise BrokenLedger(f"{directory} cannot be used: {error.strerror}", "name another directory") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise DirectoryLocked(
            f"{directory} is in use by another process", "stop that process, or name another directory"
        ) from None
    try:
        return directory, lock, Store(directory / DATABASE, flush=flush)
    except BaseException:
        lock.close()
        raise
