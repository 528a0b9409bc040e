"""Signed transactions as bytes: decoding, checking the form, recovering the sender.

Understood are legacy transactions with replay protection (EIP-155), type 1 (EIP-2930) and type 2 (EIP-1559). Blob
transactions (type 3) and set-code transactions (type 4) are refused: no part of Stowatt needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import coincurve
import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from stowatt.chain.errors import TransactionRefused

_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_FIELDS = {0: 9, 1: 11, 2: 12}
_MAX_INITCODE = 49_152  # EIP-3860

AccessList = tuple[tuple[bytes, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction whose signature has been checked."""

    raw: bytes
    hash: bytes
    kind: int
    """0 legacy, 1 with access list, 2 with EIP-1559 fees."""
    chain_id: int
    nonce: int
    priority_fee: int
    max_fee: int
    """For kinds 0 and 1 both fees are the gas price."""
    gas: int
    to: bytes
    """Empty: the transaction creates a contract."""
    value: int
    data: bytes
    access_list: AccessList
    v: int
    r: int
    s: int
    sender: bytes

    def gas_price(self, base_fee: int) -> int:
        """What a unit of gas costs in a block of that base fee."""
        return min(self.max_fee, base_fee + self.priority_fee)

    @property
    def intrinsic_gas(self) -> int:
        """Gas that is due before the first instruction, except EIP-3860's for the creation code (the VM's)."""
        zeros = self.data.count(0)
        gas = 21_000 + 4 * zeros + 16 * (len(self.data) - zeros) + (0 if self.to else 32_000)
        return gas + sum(2_400 + 1_900 * len(slots) for _, slots in self.access_list)


def decode_transaction(raw: bytes) -> Transaction:
    """The transaction in `raw`; TransactionRefused if it is malformed or its signature does not hold."""
    if not raw:
        raise TransactionRefused("an empty transaction", "send the signed bytes")
    kind = 0 if raw[0] >= 0xC0 else raw[0]
    if kind not in _FIELDS:
        raise TransactionRefused(f"transactions of type {kind} are not accepted", "send a legacy, type 1 or type 2 one")
    try:
        fields = rlp.decode(raw if kind == 0 else raw[1:], strict=True)
    except (RLPException, ValueError) as error:
        raise TransactionRefused(f"not a transaction: {error}", "send the signed bytes unchanged") from None
    if not isinstance(fields, list) or len(fields) != _FIELDS[kind]:
        raise TransactionRefused(f"not a transaction: {_FIELDS[kind]} fields are expected", "send the signed bytes")
    return _build(raw, kind, fields)


def _build(raw: bytes, kind: int, fields: list[Any]) -> Transaction:
    access_list: AccessList = ()
    if kind == 0:
        nonce, price, gas, to, value, data, v, r, s = fields
        v_number = _integer(v, "v")
        if v_number < 35:
            raise TransactionRefused(
                "the transaction has no replay protection (EIP-155)", "sign it with the chain id in it"
            )
        chain_id, parity = (v_number - 35) // 2, (v_number - 35) % 2
        priority = price
        unsigned: list[Any] = [*fields[:6], chain_id, b"", b""]
        message = rlp.encode(unsigned)
    else:
        fees = fields[2:-8]  # one gas price, or EIP-1559's two
        chain_id, nonce = _integer(fields[0], "chain id"), fields[1]
        priority, price = fees[0], fees[-1]
        gas, to, value, data, accesses, v, r, s = fields[-8:]
        v_number = parity = _integer(v, "y parity")
        access_list = _access_list(accesses)
        message = bytes([kind]) + rlp.encode(fields[:-3])
    if not isinstance(to, bytes) or len(to) not in (0, 20):
        raise TransactionRefused("the recipient is not an address", "give 20 bytes, or none to create a contract")
    if not isinstance(data, bytes):
        raise TransactionRefused("the data is not a byte string", "send the signed bytes unchanged")
    if not to and len(data) > _MAX_INITCODE:
        raise TransactionRefused(
            f"creation code of {len(data)} bytes exceeds {_MAX_INITCODE} (EIP-3860)", "split the contract"
        )
    transaction = Transaction(
        raw=raw, hash=keccak(raw), kind=kind, chain_id=chain_id, nonce=_integer(nonce, "nonce", 64),
        priority_fee=_integer(priority, "priority fee"), max_fee=_integer(price, "fee"),
        gas=_integer(gas, "gas", 64), to=to, value=_integer(value, "value"), data=data, access_list=access_list,
        v=v_number, r=_integer(r, "r"), s=_integer(s, "s"),
        sender=_recover(keccak(message), parity, _integer(r, "r"), _integer(s, "s")),
    )  # fmt: skip
    if transaction.priority_fee > transaction.max_fee:
        raise TransactionRefused(
            f"the priority fee {transaction.priority_fee} exceeds the maximum fee {transaction.max_fee}",
            "offer a maximum fee of at least the priority fee",
        )
    return transaction


def _integer(field: Any, name: str, bits: int = 256) -> int:
    if not isinstance(field, bytes) or len(field) > bits // 8 or field[:1] == b"\0":
        raise TransactionRefused(f"the {name} is not a canonical integer of {bits} bits", "send the signed bytes")
    return int.from_bytes(field, "big")


def _access_list(field: Any) -> AccessList:
    entries = []
    for entry in field if isinstance(field, list) else [None]:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list)):
            raise TransactionRefused("the access list is malformed", "send pairs of an address and its slots")
        address, slots = entry
        if not (isinstance(address, bytes) and len(address) == 20 and all(_is_slot(slot) for slot in slots)):
            raise TransactionRefused("the access list is malformed", "send pairs of an address and its slots")
        entries.append((address, tuple(int.from_bytes(slot, "big") for slot in slots)))
    return tuple(entries)


def _is_slot(field: Any) -> bool:
    return isinstance(field, bytes) and len(field) == 32


def _recover(digest: bytes, parity: int, r: int, s: int) -> bytes:
    if parity not in (0, 1) or not 0 < r < _SECP256K1_ORDER or not 0 < s <= _SECP256K1_ORDER // 2:
        raise TransactionRefused("the signature is out of range", "sign the transaction again")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception:  # coincurve raises plain Exception for a signature without a public key
        raise TransactionRefused("the signature belongs to no key", "sign the transaction again") from None
    return keccak(key.format(compressed=False)[1:])[12:]
