"""`stowatt clear BOOK.parquet --out FILLS.parquet` under a memory limit, and a plain Arrow scan, in turns.

Both are whole processes. What one costs with a tiny book, libraries' start for the most part, is taken off the time
before a throughput is told; the time of the whole process is told, too.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.harness import Extent, Figures, spread
from benchmarks.streaming.check import right

ROOT = Path(__file__).resolve().parents[2]
SEGMENTS, FULL_SEGMENTS, QUICK_SEGMENTS = 10_000_000, 100_000_000, 20_000
TINY = 100
LIMIT, LIMIT_BYTES = "2GiB", 2 * 2**30
WORKERS = 2
"""Processes of a local Dask cluster."""
ROUNDS = 3
PATIENCE = 240.0
"""Seconds of clearing after which no further round begins."""


class Failed(Exception):
    """A command did not do what was asked."""


def run(extent: Extent) -> Figures:
    """Makes the books, then measures."""
    usual = QUICK_SEGMENTS if extent.quick else FULL_SEGMENTS if extent.full else SEGMENTS
    segments = extent.file_segments or usual
    with tempfile.TemporaryDirectory(prefix="stowatt-bench-") as name:
        folder = Path(name)
        for book, rows in ("tiny", TINY), ("book", segments):
            _stowatt("book", "sample", "--out", str(folder / f"{book}.parquet"), "--segments", str(rows))
        calls: dict[str, Callable[[Path, str], dict[str, Any]]] = {"scan": _scan, "clear": _clear}
        if find_spec("distributed") and not extent.quick:
            calls["workers"] = _clear_with_workers
        found: dict[str, list[dict[str, Any]]] = {}
        for _ in range(1 if extent.quick else ROUNDS):
            for book in "tiny", "book":
                for kind, call in calls.items():
                    found.setdefault(f"{kind} {book}", []).append(call(folder, book))
            if sum(sample["seconds"] for name in calls for sample in found[f"{name} book"]) > PATIENCE:
                break
        sizes = {place: (folder / f"{place}.parquet").stat().st_size for place in ("book", "fills book")}
        told = json.loads(found["clear book"][-1]["out"])
        correct = right(folder / "book.parquet", folder / "fills book.parquet", told)
        same = len({_digest(path) for path in folder.glob("* book.parquet")}) == 1
    return {
        "segments": segments, "tiny": TINY, "limit": LIMIT_BYTES, "bytes": sizes, "right": correct, "same": same,
        "workers": WORKERS,
        "seconds": {name: spread(sample["seconds"] for sample in rows).to_json() for name, rows in found.items()},
        "peak": {name: max(sample["peak"] for sample in rows) for name, rows in found.items()},
    }  # fmt: skip


def _scan(folder: Path, book: str) -> dict[str, Any]:
    return _watched("benchmarks.streaming.process", "--scan", str(folder / f"{book}.parquet"))


def _clear(folder: Path, book: str, *more: str, name: str = "fills") -> dict[str, Any]:
    fills = folder / f"{name} {book}.parquet"
    fills.unlink(missing_ok=True)
    given = ["clear", str(folder / f"{book}.parquet"), "--out", str(fills), "--memory", LIMIT, "--json", *more]
    return _watched("stowatt", *given, data=LIMIT_BYTES)


def _clear_with_workers(folder: Path, book: str) -> dict[str, Any]:
    return _clear(folder, book, "--workers", str(WORKERS), name="workers")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _watched(module: str, *arguments: str, data: int | None = None) -> dict[str, Any]:
    """A module as a process of its own, watched by a small one."""
    limit = [] if data is None else ["--data", str(data)]
    watcher = [sys.executable, "-S", "-m", "benchmarks.streaming.process", *limit, "--"]
    command = [*watcher, sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=_surroundings(), capture_output=True, text=True, check=True)
    reply: dict[str, Any] = json.loads(done.stdout)
    if reply["status"] != 0:
        raise Failed(f"{module} {arguments[0]} ended with {reply['status']}: {reply['problems'].strip()[-300:]}")
    return reply


def _stowatt(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "stowatt", *arguments], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=_surroundings())  # fmt: skip


def _surroundings() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "src")}
