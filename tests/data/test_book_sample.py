"""Synthetic books: the same everywhere, as described, whole or not there, and of any size in little memory."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.clearing import Book, Rules, clear, require_proof
from stowatt.curves import Side
from stowatt.data import book_sample
from stowatt.data.book_file import COLUMNS, read_book
from stowatt.data.book_problems import find_problems
from stowatt.data.book_sample import Sample, write_sample
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import BookError, OutputError

TICK = DecimalUnit.parse("0.0001")


def made(folder: Path, sample: Sample, name: str = "sample.csv") -> dict[str, Book]:
    write_sample(folder / name, sample)
    return read_book(folder / name, TICK)


def test_the_rows_of_a_seed_never_change(tmp_path: Path) -> None:
    write_sample(tmp_path / "sample.csv", Sample(10, 2, 2**255))
    assert (tmp_path / "sample.csv").read_text() == GOLDEN


def test_both_formats_hold_the_same_book(tmp_path: Path) -> None:
    sample = Sample(999, 4, 1)
    assert made(tmp_path, sample) == made(tmp_path, sample, "sample.parquet") == made(tmp_path, sample, "SAMPLE.PQ")


def test_seeds_differ(tmp_path: Path) -> None:
    assert made(tmp_path, Sample(9, 1, 1)) != made(tmp_path, Sample(9, 1, 2), "other.csv")


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 300), windows=st.integers(1, 300), cut=st.integers(1, 300))
def test_every_row_is_there_once_wherever_it_is_cut(rows: int, windows: int, cut: int) -> None:
    if windows > rows:
        windows = rows
    sample = Sample(rows, windows, 3)
    whole = sample.batch(0, rows).to_pylist()
    parts = (sample.batch(start, min(rows, start + cut)) for start in range(0, rows, cut))
    assert whole == [row for part in parts for row in part.to_pylist()]
    names = [row["window"] for row in whole]
    counts = [names.count(name) for name in sorted(set(names))]
    assert names == sorted(names)
    assert (len(counts), max(counts) - min(counts) <= 1, counts) == (windows, True, sorted(counts, reverse=True))


def test_the_distribution_is_the_one_described() -> None:
    rows = Sample(80_000, 1, 4).batch(0, 80_000)
    buys = np.array(rows["side"].to_pylist()) == "buy"
    ticks = np.array([int(price * 10_000) for price in rows["price"].to_pylist()]).reshape(-1, 4)
    widths = np.array([int(quantity * 1000) for quantity in rows["quantity"].to_pylist()])
    assert buys.sum() == len(buys) // 2
    assert (widths.min(), widths.max()) == (1, 5000)
    assert abs(widths.mean() - 2500.5) < 20
    side = buys[::4]
    steps = np.diff(ticks, axis=1) * np.where(side, -1, 1)[:, None]
    assert (steps.min(), steps.max()) == (1, 249)
    for of_side, centre, sign in (~side, 7_000, 1), (side, 9_000, -1):
        first = ticks[of_side, 0]
        assert abs(first.mean() - centre - sign * 125) < 60
        assert abs(first.std() - 1_800) < 40


def test_a_sample_has_no_problem_and_clears(tmp_path: Path) -> None:
    for book in made(tmp_path, Sample(2_000, 3, 5)).values():
        result = clear(book, Rules())
        require_proof(book, Rules(), result)
        assert 0 < result.volume < book.total(Side.SELL)
    assert find_problems(tmp_path / "sample.csv", TICK, 20).count == 0


def test_row_groups_and_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_sample, "ROWS_AT_ONCE", 100)
    seen: list[tuple[int, int]] = []
    write_sample(tmp_path / "sample.parquet", Sample(250, 1, 0), lambda done, total: seen.append((done, total)))
    assert seen == [(100, 250), (200, 250), (250, 250)]
    assert pq.ParquetFile(tmp_path / "sample.parquet").metadata.num_row_groups == 3
    assert pq.ParquetFile(tmp_path / "sample.parquet").schema_arrow.names == list(COLUMNS)


@pytest.mark.parametrize(("rows", "windows"), [(0, 1), (-1, 1), (2**31, 1), (1, 0), (1, 2), (5, -1)])
def test_impossible_sizes(rows: int, windows: int) -> None:
    with pytest.raises(BookError, match=r"choose 1 to|give each window"):
        Sample(rows, windows, 0)


class TestFile:
    """The file is there whole or not at all."""

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        for name in ("file.csv", "link.csv"):
            path = tmp_path / name
            if name == "file.csv":
                path.write_text("mine")
            else:
                path.symlink_to(tmp_path / "nowhere")
            with pytest.raises(OutputError, match="exists already"):
                write_sample(path, Sample(4, 1, 0))
        assert (tmp_path / "file.csv").read_text() == "mine"
        assert not (tmp_path / "nowhere").exists()

    def test_a_file_that_appears_meanwhile_is_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "sample.csv"
        with pytest.raises(OutputError, match="exists already"):
            write_sample(path, Sample(4, 1, 0), lambda done, total: path.write_text("mine") and None)
        assert path.read_text() == "mine"
        assert os.listdir(tmp_path) == ["sample.csv"]

    @pytest.mark.parametrize("name", ["sample.txt", "sample", "missing/sample.csv", "f" * 254 + ".csv"])
    def test_names_that_cannot_be(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(OutputError, match=r"neither|cannot be written"):
            write_sample(tmp_path / name, Sample(4, 1, 0))
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("name", ["sample.csv", "sample.parquet"])
    def test_a_failed_run_leaves_nothing(self, tmp_path: Path, name: str) -> None:
        def stop(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_sample(tmp_path / name, Sample(4, 1, 0), stop)
        assert os.listdir(tmp_path) == []

    def test_a_file_system_without_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        write_sample(tmp_path / "sample.csv", Sample(4, 1, 0))
        assert os.listdir(tmp_path) == ["sample.csv"]

    def test_a_full_disk_is_one_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            write_sample(tmp_path / "sample.csv", Sample(4, 1, 0))
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("name", ["sample.csv", "sample.parquet"])
    def test_a_killed_run_leaves_no_file_of_that_name(self, tmp_path: Path, name: str) -> None:
        code = (
            "import sys; from pathlib import Path; from stowatt.data.book_sample import *\n"
            "write_sample(Path(sys.argv[1]), Sample(10**9, 1, 0), lambda *_: print(flush=True))"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(book_sample.__file__).parents[2])}
        command = [sys.executable, "-c", code, str(tmp_path / name)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as run:
            assert run.stdout is not None
            run.stdout.readline()
            run.send_signal(signal.SIGKILL)
        left = os.listdir(tmp_path)
        assert len(left) == 1
        assert left[0].startswith(f".{name}.")
        assert left[0].endswith(".new")


GOLDEN = """\
window,participant,side,price,quantity
w1,p1,buy,0.9581,4.379
w1,p1,buy,0.9411,1.370
w1,p1,buy,0.9236,2.768
w1,p1,buy,0.9147,4.274
w1,p2,sell,0.6478,1.567
w2,p1,sell,0.8223,2.658
w2,p1,sell,0.8439,0.148
w2,p1,sell,0.8506,3.548
w2,p1,sell,0.8642,1.887
w2,p2,buy,0.9147,2.875
"""
