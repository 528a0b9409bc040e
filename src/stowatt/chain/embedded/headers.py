"""Block headers: Cancun's fields, their hash, and the roots that can be had without a state trie.

The transactions' root, the receipts' root and the bloom filter are Ethereum's. The state root is not: the ledger has no
trie, so the field holds a chain of digests, keccak(parent's digest ‖ keccak(changes of the block)), which still
commits every block to the state that it left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from stowatt.chain.embedded.execution import COINBASE, Outcome, RawLog
from stowatt.chain.transactions import Transaction

EMPTY_ROOT = keccak(rlp.encode(b""))
_EMPTY_UNCLES = keccak(rlp.encode([]))


def state_digest(parent: bytes, changes: Iterable[bytes]) -> bytes:
    """The next link of the digest chain."""
    return keccak(parent + keccak(b"".join(changes)))


def header_hash(
    *, parent: bytes, state: bytes, transactions_root: bytes, receipts_root: bytes, bloom: bytes, number: int,
    gas_limit: int, gas_used: int, timestamp: int, base_fee: int,
) -> bytes:  # fmt: skip
    """The block's hash: that of the header in Cancun's encoding."""
    return keccak(
        rlp.encode(
            [
                parent, _EMPTY_UNCLES, COINBASE, state, transactions_root, receipts_root, bloom, 0, number, gas_limit,
                gas_used, timestamp, b"", bytes(32), bytes(8), base_fee, EMPTY_ROOT, 0, 0, bytes(32),
            ]
        )
    )  # fmt: skip


def transactions_root(transactions: Sequence[Transaction]) -> bytes:
    """Root of the trie of the encoded transactions."""
    return list_root([transaction.raw for transaction in transactions])


def receipts_root(transactions: Sequence[Transaction], outcomes: Sequence[Outcome]) -> bytes:
    """Root of the trie of the encoded receipts."""
    encoded, total = [], 0
    for transaction, outcome in zip(transactions, outcomes, strict=True):
        total += outcome.gas_used
        logs = [
            [address, [topic.to_bytes(32, "big") for topic in topics], data] for address, topics, data in outcome.logs
        ]
        receipt = rlp.encode([outcome.status, total, bloom(outcome.logs), logs])
        encoded.append((bytes([transaction.kind]) if transaction.kind else b"") + receipt)
    return list_root(encoded)


def bloom(logs: Iterable[RawLog]) -> bytes:
    """The 2048-bit filter over the addresses and topics of the logs."""
    bits = 0
    for address, topics, _ in logs:
        bits |= _bloom_bits(address)
        for topic in topics:
            bits |= _bloom_bits(topic.to_bytes(32, "big"))
    return bits.to_bytes(256, "big")


@lru_cache(maxsize=1 << 14)
def _bloom_bits(item: bytes) -> int:
    digest = keccak(item)
    return sum({1 << (int.from_bytes(digest[i : i + 2], "big") & 2047) for i in (0, 2, 4)})


def list_root(values: Sequence[bytes]) -> bytes:
    """Root of the Merkle-Patricia trie that maps rlp(0), rlp(1), … to the values."""
    if not values:
        return EMPTY_ROOT
    items = sorted((_nibbles(rlp.encode(index)), value) for index, value in enumerate(values))
    return keccak(rlp.encode(_node(items, 0)))


def _node(items: Sequence[tuple[bytes, bytes]], depth: int) -> list[Any]:
    """The node of the items, which are sorted and agree in their first `depth` nibbles."""
    first, last = items[0][0], items[-1][0]
    if len(items) == 1:
        return [_compact(first[depth:], leaf=True), items[0][1]]
    shared = depth
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_compact(first[depth:shared], leaf=False), _reference(_node(items, shared))]
    branch: list[Any] = [b""] * 17
    for nibble in range(16):
        inside = [item for item in items if len(item[0]) > depth and item[0][depth] == nibble]
        if inside:
            branch[nibble] = _reference(_node(inside, depth + 1))
    if len(first) == depth:
        branch[16] = items[0][1]
    return branch


def _reference(node: list[Any]) -> Any:
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _nibbles(key: bytes) -> bytes:
    return bytes(half for byte in key for half in (byte >> 4, byte & 15))


def _compact(nibbles: bytes, *, leaf: bool) -> bytes:
    """Hex-prefix encoding."""
    odd = len(nibbles) % 2
    flagged = bytes([2 * leaf + odd]) + (b"" if odd else b"\0") + nibbles
    return bytes(flagged[i] << 4 | flagged[i + 1] for i in range(0, len(flagged), 2))
