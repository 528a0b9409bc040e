"""The streaming benchmark: its watcher of processes, and a tiny run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import Extent, load_document
from benchmarks.streaming import bench, report
from benchmarks.streaming.process import scan, watched

MILLION = 1_000_000


def python(code: str, data: int | None = None) -> dict[str, Any]:
    return watched([sys.executable, "-c", code], data)


def test_a_process_is_watched() -> None:
    told = python("import sys; x = bytearray(b'x' * 90_000_000); print('out'); print('told', file=sys.stderr)")
    assert (told["status"], told["out"], told["problems"]) == (0, "out\n", "told\n")
    assert told["peak"] > 90 * MILLION and 0 < told["seconds"] < 30
    assert python("import sys; sys.exit(3)")["status"] == 3
    assert watched(["/no/such/command"], None)["status"] == 127


def test_more_output_than_a_pipe_holds() -> None:
    told = python("import sys; sys.stderr.write('e' * 200_000); print('o' * 200_000)")
    assert len(told["out"]) == 200_001 and len(told["problems"]) == 2_000


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts private memory on Linux only")
def test_the_limit_is_enforced() -> None:
    told = python("bytearray(300_000_000)", data=200 * MILLION)
    assert told["status"] == 1 and "MemoryError" in told["problems"]


def test_a_tiny_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ROUNDS", 1)
    figures = json.loads(json.dumps(bench.run(Extent(file_segments=2_000))))
    assert figures["same"]
    assert figures["right"] == {"price": True, "volume": True, "balance": True}
    text = report.tables(figures)
    assert "2,000 segments" in text and "| yes |" in text and "right by the definitions" in text
    report.plot(figures, tmp_path / "streaming.svg")
    assert (tmp_path / "streaming.svg").stat().st_size > 1_000


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "book.parquet").write_bytes(b"no Parquet")
    with pytest.raises(bench.Failed, match=r"stowatt clear ended with [1-9].*"):
        bench._clear(tmp_path, "book")


def test_the_scan_reads_every_row(tmp_path: Path) -> None:
    book = tmp_path / "book.parquet"
    bench._stowatt("book", "sample", "--out", str(book), "--segments", "1000")
    assert scan(str(book)) == 1_000
    command = [sys.executable, "-m", "benchmarks.streaming.process", "--scan", str(book)]
    done = subprocess.run(command, cwd=bench.ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"rows": 1_000}


def test_stored_figures_still_make_their_page() -> None:
    assert "Arrow scan" in report.tables(load_document("streaming")["figures"])
