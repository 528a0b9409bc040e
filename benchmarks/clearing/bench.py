"""Clearing off chain: one window of 10³ … 10⁷ segments, 10⁸ with --full; 96 windows in one call; small tied books.

`report` has the tables and the plot, `targets` what the engine is held to.
"""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.clearing.books import SEGMENTS, TICKS, Segments, as_objects, make_book, tied_books
from benchmarks.clearing.engines import ENGINES, OBJECTS, RULES, one_pass
from benchmarks.clearing.judge import Truth, Verdict, judge, truth
from benchmarks.clearing.many import measure_windows
from benchmarks.clearing.memory import available, book_bytes, plain_copy, touched_bytes
from benchmarks.harness import Extent, Figures, Spread, rounds, spread
from benchmarks.peers.caller import Environment, Reply, ask, find_environment, write_books

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
FULL_SIZES = (*SIZES, 100_000_000)
QUICK_SIZES = (1_000, 10_000)
LONGEST, FULL_LONGEST, QUICK_LONGEST = 20.0, 120.0, 0.1
"""Seconds a call: an engine that would take longer is left out of the larger books."""
PATIENCE = 30.0
"""Seconds of samples after which none is begun in a process of its own: what takes longer is measured once."""
STARTUP = 20.0
"""Seconds that libraries and the book's file may take there. It is killed after all three, which is longer than an
engine needs that is as quick as it was thought to be."""
APART = 4.0
"""Seconds a call from which an engine takes no turns with the others but gets a process of its own."""
GROWTH = 12.0
"""What a tenfold book is taken to cost, to decide that."""
WINDOW_SEGMENTS, QUICK_WINDOW_SEGMENTS = 1_000_000, 2_000
TIED, QUICK_TIED = 400, 20
ROOM = 140
"""Bytes a segment that the largest book needs here and in a process beside this one."""
SHARE = 0.8
"""Of the memory that is there, what a process of its own may hold."""


def run(extent: Extent) -> Figures:
    """All engines on all sizes, many windows at once, then small tied books."""
    if extent.quick:
        return Run(extent, QUICK_LONGEST, QUICK_SIZES).figures()
    return Run(extent, *((FULL_LONGEST, FULL_SIZES) if extent.full else (LONGEST, SIZES))).figures()


class Run:
    """One run: what it has found so far."""

    def __init__(self, extent: Extent, longest: float, sizes: tuple[int, ...]) -> None:
        self.extent, self.quick, self.longest, self.sizes = extent, extent.quick, longest, sizes
        self.limit = longest + PATIENCE + STARTUP
        self.budget = 0.0 if self.quick else 2.0
        self.own = {name: engine for name, engine in ENGINES.items() if find_spec(engine.module)}
        self.environment = find_environment()
        self.peers = [] if self.environment is None else list(self.environment.engines)
        names = (*self.own, *self.peers)
        self.seconds: dict[str, dict[str, Any]] = {name: {} for name in (*names, *OBJECTS)}
        self.verdicts: dict[str, dict[str, Any]] = {name: {} for name in names}
        self.memory: dict[str, dict[str, Any]] = {name: {} for name in names}
        self.troubles: dict[str, dict[str, str]] = {name: {} for name in names}
        self.copies: dict[str, Any] = {}
        self.passes: dict[str, Any] = {}
        self.expected = dict.fromkeys(self.seconds, 0.0)

    def figures(self) -> Figures:
        """Measures."""
        done, left_out = [], []
        for size in self.sizes:
            if size * ROOM > available():
                left_out.append(size)
                continue
            self._size(size)
            done.append(size)
        each = self.extent.window_segments or (QUICK_WINDOW_SEGMENTS if self.quick else WINDOW_SEGMENTS)
        windows = measure_windows(each, self.budget)
        tied = QUICK_TIED if self.quick else TIED
        counts = self._tied(list(tied_books(tied)))
        environment = self.environment
        return {
            "sizes": done, "no_memory_for": left_out, "ticks": TICKS, "segments_of_a_curve": SEGMENTS,
            "quick": self.quick, "longest": self.longest, "limit": self.limit,
            "seconds": self.seconds, "memory": self.memory, "copies": self.copies, "passes": self.passes,
            "windows": windows, "troubles": self.troubles,
            "right": self.verdicts, "tied_books": tied, "tied_right": counts,
            "peers": environment and {"python": environment.python, "engines": environment.engines},
        }  # fmt: skip

    def _size(self, size: int) -> None:
        book, key = make_book(size), str(size)
        right = truth(book)
        calls: dict[str, Callable[[], Any]] = {"copy": plain_copy(book), "pass": partial(one_pass, book)}
        apart = [name for name in self.own if APART < self.expected[name] <= self.longest]
        for name, engine in self.own.items():
            if self.expected[name] <= min(self.longest, APART):
                calls[name] = partial(engine.run, book)
                self.verdicts[name][key] = _told(judge(book, right, engine.run(book)))
        of_objects = {name: clear for name, (_, clear, largest) in OBJECTS.items() if size <= largest}
        if of_objects:
            objects = as_objects(book)
            calls |= {name: partial(clear, objects, RULES) for name, clear in of_objects.items()}
        spreads = rounds(calls, budget=self.budget)
        copy, self.passes[key] = (spreads.pop(name).to_json() for name in ("copy", "pass"))
        self.copies[key] = {"bytes": book_bytes(book), "touched": touched_bytes(book), "seconds": copy}
        for name, found in spreads.items():
            self.expected[name] = found.median * GROWTH
            self.seconds[name][key] = found.to_json()
        alone = [name for name in self.own if name in calls and (not self.quick or name == "stowatt")]
        calls.clear()
        peers = [name for name in self.peers if not self.quick and self.expected[name] <= self.longest]
        with tempfile.TemporaryDirectory(prefix="stowatt-bench-") as folder:
            path = Path(folder) / "book.npz"
            write_books([book], path)
            for name in alone:
                self._remember(name, key, self._ask(f"own:{name}", path, outcomes=False))
            for name in apart:
                self._apart(name, key, book, right, path)
            for name in peers:
                self._apart(name, key, book, right, path)

    def _apart(self, name: str, key: str, book: Segments, right: Truth, path: Path) -> None:
        """Time, memory and verdict from a process of its own."""
        engine, place = (f"own:{name}", None) if name in self.own else (name, self.environment)
        reply = self._ask(engine, path, place, budget=self.budget)
        self._remember(name, key, reply)
        if reply.trouble:
            self.expected[name] = float("inf")  # a larger book would not fare better
            return
        self._took(name, key, judge(book, right, reply.outcomes[0]), spread(reply.seconds))

    def _took(self, name: str, key: str, verdict: Verdict, taken: Spread) -> None:
        self.verdicts[name][key] = _told(verdict)
        self.seconds[name][key] = taken.to_json()
        self.expected[name] = taken.median * GROWTH

    def _remember(self, name: str, key: str, reply: Reply) -> None:
        if reply.trouble:
            self.troubles[name][key] = reply.trouble
        else:
            self.memory[name][key] = {"peak": reply.peak, "added": reply.added}

    def _ask(self, name: str, path: Path, environment: Environment | None = None, **given: Any) -> Reply:
        interpreter = environment.interpreter if environment else None
        room = int(available() * SHARE)
        return ask(name, path, limit=self.limit, patience=PATIENCE, memory=room, interpreter=interpreter, **given)

    def _tied(self, books: list[Segments]) -> dict[str, Any]:
        """How many of the books each engine has right. In a quick run, whose times are worth nothing, the peers work
        side by side, and clear the smallest book in the same process."""
        truths = [truth(book) for book in books]
        outcomes = {name: [engine.run(book) for book in books] for name, engine in self.own.items()}
        large = [make_book(self.sizes[0])] if self.quick else []
        with tempfile.TemporaryDirectory(prefix="stowatt-bench-") as folder:
            path = Path(folder) / "books.npz"
            write_books([*large, *books], path)

            def clear(name: str) -> None:
                reply = self._ask(name, path, self.environment)
                if reply.trouble:
                    self.troubles[name]["tied"] = reply.trouble
                    return
                for book, outcome, taken in zip(large, reply.outcomes, reply.first, strict=False):
                    key = str(self.sizes[0])
                    self._took(name, key, judge(book, truth(book), outcome), spread([taken]))
                    self._remember(name, key, reply)
                outcomes[name] = reply.outcomes[len(large) :]

            with ThreadPoolExecutor(2 if self.quick else 1) as pool:
                list(pool.map(clear, self.peers))
        return {
            name: _count([judge(*case) for case in zip(books, truths, found, strict=True)])
            for name, found in outcomes.items()
        }


def _told(verdict: Verdict) -> dict[str, bool | None]:
    return {part: getattr(verdict, part) for part in ("price", "volume", "balance", "optimal")}


def _count(verdicts: list[Verdict]) -> dict[str, int | None]:
    return {
        part: None if all(v is None for v in values) else sum(v is True for v in values)
        for part in ("price", "volume", "balance", "optimal")
        for values in [[getattr(verdict, part) for verdict in verdicts]]
    }
