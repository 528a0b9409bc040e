"""This side of the runner: finds the peers' environment, has it clear books, and takes its answers with care."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clearing.books import Segments
from benchmarks.clearing.judge import Outcome
from benchmarks.peers.runner import checksum

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "STOWATT_PEERS"
USUAL = ROOT / ".venvs" / "peers"
STARTUP = 60.0
"""Seconds for a list of what is installed."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter, and what it has."""

    interpreter: Path
    python: str
    engines: dict[str, dict[str, str]]
    """By name, with the versions of its packages."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking."""

    outcomes: list[Outcome] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """Seconds of each book's first clearing, which is no sample: the engine may be cold."""
    peak: int = 0
    """Bytes of the process at its peak, with its libraries and the books."""
    added: int = 0
    """Bytes of the clearing, above what the process held before it."""
    trouble: str = ""
    """Why there is no answer."""
    stopped: bool = False
    """It was killed at the time limit."""


def find_environment() -> Environment | None:
    """The peers' environment; None if there is none. STOWATT_PEERS must be right if it is set."""
    named = os.environ.get(VARIABLE, "")
    place = Path(named) if named else USUAL
    interpreter = (place / "bin" / "python" if place.is_dir() else place).absolute()
    if not interpreter.is_file():
        if named:
            raise SystemExit(f"{VARIABLE}={named}: there is no interpreter; name one, or an environment's folder")
        return None
    status, out, trouble = _run(interpreter, ["--list"], STARTUP)
    if status != 0:
        raise SystemExit(f"{interpreter} does not run the peers' runner: {trouble}")
    try:
        told = json.loads(out)
        return Environment(interpreter, told["python"], told["engines"])
    except (ValueError, KeyError, TypeError):
        raise SystemExit(f"{interpreter} does not answer as the peers' runner does") from None


def write_books(books: Sequence[Segments], path: Path) -> None:
    """The file that the runner reads."""
    starts = np.cumsum([0, *(len(book.ticks) for book in books)])[:-1]
    columns = {name: [getattr(book, name) for book in books] for name in ("ticks", "widths", "buys")}
    joined = {name: parts[0] if len(parts) == 1 else np.concatenate(parts) for name, parts in columns.items()}
    np.savez(path, starts=starts, **joined)


def ask(
    engine: str, books: Path, *, limit: float, patience: float | None = None, budget: float | None = None,
    memory: int | None = None, interpreter: Path | None = None, outcomes: bool = True,
) -> Reply:  # fmt: skip
    """Has one engine clear the books; kills it after `limit` seconds, libraries' start included.

    Without an interpreter it is this one, with Stowatt. No sample begins once `patience` seconds, or a quarter of the
    limit, went into samples. Without outcomes, only time and memory come back.
    """
    with tempfile.TemporaryDirectory(prefix="stowatt-bench-") as folder:
        fills = Path(folder) / "fills.npy"
        given = [engine, str(books.absolute()), "--patience", str(patience or limit / 4)]
        given += ["--fills", str(fills)] if outcomes else []
        given += [] if budget is None else ["--budget", str(budget)]
        given += [] if memory is None else ["--memory", str(memory)]
        status, out, trouble = _run(interpreter, given, limit)
        if status is None:
            return Reply(trouble=f"stopped after {limit:.0f} s", stopped=True)
        if status != 0:
            return Reply(trouble=trouble)
        try:
            told = json.loads(out)
            if not outcomes:
                told |= {"outcomes": []}
            return _reply(told, np.load(fills) if fills.exists() else None)
        except (ValueError, KeyError, TypeError) as error:
            return Reply(trouble=f"an answer that cannot be read ({error})")


def _reply(told: dict[str, Any], fills: Any) -> Reply:
    if fills is not None and told["checksum"] != checksum(fills):
        raise ValueError("the fills' checksum differs")
    outcomes, start = [], 0
    for outcome in told["outcomes"]:
        rows = outcome["rows"]
        if rows and (fills is None or start + rows > len(fills)):
            raise ValueError("fills are missing")
        volume = outcome.get("volume")
        outcomes.append(
            Outcome(
                outcome.get("price"), math.nan if volume is None else volume,
                fills[start : start + rows] if rows else None,
            )
        )  # fmt: skip
        start += rows
    taken, first = ([float(seconds) for seconds in told[name]] for name in ("seconds", "first"))
    return Reply(outcomes, taken, first, told["peak"], told["added"])


def _run(interpreter: Path | None, arguments: list[str], limit: float) -> tuple[int | None, str, str]:
    """Exit status (None: killed at the limit), standard output, the last line of standard error."""
    surroundings = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH")
    }
    if interpreter is None:
        surroundings["PYTHONPATH"] = str(ROOT / "src")
    command = [str(interpreter or sys.executable), "-m", "benchmarks.peers.runner", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=surroundings, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace",
    ) as process:  # fmt: skip
        try:
            out, problems = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return None, "", ""
        finally:
            if process.poll() is None:  # with whatever it has started
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
    lines = [line for line in problems.splitlines() if line.strip()]
    ended = f"ended by signal {-process.returncode}" if process.returncode < 0 else "no reason given"
    return process.returncode, out, lines[-1].strip()[:200] if lines and process.returncode > 0 else ended
