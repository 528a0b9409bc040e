"""Workers inside this process. numpy, Arrow and machine code let threads run side by side."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final, TypeVar

from stowatt.parallel.errors import ClusterError

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

WAITING: Final = 2
"""Items for each thread that are handed out: the one it works on, and the next one."""


@dataclass(frozen=True, slots=True)
class Threads:
    """`count` threads. They see the context variables of the caller, such as the clearing plan in force."""

    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ClusterError(f"{self.count} workers", "give at least 1")

    def each(self, work: Callable[[_Item], _Made], items: Sequence[_Item]) -> Iterator[tuple[int, _Made]]:
        """See `Workers.each`. After an error, or when the caller stops, items begun are finished; no other is begun."""
        if self.count == 1 or len(items) == 1:
            for number, item in enumerate(items):
                yield number, work(item)
            return
        pool = ThreadPoolExecutor(self.count, thread_name_prefix="stowatt-worker")
        try:
            yield from _each(pool, self.count * WAITING, work, items)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _each(
    pool: ThreadPoolExecutor, most: int, work: Callable[[_Item], _Made], items: Sequence[_Item]
) -> Iterator[tuple[int, _Made]]:
    """The work with at most so many items handed out."""
    numbers: dict[Future[_Made], int] = {}
    following = iter(enumerate(items))
    while True:
        while len(numbers) < most and (next_one := next(following, None)) is not None:
            number, item = next_one
            numbers[pool.submit(copy_context().run, work, item)] = number
        if not numbers:
            return
        for future in wait(numbers, return_when=FIRST_COMPLETED).done:
            yield numbers.pop(future), future.result()
