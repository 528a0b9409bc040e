"""A large book on processes: the same bytes for any workers and any partitioning, also when a worker is killed with -9.

`make crash` runs the whole matrix: 1, 2, 4 workers × 1, 10, 100, 1,000 parts × nobody or one worker killed.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from stowatt.bulk import Outcome, clear_large
from stowatt.clearing import PriceRule, Rationing, Rules, clear
from stowatt.data.book_file import read_book
from stowatt.parallel import Threads, Workers
from stowatt.parallel.cluster import cluster
from tests.bulk.books import TICK, Row, fills_of, write
from tests.parallel.work import process

pytest.importorskip("distributed", reason="needs the extra cluster")

FULL = bool(os.environ.get("STOWATT_FULL"))
ROWS = 6000
GROUPS = 1000 if FULL else 50
RULES = Rules(PriceRule.MIDPOINT, Rationing.PRO_RATA, 0)
WORKERS = (1, 2, 4) if FULL else (2,)
PARTS = (1, 10, 100, 1000) if FULL else (1, 10)
MEMORY = "/dev/shm"


def rows() -> list[Row]:
    """Three windows, one with a grid of 2^32 ticks; many bids at one price, and some whose rows lie apart."""
    chance = random.Random(5)
    found: list[Row] = []
    for number in range(ROWS // 2):
        window = f"w{number * 3 * 2 // ROWS}"
        side = "sell" if number % 2 else "buy"
        tick = chance.choice([100, 101, chance.randrange(60, 140)])
        tick = tick << 24 if window == "w1" else tick
        found += [(window, f"p{number}", side, tick + more, chance.randrange(1, 5000)) for more in range(2)]
    for _ in range(40):
        first, other = chance.randrange(ROWS), chance.randrange(ROWS)
        found[first], found[other] = found[other], found[first]
    return found


@pytest.fixture(scope="module")
def book() -> Iterator[Path]:
    """A row group for each part; in memory if there is such a folder, since a thousand parts make many small files."""
    with TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as folder:
        yield write(Path(folder) / "book.parquet", rows(), group=ROWS // GROUPS)


@pytest.fixture(scope="module")
def expected(book: Path) -> tuple[dict[str, Outcome], str]:
    """What one process makes of the book: the outcomes, and the fills' SHA-256; as the engine in memory has it."""
    found = cleared(book, book.parent / "expected.parquet", Threads(1), 1)
    fills: dict[tuple[str, str], int] = {}
    for name, one in read_book(book, TICK).items():
        result = clear(one, RULES)
        assert (result.price, result.volume) == (found[0][name].price, found[0][name].volume)
        fills |= {(name, fill.participant): fill.quantity for fill in result.fills}
    assert fills_of(book.parent / "expected.parquet") == fills
    return found


def cleared(book: Path, out: Path, workers: Workers, parts: int) -> tuple[dict[str, Outcome], str]:
    """The same as `expected`, with so many parts."""
    outcomes = clear_large(book, TICK, RULES, out, workers, rows_in_part=ROWS // parts)
    assert not out.with_name(f".{out.name}.stowatt").exists()
    return outcomes, sha256(out.read_bytes()).hexdigest()


class Deadly:
    """Workers of which one is killed with -9 in the middle of the work on the parts, in the first pass or the last."""

    def __init__(self, workers: Workers, which: int) -> None:
        self.workers, self.count, self.left, self.killed = workers, workers.count, which, False

    def each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """As the workers'; deadly in its n-th call."""
        self.left -= 1
        if self.left:
            yield from self.workers.each(work, items)
            return
        victims = sorted({pid for _, pid in self.workers.each(process, range(2 * self.count))})
        half = len(items) // 2
        if half == 0:
            threading.Timer(0.03, self.kill, victims).start()
        for done, result in enumerate(self.workers.each(work, items), start=1):
            if done == half:
                self.kill(victims[0])
            yield result

    def kill(self, victim: int, *_: int) -> None:
        """Without a word."""
        self.killed = True
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


@pytest.mark.crash
@pytest.mark.parametrize("count", WORKERS)
def test_any_workers_and_parts_give_the_same_bytes(
    count: int, book: Path, expected: tuple[dict[str, Outcome], str]
) -> None:
    """In each of them nobody is killed, or one worker while the parts are read, or while they are written."""
    with cluster(workers=count) as workers:
        for parts in PARTS:
            for killed in (0, 1, 3) if FULL else (0, 3):
                doing = Deadly(workers, killed) if killed else workers
                out = book.with_name(f"{count}-{parts}-{killed}.parquet")
                assert cleared(book, out, doing, parts) == expected, (count, parts, killed)
                assert not killed or doing.killed
                print(f"{count} workers, {parts} parts, {'one' if killed else 'none'} killed: the same bytes")


@pytest.mark.parametrize("parts", [1, 7, 50])
def test_threads_give_the_same_bytes(parts: int, book: Path, expected: tuple[dict[str, Outcome], str]) -> None:
    assert cleared(book, book.with_name(f"threads-{parts}.parquet"), Threads(2), parts) == expected
