"""A book file as columns of numbers, 25 bytes a row, for files of which the curves would not fit into memory.

Besides the rows, every different window, participant, price and quantity is kept once (about 150 bytes each).
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from stowatt.curves import Side
from stowatt.data.book_file import ROWS_PER_REPORT, CellReader, Progress, Row, RowSource
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import BookFileError

Ints = NDArray[np.int64]

Refused = Callable[[BookFileError, Row], None]
"""Called with each error of a cell and its row; unless it raises the error, the row is left out."""


def raise_refused(error: BookFileError, _: Row) -> None:
    """Ends the reading at the first error."""
    raise error


@dataclass(frozen=True, slots=True, eq=False)
class BookColumns:
    """The rows of a file in its order. `window` and `participant` are places in the two lists of names."""

    windows: list[str]
    participants: list[str]
    place: Ints
    """The line or row of the file."""
    window: NDArray[np.uint32]
    participant: NDArray[np.uint32]
    buy: NDArray[np.bool_]
    tick: NDArray[np.uint32]
    width: NDArray[np.uint32]
    """Wh."""

    def __len__(self) -> int:
        return len(self.place)

    def curves(self) -> Ints:
        """A number for each row that rows of one window and participant share; it rises with the window."""
        return self.window.astype(np.int64) * max(1, len(self.participants)) + self.participant


def read_columns(
    source: RowSource, tick_size: DecimalUnit, progress: Progress | None = None, refused: Refused = raise_refused
) -> BookColumns:
    """All rows of a file, of which each cell is what the rules allow."""
    return _ColumnReader(source, tick_size, refused).read(progress)


_SIDES: Final = {side.word: int(side) for side in Side}


class _ColumnReader:
    """Collects the numbers of the rows. What a cell means is looked up once for each different text."""

    def __init__(self, source: RowSource, tick_size: DecimalUnit, refused: Refused) -> None:
        self.source = source
        self.cells = CellReader(source, tick_size)
        self.refused = refused
        self.lists: dict[str, list[str]] = {"window": [], "participant": []}
        # The place of a name in its list, by every text that it is written as.
        self.numbers: dict[str, dict[str, int]] = {"window": {}, "participant": {}}

    def read(self, progress: Progress | None) -> BookColumns:
        place, buy, window, participant, tick, width = (array(code) for code in "qbIIII")
        windows, people = self.numbers["window"], self.numbers["participant"]
        ticks, widths = self.cells.ticks, self.cells.widths
        for number, row in enumerate(self.source.rows, start=1):
            where, w, p, s, price, quantity = row
            known = windows.get(w), people.get(p), _SIDES.get(s), ticks.get(price), widths.get(quantity)
            numbers = self._look(row) if None in known else cast(tuple[int, ...], known)
            if numbers is not None:
                for column, value in zip((window, participant, buy, tick, width), numbers, strict=True):
                    column.append(value)
                place.append(where)
            if progress and number % ROWS_PER_REPORT == 0:
                progress(where, self.source.total)
        return BookColumns(
            self.lists["window"],
            self.lists["participant"],
            np.frombuffer(place, np.int64),
            np.frombuffer(window, np.uint32),
            np.frombuffer(participant, np.uint32),
            np.frombuffer(buy, np.bool_),
            np.frombuffer(tick, np.uint32),
            np.frombuffer(width, np.uint32),
        )

    def _look(self, row: Row) -> tuple[int, ...] | None:
        """The row's five numbers; None after every error in it has been told."""
        place, *texts = row
        readers: tuple[Callable[[int, str], int], ...] = (
            lambda place, text: self._number(place, "window", text),
            lambda place, text: self._number(place, "participant", text),
            self.cells.side,
            self.cells.tick,
            self.cells.width,
        )
        found: list[int] = []
        for read, text in zip(readers, texts, strict=True):
            try:
                found.append(read(place, str(text)))
            except BookFileError as error:
                self.refused(error, row)
        return tuple(found) if len(found) == len(readers) else None

    def _number(self, place: int, column: str, text: str) -> int:
        numbers, names = self.numbers[column], self.lists[column]
        if text not in numbers:
            name = self.cells.name(place, column, text)
            if name not in numbers:
                numbers[name] = len(names)
                names.append(name)
            numbers[text] = numbers[name]
        return numbers[text]
