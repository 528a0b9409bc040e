"""The ledger's values in the form of Ethereum's JSON-RPC, and back."""

from __future__ import annotations

from typing import Any

from stowatt.chain.embedded.execution import COINBASE
from stowatt.chain.embedded.headers import bloom
from stowatt.chain.embedded.store import StoredBlock
from stowatt.chain.ledger import Block, Call, Log, Receipt, Topics, checksum
from stowatt.chain.transactions import Transaction

INVALID_PARAMS = -32602


class RpcError(Exception):
    """An answer with an error: JSON-RPC code, message, data."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


def hexdata(value: bytes) -> str:
    """Bytes as 0x…"""
    return "0x" + value.hex()


def parse_quantity(value: Any, name: str = "number") -> int:
    """A hex quantity (plain integers are understood too)."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        if isinstance(value, str) and value.startswith("0x") and "_" not in value:
            return int(value, 16)
    except ValueError:
        pass
    raise RpcError(INVALID_PARAMS, f"{name}: {value!r} is not a quantity; give it as 0x… in hexadecimal")


def parse_data(value: Any, name: str = "data", size: int | None = None) -> bytes:
    """Hex data, of an exact size if one is given."""
    try:
        if isinstance(value, str) and value.startswith("0x"):
            data = bytes.fromhex(value[2:])
            if size is None or len(data) == size:
                return data
    except ValueError:
        pass
    wanted = "bytes" if size is None else f"{size} bytes"
    raise RpcError(INVALID_PARAMS, f"{name}: {str(value)[:80]!r} is not {wanted}; give them as 0x… in hexadecimal")


def parse_address(value: Any, name: str = "address") -> str:
    """An address."""
    return checksum(parse_data(value, name, 20))


def parse_call(value: Any) -> Call:
    """The object of eth_call and eth_estimateGas; fees and nonce in it are of no consequence here."""
    if not isinstance(value, dict):
        raise RpcError(INVALID_PARAMS, "the first parameter must be a transaction object")
    data = value.get("input", value.get("data"))
    return Call(
        to=parse_address(value["to"], "to") if value.get("to") else None,
        data=parse_data(data, "input") if data else b"",
        sender=parse_address(value["from"], "from") if value.get("from") else None,
        value=parse_quantity(value.get("value", 0), "value"),
        gas=parse_quantity(value["gas"], "gas") if value.get("gas") is not None else None,
    )


def parse_topics(value: Any) -> Topics:
    """The topics of a log filter."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 4:
        raise RpcError(INVALID_PARAMS, "topics must be a list of at most four entries")
    topics: list[bytes | list[bytes] | None] = []
    for entry in value:
        if entry is None or entry == []:
            topics.append(None)
        elif isinstance(entry, list):
            topics.append([parse_data(topic, "topic", 32) for topic in entry])
        else:
            topics.append(parse_data(entry, "topic", 32))
    return topics


def log_json(log: Log) -> dict[str, Any]:
    """A log entry."""
    return {
        "address": log.address,
        "topics": [hexdata(topic) for topic in log.topics],
        "data": hexdata(log.data),
        "blockNumber": hex(log.block_number),
        "blockHash": hexdata(log.block_hash),
        "transactionHash": hexdata(log.transaction_hash),
        "transactionIndex": hex(log.transaction_index),
        "logIndex": hex(log.log_index),
        "removed": False,
    }


def receipt_json(receipt: Receipt, kind: int, total_gas: int) -> dict[str, Any]:
    """A receipt; of a failed transaction it also has the revert data, which the standard lacks."""
    raw_logs = [
        (bytes.fromhex(log.address[2:]), tuple(int.from_bytes(t, "big") for t in log.topics), log.data)
        for log in receipt.logs
    ]
    answer = {
        "transactionHash": hexdata(receipt.transaction_hash),
        "transactionIndex": hex(receipt.transaction_index),
        "blockHash": hexdata(receipt.block_hash),
        "blockNumber": hex(receipt.block_number),
        "from": receipt.sender,
        "to": receipt.to,
        "contractAddress": receipt.contract_address,
        "cumulativeGasUsed": hex(total_gas),
        "gasUsed": hex(receipt.gas_used),
        "effectiveGasPrice": hex(receipt.effective_gas_price),
        "logs": [log_json(log) for log in receipt.logs],
        "logsBloom": hexdata(bloom(raw_logs)),
        "status": hex(receipt.status),
        "type": hex(kind),
    }
    if receipt.status == 0:
        answer["revertData"] = hexdata(receipt.revert_data)
    return answer


def transaction_json(transaction: Transaction, block: Block, position: int) -> dict[str, Any]:
    """A mined transaction."""
    answer: dict[str, Any] = {
        "hash": hexdata(transaction.hash),
        "type": hex(transaction.kind),
        "chainId": hex(transaction.chain_id),
        "nonce": hex(transaction.nonce),
        "blockHash": hexdata(block.hash),
        "blockNumber": hex(block.number),
        "transactionIndex": hex(position),
        "from": checksum(transaction.sender),
        "to": checksum(transaction.to) if transaction.to else None,
        "value": hex(transaction.value),
        "gas": hex(transaction.gas),
        "gasPrice": hex(transaction.gas_price(block.base_fee)),
        "input": hexdata(transaction.data),
        "v": hex(transaction.v),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
    }
    if transaction.kind >= 1:
        answer["yParity"] = hex(transaction.v)
        answer["accessList"] = [
            {"address": checksum(address), "storageKeys": [hexdata(slot.to_bytes(32, "big")) for slot in slots]}
            for address, slots in transaction.access_list
        ]
    if transaction.kind == 2:
        answer["maxFeePerGas"] = hex(transaction.max_fee)
        answer["maxPriorityFeePerGas"] = hex(transaction.priority_fee)
    return answer


def block_json(block: StoredBlock, transactions: list[Any]) -> dict[str, Any]:
    """A block; `transactions` are hashes or objects."""
    head = block.head
    zeros = hexdata(bytes(32))
    return {
        "number": hex(head.number),
        "hash": hexdata(head.hash),
        "parentHash": hexdata(head.parent_hash),
        "timestamp": hex(head.timestamp),
        "gasLimit": hex(head.gas_limit),
        "gasUsed": hex(head.gas_used),
        "baseFeePerGas": hex(head.base_fee),
        "stateRoot": hexdata(block.state),
        "transactionsRoot": hexdata(block.transactions_root),
        "receiptsRoot": hexdata(block.receipts_root),
        "logsBloom": hexdata(block.bloom),
        "transactions": transactions,
        "miner": checksum(COINBASE),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "extraData": "0x",
        "mixHash": zeros,
        "nonce": hexdata(bytes(8)),
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "size": "0x0",
        "uncles": [],
    }
