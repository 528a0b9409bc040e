"""The meter's counter (T23): strictly growing, over crashes and restarts and between processes.

A counter is on disk before it is handed out, so that after a crash at any moment the next one is still larger. Numbers
can be skipped that way; the meter itself and the device's owner may send such a reading, a stranger may not.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stowatt.errors import MeterError

MAX_COUNTER: Final = 2**64 - 1


class CounterFile:
    """A counter in a file of its own, one decimal number on one line; a lock file lies beside it."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def last(self) -> int:
        """The last counter that was handed out; 0 if none was."""
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError) as error:
            raise MeterError(f"the counter file {self.path} cannot be read: {error}", "restore it") from error
        digits = text.removesuffix("\n")
        if not (digits.isdecimal() and text.endswith("\n") and int(digits) <= MAX_COUNTER):
            raise MeterError(
                f"the counter file {self.path} holds {text[:40]!r}",
                "write the device's last counter on chain into it",
            )
        return int(digits)

    def next(self) -> int:
        """The next counter, durable before it is returned."""
        with self._locked():
            return self._store(self.last() + 1)

    def raise_to(self, counter: int) -> int:
        """Makes every further counter larger than `counter`, say the chain's last one after the file was lost."""
        with self._locked():
            return self._store(max(self.last(), counter))

    def _store(self, counter: int) -> int:
        if not 0 <= counter <= MAX_COUNTER:
            raise MeterError(f"the counter {counter} does not fit into 64 bits", "register a new meter key and device")
        fresh = self.path.with_name(self.path.name + ".new")
        # a rename is atomic: a crash leaves the old file or the new one, never a part of either
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(f"{counter}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        self._sync_directory()
        return counter

    def _sync_directory(self) -> None:
        """Makes the rename itself durable."""
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; the lock goes with its process, however that ends."""
        lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
