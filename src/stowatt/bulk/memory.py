"""How much memory a large clearing may take, and what that allows.

What Python, numpy and Arrow are before any row is read is BASE. The rest is divided among the workers: each has one
batch of rows, the sums of one part, or one range of hashes at a time. Nothing that is written hangs on it.
"""

import re
from dataclasses import dataclass
from typing import Final

from stowatt.errors import OutputError

DEFAULT: Final = 2**31
BASE: Final = 256 * 2**20
LEAST_ROOM: Final = 192 * 2**20
"""For one worker: a batch of rows in every form that it takes."""
BYTES_A_ROW: Final = 96
"""Of a part, at most, while its cells are put in order: two of 16 bytes, sorted and unsorted, and hashes."""
BYTES_A_HASH: Final = 32
BYTES_A_RECORD: Final = 400
BYTES_A_CELL: Final = 128
BYTES_A_MOVE: Final = 400

_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)(i?)b?", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_memory(text: str) -> int:
    """Bytes of a size such as 2GiB, 1.5 GB, 800M (both G and GB are 10^9, GiB is 2^30)."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise OutputError(f"{text[:40]!r} is no size of memory", "write for example 2GiB or 800MB")
    number, letter, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[letter.lower()])


def size_text(size: int) -> str:
    """A size as people read it."""
    return f"{size / 2**30:.3g} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


@dataclass(frozen=True, slots=True)
class Memory:
    """A limit, and how many workers there are in how many processes."""

    limit: int
    workers: int
    processes: int = 1

    @classmethod
    def of(cls, limit: int, most_workers: int) -> "Memory":
        """As many workers as fit."""
        if limit < BASE + LEAST_ROOM:
            least = size_text(BASE + LEAST_ROOM)
            raise OutputError(f"{size_text(limit)} of memory is too little", f"give at least {least}")
        return cls(limit, max(1, min(most_workers, (limit - BASE) // LEAST_ROOM)))

    @property
    def room(self) -> int:
        """Bytes for each worker."""
        return self.all_room // self.workers

    @property
    def all_room(self) -> int:
        """Bytes for what is done while no worker is at work."""
        return self.limit - self.processes * BASE
