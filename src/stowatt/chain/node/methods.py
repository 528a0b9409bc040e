"""The JSON-RPC methods of the node."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.errors import ChainRevert, TransactionRefused
from stowatt.chain.ledger import Block, Fees
from stowatt.chain.node.encoding import (
    INVALID_PARAMS,
    RpcError,
    block_json,
    hexdata,
    log_json,
    parse_address,
    parse_call,
    parse_data,
    parse_quantity,
    parse_topics,
    receipt_json,
    transaction_json,
)
from stowatt.errors import StowattError

METHOD_NOT_FOUND, SERVER_ERROR, LIMIT_EXCEEDED, REVERTED = -32601, -32000, -32005, 3
MAX_LOGS: Final = 10_000
MAX_LOG_BLOCKS: Final = 100_000
MAX_TRANSACTION: Final = 131_072
_HEAD_TAGS = ("latest", "pending", "safe", "finalized")


class Methods:
    """Answers one request at a time from the ledger; `dev_clock` admits the evm_* methods that move its clock."""

    def __init__(self, ledger: EmbeddedLedger, *, dev_clock: bool = False) -> None:
        self._ledger = ledger
        self._table: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(ledger.chain_id),
            "net_version": lambda: str(ledger.chain_id),
            "net_listening": lambda: True,
            "web3_clientVersion": lambda: f"stowatt/{_version()}/embedded",
            "eth_syncing": lambda: False,
            "eth_accounts": list,
            "eth_blockNumber": lambda: hex(ledger.head().number),
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBalance": self._balance,
            "eth_getTransactionCount": self._nonce,
            "eth_getCode": self._code,
            "eth_getStorageAt": self._storage,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_gasPrice": lambda: hex(ledger.fees().max_fee),
            "eth_maxPriorityFeePerGas": lambda: hex(ledger.fees().priority_fee),
            "eth_feeHistory": self._fee_history,
            "eth_sendRawTransaction": self._send,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getLogs": self._logs,
        }
        if dev_clock:
            self._table |= {
                "evm_increaseTime": self._increase_time,
                "evm_setNextBlockTimestamp": self._next_timestamp,
                "evm_mine": self._mine,
            }

    def answer(self, method: Any, params: Any) -> Any:
        """The result, or RpcError."""
        handler = self._table.get(method) if isinstance(method, str) else None
        if handler is None:
            hint = "; start the node with --dev-clock for it" if str(method).startswith("evm_") else ""
            raise RpcError(METHOD_NOT_FOUND, f"the method {str(method)[:80]} does not exist{hint}")
        if not isinstance(params, list):
            raise RpcError(INVALID_PARAMS, "params must be a list")
        try:
            return handler(*params)
        except ChainRevert as error:
            raise RpcError(REVERTED, f"execution reverted: {error.reason}", hexdata(error.data)) from None
        except TransactionRefused as error:
            raise RpcError(error.code, str(error)) from None
        except StowattError as error:
            raise RpcError(SERVER_ERROR, str(error)) from None
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                raise RpcError(INVALID_PARAMS, f"{method}: wrong number of parameters") from None
            raise

    # ------------------------------------------------------------------ blocks

    def _number(self, tag: Any) -> int:
        """The block that a tag, a number or an EIP-1898 object means."""
        head = self._ledger.head().number
        if tag is None or tag in _HEAD_TAGS:
            return head
        if tag == "earliest":
            return 0
        if isinstance(tag, dict) and "blockHash" in tag:
            number = self._ledger.block_number(parse_data(tag["blockHash"], "blockHash", 32))
            if number is None:
                raise RpcError(SERVER_ERROR, "there is no block with that hash")
            return number
        return parse_quantity(tag["blockNumber"] if isinstance(tag, dict) and "blockNumber" in tag else tag, "block")

    def _needs_head(self, tag: Any) -> None:
        """State is kept for the newest block only."""
        number, head = self._number(tag), self._ledger.head().number
        if number != head:
            raise RpcError(
                SERVER_ERROR, f"the state of block {number} is not kept; ask for the latest block, which is {head}"
            )

    def _block_by_number(self, tag: Any, full: Any = False) -> Any:
        if tag == "pending":
            return self._pending_block()
        number = self._number(tag)
        return self._block(number, bool(full)) if number <= self._ledger.head().number else None

    def _block_by_hash(self, block_hash: Any, full: Any = False) -> Any:
        number = self._ledger.block_number(parse_data(block_hash, "block hash", 32))
        return None if number is None else self._block(number, bool(full))

    def _block(self, number: int, full: bool) -> dict[str, Any]:
        hashes = self._ledger.transaction_hashes(number)
        transactions = [self._transaction(hexdata(h)) if full else hexdata(h) for h in hashes]
        return block_json(self._ledger.stored_block(number), transactions)

    def _pending_block(self) -> dict[str, Any]:
        head = self._ledger.head()
        answer = block_json(self._ledger.stored_block(head.number), [])
        answer |= {"number": hex(head.number + 1), "parentHash": hexdata(head.hash), "gasUsed": "0x0"}
        return answer | {"timestamp": hex(self._ledger.time()), "hash": None, "nonce": None, "logsBloom": None}

    # ------------------------------------------------------------------ state

    def _balance(self, address: Any, tag: Any = "latest") -> str:
        self._needs_head(tag)
        return hex(self._ledger.balance(parse_address(address)))

    def _nonce(self, address: Any, tag: Any = "latest") -> str:
        self._needs_head(tag)
        return hex(self._ledger.nonce(parse_address(address)))

    def _code(self, address: Any, tag: Any = "latest") -> str:
        self._needs_head(tag)
        return hexdata(self._ledger.code(parse_address(address)))

    def _storage(self, address: Any, slot: Any, tag: Any = "latest") -> str:
        self._needs_head(tag)
        word = parse_quantity(slot, "slot")
        if word >= 2**256:
            raise RpcError(INVALID_PARAMS, "slot: storage has 2^256 words")
        return hexdata(self._ledger.storage_at(parse_address(address), word).to_bytes(32, "big"))

    def _call(self, call: Any, tag: Any = "latest", overrides: Any = None) -> str:
        self._needs_head(tag)
        if overrides:
            raise RpcError(INVALID_PARAMS, "state overrides are not supported")
        return hexdata(self._ledger.call(parse_call(call)))

    def _estimate(self, call: Any, tag: Any = "latest") -> str:
        self._needs_head(tag)
        return hex(self._ledger.estimate(parse_call(call)))

    def _fee_history(self, count: Any, newest: Any, percentiles: Any = None) -> dict[str, Any]:
        last = self._number(newest)
        blocks = min(parse_quantity(count, "block count"), 1024, last + 1)
        heads: list[Block] = [self._ledger.block(n) for n in range(last - blocks + 1, last + 1)]
        fees: Fees = self._ledger.fees()
        answer: dict[str, Any] = {
            "oldestBlock": hex(last - blocks + 1),
            "baseFeePerGas": [hex(head.base_fee) for head in heads] + [hex(fees.max_fee)],
            "gasUsedRatio": [head.gas_used / head.gas_limit for head in heads],
        }
        if percentiles:
            answer["reward"] = [[hex(fees.priority_fee)] * len(percentiles) for _ in heads]
        return answer

    # ------------------------------------------------------------------ transactions and logs

    def _send(self, raw: Any) -> str:
        data = parse_data(raw, "transaction")
        if len(data) > MAX_TRANSACTION:
            raise TransactionRefused(
                f"the transaction has {len(data)} bytes, the limit is {MAX_TRANSACTION}", "send several smaller ones"
            )
        return hexdata(self._ledger.send_raw(data))

    def _transaction(self, transaction_hash: Any) -> Any:
        found = self._ledger.transaction(parse_data(transaction_hash, "transaction hash", 32))
        if found is None:
            return None
        transaction, number, position = found
        return transaction_json(transaction, self._ledger.block(number), position)

    def _receipt(self, transaction_hash: Any) -> Any:
        wanted = parse_data(transaction_hash, "transaction hash", 32)
        receipt, found = self._ledger.receipt(wanted), self._ledger.transaction(wanted)
        if receipt is None or found is None:
            return None
        return receipt_json(receipt, found[0].kind, self._ledger.total_gas(wanted))

    def _logs(self, query: Any) -> list[dict[str, Any]]:
        if not isinstance(query, dict):
            raise RpcError(INVALID_PARAMS, "the parameter must be a filter object")
        if "blockHash" in query:
            first = last = self._number({"blockHash": query["blockHash"]})
        else:
            first, last = self._number(query.get("fromBlock")), self._number(query.get("toBlock"))
        if last - first >= MAX_LOG_BLOCKS:
            raise RpcError(LIMIT_EXCEEDED, f"the query spans more than {MAX_LOG_BLOCKS} blocks; split it")
        wanted = query.get("address") or []
        addresses = [parse_address(a) for a in (wanted if isinstance(wanted, list) else [wanted])]
        topics = parse_topics(query.get("topics"))
        found = self._ledger.logs(first, last, addresses, topics, limit=MAX_LOGS + 1)
        if len(found) > MAX_LOGS:
            raise RpcError(LIMIT_EXCEEDED, f"the query has more than {MAX_LOGS} results; split it")
        return [log_json(log) for log in found]

    # ------------------------------------------------------------------ the clock, with --dev-clock only

    def _increase_time(self, seconds: Any) -> str:
        self._ledger.advance(parse_quantity(seconds, "seconds"))
        return hex(self._ledger.time())

    def _next_timestamp(self, timestamp: Any) -> None:
        self._ledger.set_next_timestamp(parse_quantity(timestamp, "timestamp"))

    def _mine(self, timestamp: Any = None) -> str:
        if timestamp is not None:
            self._next_timestamp(timestamp)
        self._ledger.mine()
        return "0x0"


def _version() -> str:
    try:
        return version("stowatt")
    except PackageNotFoundError:
        return "unknown"
