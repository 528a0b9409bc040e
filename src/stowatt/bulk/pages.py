"""A column of whole numbers as the pages of a Parquet file: 64 bits each, plain, no nulls, compressed by snappy.

Every reader of Parquet knows these. A page is one batch of rows, so that only a batch is in memory.
"""

from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stowatt.bulk.thrift import BINARY, I32, I64, LIST, STRUCT, Struct, encoded

Chunks = NDArray[np.int64]
"""For each row group: where its pages begin, their bytes, their bytes before compression, and its rows."""

_INT64: Final = 2
_SNAPPY: Final = 1
_PLAIN, _RLE = 0, 3
_REQUIRED: Final = 0


def write_page(file: BinaryIO, values: NDArray[np.int64]) -> tuple[int, int]:
    """One page; its bytes, and those before compression, both with its header."""
    plain = pa.py_buffer(np.ascontiguousarray(values, "<i8"))
    data = pa.Codec("snappy").compress(plain)
    page: Struct = {1: (I32, len(values)), 2: (I32, _PLAIN), 3: (I32, _RLE), 4: (I32, _RLE)}
    header = encoded({1: (I32, 0), 2: (I32, plain.size), 3: (I32, data.size), 5: (STRUCT, page)})
    file.write(header)
    file.write(data)
    return len(header) + data.size, len(header) + plain.size


def schema_element(name: str) -> Struct:
    """The column in a file's schema."""
    return {1: (I32, _INT64), 3: (I32, _REQUIRED), 4: (BINARY, name.encode())}


def column_chunk(name: str, start: int, stored: int, plain: int, rows: int) -> Struct:
    """Where in the file a row group's pages are."""
    meta: Struct = {
        1: (I32, _INT64),
        2: (LIST, (I32, [_PLAIN, _RLE])),
        3: (LIST, (BINARY, [name.encode()])),
        4: (I32, _SNAPPY),
        5: (I64, rows),
        6: (I64, plain),
        7: (I64, stored),
        9: (I64, start),
    }
    return {2: (I64, 0), 3: (STRUCT, meta)}
