"""The state of the embedded ledger: accounts, storage and code in flat tables, with an undo journal.

py-evm keeps its state in a Merkle trie, which costs more than running the contracts. A one-node ledger proves its
state to nobody, so this database keeps plain mappings instead: reads go through a cache to SQLite, writes stay in the
cache and are marked dirty until the block is committed, and every change is written to a journal so that a reverted
call frame can be undone. What the virtual machine sees is the same; a differential test compares both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from eth.abc import AccountDatabaseAPI, MetaWitnessAPI
from eth.typing import JournalDBCheckpoint
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

EMPTY_CODE_HASH = Hash32(keccak(b""))
_CACHE_LIMIT = 400_000
_ABSENT: Any = object()


class Account(NamedTuple):
    """One account, without its storage."""

    nonce: int = 0
    balance: int = 0
    code_hash: bytes = EMPTY_CODE_HASH


_EMPTY = Account()
StorageKey = tuple[bytes, int]


class StateReader(Protocol):
    """Where the committed state is read from."""

    def read_account(self, address: bytes) -> Account | None:
        """The account, or None if there is none."""

    def read_storage(self, address: bytes, slot: int) -> int:
        """A storage word; 0 where nothing was written."""

    def read_code(self, code_hash: bytes) -> bytes:
        """The code of that hash."""

    def read_slots(self, address: bytes) -> list[int]:
        """The slots of an account that hold something."""


class Accounts(AccountDatabaseAPI):
    """The account database of the embedded ledger; one instance lives as long as the ledger is open."""

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader
        self.accounts: dict[bytes, Account | None] = {}
        self.storage: dict[StorageKey, int] = {}
        self.codes: dict[bytes, bytes] = {EMPTY_CODE_HASH: b""}
        self.dirty_accounts: set[bytes] = set()
        self.dirty_storage: set[StorageKey] = set()
        self.dirty_codes: set[bytes] = set()
        # what lives for one transaction: journal, slots as they were before it, EIP-2929's warm set, EIP-1153's slots
        self._journal: list[tuple[dict[Any, Any], Any, Any]] = []
        self._original: dict[StorageKey, int] = {}
        self._warm: dict[bytes | StorageKey, bool] = {}
        self._transient: dict[StorageKey, bytes] = {}

    # ------------------------------------------------------------------ life of a transaction and of a block

    def begin_transaction(self) -> None:
        """Forget what belonged to the transaction before: journal, warm set, transient storage."""
        self._journal.clear()
        self._original.clear()
        self._warm.clear()
        self._transient.clear()

    def committed(self) -> None:
        """The dirty entries are in the database now."""
        self.begin_transaction()
        self._clear_dirty()
        if len(self.storage) + len(self.accounts) > _CACHE_LIMIT:
            self.storage.clear()
            self.accounts.clear()

    def abandon(self) -> None:
        """Forget everything that is not in the database."""
        self.begin_transaction()
        self.accounts.clear()
        self.storage.clear()
        for code_hash in self.dirty_codes:
            self.codes.pop(code_hash, None)
        self._clear_dirty()

    def undo_all(self) -> None:
        """Undo the current transaction (a call that must leave no trace)."""
        self.discard(JournalDBCheckpoint(0))
        self.begin_transaction()
        self._clear_dirty()

    def sweep_empty(self) -> None:
        """EIP-161: accounts that the transaction touched and left empty do not exist."""
        touched = {key for mapping, key, _ in self._journal if mapping is self.accounts}
        for address in touched:
            if self.accounts[address] == _EMPTY:
                self._set_account(address, None)

    def _clear_dirty(self) -> None:
        self.dirty_accounts.clear()
        self.dirty_storage.clear()
        self.dirty_codes.clear()

    # ------------------------------------------------------------------ journal

    def record(self) -> JournalDBCheckpoint:
        return JournalDBCheckpoint(len(self._journal))

    def discard(self, checkpoint: JournalDBCheckpoint) -> None:
        journal = self._journal
        while len(journal) > checkpoint:
            mapping, key, old = journal.pop()
            if old is _ABSENT:
                mapping.pop(key, None)
            else:
                mapping[key] = old

    def commit(self, checkpoint: JournalDBCheckpoint) -> None:
        """Nothing to do: entries stay in the journal until the transaction ends."""

    # ------------------------------------------------------------------ storage

    def get_storage(self, address: Address, slot: int, from_journal: bool = True) -> int:
        key = (address, slot)
        if not from_journal and key in self._original:
            return self._original[key]
        value = self.storage.get(key)
        if value is None:
            value = self.storage[key] = self._reader.read_storage(address, slot)
        return value

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        key = (address, slot)
        old = self.get_storage(address, slot)
        if old == value:
            return
        self._original.setdefault(key, old)
        self._journal.append((self.storage, key, old))
        self.storage[key] = value
        self.dirty_storage.add(key)

    def delete_storage(self, address: Address) -> None:
        slots = {slot for owner, slot in self.storage if owner == address}
        for slot in slots.union(self._reader.read_slots(address)):
            self.set_storage(address, slot, 0)

    def is_storage_warm(self, address: Address, slot: int) -> bool:
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: Address, slot: int) -> None:
        self._mark_warm((address, slot))

    def get_transient(self, address: Address, slot: int) -> bytes:
        return self._transient.get((address, slot), b"")

    def set_transient(self, address: Address, slot: int, value: bytes) -> None:
        key = (address, slot)
        self._journal.append((self._transient, key, self._transient.get(key, _ABSENT)))
        self._transient[key] = value

    # ------------------------------------------------------------------ accounts

    def get_account(self, address: bytes) -> Account | None:
        """The account, or None if there is none."""
        account = self.accounts.get(address, _ABSENT)
        if account is _ABSENT:
            account = self.accounts[address] = self._reader.read_account(address)
        found: Account | None = account
        return found

    def _set_account(self, address: bytes, account: Account | None) -> None:
        self._journal.append((self.accounts, address, self.get_account(address)))
        self.accounts[address] = account
        self.dirty_accounts.add(address)

    def get_balance(self, address: Address) -> int:
        account = self.get_account(address)
        return account.balance if account else 0

    def set_balance(self, address: Address, balance: int) -> None:
        self._set_account(address, (self.get_account(address) or _EMPTY)._replace(balance=balance))

    def get_nonce(self, address: Address) -> int:
        account = self.get_account(address)
        return account.nonce if account else 0

    def set_nonce(self, address: Address, nonce: int) -> None:
        self._set_account(address, (self.get_account(address) or _EMPTY)._replace(nonce=nonce))

    def increment_nonce(self, address: Address) -> None:
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code(self, address: Address) -> bytes:
        account = self.get_account(address)
        if account is None or account.code_hash == EMPTY_CODE_HASH:
            return b""
        code = self.codes.get(account.code_hash)
        if code is None:
            code = self.codes[account.code_hash] = self._reader.read_code(account.code_hash)
        return code

    def set_code(self, address: Address, code: bytes) -> None:
        code_hash = keccak(code)
        self.codes[code_hash] = code
        self.dirty_codes.add(code_hash)
        self._set_account(address, (self.get_account(address) or _EMPTY)._replace(code_hash=code_hash))

    def get_code_hash(self, address: Address) -> Hash32:
        account = self.get_account(address)
        return Hash32(account.code_hash) if account else EMPTY_CODE_HASH

    def delete_code(self, address: Address) -> None:
        self._set_account(address, (self.get_account(address) or _EMPTY)._replace(code_hash=EMPTY_CODE_HASH))

    def account_has_code_or_nonce(self, address: Address) -> bool:
        account = self.get_account(address)
        return account is not None and (account.nonce != 0 or account.code_hash != EMPTY_CODE_HASH)

    def delete_account(self, address: Address) -> None:
        self.delete_storage(address)
        self._set_account(address, None)

    def account_exists(self, address: Address) -> bool:
        return self.get_account(address) is not None

    def touch_account(self, address: Address) -> None:
        if self.get_account(address) is None:
            self._set_account(address, _EMPTY)

    def account_is_empty(self, address: Address) -> bool:
        return (self.get_account(address) or _EMPTY) == _EMPTY

    def is_address_warm(self, address: Address) -> bool:
        return address in self._warm

    def mark_address_warm(self, address: Address) -> None:
        self._mark_warm(address)

    def _mark_warm(self, key: bytes | StorageKey) -> None:
        if key not in self._warm:
            self._journal.append((self._warm, key, _ABSENT))
            self._warm[key] = True

    # ------------------------------------------------------------------ what a trie would offer

    state_root: Hash32 = Hash32(bytes(32))  # constant: there is no trie

    def has_root(self, state_root: bytes) -> bool:
        return True

    def lock_changes(self) -> None:
        self.begin_transaction()

    def make_state_root(self) -> Hash32:
        return self.state_root

    def persist(self) -> MetaWitnessAPI:
        raise TypeError("the embedded ledger's state is written by its block store, not by the virtual machine")

    def changes(self) -> Iterator[bytes]:
        """The dirty entries in a fixed order and encoding, for the digest in the block header."""
        for address in sorted(self.dirty_accounts):
            account = self.accounts[address]
            yield b"a" + address
            if account is not None:
                yield account.nonce.to_bytes(8, "big") + account.balance.to_bytes(32, "big") + account.code_hash
        for address, slot in sorted(self.dirty_storage):
            yield b"s" + address + slot.to_bytes(32, "big") + self.storage[address, slot].to_bytes(32, "big")
