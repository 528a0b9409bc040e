"""Pass 1: read a part once, check its rows, add up its cells and find its runs.

Left behind for each part: `kept` if fills are wanted (see `kept.py`), then `part`, with its cells, the sorted hashes of
its runs, its windows, the runs at its ends and its first bad row.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

import numpy as np

from stowatt.bulk.job import Job
from stowatt.bulk.kept import KEPT, keep
from stowatt.bulk.names import Words
from stowatt.bulk.rows import BidRows, RowReader, run_hashes
from stowatt.bulk.runs import Runs
from stowatt.bulk.source import Part
from stowatt.bulk.tally import Tally
from stowatt.errors import BookFileError


def sum_part(job: Job, part: Part) -> int:
    """Do the pass on one part, unless it was done; the part's rows."""
    if job.has("part", part.number):
        return part.rows
    reader, tally, runs = RowReader(part, job.unit), Tally(), Runs()
    error, good = None, 0
    kept: list[list[int]] = []
    with ExitStack() as stack:
        file = stack.enter_context(_keeping(job, part)) if job.fills else None
        try:
            for rows in reader.rows():
                tally.add(rows)
                runs.add(rows, reader.windows, hashes_of(job, reader, rows))
                if file is not None:
                    kept.append(keep(file, rows))
                good = rows.before + len(rows)
        except BookFileError as found:
            if found.line is None:
                raise
            error = error_json(found)
    keys, sums = tally.cells()
    summed = {
        "rows": good,
        "windows": reader.windows,
        "head": runs.head and runs.head.as_json(),
        "tail": runs.tail and runs.tail.as_json(),
        "suspects": runs.suspects,
        "error": error,
    }
    hashes = np.sort(np.concatenate([np.zeros(0, np.uint64), *runs.hashes]))
    batches = np.array(kept, np.int64).reshape(-1, 5)
    job.save("part", part.number, summed, lasts=True, keys=keys, sums=sums, hashes=hashes, kept=batches)
    return part.rows


@contextmanager
def _keeping(job: Job, part: Part) -> Iterator[BinaryIO]:
    with job.appearing(job.path(KEPT, part.number, "bin")) as draft, draft.open("wb") as file:
        yield file


def hashes_of(job: Job, reader: RowReader, rows: BidRows) -> Words:
    """Of the batch's runs."""
    return run_hashes(rows, reader.window_hashes(job.key ^ 1), job.key)


def error_json(error: BookFileError) -> dict[str, Any]:
    """What it takes to raise the error again."""
    return {
        "path": error.path,
        "what": error.reason,
        "way_out": error.way_out,
        "line": error.line,
        "column": error.column,
        "counts": error.counts,
    }
