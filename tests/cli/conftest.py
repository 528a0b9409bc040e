"""A node with two keys, and a way to run commands in this process, for the tests of the commands on a market."""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.node.server import BackgroundNode, Node
from stowatt.cli import app
from stowatt.keys import KeyStore
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS

PASSWORD = "a long password"


@dataclass
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    def json(self) -> dict:
        assert self.status == 0, self.err
        return json.loads(self.out)


@dataclass
class Place:
    """A node with a market in which window 0 is open and the seller has committed; two keys; a folder."""

    folder: Path
    ledger: EmbeddedLedger
    url: str

    def state(self) -> tuple[object, ...]:
        """What could have changed: the chain, the private files, the folder."""
        rows = []
        for name in ("outbox", "openings"):
            with sqlite3.connect(self.folder / "home" / f"{name}.sqlite") as db:
                rows.append(db.execute(f"SELECT COUNT(*) FROM {name}").fetchone())
        files = sorted(path.name for path in self.folder.iterdir())
        return (self.ledger.head().hash, *rows, files)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    store = KeyStore(folder / "home" / "keys")
    for name, key in (("seller", ALICE), ("buyer", BOB)):
        store.add(name, bytes(key.key), PASSWORD, work=2)
    (folder / "password").touch(0o600)
    (folder / "password").write_text(PASSWORD + "\n")
    with (
        EmbeddedLedger.create(folder / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger,
        BackgroundNode(Node(ledger, port=0, dev_clock=True)) as node,
    ):
        yield Place(folder, ledger, node.url)


@pytest.fixture
def run(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("STOWATT_HOME", str(place.folder / "home"))
    monkeypatch.setenv("STOWATT_RPC", place.url)
    monkeypatch.setenv("STOWATT_PASSWORD_FILE", str(place.folder / "password"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(line: str | list[str], **environment: str) -> Outcome:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["stowatt", *(line.split() if isinstance(line, str) else line)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return command
