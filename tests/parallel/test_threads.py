"""Workers that are threads: every item once, a bounded number at a time, the first error as it is."""

import threading
import time
from contextvars import ContextVar
from functools import partial
from pathlib import Path

import pytest

from stowatt.clearing.plan import Plan, current, using
from stowatt.errors import BookFileError
from stowatt.parallel import ClusterError, Threads, Workers
from tests.parallel.work import refuse, slow_square, square


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("items", [0, 1, 3, 200])
def test_every_item_is_done_once(count: int, items: int) -> None:
    workers: Workers = Threads(count)
    found = list(workers.each(square, range(items)))
    assert sorted(found) == [(number, number * number) for number in range(items)]


def test_results_come_as_they_finish() -> None:
    def wait_for(item: float) -> float:
        time.sleep(item)
        return item

    assert [number for number, _ in Threads(2).each(wait_for, [0.3, 0.0, 0.01])] == [1, 2, 0]


def test_a_bounded_number_is_handed_out_and_nobody_works_for_nobody() -> None:
    begun: list[int] = []
    results = Threads(2).each(begun.append, range(1000))
    next(results)
    results.close()
    assert len(begun) <= 5


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_error_ends_the_work(count: int, tmp_path: Path) -> None:
    with pytest.raises(BookFileError, match="line 7, column quantity: quantity 4 is negative; correct it"):
        list(Threads(count).each(partial(refuse, bad=4, folder=tmp_path), range(500)))
    assert len(list(tmp_path.iterdir())) < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stowatt-worker")]


def test_threads_work_side_by_side() -> None:
    begin = time.monotonic()
    assert len(list(Threads(4).each(partial(slow_square, seconds=0.2), range(4)))) == 4
    assert time.monotonic() - begin < 0.7


def test_threads_see_the_plan_of_the_caller() -> None:
    with using(Plan(threads=7)):
        assert {plan.threads for _, plan in Threads(2).each(lambda _: current(), range(8))} == {7}


def test_each_thread_has_a_context_of_its_own() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=-1)

    def note(item: int) -> bool:
        before = variable.get()
        variable.set(item)
        return before == -1

    assert all(fresh for _, fresh in Threads(2).each(note, range(20)))
    assert variable.get() == -1


def test_no_workers_are_refused() -> None:
    with pytest.raises(ClusterError, match="0 workers; give at least 1"):
        Threads(0)
