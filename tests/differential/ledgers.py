"""The ledgers on which the same transactions are played, with clocks that the test moves."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from stowatt.chain.embedded import EmbeddedLedger
from tests.chain.backends import CHAIN_ID, FUNDS, Backend, anvil

START = 1_900_000_000
"""When the chains begin, as far as a test can tell."""
_MEMORY = Path("/dev/shm")


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
    """Anvil, its clock moved to the same start."""
    with anvil(Path()) as backend:
        backend.clock.set_time(START)
        yield backend


Opened = Callable[[], AbstractContextManager[Backend]]
LEDGERS: dict[str, Opened] = {"embedded": embedded, "anvil": anvil_at_start}
