"""A real MQTT broker process: aedes, from the npm tool chain."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gateway.market import wait_until
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("broker.mjs")
FOLDER = Path(os.environ.get("STOWATT_BROKER", ROOT))
"""The folder whose node_modules has aedes."""
NODE = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
MISSING = "no MQTT broker: run npm ci, or name a folder with node_modules/aedes in STOWATT_BROKER"


def available() -> bool:
    """Whether the broker can be started."""
    return NODE is not None and (FOLDER / "node_modules" / "aedes").is_dir()


class Broker:
    """Starts, dies and returns at the same port."""

    def __init__(self, *tls: Path) -> None:
        self.port = free_port()
        self._tls = [str(path) for path in tls]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert NODE is not None
        words = [NODE, str(SCRIPT), str(FOLDER), str(self.port), *self._tls]
        # `node` may be a wrapper with the real one as its child: both are in a group of their own
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self._listens)

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def _listens(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "the broker starts"
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def broker(*tls: Path) -> Iterator[Broker]:
    """A running one; with key and certificate it speaks TLS."""
    made = Broker(*tls)
    made.start()
    try:
        yield made
    finally:
        made.kill()
