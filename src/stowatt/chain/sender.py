"""Sending transactions with one key: nonces, gas, fees, the outbox, receipts."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from stowatt.chain.errors import ChainRevert, ConnectionFailed, TransactionRefused
from stowatt.chain.ledger import TRANSACTION_GAS_CAP, Call, Fees, Ledger, Receipt, checksum
from stowatt.chain.outbox import DONE, FAILED, PENDING, Entry, Outbox

_locks: defaultdict[tuple[str, str], threading.RLock] = defaultdict(threading.RLock)
_ATTEMPTS: Final = 3


class Sender:
    """One key on one ledger. Nonces are allocated here, under one lock for each key, and checked against the chain
    again whenever the chain refuses one.

    With an outbox, transactions are stored before they are sent, and a purpose (any name that the caller gives, say
    "commit market 0x… window 7") is carried out once even if the program is killed and started again.
    """

    def __init__(self, ledger: Ledger, account: LocalAccount, outbox: Outbox | None = None) -> None:
        self.ledger, self.address = ledger, checksum(account.address)
        self._account, self._outbox = account, outbox
        self._chain_id = ledger.chain_id
        self._chain = f"{self._chain_id} 0x{ledger.block(0).hash.hex()}"
        self._next: int | None = None

    def __repr__(self) -> str:
        return f"Sender({self.address})"

    def transact(
        self,
        to: str | None,
        data: bytes = b"",
        *,
        value: int = 0,
        gas: int | None = None,
        purpose: str | None = None,
        timeout: float | None = None,
    ) -> Receipt:
        """Sends and waits; ChainRevert if the transaction was mined and failed."""
        return self.finish(self.send(to, data, value=value, gas=gas, purpose=purpose), timeout=timeout)

    def finish(self, transaction_hash: bytes, *, timeout: float | None = None) -> Receipt:
        """Waits for a transaction of this sender; ChainRevert if it failed."""
        receipt = self.ledger.wait(transaction_hash, timeout)
        if self._outbox is not None:
            self._outbox.settle(self._chain, transaction_hash, DONE if receipt.status else FAILED)
        if not receipt.status:
            raise ChainRevert(receipt.revert_data, transaction=transaction_hash)
        return receipt

    def send(
        self, to: str | None, data: bytes = b"", *, value: int = 0, gas: int | None = None, purpose: str | None = None
    ) -> bytes:
        """Sends a transaction (`to` None: creates a contract) and returns its hash.

        Without `gas` the ledger's estimate and a quarter more is offered, so a call that reverts is refused here.
        """
        with _locks[self._chain, self.address]:
            known = self._outbox.find(self._chain, self.address, purpose) if self._outbox and purpose else None
            if known is not None:
                return known.hash if known.state == DONE else self.ledger.send_raw(known.raw)
            if self._next is None:
                self.resume()  # transactions of an earlier run come first: theirs are the lower nonces
            if gas is None:
                estimate = self.ledger.estimate(Call(to, data, self.address, value))
                gas = min(estimate + estimate // 4, TRANSACTION_GAS_CAP)
            fees = self.ledger.fees()
            for attempt in range(_ATTEMPTS):
                raw = self._prepare(to, data, value, gas, fees, purpose)
                try:
                    return self.ledger.send_raw(raw)
                except TransactionRefused as error:
                    self._forget(raw)
                    if "nonce" not in str(error).lower() or attempt == _ATTEMPTS - 1:
                        raise
                    time.sleep(0.1 * attempt)  # another process may be about to send the nonce before
                except ConnectionFailed:
                    self._next = None  # it may have arrived: it stays stored, and is sent again before any other
                    raise
            raise AssertionError("unreachable")

    def sign(self, to: str | None, data: bytes = b"", *, gas: int, value: int = 0) -> bytes:
        """A signed transaction with the next nonce, stored but not sent, for a batch; it must be sent soon."""
        with _locks[self._chain, self.address]:
            return self._prepare(to, data, value, gas, self.ledger.fees(), None)

    def resume(self) -> list[bytes]:
        """After a crash: sends again what may not have arrived; the hashes of the transactions still in flight."""
        waiting: list[bytes] = []
        if self._outbox is None:
            return waiting
        with _locks[self._chain, self.address]:
            for entry in self._outbox.pending(self._chain, self.address):
                receipt = self.ledger.receipt(entry.hash)
                if receipt is not None:
                    self._outbox.settle(self._chain, entry.hash, DONE if receipt.status else FAILED)
                    continue
                try:
                    waiting.append(self.ledger.send_raw(entry.raw))
                except TransactionRefused:
                    self._outbox.drop(self._chain, entry.hash)  # its nonce was used otherwise: it can never be mined
            self._next = None
        return waiting

    def unfinished(self, purpose: str) -> Entry | None:
        """The oldest stored transaction whose purpose begins so and whose fate is not known: a run was cut short."""
        if self._outbox is None:
            return None
        waiting = self._outbox.pending(self._chain, self.address)
        return next((entry for entry in waiting if (entry.purpose or "").startswith(purpose)), None)

    # ------------------------------------------------------------------ nonces

    def _prepare(self, to: str | None, data: bytes, value: int, gas: int, fees: Fees, purpose: str | None) -> bytes:
        """Allocates a nonce, signs, stores."""
        with self._exclusive():
            nonce = self._allocate()
            fields: dict[str, Any] = {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": nonce,
                "gas": gas,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.priority_fee,
                "value": value,
                "data": data,
            }
            if to is not None:
                fields["to"] = checksum(to)
            raw = bytes(self._account.sign_transaction(fields).raw_transaction)
            if self._outbox is not None:
                entry = Entry(keccak(raw), nonce, raw, purpose, PENDING)
                self._outbox.store(self._chain, self.address, entry)
            self._next = nonce + 1
            return raw

    def _allocate(self) -> int:
        """The next nonce: the chain's, or past what is stored for sending; with an outbox other processes count."""
        if self._outbox is None:
            return self.ledger.nonce(self.address) if self._next is None else self._next
        stored = [entry.nonce + 1 for entry in self._outbox.pending(self._chain, self.address)]
        local = self.ledger.nonce(self.address) if self._next is None else self._next
        return max([local, *stored])

    def _forget(self, raw: bytes) -> None:
        self._next = None
        if self._outbox is not None:
            self._outbox.drop(self._chain, keccak(raw))

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._outbox.exclusive() if self._outbox is not None else nullcontext():
            yield
