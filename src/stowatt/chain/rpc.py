"""A ledger behind any Ethereum JSON-RPC endpoint: Besu, cosmos/evm, an L2, anvil, or `stowatt node`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Self

from eth_hash.auto import keccak

from stowatt.chain.errors import ChainRevert, ConnectionFailed, ReceiptTimeout, TransactionRefused, WrongChain
from stowatt.chain.jsonrpc import Endpoint, RemoteError
from stowatt.chain.ledger import TRANSACTION_GAS_CAP, Block, Call, Fees, Log, Receipt, Topics, checksum
from stowatt.chain.transactions import decode_transaction
from stowatt.errors import LedgerError

_LOG_BLOCKS: Final = 10_000
_METHOD_MISSING: Final = -32601
_REVERT_CODE: Final = 3


class RpcLedger:
    """A Ledger over HTTP.

    `chain_id` is what the caller expects (None: whatever the endpoint says); a receipt counts once its block has
    `confirmations` blocks, itself included.
    """

    def __init__(
        self,
        url: str,
        *,
        chain_id: int | None = None,
        confirmations: int = 1,
        timeout: float = 120,
        poll: float = 0.25,
        request_timeout: float = 30,
    ) -> None:
        self._endpoint = Endpoint(url, timeout=request_timeout)
        self._confirmations, self._timeout, self._poll = max(1, confirmations), timeout, poll
        self._chain_id = _number(self._endpoint.ask("eth_chainId"))
        if chain_id is not None and chain_id != self._chain_id:
            raise WrongChain(
                f"{self._endpoint.name} is chain {self._chain_id}, not {chain_id}",
                "give the endpoint of the right chain, or correct the expected chain id",
            )

    def close(self) -> None:
        """Ends kept connections."""
        self._endpoint.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ------------------------------------------------------------------ reading

    @property
    def chain_id(self) -> int:
        """EIP-155's number of the chain, as the endpoint gave it at the start."""
        return self._chain_id

    def head(self) -> Block:
        """The newest block."""
        return _block(self._endpoint.ask("eth_getBlockByNumber", "latest", False))

    def block(self, number: int) -> Block:
        """The block of that number."""
        answer = self._endpoint.ask("eth_getBlockByNumber", hex(number), False)
        if answer is None:
            raise LedgerError(f"there is no block {number}", "ask for a number from 0 to the head's")
        return _block(answer)

    def time(self) -> int:
        """The pending block's timestamp where the endpoint offers one, at least the newest block's."""
        latest = self.head().timestamp
        try:
            pending = self._endpoint.ask("eth_getBlockByNumber", "pending", False)
        except RemoteError:
            return latest
        return max(latest, _number(pending["timestamp"])) if pending else latest

    def nonce(self, address: str) -> int:
        """The nonce of the account's next transaction, those in flight included."""
        return _number(self._endpoint.ask("eth_getTransactionCount", checksum(address), "pending"))

    def balance(self, address: str) -> int:
        """Wei."""
        return _number(self._endpoint.ask("eth_getBalance", checksum(address), "latest"))

    def code(self, address: str) -> bytes:
        """The contract's code; empty if there is none."""
        return _bytes(self._endpoint.ask("eth_getCode", checksum(address), "latest"))

    def fees(self) -> Fees:
        """Twice the base fee and the suggested priority fee: good for a dozen full blocks to come."""
        base = self.head().base_fee
        try:
            priority = _number(self._endpoint.ask("eth_maxPriorityFeePerGas"))
        except RemoteError as error:
            if error.code != _METHOD_MISSING:
                raise
            priority = max(0, _number(self._endpoint.ask("eth_gasPrice")) - base)
        return Fees(max_fee=2 * base + priority, priority_fee=priority)

    def call(self, call: Call) -> bytes:
        """The returned data; ChainRevert if the contract reverts."""
        return _bytes(self._try("eth_call", _call(call), "latest"))

    def estimate(self, call: Call) -> int:
        """A gas limit with which the call succeeds as a transaction; ChainRevert if it cannot."""
        gas = _number(self._try("eth_estimateGas", _call(call)))
        if gas > TRANSACTION_GAS_CAP:
            raise TransactionRefused(
                f"the call needs {gas} gas, more than the cap of {TRANSACTION_GAS_CAP} (EIP-7825)",
                "split the work into several transactions",
            )
        return gas

    def _try(self, method: str, *params: Any) -> Any:
        try:
            return self._endpoint.ask(method, *params)
        except RemoteError as error:
            data = _revert_data(error)
            if data is None:
                raise
            raise ChainRevert(data, reason="" if data else error.message) from None

    def logs(
        self, from_block: int, to_block: int | None = None, addresses: Sequence[str] = (), topics: Topics = ()
    ) -> list[Log]:
        """Events of the blocks from_block..to_block (None: the head), in order.

        Long ranges are asked for in pieces, and a piece that the endpoint finds too large is halved.
        """
        last = self.head().number if to_block is None else to_block
        query: dict[str, Any] = {}
        if addresses:
            query["address"] = [checksum(address) for address in addresses]
        if topics:
            query["topics"] = [_topic(choice) for choice in topics]
        found: list[Log] = []
        first, size = from_block, _LOG_BLOCKS
        while first <= last:
            until = min(last, first + size - 1)
            try:
                part = self._endpoint.ask("eth_getLogs", {**query, "fromBlock": hex(first), "toBlock": hex(until)})
            except RemoteError:
                if until == first:
                    raise
                size = (until - first + 1) // 2
                continue
            found.extend(_log(entry) for entry in part)
            first, size = until + 1, min(2 * size, _LOG_BLOCKS)
        return found

    # ------------------------------------------------------------------ sending

    def send_raw(self, raw: bytes) -> bytes:
        """Sends a signed transaction and returns its hash; harmless if the endpoint has it already."""
        transaction = decode_transaction(raw)
        if transaction.chain_id != self._chain_id:
            raise TransactionRefused(
                f"the transaction is signed for chain {transaction.chain_id}, this is chain {self._chain_id}",
                "sign it for this chain",
            )
        if transaction.gas > TRANSACTION_GAS_CAP:
            raise TransactionRefused(
                f"a gas limit of {transaction.gas} exceeds the cap of {TRANSACTION_GAS_CAP} (EIP-7825)",
                "split the work into several transactions",
            )
        try:
            answered = _bytes(self._endpoint.ask("eth_sendRawTransaction", "0x" + raw.hex()))
        except RemoteError as error:
            if self._endpoint.ask("eth_getTransactionByHash", "0x" + transaction.hash.hex()) is not None:
                return transaction.hash  # it had arrived before
            raise TransactionRefused(error.message, code=error.code) from None
        if answered != keccak(raw):
            raise ConnectionFailed(
                f"{self._endpoint.name} answered with another transaction's hash", "do not trust this endpoint"
            )
        return answered

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt, or None while the transaction is not mined."""
        answer = self._endpoint.ask("eth_getTransactionReceipt", "0x" + transaction_hash.hex())
        if answer is None or answer.get("blockNumber") is None:
            return None
        data = b""
        if _number(answer["status"]) == 0:
            known = answer.get("revertData")
            data = _bytes(known) if known is not None else self._replay(transaction_hash, answer["blockNumber"])
        return _receipt(answer, data)

    def wait(self, transaction_hash: bytes, timeout: float | None = None) -> Receipt:
        """The receipt once it has its confirmations; ReceiptTimeout if that takes too long."""
        limit = self._timeout if timeout is None else timeout
        end = time.monotonic() + limit
        while True:
            receipt = self.receipt(transaction_hash)
            if receipt is not None and (
                self._confirmations == 1 or self.head().number - receipt.block_number + 1 >= self._confirmations
            ):
                return receipt
            if time.monotonic() >= end:
                state = "is not mined" if receipt is None else f"has fewer than {self._confirmations} confirmations"
                raise ReceiptTimeout(
                    f"0x{transaction_hash.hex()} {state} after {limit:g} s",
                    "wait longer; the transaction is stored and may be sent again without harm",
                )
            time.sleep(self._poll)

    def _replay(self, transaction_hash: bytes, block: str) -> bytes:
        """Standard receipts lack the revert data: the transaction is tried once more on its parent block.

        Other transactions of the same block are not taken into account, and a node that has dropped the parent's state
        tries it on the newest one: this is the likely reason, not a proof.
        """
        sent = self._endpoint.ask("eth_getTransactionByHash", "0x" + transaction_hash.hex())
        call = {"from": sent["from"], "to": sent["to"], "gas": sent["gas"], "value": sent["value"]}
        for state in (hex(_number(block) - 1), "latest"):
            try:
                self._endpoint.ask("eth_call", {**call, "data": sent["input"]}, state)
            except RemoteError as error:
                data = _revert_data(error)
                if data is not None:
                    return data
            else:
                break
        return b""


class DevClock:
    """Moves the clock of a development node (`stowatt node --dev-clock`, anvil) through its evm_* methods."""

    def __init__(self, url: str) -> None:
        self._endpoint = Endpoint(url)

    def set_time(self, timestamp: int) -> None:
        """The next block, which is mined at once, has this timestamp."""
        self._endpoint.ask("evm_setNextBlockTimestamp", timestamp)
        self._endpoint.ask("evm_mine")

    def advance(self, seconds: int) -> None:
        """The next block, which is mined at once, is so many seconds later."""
        self._endpoint.ask("evm_increaseTime", seconds)
        self._endpoint.ask("evm_mine")


def _number(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise ConnectionFailed(f"the endpoint gave {str(value)[:60]!r} for a number", "use a conforming node") from None


def _bytes(value: Any) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise ConnectionFailed(f"the endpoint gave {str(value)[:60]!r} for data", "use a conforming node") from None


def _call(call: Call) -> dict[str, str]:
    fields = {"data": "0x" + call.data.hex(), "value": hex(call.value)}
    if call.to is not None:
        fields["to"] = checksum(call.to)
    if call.sender is not None:
        fields["from"] = checksum(call.sender)
    if call.gas is not None:
        fields["gas"] = hex(call.gas)
    return fields


def _topic(choice: bytes | Sequence[bytes] | None) -> Any:
    if choice is None:
        return None
    return "0x" + choice.hex() if isinstance(choice, bytes) else ["0x" + topic.hex() for topic in choice]


def _revert_data(error: RemoteError) -> bytes | None:
    """The data of an error that means a revert, wherever the node puts it; None for any other error."""
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    if isinstance(data, str) and data.startswith("0x"):
        try:
            return bytes.fromhex(data[2:])
        except ValueError:
            pass
    failed = error.code == _REVERT_CODE or "revert" in error.message.lower()
    return b"" if failed else None


def _block(fields: dict[str, Any]) -> Block:
    return Block(
        number=_number(fields["number"]),
        hash=_bytes(fields["hash"]),
        parent_hash=_bytes(fields["parentHash"]),
        timestamp=_number(fields["timestamp"]),
        gas_used=_number(fields["gasUsed"]),
        gas_limit=_number(fields["gasLimit"]),
        base_fee=_number(fields.get("baseFeePerGas") or "0x0"),
    )


def _log(fields: dict[str, Any]) -> Log:
    return Log(
        address=checksum(fields["address"]),
        topics=tuple(_bytes(topic) for topic in fields["topics"]),
        data=_bytes(fields["data"]),
        block_number=_number(fields["blockNumber"]),
        block_hash=_bytes(fields["blockHash"]),
        transaction_hash=_bytes(fields["transactionHash"]),
        transaction_index=_number(fields["transactionIndex"]),
        log_index=_number(fields["logIndex"]),
    )


def _receipt(fields: dict[str, Any], revert_data: bytes) -> Receipt:
    return Receipt(
        transaction_hash=_bytes(fields["transactionHash"]),
        transaction_index=_number(fields["transactionIndex"]),
        block_number=_number(fields["blockNumber"]),
        block_hash=_bytes(fields["blockHash"]),
        sender=checksum(fields["from"]),
        to=checksum(fields["to"]) if fields.get("to") else None,
        contract_address=checksum(fields["contractAddress"]) if fields.get("contractAddress") else None,
        status=_number(fields["status"]),
        gas_used=_number(fields["gasUsed"]),
        effective_gas_price=_number(fields.get("effectiveGasPrice") or "0x0"),
        logs=tuple(_log(entry) for entry in fields["logs"]),
        revert_data=revert_data,
    )
