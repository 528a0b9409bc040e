"""A batch read row by row, exactly as `data/book_file.py` reads it: for the batch that holds the first error, which is
worded here, and for batches that `numbers.py` leaves alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stowatt.data.book_file import COLUMNS, CellReader, RowSource
from stowatt.data.book_parquet import exact_texts
from stowatt.data.decimals import DecimalUnit


@dataclass(frozen=True, slots=True, eq=False)
class ExactRows:
    """What the cells of a batch mean."""

    windows: Any
    """An Arrow dictionary array of names."""
    participants: Any
    buys: NDArray[np.bool_]
    ticks: NDArray[np.uint32]
    widths: NDArray[np.uint32]


def read_exactly(path: str, before: int, batch: Any, unit: DecimalUnit) -> ExactRows:
    """The rows of a batch, of which `before` rows of the file come first; BookFileError at the first bad cell."""
    texts: Sequence[list[str]] = [exact_texts(path, name, batch.column(name)) for name in COLUMNS]
    places = range(before + 1, before + batch.num_rows + 1)
    source = RowSource(path, "row", iter(zip(places, *texts, strict=True)), batch.num_rows)
    cells = CellReader(source, unit)
    windows, people, buys, ticks, widths = [], [], [], [], []
    for place, window, participant, side, price, quantity in source.rows:
        windows.append(cells.name(place, "window", window))
        people.append(cells.name(place, "participant", participant))
        buys.append(bool(cells.side(place, side)))
        ticks.append(cells.tick(place, price))
        widths.append(cells.width(place, quantity))
    return ExactRows(
        pa.array(windows, pa.string()).dictionary_encode(),
        pa.array(people, pa.string()).dictionary_encode(),
        np.array(buys, np.bool_),
        np.array(ticks, np.uint32),
        np.array(widths, np.uint32),
    )
