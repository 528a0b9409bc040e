"""The ledgers on which the same transactions are played, with one clock that the test moves."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.ledger import Ledger
from tests.chain.backends import CHAIN_ID, FUNDS, Backend, anvil

START = 1_900_000_000
"""When the chains begin, as far as a test can tell."""


class Clock(Protocol):
    """What moves a ledger's time."""

    def set_time(self, timestamp: int) -> None:
        """The next transaction's block has at least this timestamp."""


@contextmanager
def embedded(balances: dict[str, int] | None = None) -> Iterator[Backend]:
    """An embedded ledger whose clock stands still; in memory where the system has a place for it."""
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(prefix="stowatt", dir=memory if memory.is_dir() else None) as folder,
        EmbeddedLedger.create(
            Path(folder) / "chain", chain_id=CHAIN_ID, balances=balances or FUNDS, timestamp=START, fixed_clock=True
        ) as ledger,
    ):
        yield Backend("embedded", ledger, ledger)


@contextmanager
def anvil_at_start() -> Iterator[Backend]:
    """Anvil, its clock moved to the same start."""
    with anvil(Path()) as backend:
        backend.clock.set_time(START)
        yield backend


Opened = Callable[[], AbstractContextManager[Backend]]
LEDGERS: dict[str, Opened] = {"embedded": embedded, "anvil": anvil_at_start}

__all__ = ["LEDGERS", "START", "Any", "Backend", "Clock", "Ledger", "anvil_at_start", "embedded"]
