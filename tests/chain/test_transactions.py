"""Malformed and forged transactions, each refused with one clear sentence."""

import random
import re

import pytest
import rlp
from eth_account import Account

from stowatt.chain.errors import TransactionRefused
from stowatt.chain.transactions import decode_transaction

KEY = Account.from_key(b"\x09" * 32)
FIELDS = {
    "type": 2, "chainId": 5, "nonce": 1, "gas": 21_000, "maxFeePerGas": 9, "maxPriorityFeePerGas": 3,
    "to": KEY.address, "value": 7, "data": b"\x01\x00\x02",
}  # fmt: skip
RAW = bytes(KEY.sign_transaction(FIELDS).raw_transaction)


def changed(position: int, value: object) -> bytes:
    fields = rlp.decode(RAW[1:])
    fields[position] = value
    return b"\x02" + rlp.encode(fields)


def test_the_fields() -> None:
    decoded = decode_transaction(RAW)
    assert decoded.sender == bytes.fromhex(KEY.address[2:])
    assert (decoded.nonce, decoded.gas, decoded.value, decoded.data) == (1, 21_000, 7, b"\x01\x00\x02")
    assert (decoded.max_fee, decoded.priority_fee, decoded.gas_price(2), decoded.gas_price(8)) == (9, 3, 5, 9)
    assert decoded.intrinsic_gas == 21_000 + 16 + 4 + 16
    assert decoded.hash == bytes(KEY.sign_transaction(FIELDS).hash)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "empty"),
        (b"\x00" * 10, "type 0|not a transaction|not accepted"),
        (b"\x04" + RAW[1:], "type 4"),
        (RAW[:-1], "not a transaction"),
        (RAW + b"\x00", "not a transaction"),
        (b"\x02" + rlp.encode([b""] * 11), "12 fields"),
        (changed(1, b"\x00\x01"), "nonce is not a canonical integer"),
        (changed(1, b"\x01" * 9), "nonce is not a canonical integer of 64 bits"),
        (changed(2, b"\x0a"), "priority fee 10 exceeds"),
        (changed(5, b"\x01" * 19), "recipient"),
        (changed(5, []), "recipient"),
        (changed(7, [b"a"]), "data"),
        (changed(8, [[b"a"]]), "access list"),
        (changed(8, b"x"), "access list"),
        (changed(9, b"\x02"), "signature is out of range"),
        (changed(10, b""), "signature is out of range"),
        (changed(11, b"\xff" * 32), "signature is out of range"),
        (changed(10, b"\x00" * 0 + b"\x05"), "signature"),
    ],
)
def test_refusals(raw: bytes, message: str) -> None:
    try:
        decoded = decode_transaction(raw)
    except TransactionRefused as error:
        assert re.search(message, str(error)), str(error)
        assert "\n" not in str(error)
    else:
        assert message == "signature" and decoded.sender != bytes.fromhex(KEY.address[2:])


def test_legacy_without_replay_protection() -> None:
    fields = {"nonce": 0, "gas": 21_000, "gasPrice": 9, "to": KEY.address, "value": 0, "data": b""}
    with pytest.raises(TransactionRefused, match="EIP-155"):
        decode_transaction(bytes(KEY.sign_transaction(fields).raw_transaction))
    decoded = decode_transaction(bytes(KEY.sign_transaction({**fields, "chainId": 99}).raw_transaction))
    assert (decoded.chain_id, decoded.sender) == (99, bytes.fromhex(KEY.address[2:]))


def test_large_creation_code() -> None:
    fields = {**FIELDS, "data": b"\x01" * 49_153}
    del fields["to"]
    with pytest.raises(TransactionRefused, match="EIP-3860"):
        decode_transaction(bytes(KEY.sign_transaction(fields).raw_transaction))


def test_random_bytes_are_refused_or_decoded() -> None:
    rng = random.Random(3)
    for _ in range(2_000):
        raw = bytearray(RAW)
        for _ in range(rng.randrange(1, 4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        try:
            decoded = decode_transaction(bytes(raw))
        except TransactionRefused:
            continue
        assert bytes(raw) == RAW or decoded.sender != bytes.fromhex(KEY.address[2:])
