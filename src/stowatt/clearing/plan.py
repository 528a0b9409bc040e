"""How the fast engine uses the machine: threads, rows at a time, machine code or numpy. No choice changes a result."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from stowatt.errors import BookError

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

LEAST_ROWS: Final = 2**16
"""A thread is not worth its start for fewer."""
MANY: Final = 2 * LEAST_ROWS
"""Rows that are worth it."""
WORTH_COMPILING: Final = 2**22
"""Rows that a process clears before it loads the compiler by itself, which takes about a second."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be used. 0 rows: as many as give each thread one part."""

    threads: int = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows: int = 0
    compiled: bool | None = None
    """None: machine code if numba is installed and the books are worth it."""

    def __post_init__(self) -> None:
        if self.threads < 1 or self.rows < 0:
            raise BookError(f"{self.threads} threads, {self.rows} rows", "give at least 1 thread and 0 rows")
        if self.compiled and not _has_compiler():
            raise BookError("numba is not installed", "install stowatt[fast], or let numpy do it")

    def kernels(self, rows: int) -> Any:
        """The module `compiled` or `vectors` for the next `rows` rows."""
        use = self.compiled
        if use is None:
            _Seen.rows += rows
            use = _Seen.rows >= WORTH_COMPILING and _has_compiler()
        return import_module("stowatt.clearing.compiled" if use else "stowatt.clearing.vectors")

    def parts(self, rows: int, among: int = 0) -> list[slice]:
        """The row ranges that are worked on side by side, with others if these rows are `among` more; at least one."""
        threads = min(self.threads, max(max(rows, among) // LEAST_ROWS, 1))
        size = self.rows or max(-(-max(rows, among) // threads), 1)
        return [slice(start, min(start + size, rows)) for start in range(0, max(rows, 1), size)]

    def run(self, work: Callable[[_Item], _Made], items: Sequence[_Item], rows: int = MANY) -> list[_Made]:
        """The work on every item, in order; side by side if there are several, and not too few rows in all of them."""
        if self.threads == 1 or len(items) == 1 or (rows < MANY and not self.rows):
            return [work(item) for item in items]
        return list(_pool(self.threads, os.getpid()).map(work, items))


class _Seen:
    rows = 0


@cache
def _has_compiler() -> bool:
    return find_spec("numba") is not None


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """One for each process: threads do not survive a fork."""
    return ThreadPoolExecutor(threads, thread_name_prefix=f"stowatt-clearing-{process}")


_current: ContextVar[Plan] = ContextVar("plan")


def current() -> Plan:
    """The plan in force."""
    return _current.get(None) or Plan()


@contextmanager
def using(plan: Plan) -> Iterator[Plan]:
    """A plan for everything that is cleared inside the block."""
    token = _current.set(plan)
    try:
        yield plan
    finally:
        _current.reset(token)
