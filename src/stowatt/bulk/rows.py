"""A part of a large book as columns of numbers, batch after batch."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stowatt.bulk.exact import read_exactly
from stowatt.bulk.names import Names, Words, mix
from stowatt.bulk.numbers import Counter, Counts
from stowatt.bulk.source import Part
from stowatt.data.book_parquet import exact_texts
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit
from stowatt.errors import BookFileError

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]

_SIDES: Final = {"sell": False, "buy": True}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one batch."""

    group: int
    """The row group that it is of."""
    before: int
    """Rows of the part before it."""
    window: Numbers
    """Each row's window, numbered within the part."""
    ticks: Counts
    widths: Counts
    buys: Flags

    def __len__(self) -> int:
        return len(self.ticks)


@dataclass(frozen=True, slots=True, eq=False)
class BidRows(Rows):
    """The same with the bids that they are of."""

    person: Numbers
    """Each row's participant, as a place in `people`."""
    people: Names
    starts: Ints
    """The first row of each run: rows of one window and participant that follow one another."""


@dataclass(slots=True)
class RowReader:
    """Reads one part. `windows` grows while it is read, in order of first appearance."""

    part: Part
    unit: DecimalUnit
    windows: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _known: dict[str, tuple[Any, Names]] = field(default_factory=dict)
    _hashes: Words = field(default_factory=lambda: np.zeros(0, np.uint64))

    def rows(self) -> Iterator[BidRows]:
        """Every batch; BookFileError at the first bad cell, after all rows before it were given."""
        for group, before, batch in self.part.batches():
            if batch.num_rows == 0:
                continue
            try:
                rows = self._read(group, before, batch)
            except BookFileError as error:
                good = 0 if error.line is None else error.line - 1 - self.part.row_in_file - before
                if good > 0:
                    yield self._read(group, before, batch.slice(0, good))
                raise
            yield rows

    def _read(self, group: int, before: int, batch: Any) -> BidRows:
        windows, people = self._names(batch, "window"), self._names(batch, "participant")
        ticks = Counter(self.unit, 0).counts(batch.column("price"))
        widths = Counter(WH_IN_KWH, 1).counts(batch.column("quantity"))
        buys = _sides(batch.column("side"))
        if windows is None or people is None or ticks is None or widths is None or buys is None:
            exact = read_exactly(self.part.path, self.part.row_in_file + before, batch, self.unit)
            windows, people = (
                (Names(column.dictionary), column.indices.to_numpy()) for column in (exact.windows, exact.participants)
            )
            ticks, widths, buys = exact.ticks, exact.widths, exact.buys
        window = self._numbered(*windows)
        changes = people[1][1:] != people[1][:-1]
        if len(windows[0]) > 1:
            changes |= window[1:] != window[:-1]
        starts = np.concatenate((np.zeros(min(1, len(ticks)), np.int64), np.flatnonzero(changes) + 1))
        return BidRows(group, before, window, ticks, widths, buys, people[1], people[0], starts)

    def _names(self, batch: Any, name: str) -> tuple[Names, Numbers] | None:
        """The different names of a column and each row's place among them."""
        column = batch.column(name)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        if column.null_count:
            return None
        last, names = self._known.get(name, (None, None))
        # The batches of a row group share their dictionary.
        if names is None or not _same(last, column.dictionary):
            names = _named(self.part.path, name, column.dictionary)
            if names is None:
                return None
            self._known[name] = column.dictionary, names
        return names, column.indices.to_numpy().astype(np.int32, copy=False)

    def _numbered(self, names: Names, codes: Numbers) -> Numbers:
        """The part's numbers of the rows' windows; new ones are counted on in the order of the rows."""
        table = np.zeros(len(names), np.int32)
        if len(codes) == 0:
            return table[codes]
        firsts = np.full(len(names), -1, np.int64)
        firsts[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        used = np.flatnonzero(firsts >= 0)
        for code in used[np.argsort(firsts[used])].tolist():
            text = names[code]
            if text not in self._numbers:
                self._numbers[text] = len(self.windows)
                self.windows.append(text)
            table[code] = self._numbers[text]
        return table[codes]

    def window_hashes(self, key: int) -> Words:
        """Of the windows so far."""
        if len(self._hashes) != len(self.windows):
            self._hashes = Names(pa.array(self.windows, pa.string())).hashes(key)
        return self._hashes


def run_hashes(rows: BidRows, windows: Words, key: int) -> Words:
    """One for each run: rows of one window and one participant have the same, wherever they are."""
    people = rows.people.hashes(key)[rows.person[rows.starts]]
    return mix(people + windows[rows.window[rows.starts]])


def _same(a: Any, b: Any) -> bool:
    if len(a) != len(b) or a.offset != b.offset:
        return False
    pairs = zip(a.buffers(), b.buffers(), strict=True)
    return all((x and x.address) == (y and y.address) for x, y in pairs)


def _named(path: str, name: str, dictionary: Any) -> Names | None:
    kind = dictionary.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return Names.of(dictionary)
    if dictionary.null_count:
        return None
    return Names.of(pa.array(exact_texts(path, name, dictionary), pa.string()))


def _sides(column: Any) -> Flags | None:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.null_count or column.dictionary.null_count:
        return None
    found = [_SIDES.get(str(text).strip(" \t")) for text in column.dictionary.to_pylist()]
    if None in found:
        return None
    flags: Flags = np.array(found, np.bool_)[column.indices.to_numpy()]
    return flags
