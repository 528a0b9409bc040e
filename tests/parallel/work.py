"""Work for workers: functions of a module, as tasks must be."""

import os
import signal
import time
from pathlib import Path

from stowatt.errors import BookFileError


def square(value: int) -> int:
    """Quick."""
    return value * value


def slow_square(value: int, *, seconds: float) -> int:
    """Slow."""
    time.sleep(seconds)
    return value * value


def refuse(value: int, *, bad: int, folder: Path | None = None) -> int:
    """Refuses one value; says in a folder which ones it has seen."""
    if folder is not None:
        (folder / str(value)).touch()
    if value == bad:
        raise BookFileError("book.csv", f"quantity {value} is negative", "correct it", line=7, column="quantity")
    return value


def fail(value: int) -> int:
    """An error that is no user's."""
    raise ZeroDivisionError(value)


def process(_: int) -> int:
    """Who does it."""
    time.sleep(0.02)
    return os.getpid()


def die_once(value: int, *, bad: int, folder: Path) -> int:
    """Kills its own process with -9 when it meets one value for the first time."""
    mark = folder / "died"
    if value == bad and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value * value


def die(value: int, *, bad: int) -> int:
    """Kills every worker that tries one value."""
    if value == bad:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def missing(_: int) -> bytes:
    """A file that is not there."""
    return Path("/nowhere/at/all").read_bytes()
