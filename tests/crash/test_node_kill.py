"""kill -9 of `stowatt node` at random moments: nothing acknowledged is lost, nothing is done twice, it starts again."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from eth_account import Account

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.errors import ConnectionFailed
from stowatt.chain.outbox import Outbox
from stowatt.chain.rpc import RpcLedger
from stowatt.chain.sender import Sender
from stowatt.errors import LedgerError

TRIALS = int(os.environ.get("STOWATT_CRASH_TRIALS", "20"))
CHAIN_ID = 777
PAYER = Account.from_key(b"\x05" * 32)
TARGET = "0x00000000000000000000000000000000DeaDBeef"
RUN = "import typer; from stowatt.cli.node import node; typer.run(node)"


def start(folder: Path) -> subprocess.Popen[str]:
    options = ["--port", "0", "--json", "--chain-id", str(CHAIN_ID), "--fund", f"{PAYER.address}=1000"]
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), *options],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


class Client(threading.Thread):
    """Pays 1, 2, 3, … wei to the target, each amount for a purpose of its own, until the node is gone."""

    def __init__(self, url: str, outbox: Path, first: int, acknowledged: dict[int, bytes]) -> None:
        super().__init__(daemon=True)
        self.url, self.outbox, self.first, self.acknowledged = url, outbox, first, acknowledged
        self.unexpected: LedgerError | None = None
        self.begun = threading.Event()
        """Something was acknowledged."""

    def run(self) -> None:
        outbox = Outbox(self.outbox)
        try:
            sender = Sender(RpcLedger(self.url, chain_id=CHAIN_ID, request_timeout=5), PAYER, outbox)
            amount = self.first
            while True:
                self.acknowledged[amount] = sender.send(TARGET, value=amount, gas=21_000, purpose=f"pay {amount}")
                amount += 1
                self.begun.set()
        except ConnectionFailed:
            pass
        except LedgerError as error:
            self.unexpected = error
        finally:
            outbox.close()


@pytest.mark.crash
def test_nothing_acknowledged_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stowatt.chain.jsonrpc._PAUSES", ())
    rng = random.Random(2026)
    chain, outbox = tmp_path / "chain", tmp_path / "outbox.sqlite"
    acknowledged: dict[int, bytes] = {}
    kills_at_work = 0
    for trial in range(TRIALS):
        process = start(chain)
        if trial % 4 == 3:  # in the middle of its start
            time.sleep(rng.uniform(0, 1.0))
            process.kill()
            process.communicate()
            continue
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the node starts after every kill"
        client = Client(json.loads(line)["url"], outbox, max(acknowledged, default=0) + 1, acknowledged)
        known = len(acknowledged)
        client.start()
        if trial % 2 == 0:  # at work for certain, however busy the machine; else at any moment of its first ones
            client.begun.wait(60)
        time.sleep(rng.uniform(0.05, 0.6))
        process.kill()
        process.communicate()
        client.join(timeout=60)
        assert not client.is_alive()
        assert client.unexpected is None
        kills_at_work += len(acknowledged) > known
    assert kills_at_work >= TRIALS // 2

    with EmbeddedLedger.open(chain) as ledger:
        stored = Outbox(outbox)
        sender = Sender(ledger, PAYER, stored)
        for amount, transaction_hash in acknowledged.items():
            receipt = ledger.receipt(transaction_hash)
            assert receipt is not None and receipt.status == 1, f"the acknowledged payment of {amount} is lost"
        sender.resume()
        last = max(acknowledged) + 1
        sender.send(TARGET, value=last, gas=21_000, purpose=f"pay {last}")  # the one that the last kill interrupted
        stored.close()
        assert ledger.balance(TARGET) == last * (last + 1) // 2, "every amount was paid once"
        assert ledger.nonce(PAYER.address) == last
        blocks = [ledger.block(number) for number in range(ledger.head().number + 1)]
        assert all(b.parent_hash == a.hash and b.timestamp >= a.timestamp for a, b in pairwise(blocks))
    print(f"{TRIALS} kills, {len(acknowledged)} acknowledged payments, none lost")
