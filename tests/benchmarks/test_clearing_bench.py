"""The clearing benchmark: its judge on wrong outcomes, a whole run with a tiny environment, its page."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.clearing import bench, report, targets
from benchmarks.clearing.books import Segments
from benchmarks.clearing.judge import Outcome, Truth, Verdict, judge, truth
from benchmarks.clearing.many import measure_windows
from benchmarks.clearing.memory import available, book_bytes, plain_copy, touched_bytes
from benchmarks.harness import Benchmark, Extent, human_bytes, load_document, render_page
from benchmarks.harness.page import PAGE
from benchmarks.peers.caller import Environment, Reply

# Asks 5 at 2, 5 at 4, 5 at 9; bids 6 at 8, 6 at 5, 6 at 1: price 5, volume 10.
BOOK = Segments(
    np.array([2, 4, 9, 8, 5, 1]), np.array([5, 5, 5, 6, 6, 6]), np.array([False, False, False, True, True, True])
)
FILLS = np.array([5, 5, 0, 6, 4, 0])
QUICK = Extent(quick=True, window_segments=40)
RIGHT = Verdict(True, True, True, True)


def judged(price: Any = 5, volume: Any = 10, fills: Any = FILLS) -> Verdict:
    return judge(BOOK, truth(BOOK), Outcome(price, volume, fills))


def test_right_outcomes() -> None:
    assert judged() == RIGHT
    assert judged(5.0 + 1e-9, 10.0 - 1e-8, FILLS - 1e-9) == RIGHT
    assert judged(fills=(FILLS[:3], FILLS[3:])) == RIGHT
    assert judged(fills=None) == Verdict(True, True, None, None)


@pytest.mark.parametrize("price", [4, 6, np.int64(4), 4.999, 5.001, None, math.nan, math.inf])
def test_wrong_prices(price: Any) -> None:
    assert judged(price=price) == Verdict(False, True, True, True)


@pytest.mark.parametrize("volume", [9, 11, 0, 9.99, math.nan])
def test_wrong_volumes(volume: Any) -> None:
    assert judged(volume=volume) == Verdict(True, False, False, True)


def test_wrong_fills() -> None:
    assert judged(fills=np.array([5, 5, 0, 6, 3, 0])) == Verdict(True, True, False, False)  # sold more than bought
    assert judged(fills=np.array([5, 5, 0, 5, 5, 0])) == Verdict(True, True, True, False)  # a better bid cut
    assert judged(fills=np.array([6, 4, 0, 6, 4, 0])) == Verdict(True, True, True, False)  # more than was offered
    assert judged(fills=np.array([5, 6, -1, 6, 4, 0])) == Verdict(True, True, True, False)
    assert judged(fills=np.array([5, 4, 0, 6, 3, 0])) == Verdict(True, True, False, False)  # not the volume
    assert judged(fills=FILLS * math.nan) == Verdict(True, True, False, False)


def test_a_price_of_zero_may_be_off_by_rounding_only() -> None:
    book = Segments(np.array([0, 0]), np.array([4, 2]), np.array([False, True]))
    right = truth(book)
    assert (right.lowest, right.highest) == (0, 0)
    assert [judge(book, right, Outcome(price, 2)).price for price in (0, 1e-9, -1e-9, 1e-3, 1)] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_large_integers_get_no_slack() -> None:
    tick = 2**31  # a float may be off by 215 there
    right = Truth(tick, tick, 10, 42)
    assert [judge(BOOK, right, Outcome(price, 10)).price for price in (tick, tick + 1, tick + 1.0)] == [
        True, False, True,
    ]  # fmt: skip


def test_copy_and_bytes() -> None:
    plain_copy(BOOK)()
    assert (book_bytes(BOOK), touched_bytes(BOOK)) == (6 * 17, 6 * 25)
    assert available() > 10_000_000
    assert [human_bytes(count) for count in (17, 25_000, 1_234_567, 5e9)] == [
        "0.02 kB",
        "25.0 kB",
        "1.23 MB",
        "5.00 GB",
    ]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "QUICK_SIZES", (400, 800))
    monkeypatch.setattr(bench, "QUICK_TIED", 5)
    for table, text in (report.LABELS, "plain numpy"), (report.GIVES, "all"):
        monkeypatch.setitem(table, "plain", text)


def test_a_run_with_a_tiny_environment(small: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment = Environment(Path(sys.executable), "CPython", {"plain": {"numpy": np.__version__}})
    monkeypatch.setattr(bench, "find_environment", lambda: environment)
    figures = json.loads(json.dumps(bench.run(QUICK)))
    assert figures["right"]["plain"]["400"] == {"price": True, "volume": True, "balance": True, "optimal": True}
    assert figures["tied_right"]["plain"] == figures["tied_right"]["stowatt"] == dict.fromkeys(report.PARTS, 5)
    assert not any(figures["troubles"].values())
    committed = PAGE.read_bytes()
    machine = {"load_before": 0, "load_after": 0, "cores": 1, "memory_gb": 1, "processor": "", "system": ""}
    document = {"machine": machine | {"python": "", "packages": {}}, "seconds": 1, "figures": figures}
    render_page("clearing", document, Benchmark(bench.run, report.tables, report.plot), tmp_path)
    page = (tmp_path / PAGE.name).read_text(encoding="utf-8")
    assert (tmp_path / "clearing.svg").stat().st_size > 1_000 and PAGE.read_bytes() == committed
    for part in "| plain numpy | all |", "| plain numpy | yes, 5 / 5 |", "peak memory", "GB/s", "Not installed there":
        assert part in page
    assert page.count("| plain numpy |") == 3


def test_a_run_without_an_environment(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "find_environment", lambda: None)
    text = report.tables(bench.run(QUICK))
    assert "**Left out: highspy" in text and "STOWATT_PEERS" in text
    assert "\n| pymarket" not in text and "\n| cvxpy" not in text


def test_troubles_are_told_and_end_the_larger_books(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment(Path(sys.executable), "CPython", {"plain": {}, "highspy": {}})
    asked: list[tuple[str, int]] = []

    def ask(name: str, path: Path, **_: Any) -> Reply:
        asked.append((name, path.stat().st_size))
        stopped = name == "plain"
        return Reply(trouble="stopped after 14 s" if stopped else "no licence", stopped=stopped)

    monkeypatch.setattr(bench, "find_environment", lambda: environment)
    monkeypatch.setattr(bench, "ask", ask)
    monkeypatch.setattr(bench, "QUICK_SIZES", (400, 800))
    run = bench.Run(Extent(window_segments=40), 1.0, (400, 800))
    run.budget = 0.0
    monkeypatch.setattr(bench, "TIED", 2)
    figures = run.figures()
    assert sum(name == "plain" for name, _ in asked) == 2  # the smallest book and the tied ones
    text = report.tables(figures)
    assert "| plain numpy | all | stopped after 14 s | – |" in text
    assert "highspy (HiGHS, direct) (400): no licence" in text and "| **failed** | – |" in text


def test_books_without_memory_are_left_out(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "find_environment", lambda: None)
    monkeypatch.setattr(bench, "available", lambda: 500 * bench.ROOM)
    monkeypatch.setattr(bench, "SHARE", 1e6)
    figures = bench.run(QUICK)
    assert (figures["sizes"], figures["no_memory_for"]) == ([400], [800])
    assert "Too little memory for 800" in report.tables(figures)


def test_stored_figures_still_make_their_page() -> None:
    assert "**Stowatt** `clear_columns`" in report.tables(load_document("clearing")["figures"])


def timing(median: float) -> dict[str, float]:
    return {"median": median, "lower": median * 0.9, "upper": median * 1.2, "count": 3}


def test_what_the_engine_is_held_to() -> None:
    million, national = "1000000", "100000000"
    figures: dict[str, Any] = {
        "sizes": [int(million), int(national)],
        "passes": {million: timing(2.0)},
        "copies": {national: {"seconds": timing(1.0)}},
        "seconds": {
            "stowatt": {million: timing(2.0), national: timing(5.0)}, "stowatt_price": {million: timing(3.0)},
            "bincount_mixed": {million: timing(3.0)}, "highs": {million: timing(20_000.0)},
        },
    }  # fmt: skip
    told = targets.targets(figures)
    for line in (
        "one np.bincount pass | ≤ 1.5 × at 1,000,000 | yes | 1.50 × (1.13 – 2.00) | – |",
        "pro rata, one column / Stowatt | ≥ 2 × at 1,000,000 | **no** | 1.50 × (1.13 – 2.00) | – |",
        "scipy HiGHS / Stowatt | ≥ 5,000 × at 1,000,000 | yes | 10,000 × (7,500 – 13,333) | – |",
        "one copy of the book | ≤ 4 × at 100,000,000 | **no** | – | 5.00 × (3.75 – 6.67) |",
    ):
        assert line in told
    assert "HiGHS direct" not in told
    del figures["seconds"]["stowatt"]
    assert "≥ 2 × at 1,000,000" not in targets.targets(figures) and targets.ours(figures) == "stowatt_numpy"


def test_many_windows_at_once() -> None:
    measured = measure_windows(40, 0.0)
    assert measured["right"] and measured["segments"] == 40 and measured["cores"] >= 1
    figures = {"windows": measured}
    assert targets.many_windows(figures).count("≤ 1.2 × | – |") == len(measured["seconds"]) // 2
    measured |= {"segments": 1_000_000, "cores": 2}
    measured["seconds"] |= {"machine": timing(3.0), "machine singly": timing(3.0)}
    assert "2.00 × (1.50 – 2.67) | ≤ 1.2 × | **no** |" in targets.many_windows(figures)
