"""kill -9 of the commands themselves at random moments: repeated, they finish the work and do nothing twice."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stowatt.audit.events import Committed, Revealed
from stowatt.chain.client import MarketReader
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.node.server import BackgroundNode, Node
from stowatt.chain.rpc import RpcLedger
from stowatt.curves import Side
from stowatt.keys import KeyStore
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS
from tests.chain.evening import UNIT, Evening

TRIALS = 6 if os.environ.get("STOWATT_FULL") else 3
pytestmark = pytest.mark.crash


class Desk:
    """A folder with a market's file and the buyer's key, on which commands are run and killed."""

    def __init__(self, folder: Path, evening: Evening, url: str) -> None:
        self.folder, self.evening, self.url = folder, evening, url
        evening.deployment.save(folder / "market.json")
        KeyStore(folder / "home" / "keys").add("buyer", bytes(BOB.key), "word", work=2)
        (folder / "password").touch(0o600)
        (folder / "password").write_text("word\n")
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "STOWATT_HOME": str(folder / "home"),
            "STOWATT_RPC": url,
            "STOWATT_PASSWORD_FILE": str(folder / "password"),
        }

    def start(self, line: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "stowatt", *line.split(), "--key", "buyer", "--json"]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, cwd=self.folder, env=self.environment, stdout=pipe, stderr=pipe)

    def finish(self, line: str) -> None:
        process = self.start(line)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, (line, output, errors)

    def kill_and_finish(self, line: str, after: float) -> bool:
        """The first run dies somewhere on its way, or is done before; the second one ends well.

        Gives whether the first one had reported.
        """
        process = self.start(line)
        time.sleep(after)
        process.kill()
        output, _ = process.communicate(timeout=60)
        self.finish(line)
        return bool(output)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with EmbeddedLedger.create(tmp_path / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger:
        evening = Evening.begin(ledger, ledger, ALICE, BOB)
        evening.seller.execute(evening.seller.calls.open_windows(0, TRIALS))
        with BackgroundNode(Node(ledger, port=0)) as node:
            yield Desk(tmp_path, evening, node.url)


def test_a_killed_commit_is_finished_once_and_can_be_revealed(desk: Desk) -> None:
    started = time.monotonic()
    desk.finish("vault balance")
    whole = time.monotonic() - started  # a run without sending takes about as long
    chance = random.Random(7)
    for window in range(TRIALS):
        line = f"bid commit --window {window} --side {Side.BUY.word} --step 0.2:1"
        desk.kill_and_finish(line, whole * chance.uniform(0.6, 1.3))
    with RpcLedger(desk.url) as remote:
        reader = MarketReader(remote, desk.evening.deployment)
        assert [e.window for e in reader.events(Committed) if isinstance(e, Committed)] == list(range(TRIALS))
        desk.evening.go_to(0, "commit")
        desk.kill_and_finish("bid reveal --window 0", whole * chance.uniform(0.6, 1.3))
        assert len(reader.events(Revealed)) == 1


def test_a_killed_deposit_is_made_once_unless_it_had_been_reported(desk: Desk) -> None:
    """A second run after a report is a new wish; after a death without one it finishes the first."""
    chance, wishes = random.Random(11), 0
    started = time.monotonic()
    desk.finish("vault balance")
    whole = time.monotonic() - started
    with RpcLedger(desk.url) as remote:
        reader = MarketReader(remote, desk.evening.deployment)
        before = reader.balance(BOB.address)
        for _ in range(TRIALS):
            reported = desk.kill_and_finish("vault deposit 1", whole * chance.uniform(0.8, 1.4))
            made = (reader.balance(BOB.address) - before) // UNIT - wishes
            assert made == 1 or (reported and made == 2)
            wishes += made
