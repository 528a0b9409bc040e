"""A market with one device on a real node process, and gateway processes that post to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stowatt.audit.events import ReadingAccepted
from stowatt.chain.client import Deployment, MarketClient, deploy
from stowatt.chain.outbox import Outbox
from stowatt.chain.rpc import DevClock, RpcLedger
from stowatt.chain.sender import Sender
from stowatt.credentials import DeviceCertificate
from stowatt.keys import KeyStore
from tests.chain.backends import ALICE
from tests.chain.evening import METER, calendar

EXPORT_W = 36_000
RUN = "import typer; from stowatt.cli.node import node; typer.run(node)"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def start_node(folder: Path, port: int = 0) -> tuple[subprocess.Popen[str], str]:
    """A chain process whose clock the tests can move; gives its URL."""
    words = ["--port", str(port), "--json", "--dev-clock", "--fund", f"{ALICE.address}=1000"]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder / "chain"), *words], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the node starts"
    return process, json.loads(line)["url"]


@dataclass
class Market:
    """A folder with a market's file and keys: the device's owner sends, the meter signs."""

    folder: Path
    url: str
    ledger: RpcLedger
    deployment: Deployment
    client: MarketClient
    device: int
    node: subprocess.Popen[str]
    """The chain's process; a test may end it and start another."""
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def clock(self) -> DevClock:
        return DevClock(self.url)

    @property
    def environment(self) -> dict[str, str]:
        """What names the user's folder, the chain and the password to a command."""
        return {
            "STOWATT_HOME": str(self.folder / "home"),
            "STOWATT_RPC": self.url,
            "STOWATT_PASSWORD_FILE": str(self.folder / "password"),
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A gateway process."""
        common = ["--key", "owner", "--meter-key", "meter", "--post-every", "0.2", "--json"]
        environment = {**ENVIRONMENT, **self.environment}
        process = subprocess.Popen(
            [sys.executable, "-m", "stowatt", "meter", "run", *words, *common],
            cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.running.append(process)
        return process

    def finish(self, *words: str, timeout: float = 180) -> dict[str, Any]:
        """A gateway process that ends by itself."""
        return outcome(self.start(*words), timeout)

    def readings(self) -> list[ReadingAccepted]:
        """What the chain has accepted."""
        return [e for e in self.client.events(ReadingAccepted) if isinstance(e, ReadingAccepted)]

    def energies(self) -> dict[tuple[int, int], int]:
        """Wh on the chain by window and sub-slot; a sub-slot that is there twice fails."""
        readings = self.readings()
        found = {(e.window, e.sub_slot): e.energy for e in readings}
        assert len(found) == len(readings), "a sub-slot is on the chain twice"
        return found


def outcome(process: subprocess.Popen[str], timeout: float = 180) -> dict[str, Any]:
    """The summary of a process that ends well."""
    output, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, (output, errors)
    assert "Traceback" not in errors
    summary: dict[str, Any] = json.loads(output)
    assert summary["balanced"] is True
    return summary


def stop(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Ends a gateway as its operator does."""
    process.send_signal(signal.SIGTERM)
    return outcome(process)


@contextmanager
def market(folder: Path, **changes: int) -> Iterator[Market]:
    """Deploys and registers on a node process of its own."""
    node, url = start_node(folder)
    try:
        with RpcLedger(url, poll=0.01) as ledger:
            outbox = Outbox(folder / "outbox.sqlite")
            sender = Sender(ledger, ALICE, outbox)
            values = {"origin": ledger.time() // 900 * 900 - 86_400} | changes
            deployment = deploy(sender, calendar(ledger, **values), open_mode=True)
            client = MarketClient(ledger, deployment, sender, ALICE)
            terms = (50_000, EXPORT_W, 50_000, 950_000, 950_000, b"\x07" * 32, METER.address, 0, 2**40 - 1, 1)
            client.execute(client.calls.register_device(DeviceCertificate(ALICE.address, *terms)))
            deployment.save(folder / "market.json")
            store = KeyStore(folder / "home" / "keys")
            store.add("owner", bytes(ALICE.key), "word", work=2)
            store.add("meter", bytes(METER.key), "word", work=2)
            (folder / "password").touch(0o600)
            (folder / "password").write_text("word\n")
            made = Market(folder, url, ledger, deployment, client, client.admission(ALICE.address).device, node)
            try:
                yield made
            finally:
                for process in made.running:
                    if process.poll() is None:
                        process.kill()
                        process.communicate()
                outbox.close()
                node = made.node
    finally:
        node.kill()
        node.communicate()


def wait_until(condition: Any, seconds: float = 60) -> None:
    """Waits for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
