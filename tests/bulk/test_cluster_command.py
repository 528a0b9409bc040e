"""`stowatt clear … --workers N` and `--scheduler ADDRESS` as users run them: the bytes of one process, or one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bulk.books import Row, write
from tests.parallel.dask_processes import DaskCluster, dask_cluster

pytest.importorskip("distributed", reason="needs the extra cluster")

ROWS = 60_000
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"}


def stowatt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, run in a folder."""
    command = [sys.executable, "-m", "stowatt", *words]
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a book of 20 row groups, and what one process makes of it."""
    found = tmp_path_factory.mktemp("cluster")
    rows: list[Row] = [
        (
            f"w{number % 2}",
            f"p{number}",
            "sell" if number % 4 < 2 else "buy",
            900 + number * 7919 % 200,
            1 + number % 977,
        )
        for number in range(ROWS)
    ]
    write(found / "book.parquet", rows, group=ROWS // 20)
    done = stowatt(found, "clear", "book.parquet", "--out", "one.parquet", "--json")
    assert done.returncode == 0, done.stderr
    (found / "one.json").write_text(done.stdout)
    return found


@pytest.fixture(scope="module")
def running() -> Iterator[DaskCluster]:
    """A scheduler with two workers, started in another folder than the command."""
    with dask_cluster(2) as found:
        yield found


def same(folder: Path, done: subprocess.CompletedProcess[str], name: str) -> None:
    """The outcome is that of one process, and nothing else is said or left behind."""
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / name).read_bytes() == (folder / "one.parquet").read_bytes()
    assert json.loads(done.stdout)["windows"] == json.loads((folder / "one.json").read_text())["windows"]
    assert not (folder / f".{name}.stowatt").exists()


def test_processes_of_this_machine(folder: Path) -> None:
    words = ["clear", "book.parquet", "--out", "two.parquet", "--json", "--workers", "2", "--partitions", "7"]
    same(folder, stowatt(folder, *words), "two.parquet")


@pytest.mark.crash
def test_a_scheduler_of_which_one_worker_is_killed_for_good(folder: Path, running: DaskCluster) -> None:
    words = ["clear", "book.parquet", "--out", "far.parquet", "--json", "--scheduler", running.address]
    state = folder / ".far.parquet.stowatt"

    def kill() -> None:
        while not list(state.glob("part-00000*")):
            time.sleep(0.01)
        running.workers[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    same(folder, stowatt(folder, *words, "--partitions", "20"), "far.parquet")
    killer.join()
    assert running.workers[0].wait() != 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--out", "x.parquet", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers at tcp://127.0.0.1:1"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler needs --out"),
        (["--out", "x.parquet", "--workers", "2", "--fills"], "--fills is for books that fit into memory"),
        (["--out", "x.parquet", "--workers", "0"], "value for '--workers'"),
        (["--out", "x.parquet", "--workers", "2", "--memory", "1GiB"], "1 GiB of memory is too little for 2 processes"),
        (["--out", "x.parquet", "--partitions", "0"], "value for '--partitions'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(folder: Path, words: list[str], line: str) -> None:
    done = stowatt(folder, "clear", "book.parquet", *words)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "x.parquet").exists()
