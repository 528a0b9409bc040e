"""The output file: the book's files as they are, byte for byte, and one column more.

The pages of the book are copied, not decoded, with all their columns; behind them come the pages of the fills. A new
footer says where everything lies. So the output has every row of the book, in its order and exactly as it was written,
and a batch of fills costs no more than its own 8 bytes a row.
"""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from stowatt.bulk.pages import Chunks, column_chunk, schema_element, write_page
from stowatt.bulk.thrift import BINARY, I16, I32, I64, LIST, STRUCT, Reader, Struct
from stowatt.bulk.thrift import encoded as encoded_struct
from stowatt.errors import BookFileError

FILLED: Final = "filled_wh"
MAGIC: Final = b"PAR1"
_AT_ONCE: Final = 2**24
_ARROW: Final = "ARROW:schema"

_SCHEMA, _ROWS, _GROUPS, _NOTES, _ORDERS = 2, 3, 4, 5, 7
"""Fields of a footer."""
_NAME, _CHILDREN = 4, 5
"""Fields of an element of the schema."""
_COLUMNS, _BYTES, _GROUP_ROWS, _OFFSET, _STORED, _ORDINAL = 1, 2, 3, 5, 6, 7
"""Fields of a row group."""
_COLUMN_OFFSET, _META = 2, 3
_INDEXES: Final = (4, 5, 6, 7)
"""Fields of a column: where its offset index and column index are, and how long."""
_PAGES: Final = (9, 10, 11, 14)
"""Fields of its metadata that are file offsets, if they are there: data, index and dictionary pages, bloom filter."""


def footer_of(path: Path) -> tuple[Struct, int]:
    """A file's footer, and how many bytes come before it."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        end = file.tell()
        size = int.from_bytes(file.read(4), "little")
        file.seek(end - size)
        return Reader(file.read(size)).struct(), end - size


def check_joinable(paths: Sequence[Path]) -> None:
    """Refuse books that cannot get a column more, or of which the files have other columns than the first."""
    first, _ = footer_of(paths[0])
    for path in paths:
        footer, _ = footer_of(path)
        names = [element[_NAME][1].decode(errors="replace") for element in footer[_SCHEMA][1][1]]
        if FILLED in names:
            raise BookFileError(str(path), f"has a column {FILLED!r} already", "leave it out: it is the output's")
        if footer[_SCHEMA] != first[_SCHEMA]:
            what = f"has other columns than {paths[0].name}, or writes them otherwise"
            raise BookFileError(str(path), what, "write the files of a folder by the same program")


def write_whole(
    out: BinaryIO, book: Sequence[Path], fills: Sequence[tuple[Path, Chunks]], notes: dict[str, str]
) -> None:
    """The book's files with the fills of their row groups, in order, and the notes beside the first file's own."""
    whole: Struct = {}
    groups: list[Struct] = []
    out.write(MAGIC)
    for path in book:
        footer, end = footer_of(path)
        shift = out.tell() - len(MAGIC)
        _copy(path, len(MAGIC), end, out)
        for group in footer[_GROUPS][1][1]:
            _shift(group, shift)
            groups.append(group)
        whole = whole or footer
    number = 0
    for path, chunks in fills:
        start = out.tell()
        _copy(path, 0, path.stat().st_size, out)
        for place, stored, plain, rows in chunks.tolist():
            # A row group without rows has no pages yet.
            while groups[number][_GROUP_ROWS][1] == 0:
                number = _extend(groups, number, out.tell(), *write_page(out, np.zeros(0, np.int64)), 0)
            number = _extend(groups, number, start + place, stored, plain, rows)
    while number < len(groups):
        number = _extend(groups, number, out.tell(), *write_page(out, np.zeros(0, np.int64)), 0)
    data = encoded_struct(_footer(whole, groups, notes))
    out.write(data + len(data).to_bytes(4, "little") + MAGIC)


def _copy(path: Path, start: int, end: int, out: BinaryIO) -> None:
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            data = file.read(min(_AT_ONCE, end - start))
            if not data:
                raise BookFileError(str(path), "changed while it was read", "leave it alone, and run the command again")
            out.write(data)
            start += len(data)


def _shift(group: Struct, shift: int) -> None:
    """The same row group, so many bytes further on; without its page indexes, which say where in the file pages are."""
    if shift == 0:
        return
    _add(group, (_OFFSET,), shift)
    for column in group[_COLUMNS][1][1]:
        if column[_COLUMN_OFFSET][1]:
            _add(column, (_COLUMN_OFFSET,), shift)
        for field in _INDEXES:
            column.pop(field, None)
        _add(column[_META][1], _PAGES, shift)


def _add(struct: Struct, fields: tuple[int, ...], number: int) -> None:
    for field in fields:
        if field in struct:
            kind, value = struct[field]
            struct[field] = kind, value + number


def _extend(groups: list[Struct], number: int, start: int, stored: int, plain: int, rows: int) -> int:
    """Give a row group its fills; the number of the next one."""
    group = groups[number]
    if group[_GROUP_ROWS][1] != rows:
        raise ValueError(f"row group {number} has {group[_GROUP_ROWS][1]} rows and {rows} fills")
    group[_COLUMNS][1][1].append(column_chunk(FILLED, start, stored, plain, rows))
    _add(group, (_BYTES,), plain)
    _add(group, (_STORED,), stored)
    if number < 2**15:
        group[_ORDINAL] = I16, number
    else:  # 16 bits: beyond that, readers count for themselves
        group.pop(_ORDINAL, None)
    return number + 1


def _footer(footer: Struct, groups: list[Struct], notes: dict[str, str]) -> Struct:
    """The first file's footer for all."""
    elements = footer[_SCHEMA][1][1]
    elements[0][_CHILDREN] = I32, elements[0][_CHILDREN][1] + 1
    elements.append(schema_element(FILLED))
    if _ORDERS in footer:
        footer[_ORDERS][1][1].append({1: (STRUCT, {})})
    footer[_ROWS] = I64, sum(group[_GROUP_ROWS][1] for group in groups)
    footer[_GROUPS] = LIST, (STRUCT, groups)
    pairs = footer[_NOTES][1][1] if _NOTES in footer else []
    held = {pair[1][1].decode(): pair[2][1].decode() for pair in pairs if 2 in pair}
    if _ARROW in held:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(held[_ARROW])))
        held[_ARROW] = base64.b64encode(schema.append(pa.field(FILLED, pa.int64(), False)).serialize()).decode()
    made = [{1: (BINARY, key.encode()), 2: (BINARY, text.encode())} for key, text in (held | notes).items()]
    footer[_NOTES] = LIST, (STRUCT, made)
    return footer
