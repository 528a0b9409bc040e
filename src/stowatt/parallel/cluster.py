"""Workers that are processes, of this machine or of many: Dask, the extra `cluster`.

The scheduler hands items out and hands them out again when a worker is lost. Which worker does what never shows in a
result. Everything that Dask would leave behind or say aloud is kept down: no dashboard, a folder of its own for the
workers of this machine, one line for an error.
"""

import asyncio
import logging
import signal
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import resource_tracker
from tempfile import TemporaryDirectory
from threading import current_thread, main_thread
from typing import Any, Final

from stowatt.parallel.errors import ClusterError
from stowatt.parallel.tasks import Processes
from stowatt.parallel.versions import require_same

CONNECT_S: Final = 5
"""How long a scheduler may take to answer, seconds."""
ARRIVE_S: Final = 15
"""How long its workers may take to come, seconds."""
START_S: Final = 60
"""How long the processes of this machine may take to start, seconds; two seconds are usual."""
ALLOWED_DEATHS: Final = 5
"""How many workers of this machine one item may lose before the work is given up."""
MOST_WORKERS: Final = 256
"""Processes of this machine."""


@contextmanager
def cluster(scheduler: str | None = None, workers: int = 1) -> Iterator[Processes]:
    """The workers of a running scheduler, at least so many; without one, so many processes of this machine.

    The processes end with the block, however it ends; a running scheduler keeps its workers.
    """
    if workers < 1 or (scheduler is None and workers > MOST_WORKERS):
        raise ClusterError(f"{workers} workers", f"give 1 to {MOST_WORKERS}")
    if find_spec("distributed") is None:
        raise ClusterError("Dask is not installed", "install stowatt[cluster]")
    with ExitStack() as stack:
        _quiet(stack)
        client = _own(stack, workers) if scheduler is None else _running(stack, scheduler, workers)
        expected = require_same(client)
        yield Processes(client, expected, scheduler or "of this machine")


def _quiet(stack: ExitStack) -> None:
    """Dask's log lines are for its developers; what a user has to know is raised.

    Some of its loggers have levels of their own, which importing it sets.
    """
    _dask()
    for name in [name for name in logging.Logger.manager.loggerDict if name.partition(".")[0] == "distributed"]:
        logger = logging.getLogger(name)
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)


def _running(stack: ExitStack, address: str, workers: int) -> Any:
    """A client of a scheduler that runs somewhere."""
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's thread has a loop of its own
            thread.submit(asyncio.run, _greet(address)).result()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions: `require_same` says it in one line
            client = stack.enter_context(_dask().Client(address, timeout=CONNECT_S, set_as_default=False))
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as problem:
        reason = str(problem) or type(problem).__name__
        raise ClusterError(
            f"no Dask scheduler answers at {address} ({reason})", "start one, or give its address as tcp://host:8786"
        ) from problem
    _wait(client, workers, ARRIVE_S, f"start them with: dask worker {address}")
    return client


async def _greet(address: str) -> None:
    """Raise if nobody there speaks Dask; a client would wait for ever for what listens and says nothing."""
    settings = _dask().Security().get_connection_args("client")
    greeting = import_module("distributed.comm").connect(address, timeout=CONNECT_S, **settings)
    (await asyncio.wait_for(greeting, CONNECT_S + 1)).abort()


def _own(stack: ExitStack, workers: int) -> Any:
    """A client of processes that are started now, on the loopback address only."""
    distributed = _dask()
    _stop_cleanly(stack)
    folder = stack.enter_context(TemporaryDirectory(prefix="stowatt-workers-", ignore_cleanup_errors=True))
    settings = {
        "temporary-directory": folder,
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.worker.profile.enabled": False,
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.deploy.lost-worker-timeout": "1000d",  # else a death 15 s after another one is for good
        "distributed.scheduler.worker-ttl": None,  # long work in machine code is no reason to be shot
    }
    stack.enter_context(import_module("dask.config").set(settings))
    processes = stack.enter_context(
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            security=_security(),
            dashboard_address=None,
            worker_dashboard_address=None,
            silence_logs=logging.CRITICAL + 1,
            local_directory=folder,
            memory_limit=0,  # items carry no data, so there is nothing to spill
            scheduler_kwargs={
                "allowed_failures": ALLOWED_DEATHS,
                "dashboard": False,
                "dashboard_address": "127.0.0.1:0",  # a server that serves nothing, or it takes port 8787
            },
        )
    )
    client = stack.enter_context(distributed.Client(processes, set_as_default=False))
    _wait(client, workers, START_S, "see that this machine has the memory for them, or give fewer")
    stack.callback(_hold_back_ctrl_c, True)
    _hold_back_ctrl_c(False)
    return client


def _stop_cleanly(stack: ExitStack) -> None:
    """Ctrl-C waits while processes start or end; SIGTERM is as Ctrl-C.

    The processes inherit what is held back: Ctrl-C reaches all processes of a terminal, and the first one decides.
    """
    if current_thread() is main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        stack.callback(signal.signal, signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    resource_tracker.ensure_running()  # starting it would let Ctrl-C through again
    stack.callback(_hold_back_ctrl_c, False)
    _hold_back_ctrl_c(True)


def _hold_back_ctrl_c(hold: bool) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK if hold else signal.SIG_UNBLOCK, {signal.SIGINT})


def _security() -> Any:
    """Keys that exist in memory only, if `cryptography` is there: other users of this machine are kept out."""
    if find_spec("cryptography") is None:
        return None
    return _dask().Security.temporary()


def _dask() -> Any:
    """`distributed`, which has no types."""
    return import_module("distributed")


def _wait(client: Any, workers: int, seconds: float, way_out: str) -> None:
    try:
        client.wait_for_workers(workers, timeout=seconds)
    except TimeoutError as problem:
        there = len(client.nthreads())
        raise ClusterError(f"{there} of {workers} workers have come after {seconds} s", way_out) from problem
