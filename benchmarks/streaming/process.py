"""One command as a whole process: its seconds from start to end, its peak memory, what it printed.

`python -m benchmarks.streaming.process [--data BYTES] -- COMMAND …` is small itself, so that the peak that the system
tells of its child (which begins as a copy of it) is the child's own. --data is the most bytes of private memory that
the child may map (RLIMIT_DATA): beyond, an allocation fails.

`python -m benchmarks.streaming.process --scan BOOK` is the plain scan: every batch of every column, and nothing else.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes of the system's peak."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming.process")
    parser.add_argument("--data", type=int)
    parser.add_argument("--scan", metavar="BOOK")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args(arguments)
    if options.scan:
        print(json.dumps({"rows": scan(options.scan)}))
        return 0
    print(json.dumps(watched(options.command, options.data)))
    return 0


def scan(book: str) -> int:
    """Rows of a Parquet file, all columns read a batch at a time."""
    import pyarrow.parquet as pq

    return sum(batch.num_rows for batch in pq.ParquetFile(book).iter_batches())


def watched(command: Sequence[str], data: int | None) -> dict[str, Any]:
    """Runs it; status, seconds, peak bytes, standard output and the end of standard error."""
    out_end, out = os.pipe()
    problems_end, problems = os.pipe()
    begun = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(out, 1)
            os.dup2(problems, 2)
            if data:
                resource.setrlimit(resource.RLIMIT_DATA, (data, data))
            os.execvp(command[0], list(command))
        finally:
            os._exit(127)
    os.close(out)
    os.close(problems)
    printed, told = _read(out_end, problems_end)
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - begun
    return {
        "status": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak": used.ru_maxrss * UNIT,
        "out": printed, "problems": told[-2_000:],
    }  # fmt: skip


def _read(*ends: int) -> list[str]:
    """Everything from both pipes, whichever has something."""
    import select

    found: dict[int, list[bytes]] = {end: [] for end in ends}
    still = set(ends)
    while still:
        for end in select.select(list(still), [], [])[0]:
            piece = os.read(end, 2**16)
            if piece:
                found[end].append(piece)
            else:
                still.discard(end)
                os.close(end)
    return [b"".join(found[end]).decode("utf-8", "replace") for end in ends]


if __name__ == "__main__":
    sys.exit(main())
