"""Items as tasks of a Dask scheduler."""

from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, TypeVar
from uuid import uuid4

from stowatt.errors import StowattError
from stowatt.parallel.errors import ClusterError
from stowatt.parallel.versions import Versions, check, versions

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

WAITING: Final = 4
"""Items for each thread of a worker that are handed out: the way to a worker and back is longer than in a process."""
LOOK_S: Final = 2
"""When nothing has come for so long, look whether there still are workers, seconds."""
ALONE_S: Final = 60
"""How long to wait for a worker when none is left, seconds."""
WAY_OUT: Final = "run the same command again: finished parts are kept"


class Processes:
    """The workers of a Dask client."""

    def __init__(self, client: Any, expected: Versions, name: str) -> None:
        self._client, self._expected, self._name = client, expected, name
        threads = list(client.nthreads().values())
        self.count = sum(threads)
        """Threads of all workers at the beginning."""
        self.in_process = max(threads, default=1)
        """The most of them in one process."""

    def each(self, work: Callable[[_Item], _Made], items: Sequence[_Item]) -> Iterator[tuple[int, _Made]]:
        """See `Workers.each`. An item whose worker is lost is done again by another one."""
        run, following = f"stowatt-{uuid4().hex}", iter(enumerate(items))
        finished: SimpleQueue[Any] = SimpleQueue()
        futures: dict[Any, int] = {}
        try:
            while True:
                while len(futures) < self.count * WAITING and (next_one := next(following, None)) is not None:
                    number, item = next_one
                    future = self._client.submit(_do, self._expected, work, item, key=(run, number), pure=False)
                    futures[future] = number
                    future.add_done_callback(finished.put)
                if not futures:
                    return
                future = self._next(finished)
                yield futures.pop(future), self._made(future)
                del future  # or Dask keeps the result
        finally:
            if futures and self._client.status == "running":
                self._client.cancel(list(futures))

    def _next(self, finished: SimpleQueue[Any]) -> Any:
        """The next item that is done."""
        alone_since = None
        while True:
            try:
                return finished.get(timeout=LOOK_S)
            except Empty:
                if self._threads():
                    alone_since = None
                    continue
            alone_since = alone_since or monotonic()
            if monotonic() - alone_since > ALONE_S:
                raise ClusterError(f"the scheduler {self._name} has had no workers for {ALONE_S} s", WAY_OUT)

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except OSError:
            return 0

    def _made(self, future: Any) -> Any:
        """What came of an item."""
        from distributed import CancelledError, KilledWorker

        try:
            good, made = future.result()
        except KilledWorker as problem:
            raise ClusterError(
                f"{problem.allowed_failures + 1} workers died over the same work, the last one at "
                f"{problem.last_worker.address}",
                "see that workers have the memory that the work needs; their own log says more",
            ) from problem
        except (CancelledError, OSError) as problem:
            if future.status == "error":
                raise  # of the work
            raise ClusterError(f"the Dask scheduler {self._name} is lost", WAY_OUT) from problem
        if not good:
            raise made
        return made


def _do(expected: Versions, work: Callable[[_Item], _Made], item: _Item) -> tuple[bool, _Made | StowattError]:
    """One item, in the worker. An error that a user can cause is a result: Dask would log it there as its own."""
    try:
        check(expected, versions(), _address())
        return True, work(item)
    except StowattError as error:
        return False, error


def _address() -> str:
    from distributed import get_worker

    return str(get_worker().address)
