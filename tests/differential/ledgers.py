"""The ledgers on which the same transactions are played, with clocks that the test moves."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.jsonrpc import Endpoint
from stowatt.chain.ledger import TRANSACTION_GAS_CAP, Ledger, Receipt
from tests.chain.backends import CHAIN_ID, FUNDS, Backend, anvil
from tests.conftest import FULL

START = 1_900_000_000
"""When the chains begin, as far as a test can tell."""
_MEMORY = Path("/dev/shm")

soak = [pytest.mark.soak] if FULL else []
"""Marks of a test that `make soak` runs in full, and `make test` in a smaller size."""


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder, in memory where the system has a place for it."""
    with tempfile.TemporaryDirectory(prefix="stowatt", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        yield Path(name)


@contextmanager
def embedded() -> Iterator[Backend]:
    """An embedded ledger whose clock stands still."""
    with folder() as place:
        options = {"chain_id": CHAIN_ID, "balances": FUNDS, "timestamp": START, "fixed_clock": True}
        with EmbeddedLedger.create(place / "chain", **options) as ledger:  # type: ignore[arg-type]
            yield Backend("embedded", ledger, ledger)


@contextmanager
def anvil_at_start() -> Iterator[Backend]:
    """Anvil, its clock moved to the same start, standing still too."""
    with anvil(Path()) as backend:
        assert backend.url is not None
        Endpoint(backend.url).ask("anvil_setBlockTimestampInterval", 0)
        backend.clock.set_time(START)
        yield backend


Opened = Callable[[], AbstractContextManager[Backend]]
LEDGERS: dict[str, Opened] = {"embedded": embedded, "anvil": anvil_at_start}


class Signer:
    """One key whose transactions are the same bytes on every ledger of the same chain id."""

    def __init__(self, ledger: Ledger, account: LocalAccount) -> None:
        self.ledger, self.account, self.nonce = ledger, account, ledger.nonce(account.address)

    def send(self, to: str | None, data: bytes, gas: int = TRANSACTION_GAS_CAP, value: int = 0) -> Receipt:
        """The receipt, whatever the status."""
        fields = {
            "type": 2, "chainId": self.ledger.chain_id, "nonce": self.nonce, "gas": gas, "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 0, "value": value, "data": data, **({"to": to} if to else {}),
        }  # fmt: skip
        raw = bytes(self.account.sign_transaction(fields).raw_transaction)
        self.nonce += 1
        return self.ledger.wait(self.ledger.send_raw(raw))


@dataclass(frozen=True)
class Trace:
    """What a transaction did, as far as it must be the same on every ledger."""

    status: int
    gas_used: int
    logs: tuple[tuple[str, tuple[bytes, ...], bytes], ...]

    @classmethod
    def of(cls, receipt: Receipt) -> "Trace":
        logs = tuple((log.address, log.topics, log.data) for log in receipt.logs)
        return cls(receipt.status, receipt.gas_used, logs)
