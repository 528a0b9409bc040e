"""Doing a thing once, over crashes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from stowatt.chain.client import ContractCall, Done, MarketClient, refusal
from stowatt.chain.errors import ChainRevert, TransactionRefused
from stowatt.chain.events import decode_logs

BATCH: Final = 32
"""Bids in one transaction: the dearest, an issue, takes some 120,000 gas, and a transaction may take 16.7 million."""

Progress = Callable[[int, int], None]
"""Told what is done and what there is to do."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one thing that was asked for."""

    window: int
    what: str
    """In words: committed, revealed, claimed …"""
    done: bool = True
    """False: it had been done before, and nothing was sent."""
    participant: str = ""
    right: int | None = None
    detail: str = ""
    """The figures, for people."""
    standing: bool = False
    """`what` is a state rather than a deed: there was nothing to do."""

    @property
    def repeated(self) -> bool:
        """Whether this deed had been done before."""
        return not self.done and not self.standing


def no_progress(done: int, total: int) -> None:
    """For callers that show none."""


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The items in transactions."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def catch_up(client: MarketClient) -> None:
    """Waits for what an earlier run stored and perhaps did not send, so that the chain's state is the whole truth.

    Whether such a transaction succeeded shows in that state; a revert is nobody's concern any more.
    """
    for transaction in client.sender.resume():
        try:
            client.sender.finish(transaction)
        except ChainRevert:
            continue


@contextmanager
def once(client: MarketClient, purpose: str, call: ContractCall) -> Iterator[tuple[Done, bool]]:
    """Executes a call that is not idempotent by itself, such as a deposit; False if an earlier run had sent it.

    The caller reports inside the `with`. Only after that the transaction counts as done in the outbox: a run that was
    killed before it had reported leaves it there, and the next run with the same purpose takes it over. A run after a
    reported one sends a new one.
    """
    known = client.sender.unfinished(purpose + " ")
    try:
        transaction = _sent(client, call, purpose if known is None else str(known.purpose), known is None)
    except TransactionRefused:
        if known is None:
            raise
        client.sender.resume()  # it can never be mined, and is forgotten
        known, transaction = None, _sent(client, call, purpose, True)
    receipt = client.ledger.wait(transaction)
    if not receipt.status:
        _finish(client, call, transaction)
    yield Done(receipt, tuple(decode_logs(receipt.logs, client.time_of))), known is None
    _finish(client, call, transaction)


def _sent(client: MarketClient, call: ContractCall, purpose: str, new: bool) -> bytes:
    """The hash of the transaction; a new one gets a purpose of its own."""
    own = f"{purpose} {secrets.token_hex(8)}" if new else purpose
    try:
        return client.sender.send(call.to, call.data, purpose=own)
    except ChainRevert as revert:
        raise refusal(revert, call.phases, client.spell, call.name) from None


def _finish(client: MarketClient, call: ContractCall, transaction: bytes) -> None:
    try:
        client.sender.finish(transaction)
    except ChainRevert as revert:
        raise refusal(revert, call.phases, client.spell, call.name) from None
