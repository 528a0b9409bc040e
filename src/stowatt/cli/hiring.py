"""`--workers` and `--scheduler` of `stowatt clear`: who works on a large book, and with how much memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from stowatt.bulk.memory import BASE, DEFAULT, LEAST_ROOM, Memory, parse_memory, size_text
from stowatt.clearing.plan import current
from stowatt.errors import OutputError
from stowatt.parallel import Threads, Workers


@contextmanager
def hired(count: int | None, scheduler: str | None, memory: str | None) -> Iterator[tuple[Workers, Memory]]:
    """Threads; or so many processes of this machine, which share the memory; or a scheduler's, each with as much."""
    limit = None if memory is None else parse_memory(memory)
    if scheduler is None and count is None:
        room = Memory.of(limit or DEFAULT, current().threads)
        yield Threads(room.workers), room
        return
    from stowatt.parallel.cluster import cluster

    if scheduler is not None:
        with cluster(scheduler, count or 1) as workers:
            threads = workers.in_process
            yield workers, Memory(_enough(limit, 1, threads, f"{threads} threads of a worker"), threads)
        return
    processes = count or 1
    room = Memory(_enough(limit, 1 + processes, processes, f"{processes} processes"), processes, 1 + processes)
    with cluster(None, processes) as workers:
        yield workers, room


def _enough(limit: int | None, processes: int, workers: int, who: str) -> int:
    """The limit, which must be enough; enough where the user gave none."""
    least = processes * BASE + workers * LEAST_ROOM
    if limit is None:
        return max(DEFAULT, least)
    if limit < least:
        what = f"{size_text(limit)} of memory is too little for {who}"
        raise OutputError(what, f"give at least {-(-least // 2**20)}MiB, or fewer of them")
    return limit
