"""What the peers' interpreter runs: one engine on a file of books; one line of JSON on standard output.

    python -m benchmarks.peers.runner --list
    python -m benchmarks.peers.runner ENGINE BOOKS.npz [--budget S] [--patience S] [--memory BYTES] [--fills OUT.npy]

BOOKS.npz has `ticks`, `widths`, `buys`, and `starts`: the first row of each book. ENGINE is a row of SOLVERS, or
`own:NAME` for a row of `benchmarks.clearing.engines.ENGINES` (where Stowatt is installed).

After a tiny book that starts the engine, the books are cleared once, in order; a warm-up, and memory is that of it. If
--budget is given, the clearing of all is then timed: until S seconds and three samples are taken, or --patience runs
out. Whatever libraries print goes to standard error.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import timed
from benchmarks.peers.solvers import SOLVERS, TRIAL, Answer, Array, Fills

FEWEST, MOST = 3, 31
"""Samples."""
SLOW = 0.5
"""Seconds from which the first call is a sample too."""
OWN = "own:"
TINY = (np.array([1, 2]), np.array([1, 1]), np.array([False, True]))
"""A book to start the engine with."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.runner")
    parser.add_argument("engine", nargs="?")
    parser.add_argument("books", nargs="?", type=Path)
    parser.add_argument("--list", action="store_true", help="what is installed")
    parser.add_argument("--budget", type=float, help="seconds of samples; without it nothing is timed")
    parser.add_argument("--patience", type=float, default=math.inf, help="no sample begins after so many seconds")
    parser.add_argument("--memory", type=int, help="the most bytes of data this process may hold")
    parser.add_argument("--fills", type=Path, help="where the fills go")
    options = parser.parse_args(arguments)
    answers = os.dup(1)
    os.dup2(2, 1)  # a solver's chatter is no answer
    if options.list:
        reply = installed()
    elif options.engine is None or options.books is None:
        parser.error("give an engine and a file of books, or --list")
    else:
        if options.memory:
            resource.setrlimit(resource.RLIMIT_DATA, (options.memory, options.memory))
        reply = answer(options.engine, options.books, options.budget, options.patience, options.fills)
    sys.stdout.flush()
    with os.fdopen(answers, "w", encoding="utf-8") as out:
        out.write(json.dumps(reply, allow_nan=False) + "\n")
    return 0


def installed() -> dict[str, Any]:
    """This interpreter and the peers that it has, with their versions."""
    found = {name: solver.versions() for name, solver in SOLVERS.items()}
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "engines": {name: versions for name, versions in found.items() if versions},
    }


def answer(
    engine: str, books: Path, budget: float | None, patience: float = math.inf, fills: Path | None = None
) -> dict[str, Any]:
    """Clears the books with the engine."""
    prepare = _prepare(engine)
    with np.load(books) as columns:
        ticks, widths, buys, starts = (columns[name] for name in ("ticks", "widths", "buys", "starts"))
    ends = [*starts[1:].tolist(), len(ticks)]
    parts = [slice(start, end) for start, end in zip(starts.tolist(), ends, strict=True)]
    _tried(prepare(*TINY))  # what a library loads or compiles at its first call is not the clearing's
    calls = [prepare(ticks[part], widths[part], buys[part]) for part in parts]
    memory = Memory()
    first, answers = timed(lambda: [_clocked(call) for call in calls])
    reply: dict[str, Any] = {
        "engine": engine, **memory.read(), "first": [taken for taken, _, _ in answers],
        "outcomes": [told for _, told, _ in answers],
    }  # fmt: skip
    if fills is not None:
        found = [_by_row(rows, buys[part]) for part, (*_, rows) in zip(parts, answers, strict=True) if rows is not None]
        if found:
            joined = np.concatenate(found)
            reply["checksum"] = checksum(joined)
            np.save(fills, joined)
            del joined
        del found
    del answers
    samples: list[float] = []
    if budget is not None:
        samples += [first] if first > SLOW else []
        while len(samples) < MOST and not (len(samples) >= FEWEST and sum(samples) >= budget):
            if samples and sum(samples) >= patience:
                break
            samples.append(timed(lambda: [_tried(call) for call in calls])[0])
    return reply | {"seconds": samples}


def checksum(fills: Array) -> str:
    """Of the fills' type and bytes."""
    return hashlib.sha256(fills.dtype.str.encode() + np.ascontiguousarray(fills).tobytes()).hexdigest()


class Memory:
    """This process's memory from now on. Linux knows the peak of this program alone and lets it be set back to what is
    held now; `getrusage`, elsewhere, would count what the parent held when it started this process."""

    def __init__(self) -> None:
        self.exact = Path("/proc/self/status").exists()
        self.before, self.peak_before = _held(self.exact)
        if self.exact:
            try:
                Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            except OSError:
                self.before = self.peak_before

    def read(self) -> dict[str, int]:
        """Bytes: the process's peak, and what the clearing added to what was held before it, at its peak."""
        _, peak = _held(self.exact)
        return {"peak": max(peak, self.peak_before), "added": max(0, peak - self.before)}


def _held(exact: bool) -> tuple[int, int]:
    """Bytes held now, and at most so far."""
    if exact:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        now, most = (int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
        return now, most
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return most, most


def _prepare(engine: str) -> Callable[[Array, Array, Array], Callable[[], Answer]]:
    known = SOLVERS | TRIAL
    if engine in known:
        return known[engine].prepare
    if not engine.startswith(OWN):
        raise SystemExit(f"there is no engine {engine!r}; there are {', '.join(SOLVERS)}")
    from benchmarks.clearing.books import Segments
    from benchmarks.clearing.engines import ENGINES

    run = ENGINES[engine.removeprefix(OWN)].run

    def prepare(ticks: Array, widths: Array, buys: Array) -> Callable[[], Answer]:
        segments = Segments(ticks, widths, buys)

        def clear() -> Answer:
            outcome = run(segments)
            return outcome.price, outcome.volume, outcome.fills

        return clear

    return prepare


def _by_row(fills: Fills, buys: Array) -> Array:
    """One fill for each row, of asks' and bids' apart."""
    if not isinstance(fills, tuple):
        return fills
    joined = np.empty(len(buys), dtype=fills[0].dtype)
    joined[~buys], joined[buys] = fills
    return joined


def _clocked(call: Callable[[], Answer]) -> tuple[float, dict[str, Any], Fills | None]:
    begun = time.perf_counter()
    told, fills = _tried(call)
    return time.perf_counter() - begun, told, fills


def _tried(call: Callable[[], Answer]) -> tuple[dict[str, Any], Fills | None]:
    """One book's answer as JSON values, and its fills. A book that the engine fails on does not end the others."""
    try:
        price, volume, fills = call()
    except MemoryError:
        raise
    except Exception as error:  # whatever a library raises is its answer
        return {"error": f"{type(error).__name__}: {error}"[:200], "rows": 0}, None
    rows = 0 if fills is None else sum(map(len, fills)) if isinstance(fills, tuple) else len(fills)
    told = {"price": _number(price), "volume": _number(volume), "rows": rows}
    return told, fills


def _number(value: Any) -> int | float | None:
    """Integers remain integers; what is no number becomes None."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int | np.integer) else float(value)


if __name__ == "__main__":
    sys.exit(main())
