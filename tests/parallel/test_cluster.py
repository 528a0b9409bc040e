"""Workers that are processes of this machine: every item once, errors as themselves, kill -9 changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from stowatt.errors import BookFileError
from stowatt.parallel import ClusterError, Workers
from stowatt.parallel import cluster as cluster_module
from stowatt.parallel.cluster import cluster
from tests.parallel.work import die, die_once, fail, missing, process, refuse, square

pytest.importorskip("distributed", reason="needs the extra cluster")
FULL = bool(os.environ.get("STOWATT_FULL"))


@pytest.mark.parametrize("items", [0, 1, 7, 200])
def test_every_item_is_done_once(processes: Workers, items: int) -> None:
    assert sorted(processes.each(square, range(items))) == [(number, number * number) for number in range(items)]


def test_both_processes_work(processes: Workers) -> None:
    assert processes.count == 2
    found = {pid for _, pid in processes.each(process, range(20))}
    assert len(found) == 2
    assert os.getpid() not in found


def test_an_error_of_a_user_comes_back_as_itself(processes: Workers, tmp_path: Path) -> None:
    with pytest.raises(BookFileError, match="line 7, column quantity: quantity 5 is negative; correct it") as caught:
        list(processes.each(partial(refuse, bad=5, folder=tmp_path), range(500)))
    assert (caught.value.line, caught.value.column, caught.value.way_out) == (7, "quantity", "correct it")
    assert len(list(tmp_path.iterdir())) < 50, "an error ends the work"
    assert len(list(processes.each(square, range(5)))) == 5, "and the workers are there for more"


def test_another_error_comes_back_as_itself_too(processes: Workers) -> None:
    with pytest.raises(ZeroDivisionError):
        list(processes.each(fail, range(5)))
    with pytest.raises(FileNotFoundError):
        list(processes.each(missing, range(5)))


def test_who_stops_early_leaves_nothing_to_do(processes: Workers, tmp_path: Path) -> None:
    results = processes.each(partial(refuse, bad=-1, folder=tmp_path), range(10_000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    time.sleep(0.3)
    assert len(list(tmp_path.iterdir())) < 50


def test_a_worker_killed_in_the_middle_changes_nothing(processes: Workers, tmp_path: Path) -> None:
    work = partial(die_once, bad=40, folder=tmp_path)
    assert sorted(processes.each(work, range(100))) == [(number, number * number) for number in range(100)]
    assert (tmp_path / "died").exists()


@pytest.mark.crash
@pytest.mark.skipif(not FULL, reason="half a minute; runs in `make crash`")
def test_a_worker_comes_back_however_often_it_is_killed() -> None:
    """For longer than Dask waits before it looks whether the one that was lost is back, and gives it up."""
    with cluster(workers=1) as workers:
        end = time.monotonic() + 25
        while time.monotonic() < end:
            ((_, victim),) = workers.each(process, [0])
            os.kill(victim, signal.SIGKILL)


def test_work_that_kills_every_worker_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cluster_module, "ALLOWED_DEATHS", 1)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with (
        cluster(workers=1) as workers,
        pytest.raises(ClusterError, match="2 workers died over the same work, the last one at t"),
    ):
        list(workers.each(partial(die, bad=3), range(10)))
    assert not list(tmp_path.iterdir()), "no folder is left behind"


@pytest.mark.parametrize("workers", [0, -1, 257])
def test_impossible_numbers_are_refused(workers: int) -> None:
    with pytest.raises(ClusterError, match=f"{workers} workers; give 1 to 256"), cluster(workers=workers):
        pass


def test_without_dask_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r"Dask is not installed; install stowatt\[cluster\]"), cluster():
        pass


@pytest.mark.crash
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM] if FULL else [signal.SIGINT], ids=lambda number: number.name
)
def test_ctrl_c_ends_all_processes_quietly(number: signal.Signals, tmp_path: Path) -> None:
    """All processes of the terminal get the signal, in the middle of work that would take longer."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "tests.parallel.program", "30"]
    pipe = subprocess.PIPE
    program = subprocess.Popen(words, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "begun 2\n"
    begin = time.monotonic()
    os.killpg(program.pid, number)
    output, errors = program.communicate(timeout=30)  # ends when no process holds the pipes any more
    assert (program.returncode, output, errors) == (130, "stopped\n", "")
    assert time.monotonic() - begin < 10
    assert not list(tmp_path.iterdir())
