"""A scheduler that runs already: `dask scheduler` and `dask worker` as processes on the loopback address."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from stowatt.parallel import ClusterError
from stowatt.parallel import cluster as cluster_module
from stowatt.parallel import tasks as tasks_module
from stowatt.parallel.cluster import cluster
from tests.parallel.dask_processes import DaskCluster, dask_cluster
from tests.parallel.work import slow_square, square

pytest.importorskip("distributed", reason="needs the extra cluster")


@pytest.fixture(scope="module")
def running() -> Iterator[DaskCluster]:
    """A scheduler with two workers."""
    with dask_cluster(2) as found:
        with cluster(found.address, 2):
            pass
        yield found


def test_a_running_scheduler_does_the_work_and_stays(running: DaskCluster) -> None:
    for _ in range(2):
        with cluster(running.address) as workers:
            assert workers.count == 2
            assert sorted(workers.each(square, range(50))) == [(number, number * number) for number in range(50)]
    assert running.scheduler.poll() is None


def test_a_worker_killed_for_good_changes_nothing(running: DaskCluster) -> None:
    with cluster(running.address) as workers:
        found = []
        for result in workers.each(partial(slow_square, seconds=0.02), range(60)):
            found.append(result)
            if len(found) == 10:
                running.workers[0].kill()
    assert sorted(found) == [(number, number * number) for number in range(60)]


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 1)
    begin = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (
            pytest.raises(ClusterError, match=f"no Dask scheduler answers at tcp://127.0.0.1:{port} "),
            cluster(f"tcp://127.0.0.1:{port}"),
        ):
            pass
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("address", ["", "nonsense", "tcp://", "ftp://127.0.0.1:1", "tls://127.0.0.1:1", "127.0.0.1:1"])
def test_what_is_no_scheduler(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 1)
    with pytest.raises(ClusterError, match="no Dask scheduler answers at") as caught, cluster(address):
        pass
    assert "\n" not in str(caught.value)


def test_a_scheduler_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "ARRIVE_S", 1)
    with (
        dask_cluster(0) as found,
        pytest.raises(ClusterError, match=r"0 of 1 workers have come after 1 s; start them with: dask worker tcp://"),
        cluster(found.address),
    ):
        pass


def test_workers_of_another_version_or_without_stowatt_are_refused(tmp_path: Path) -> None:
    """One scheduler, first with a worker whose package is too old to have the module, then with another version."""
    old = tmp_path / "old" / "stowatt"
    (old / "parallel").mkdir(parents=True)
    (old / "__init__.py").write_text('__version__ = "0.0.1"\n')
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(old.parent), *sys.path])}
    with dask_cluster(0) as found:
        first = found.start(environment)
        with pytest.raises(ClusterError, match="cannot load stowatt"), cluster(found.address):
            pass
        first.terminate()
        first.wait()
        source = Path(cluster_module.__file__).parents[1]
        for path in [source / "errors.py", *(source / "parallel").glob("*.py")]:
            (old / path.relative_to(source)).write_text(path.read_text())
        found.start(environment)
        with pytest.raises(ClusterError, match=r"has stowatt 0\.0\.1 instead of"), cluster(found.address):
            pass


def test_a_scheduler_or_all_workers_lost_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_module, "LOOK_S", 0.1)
    monkeypatch.setattr(tasks_module, "ALONE_S", 0.5)
    with dask_cluster(1) as found:
        with cluster(found.address) as workers:
            results = workers.each(partial(slow_square, seconds=0.1), range(1000))
            next(results)
            found.workers[0].kill()
            with pytest.raises(ClusterError, match=r"has had no workers for 0\.5 s; run the same command again"):
                list(results)
        found.start()
        with cluster(found.address) as workers:
            results = workers.each(partial(slow_square, seconds=0.1), range(1000))
            next(results)
            found.scheduler.kill()
            with pytest.raises(ClusterError, match=r"is lost; run the same command again|has had no workers"):
                list(results)
