"""A large book: one Parquet file or a folder of them in name order, cut into parts of whole row groups.

A file's row groups are the least that can be read alone. How they are grouped into parts decides how the work is spread
and how much is done again after a stop, and nothing else: no byte of the output hangs on it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from stowatt.bulk.memory import BYTES_A_ROW, Memory, size_text
from stowatt.clearing.columns import MAX_ROWS
from stowatt.data.book_file import COLUMNS, PARQUET_ENDS, PARQUET_MAGIC, check_header, is_parquet, readable
from stowatt.data.book_parquet import exact_texts, parquet_errors
from stowatt.data.decimals import shown
from stowatt.errors import BookFileError, OutputError

ROWS_IN_BATCH: Final = 2**17
"""Rows in memory for each worker, and the most in a row group of the output."""
ROWS_IN_PART: Final = 2**20
"""Row groups are put together until they have so many rows."""
_END: Final = 2**16
_BUFFER: Final = 2**20
"""Bytes of a column that are read from the disk at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """Row groups `first` up to `after` of one file."""

    number: int
    path: str
    first: int
    after: int
    rows: int
    row_in_file: int
    """Rows of the file before it."""
    row: int
    """Rows of the book before it."""

    def batches(self) -> Iterator[tuple[int, int, Any]]:
        """(row group, rows of the part before it, Arrow batch): at most ROWS_IN_BATCH rows, of one row group."""
        done = 0
        with parquet_errors(self.path):
            file = _open(Path(self.path))
        with file:
            for group in range(self.first, self.after):
                with parquet_errors(self.path):
                    batches = file.iter_batches(
                        ROWS_IN_BATCH, row_groups=[group], columns=list(COLUMNS), use_threads=False
                    )
                while True:
                    with parquet_errors(self.path):
                        batch = next(batches, None)
                    if batch is None:
                        break
                    yield group, done, batch
                    done += batch.num_rows
        if done != self.rows:
            raise BookFileError(self.path, "changed while it was read", "leave it alone, and run the command again")


@dataclass(frozen=True, slots=True, eq=False)
class LargeBook:
    """What the files say about themselves; no row is read yet."""

    path: str
    files: tuple[tuple[str, int, int, str], ...]
    """Of each file: its name, bytes, the time of its last change (ns), SHA-256 of its end."""
    schema: Any
    """The Arrow types of COLUMNS, the same in all files, as they are written."""
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    """Of each file: its path and the rows of its row groups."""

    @property
    def rows(self) -> int:
        """Of all files."""
        return sum(sum(rows) for _, rows in self.groups)

    def parts(self, rows: int = ROWS_IN_PART) -> list[Part]:
        """The parts, in the book's order, with at least `rows` rows each but for the last of a file."""
        parts: list[Part] = []
        total = 0
        for path, groups in self.groups:
            in_file = first = held = 0
            for group, size in enumerate(groups):
                held += size
                if held >= rows or (group == len(groups) - 1 and held):
                    parts.append(Part(len(parts), path, first, group + 1, held, in_file, total))
                    in_file, total, first, held = in_file + held, total + held, group + 1, 0
        return parts


def open_book(path: Path) -> LargeBook:
    """Look at a book's files; BookFileError if they are not books of one kind in Parquet."""
    with readable(path):
        paths = sorted(one for one in path.iterdir() if _counts(one)) if path.is_dir() else [path]
    if not paths:
        raise BookFileError(str(path), "has no Parquet file", "name a folder with .parquet files, or a file")
    schema, files, groups = None, [], []
    for one in paths:
        with readable(one):
            status = one.stat()
            with one.open("rb") as file:
                start = file.read(len(PARQUET_MAGIC))
                digest = _end_of(file, status.st_size)
        if not one.is_file():
            raise BookFileError(str(one), "is not a plain file", "it is read more than once: save it first")
        if not is_parquet(one, start):
            way_out = "convert it to Parquet; without --out and --memory, stowatt clear reads CSV"
            raise BookFileError(str(one), "is not a Parquet file", way_out)
        with parquet_errors(str(one)), _open(one) as parquet:
            meta, found = parquet.metadata, parquet.schema_arrow
            sizes = tuple(meta.row_group(group).num_rows for group in range(meta.num_row_groups))
        check_header(str(one), found.names, None)
        for name in COLUMNS:
            exact_texts(str(one), name, pa.array([], found.field(name).type))
        found = pa.schema([pa.field(name, found.field(name).type) for name in COLUMNS])
        schema = found if schema is None else schema
        _same_kind(one, paths[0], found, schema)
        files.append((one.name, status.st_size, status.st_mtime_ns, digest))
        groups.append((str(one), sizes))
    book = LargeBook(str(path), tuple(files), schema, tuple(groups))
    if book.rows > MAX_ROWS:
        raise BookFileError(str(path), f"has {book.rows} rows", f"the most is {MAX_ROWS}; clear its windows apart")
    return book


def _end_of(file: BinaryIO, size: int) -> str:
    """SHA-256 of the file's last bytes, where the footer is."""
    file.seek(max(0, size - _END))
    return hashlib.sha256(file.read()).hexdigest()


def check_parts(parts: Sequence[Part], memory: Memory) -> None:
    """Refuse parts of which the sums might not fit into memory; less than a row group cannot be read alone."""
    most, limit = memory.room // BYTES_A_ROW, size_text(memory.limit)
    for part in parts:
        if part.rows > most and part.after - part.first == 1:
            what = f"has a row group of {part.rows} rows, too many for {limit} of memory"
            way_out = f"write it again in row groups of at most {most} rows, or give more --memory"
            raise BookFileError(part.path, what, way_out)
        if part.rows > most:
            what = f"a part of {part.rows} rows is too large for {limit} of memory"
            raise OutputError(what, "cut the book into more --partitions, or give more --memory")


def _open(path: Path) -> Any:
    """Texts stay dictionaries of what is different, as they are in most files."""
    return pq.ParquetFile(path, read_dictionary=list(COLUMNS), pre_buffer=False, buffer_size=_BUFFER)


def _counts(path: Path) -> bool:
    """Hidden files and those that begin with _ are other programs' notes."""
    return path.suffix.lower() in PARQUET_ENDS and not path.name.startswith((".", "_"))


def _same_kind(path: Path, first: Path, found: Any, schema: Any) -> None:
    for name in COLUMNS:
        kind, other = found.field(name).type, schema.field(name).type
        if kind != other:
            what = f"is of type {shown(str(kind))}, but {shown(str(other))} in {first.name}"
            raise BookFileError(str(path), what, "write the files of a folder with the same types", column=name)
