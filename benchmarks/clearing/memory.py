"""Memory: a plain copy of the book to compare with, the bytes that a clearing must touch, and what the machine has."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.clearing.books import Segments

FILL = np.dtype(np.int64).itemsize
"""Bytes of a fill."""


def book_bytes(book: Segments) -> int:
    """Of its three columns."""
    return book.ticks.nbytes + book.widths.nbytes + book.buys.nbytes


def touched_bytes(book: Segments) -> int:
    """What a clearing with fills moves at the least: every column read once, every fill written once."""
    return book_bytes(book) + len(book.ticks) * FILL


def plain_copy(book: Segments) -> Callable[[], None]:
    """The copy of the book's columns into memory that is there already: each byte read once and written once."""
    columns = [(np.ones_like(column), column) for column in (book.ticks, book.widths, book.buys)]

    def copy() -> None:
        for target, source in columns:
            np.copyto(target, source)

    return copy


def available() -> int:
    """Bytes that this machine can give to new work without swapping; all it has where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
