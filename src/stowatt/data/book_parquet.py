"""Book files in Parquet: the columns of `book_file` as text, integers, decimals or floats, brought to exact text.

A float stands for the decimal that it prints as (its shortest representation); whether that is a whole number of ticks
or Wh is judged like any other text.
"""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stowatt.data.book_file import COLUMNS, RowSource, check_header
from stowatt.errors import BookFileError


def parquet_rows(path: str, data: bytes) -> RowSource:
    """The rows of a Parquet file, counted from 1."""
    try:
        table = pq.read_table(pa.BufferReader(data), use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise BookFileError(path, f"is not a readable Parquet file ({reason})", "write it again, or use CSV") from None
    picks = check_header(path, table.column_names, None)
    columns = [
        _texts(path, name, table.column(pick).combine_chunks()) for name, pick in zip(COLUMNS, picks, strict=True)
    ]
    return RowSource(path, "row", zip(range(1, table.num_rows + 1), *columns, strict=True), table.num_rows)


def _texts(path: str, name: str, column: Any) -> list[str]:
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
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
