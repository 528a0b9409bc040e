"""Work on many items: by threads of this process, processes of this machine, or machines, with the same results.

The work is a function of one item, pure apart from files that it may write twice with the same content. So an item may
be done again elsewhere when the worker that had it is lost.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from stowatt.parallel.errors import ClusterError
from stowatt.parallel.threads import Threads

__all__ = ["ClusterError", "Threads", "Workers"]

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


class Workers(Protocol):
    """Whoever does the work: `Threads`, or what `stowatt.parallel.cluster.cluster` gives."""

    @property
    def count(self) -> int:
        """How many items are worked on at the same time."""

    def each(self, work: Callable[[_Item], _Made], items: Sequence[_Item]) -> Iterator[tuple[int, _Made]]:
        """(number of the item, result) as they finish, in any order.

        `work` is a function of a module or a `functools.partial` of one. Items and results are picklable and small:
        they name rows, they do not carry them. The first error ends the work and is raised as it is.
        """
