"""The errors that only several rows of a large book make together, worded as `data/book_file.py` does."""

from collections.abc import Sequence
from typing import Any

from stowatt.bulk.apart import Fault
from stowatt.bulk.job import Job
from stowatt.bulk.memory import size_text
from stowatt.bulk.source import Part
from stowatt.curves import Side
from stowatt.data.book_file import COLUMNS, RowSource
from stowatt.data.book_parquet import exact_texts
from stowatt.errors import BookFileError


def fault_error(parts: Sequence[Part], fault: Fault) -> BookFileError:
    """The error of a fault, with the row's names read from the book again."""
    row, column, _, held = fault
    part = next(part for part in parts if part.row <= row < part.row + part.rows)
    window, participant, side, _, _ = _texts_of(part, row - part.row)
    window, participant, side = (text.strip(" \t") for text in (window, participant, side))
    source = RowSource(part.path, "row", iter(()), 0)
    place = row - part.row + part.row_in_file + 1
    if column == "side":
        return source.two_sides(place, participant, window, Side(1 - Side[side.upper()]))
    if column == "price":
        return source.too_many_prices(place, participant, window)
    return source.too_wide(place, participant, held)


def too_far_apart(job: Job, what: str) -> BookFileError:
    """The error of a book that would need too much memory for putting its bids together."""
    way_out = f"sort it by window and participant, or give more --memory than {size_text(job.memory.limit)}"
    return BookFileError(job.book, what, way_out)


def _texts_of(part: Part, row: int) -> list[str]:
    for _, before, batch in part.batches():
        if row < before + batch.num_rows:
            cells = batch.slice(row - before, 1)
            return [exact_texts(part.path, name, cells.column(name))[0] for name in COLUMNS]
    raise BookFileError(part.path, "changed while it was read", "leave it alone, and run the command again")


def known_error(value: dict[str, Any]) -> BookFileError:
    """The error that a pass kept."""
    return BookFileError(
        value["path"],
        value["what"],
        value["way_out"],
        line=value["line"],
        column=value["column"],
        counts=value["counts"],
    )
