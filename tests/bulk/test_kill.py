"""`stowatt clear BOOK --out FILLS` killed by signal 9, again and again: nothing is lost, nothing is half."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stowatt

TRIALS = 4 if os.environ.get("STOWATT_FULL") else 1
pytestmark = pytest.mark.crash
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(stowatt.__file__).parents[1])}
COMMAND = [sys.executable, "-m", "stowatt", "clear"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)


def killed(book: Path, out: Path, when: str) -> None:
    """Start the command and kill it as soon as a file of its state is there."""
    state = out.with_name(f".{out.name}.stowatt")
    process = subprocess.Popen([*COMMAND, str(book), "--out", str(out)], env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(state.glob(when)):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A book of several parts, and its fills."""
    path = tmp_path_factory.mktemp("longer")
    command = [sys.executable, "-m", "stowatt", "book", "sample", "--segments", "2400000", "--windows", "5"]
    subprocess.run([*command, "--out", str(path / "book.parquet")], check=True, env=ENVIRONMENT, capture_output=True)
    assert run(path / "book.parquet", "--out", path / "whole.parquet").returncode == 0
    return path / "book.parquet", (path / "whole.parquet").read_bytes()


STAGES = ("plan.json", "part-*", "held-*", "fills-*", ".whole*")


def test_a_killed_run_goes_on(longer: tuple[Path, bytes], tmp_path: Path) -> None:
    """At every stage: nothing under the output's name, and then the same bytes as without any kill."""
    book, whole = longer
    out = tmp_path / "fills.parquet"
    for stage in STAGES:
        killed(book, out, stage)
        assert not out.exists() or out.read_bytes() == whole
    if not out.exists():
        refused = run(book, "--out", out, "--rationing", "seeded_order", "--tick-size", "0.00005")
        assert "holds a run on fills.parquet with another tick size and rationing" in refused.stderr
        assert "go on with it, choose another --out, or remove the folder" in refused.stderr
        assert run(book, "--out", out).returncode == 0
    assert out.read_bytes() == whole
    assert "exists already" in run(book, "--out", out).stderr
    assert list(tmp_path.iterdir()) == [out]


def test_state_that_lost_a_file_is_said(longer: tuple[Path, bytes], tmp_path: Path) -> None:
    """As after a power cut on a file system that loses the last names."""
    book, _ = longer
    out = tmp_path / "fills.parquet"
    killed(book, out, "held-*")
    for kept in out.with_name(f".{out.name}.stowatt").glob("kept-*"):
        kept.write_bytes(kept.read_bytes()[:1000])
    assert "is damaged or gone; remove" in run(book, "--out", out).stderr
    for kept in out.with_name(f".{out.name}.stowatt").glob("kept-*"):
        kept.unlink()
    assert "is damaged or gone; remove" in run(book, "--out", out).stderr


def test_many_kills(longer: tuple[Path, bytes], tmp_path: Path) -> None:
    """Any moment will do; what was done before one kill is not lost at the next."""
    book, whole = longer
    draw = random.Random(3)
    for trial in range(TRIALS):
        out = tmp_path / f"{trial}.parquet"
        while not out.exists():
            process = subprocess.Popen(
                [*COMMAND, str(book), "--out", str(out)], env=ENVIRONMENT, stdout=subprocess.DEVNULL
            )
            try:
                process.wait(draw.uniform(0.6, 2.5))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
        assert out.read_bytes() == whole
