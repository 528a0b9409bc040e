"""The rows of a book file of any size, read while they are asked for: only a few thousand are in memory at a time.

The rows and the errors are those of `book_file.read_book`. With a `report` that does not raise, a CSV file is read on
behind a row of the wrong form, so that one pass finds every fault.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from stowatt.data.book_file import (
    Report,
    RowSource,
    check_encoding,
    empty_file,
    is_parquet,
    not_utf8,
    raise_error,
    readable,
    rows_of_lines,
)

_CHUNK: Final = 2**20
_NO_CHARACTER: Final = re.compile("[\udc80-\udcff]")
"""A byte that is not UTF-8, as Python's `surrogateescape` stands in for it."""


@contextmanager
def open_rows(path: Path, report: Report = raise_error) -> Iterator[RowSource]:
    """The rows of a CSV or Parquet file. What is not a plain file, such as a pipe, is read whole first."""
    with readable(path):
        file: BinaryIO = path.open("rb") if not path.exists() or path.is_file() else io.BytesIO(path.read_bytes())
    with file:
        with readable(path):
            start = file.read(4)
            file.seek(0)
        if is_parquet(path, start):
            from stowatt.data.book_parquet import parquet_stream

            yield parquet_stream(str(path), file)
        else:
            check_encoding(str(path), start)
            yield _csv_source(path, file, report)


def _csv_source(path: Path, file: BinaryIO, report: Report) -> RowSource:
    with readable(path):
        ends = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))
        file.seek(0)
    lines = _lines(path, file, report)
    for blank, line in enumerate(lines):
        if line.strip():
            lines = chain(["\n"] * blank, [line], lines)
            return RowSource(str(path), "line", rows_of_lines(str(path), lines, report), ends)
    raise empty_file(str(path))


def _lines(path: Path, file: BinaryIO, report: Report) -> Iterator[str]:
    """The lines with their ends, any of LF, CRLF and CR; a byte that is not UTF-8 is reported and replaced."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    with readable(path):
        for number, line in enumerate(text, start=1):
            if not line.isascii() and (found := _NO_CHARACTER.search(line)):
                report(not_utf8(str(path), ord(found[0]) & 0xFF, number))
                line = _NO_CHARACTER.sub("\ufffd", line)  # noqa: PLW2901
            yield line
