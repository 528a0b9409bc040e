"""A scheduler and workers as an operator starts them: processes of their own, on the loopback address."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
PATIENCE_S = 60


@contextmanager
def dask_process(*words: str, environment: Mapping[str, str] = ENVIRONMENT) -> Iterator[subprocess.Popen[bytes]]:
    """`dask WORDS`, ended with the block."""
    command = [sys.executable, "-m", "dask", *words]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=dict(environment), stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class DaskCluster:
    """A scheduler, and workers without a nanny: one that is killed stays away."""

    def __init__(self, stack: ExitStack, workers: int) -> None:
        self._stack = stack
        self.folder = Path(stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True)))
        file = self.folder / "scheduler.json"
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        self.scheduler = stack.enter_context(dask_process("scheduler", *words))
        self.address = _address(file)
        self.workers = [self.start() for _ in range(workers)]

    def start(self, environment: Mapping[str, str] = ENVIRONMENT) -> subprocess.Popen[bytes]:
        """One more worker."""
        words = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder)]
        words += ["--death-timeout", "30", "--host", "127.0.0.1"]
        return self._stack.enter_context(dask_process("worker", self.address, *words, environment=environment))


def _address(file: Path) -> str:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            return str(json.loads(file.read_text())["address"])
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)
    raise TimeoutError("the scheduler has not come up")


@contextmanager
def dask_cluster(workers: int) -> Iterator[DaskCluster]:
    """All of it, ended with the block."""
    with ExitStack() as stack:
        yield DaskCluster(stack, workers)
