"""What can go wrong between Stowatt and a chain.

LedgerError (stowatt.errors)
├── ConnectionFailed     no usable answer from the endpoint
├── WrongChain           the endpoint is another chain than the caller expects
├── TransactionRefused   the ledger does not accept the transaction; nothing has changed
├── ChainRevert          a contract reverted; `data` holds what it returned, for decoding
├── ReceiptTimeout       the transaction was sent and is not confirmed yet
├── DirectoryLocked      another process has the ledger open
├── BrokenLedger         the directory holds no ledger, or one of another version
└── ClockError           the ledger's clock cannot be moved as asked
"""

from __future__ import annotations

from stowatt.errors import LedgerError


class ConnectionFailed(LedgerError):
    """The endpoint gave no usable answer."""


class WrongChain(LedgerError):
    """The endpoint answers for another chain."""


class TransactionRefused(LedgerError):
    """The ledger did not accept the transaction; the chain is as before. `code` is the JSON-RPC error code."""

    def __init__(self, what: str, way_out: str = "", *, code: int = -32003) -> None:
        super().__init__(what, way_out)
        self.code = code


class ChainRevert(LedgerError):
    """A contract reverted, in a call, an estimate or a mined transaction.

    `data` is the revert data: four bytes of selector and the arguments of a Solidity error, or nothing. `transaction`
    is the hash of the mined transaction, if there is one.
    """

    def __init__(self, data: bytes, *, transaction: bytes | None = None, reason: str = "") -> None:
        self.data = data
        self.transaction = transaction
        self.reason = reason or plain_reason(data)
        where = f"transaction 0x{transaction.hex()}" if transaction else "the call"
        super().__init__(f"{where} reverted: {self.reason}")


class ReceiptTimeout(LedgerError):
    """No receipt, or not enough confirmations, in the time given; the transaction may still be mined."""


class DirectoryLocked(LedgerError):
    """Another process has the ledger's directory open."""


class BrokenLedger(LedgerError):
    """The directory holds no ledger that this version can open."""


class ClockError(LedgerError):
    """The clock cannot be moved as asked."""


_ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)


def plain_reason(data: bytes) -> str:
    """The revert data in words as far as that needs no ABI."""
    if not data:
        return "no data (out of gas, an invalid instruction or a bare revert)"
    if data[:4] == _ERROR_STRING and len(data) >= 68:
        length = int.from_bytes(data[36:68], "big")
        return data[68 : 68 + length].decode("utf-8", "replace")
    if data[:4] == _PANIC and len(data) >= 36:
        return f"panic 0x{int.from_bytes(data[4:36], 'big'):02x}"
    return f"custom error 0x{data[:4].hex()}"
