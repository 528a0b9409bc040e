"""Book files in Parquet: the columns of `book_file` as text, integers, decimals or floats, brought to exact text.

A float stands for the decimal that it prints as (its shortest representation); whether that is a whole number of ticks
or Wh is judged like any other text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from stowatt.data.book_file import COLUMNS, Row, RowSource, check_header
from stowatt.errors import BookFileError

ROWS_AT_ONCE: Final = 2**14
"""Rows of a streamed file that are text at one time."""


def parquet_rows(path: str, data: bytes) -> RowSource:
    """The rows of a Parquet file, counted from 1."""
    with parquet_errors(path):
        table = pq.read_table(pa.BufferReader(data), use_threads=False)
    picks = check_header(path, table.column_names, None)
    columns = [
        exact_texts(path, name, table.column(pick).combine_chunks()) for name, pick in zip(COLUMNS, picks, strict=True)
    ]
    return RowSource(path, "row", zip(range(1, table.num_rows + 1), *columns, strict=True), table.num_rows)


def parquet_stream(path: str, file: BinaryIO) -> RowSource:
    """The same rows, read a part at a time while they are asked for."""
    with parquet_errors(path):
        parquet = pq.ParquetFile(file)
        schema, total = parquet.schema_arrow, parquet.metadata.num_rows
    check_header(path, schema.names, None)
    for name in COLUMNS:
        exact_texts(path, name, pa.array([], schema.field(name).type))
    return RowSource(path, "row", _stream(path, parquet), total)


def _stream(path: str, parquet: Any) -> Iterator[Row]:
    done = 0
    batches = parquet.iter_batches(ROWS_AT_ONCE, columns=list(COLUMNS), use_threads=False)
    while True:
        with parquet_errors(path):
            batch = next(batches, None)
        if batch is None:
            return
        columns = [exact_texts(path, name, batch.column(name)) for name in COLUMNS]
        yield from zip(range(done + 1, done + batch.num_rows + 1), *columns, strict=True)
        done += batch.num_rows


@contextmanager
def parquet_errors(path: str) -> Iterator[None]:
    """Turns what Arrow says about a file into an error that names it."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BookFileError(path, f"is not a readable Parquet file ({reason})", "write it again, or use CSV") from None


def exact_texts(path: str, name: str, column: Any) -> list[str]:
    """The column as exact text; a null is an empty text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    timely = name == "window" and (pa.types.is_date(kind) or pa.types.is_timestamp(kind))
    if pa.types.is_floating(kind):
        # numpy keeps the float's own width, so that a 32-bit 0.1 prints as 0.1.
        values = [str(value) for value in column.to_numpy(zero_copy_only=False)]
        return ["" if null else value for value, null in zip(values, column.is_null().to_pylist(), strict=True)]
    if timely:
        column = column.cast(pa.string())
    elif not (pa.types.is_integer(kind) or pa.types.is_decimal(kind) or _is_text(kind)):
        raise BookFileError(path, f"is of type {kind}", "use text, integers or decimals", column=name)
    try:
        return ["" if value is None else str(value) for value in column.to_pylist()]
    except UnicodeDecodeError:
        raise BookFileError(path, "has a text that is not UTF-8", "write it again as UTF-8", column=name) from None


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
