"""What pass 1 keeps of every row for the passes after it: 4 to 13 bytes in a file, instead of reading the book again.

Each batch is written as its ticks and widths (16 bits if all fit, else 32), one bit for the side, and 32 bits for the
window unless all are of one.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from stowatt.bulk.job import Job
from stowatt.bulk.rows import Rows
from stowatt.bulk.source import Part

KEPT: Final = "kept"
_END: Final = "bin"
_SHORT: Final = 2**16


def keep(file: BinaryIO, rows: Rows) -> list[int]:
    """Write a batch; what it takes to read it: row group, rows, window (-1: several), bytes of a tick, of a width."""
    window = int(rows.window[0])
    if (rows.window != window).any():
        window = -1
        file.write(rows.window.data)
    sizes = []
    for column in (rows.ticks, rows.widths):
        short = int(column.max()) < _SHORT
        sizes.append(2 if short else 4)
        file.write(column.astype(np.uint16 if short else np.uint32, copy=False).data)
    file.write(np.packbits(rows.buys).data)
    return [rows.group, len(rows), window, *sizes]


def kept_rows(job: Job, part: Part) -> Iterator[Rows]:
    """The batches of a part, as they were read."""
    before, path = 0, job.path(KEPT, part.number, _END)
    if not path.exists():
        raise job.damaged(path)
    with path.open("rb") as file:
        for group, count, window, *sizes in job.load("part", part.number, KEPT).tolist():
            try:
                windows = _column(file, count, np.int32) if window < 0 else np.full(count, window, np.int32)
                ticks, widths = (
                    _column(file, count, np.uint16 if size == 2 else np.uint32).astype(np.uint32, copy=False)
                    for size in sizes
                )
                buys = np.unpackbits(_column(file, -(-count // 8), np.uint8), count=count).view(np.bool_)
            except ValueError:
                raise job.damaged(path) from None
            yield Rows(group, before, windows, ticks, widths, buys)
            before += count


def _column(file: BinaryIO, count: int, kind: Any) -> NDArray[Any]:
    # ValueError if the file is shorter.
    return np.frombuffer(file.read(count * np.dtype(kind).itemsize), kind, count)
