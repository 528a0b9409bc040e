"""`stowatt node` as a process: it funds, serves, stops on a signal and goes on where it was."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.rpc import RpcLedger
from stowatt.cli.node import node
from stowatt.errors import LedgerError, StowattError

ME = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
RUN = "import typer; from stowatt.cli.node import node; typer.run(node)"


def start(*arguments: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", RUN, *arguments], stdout=subprocess.PIPE, text=True, env=env)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_stops(tmp_path: Path, end: signal.Signals) -> None:
    folder = str(tmp_path / "c")
    process = start(folder, "--port", "0", "--json", "--chain-id", "99", "--fund", f"{ME}=1.5")
    assert process.stdout is not None
    started = json.loads(process.stdout.readline())
    assert (started["chain_id"], started["head"]) == (99, 0)
    with RpcLedger(started["url"], chain_id=99) as ledger:
        assert ledger.balance(ME) == 15 * 10**17
    process.send_signal(end)
    assert process.wait(timeout=60) == 0
    with EmbeddedLedger.open(folder) as ledger:
        assert ledger.balance(ME) == 15 * 10**17


def invoke(*arguments: str) -> BaseException | None:
    app = typer.Typer()
    app.command()(node)
    return CliRunner().invoke(app, [str(argument) for argument in arguments]).exception


def test_what_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    for amount in ("many", "-1", "nan", "inf", "0.0000000000000000001"):
        refused = invoke(str(folder), "--fund", f"{ME}={amount}")
        assert isinstance(refused, LedgerError) and "is not an amount of ether" in str(refused)
    assert isinstance(invoke(str(folder), "--fund", "0x12"), StowattError)
    assert not (folder / "ledger.sqlite").exists() or not EmbeddedLedger.create(folder, chain_id=1).close()
    with EmbeddedLedger.create(tmp_path / "d", chain_id=5):
        assert "in use by another process" in str(invoke(str(tmp_path / "d")))
    assert "is chain 5, not 6" in str(invoke(str(tmp_path / "d"), "--chain-id", "6"))
