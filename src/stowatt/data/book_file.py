"""Book files: the bids of any number of windows, as CSV or Parquet, read exactly (§1, §2).

Columns, in any order: `window`, `participant`, `side` (`sell` or `buy`), `price` (money per kWh) and `quantity` (kWh).
The rows of one window and participant are one curve, in any order; widths at one price are added. Other columns are
ignored, and so are blank lines and blanks around a cell. A row that breaks a rule is one error that names it.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from stowatt.clearing import Book
from stowatt.curves import Curve, Side
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit, shown
from stowatt.errors import BookFileError, UnitError
from stowatt.units import MAX_SEGMENTS, MAX_TICK, MAX_WIDTH_WH

COLUMNS: Final = ("window", "participant", "side", "price", "quantity")
PARQUET_MAGIC: Final = b"PAR1"
PARQUET_ENDS: Final = (".parquet", ".pq")
ROWS_PER_REPORT: Final = 8192

Progress = Callable[[int, int], None]
"""Called now and then with the rows read and (about) the rows there are."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SIDES: Final = {side.word: side for side in Side}


Report = Callable[[BookFileError], None]
"""Called with each error of a file's form; unless it raises the error, reading goes on behind it."""

Row = tuple[int, str, str, str, str, str]
"""One row as text: its place (first line in a CSV file, number in a Parquet file), then the cells of COLUMNS."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """The rows of a file, and what it takes to name one of them in an error."""

    path: str
    counts: str
    """What `place` counts: `line` or `row`."""
    rows: Iterator[Row]
    total: int

    def refuse(self, place: int, column: str | None, what: str, way_out: str) -> NoReturn:
        """Raise the error that names the row."""
        raise self.error(place, column, what, way_out)

    def error(self, place: int, column: str | None, what: str, way_out: str) -> BookFileError:
        """The error that names the row."""
        return BookFileError(self.path, what, way_out, line=place, column=column, counts=self.counts)

    def two_sides(self, place: int, participant: str, window: str, first: Side) -> BookFileError:
        """§2: an account is on one side of a window only."""
        what = f"{shown(participant)} already has a {first.word} curve in window {shown(window)}"
        return self.error(place, "side", what, "an account is on one side of a window only (§2)")

    def too_many_prices(self, place: int, participant: str, window: str) -> BookFileError:
        """§2: a curve has at most 16 segments."""
        what = f"{shown(participant)} has more than {MAX_SEGMENTS} prices in window {shown(window)}"
        return self.error(place, "price", what, f"merge steps: a curve has at most {MAX_SEGMENTS} (§2)")

    def too_wide(self, place: int, participant: str, width: int) -> BookFileError:
        """§2: the rows at one price make one segment, which has a widest width."""
        what = f"{shown(participant)} has {width} Wh at one price"
        return self.error(place, "quantity", what, f"the most is {MAX_WIDTH_WH} Wh (§2)")


def raise_error(error: BookFileError) -> None:
    """The report that ends the reading at the first error."""
    raise error


def read_book(path: Path, tick_size: DecimalUnit, progress: Progress | None = None) -> dict[str, Book]:
    """Every window of a book file with its book, in order of first appearance. Bids keep the file's order too."""
    data = _read_bytes(path)
    if is_parquet(path, data):
        from stowatt.data.book_parquet import parquet_rows

        source = parquet_rows(str(path), data)
    else:
        source = csv_rows(str(path), data)
    return BookReader(source, tick_size).read(progress)


def is_parquet(path: Path, start: bytes) -> bool:
    """Whether a file is Parquet, by its first bytes or its name."""
    return start.startswith(PARQUET_MAGIC) or path.suffix.lower() in PARQUET_ENDS


def _read_bytes(path: Path) -> bytes:
    with readable(path):
        return path.read_bytes()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what the system says about a file into an error that names it."""
    name = str(path)
    try:
        yield
    except FileNotFoundError:
        raise BookFileError(name, "there is no such file", "check the path") from None
    except IsADirectoryError:
        raise BookFileError(name, "is a directory", "name a CSV or Parquet file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BookFileError(name, f"cannot be read: {reason}", "check the path and its permissions") from None


# ---- CSV ----


def csv_rows(path: str, data: bytes) -> RowSource:
    """The rows of a CSV file: UTF-8 with or without a byte-order mark, any line ends, comma, RFC 4180 quotes."""
    text = _decode(path, data)
    if not text.strip():
        raise empty_file(path)
    return RowSource(path, "line", rows_of_lines(path, io.StringIO(text, newline="")), text.count("\n"))


def empty_file(path: str) -> BookFileError:
    """The error of a CSV file without a header."""
    return BookFileError(path, "the file is empty", f"its first line must be {','.join(COLUMNS)}", line=1)


def _decode(path: str, data: bytes) -> str:
    check_encoding(path, data)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise not_utf8(path, error.object[error.start], line) from None


def check_encoding(path: str, start: bytes) -> None:
    """Refuse UTF-16 by the first bytes of the file."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BookFileError(path, "the file is UTF-16", "save it as UTF-8", line=1)


def not_utf8(path: str, byte: int, line: int) -> BookFileError:
    """The error of a byte that is no part of a character."""
    return BookFileError(path, f"byte 0x{byte:02x} is not UTF-8", "save the file as UTF-8", line=line)


def rows_of_lines(path: str, lines: Iterable[str], report: Report = raise_error) -> Iterator[Row]:
    """The rows of a CSV file's lines, which keep their ends. A row of the wrong form is reported and left out."""
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        header: list[str] = []
        while not any(header):
            line = reader.line_num + 1
            # A file of blank cells has no header: its end stands for one, so that the columns are found missing.
            header = [cell.strip() for cell in next(reader, ["nothing"])]
    except csv.Error as error:
        raise _not_csv(path, error, line) from None
    window, participant, side, price, quantity = check_header(path, header, line)
    at_end = False
    while not at_end:
        broken = None
        try:
            line = reader.line_num + 1
            for cells in reader:
                if len(cells) == len(header):
                    yield line, cells[window], cells[participant], cells[side], cells[price], cells[quantity]
                elif cells and (len(cells) > 1 or cells[0].strip()):
                    what = f"the row has {len(cells)} cells instead of {len(header)}: {shown(','.join(cells))}"
                    way_out = "give every column one cell; quote cells with commas"
                    report(BookFileError(path, what, way_out, line=line))
                line = reader.line_num + 1
            at_end = True
        except csv.Error as error:
            broken = _not_csv(path, error, line)
        if broken:
            report(broken)


def _not_csv(path: str, error: csv.Error, line: int) -> BookFileError:
    what = f"the row is not valid CSV ({error})"
    return BookFileError(path, what, 'close every quote, and write a quote inside a cell as ""', line=line)


def check_header(path: str, header: list[str], line: int | None) -> list[int]:
    """Where each of the five columns is."""
    for name in COLUMNS:
        if name not in header:
            what = f"column {name!r} is missing, found {shown(','.join(header))}"
            raise BookFileError(path, what, f"the columns are {','.join(COLUMNS)}", line=line)
        if header.count(name) > 1:
            raise BookFileError(path, f"column {name!r} is there twice", "keep one of them", line=line)
    return [header.index(name) for name in COLUMNS]


# ---- cells ----


@dataclass(slots=True)
class CellReader:
    """What the cells of a file mean, looked up once for each different text."""

    source: RowSource
    tick_size: DecimalUnit
    ticks: dict[str, int] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def name(self, place: int, column: str, text: str) -> str:
        """The name in a cell of `window` or `participant`, without the blanks around it."""
        name = text.strip(" \t")
        if not name:
            self.source.refuse(place, column, "is empty", f"give every row a {column}")
        if _CONTROL.search(name):
            what = f"{shown(name)} contains a line break or another control character"
            self.source.refuse(place, column, what, "keep every name on one line")
        self.names[text] = name
        return name

    def side(self, place: int, text: str) -> Side:
        """The side that a cell names."""
        side = _SIDES.get(text.strip(" \t"))
        if side is None:
            self.source.refuse(place, "side", f"{shown(text)} is no side", "write sell or buy")
        return side

    def tick(self, place: int, cell: str) -> int:
        """§1: the price of a cell in whole ticks."""
        text = cell.strip(" \t")
        tick = self._count(place, "price", text, self.tick_size)
        if tick is None:
            what = f"{shown(text)} is not a whole number of ticks of {self.tick_size.text(1)}"
            self.source.refuse(place, "price", what, "round the price or choose a finer tick size (§1)")
        if tick < 0:
            self.source.refuse(place, "price", f"{shown(text)} is negative", "give a price from 0")
        if tick > MAX_TICK:
            way_out = f"the highest price is {self.tick_size.text(MAX_TICK)} with this tick size"
            self.source.refuse(place, "price", f"{shown(text)} is too high", way_out)
        self.ticks[cell] = tick
        return tick

    def width(self, place: int, cell: str) -> int:
        """§1, §2: the quantity of a cell in whole Wh."""
        text = cell.strip(" \t")
        width = self._count(place, "quantity", text, WH_IN_KWH)
        if width is None:
            what = f"{shown(text)} kWh is not a whole number of Wh"
            self.source.refuse(place, "quantity", what, "give at most three decimals (§1)")
        if width < 0:
            self.source.refuse(place, "quantity", f"{shown(text)} is negative", "give a quantity above 0 (§2)")
        if width == 0:
            self.source.refuse(place, "quantity", f"{shown(text)} is zero", "leave the row out (§2)")
        if width > MAX_WIDTH_WH:
            way_out = f"the most is {WH_IN_KWH.text(MAX_WIDTH_WH)} kWh; is the quantity in kWh? (§2)"
            self.source.refuse(place, "quantity", f"{shown(text)} kWh is too much", way_out)
        self.widths[cell] = width
        return width

    def _count(self, place: int, column: str, text: str, unit: DecimalUnit) -> int | None:
        try:
            return unit.count(text)
        except UnitError as error:
            self.source.refuse(place, column, error.what, error.way_out)


# ---- rows to books ----


@dataclass(slots=True)
class BookReader(CellReader):
    """Turns rows into books."""

    windows: dict[str, dict[str, tuple[Side, dict[int, int]]]] = field(default_factory=dict)

    def read(self, progress: Progress | None) -> dict[str, Book]:
        for number, row in enumerate(self.source.rows, start=1):
            self._add(row)
            if progress and number % ROWS_PER_REPORT == 0:
                progress(row[0], self.source.total)
        return {
            window: Book.of((participant, Curve.of(side, steps.items())) for participant, (side, steps) in bids.items())
            for window, bids in self.windows.items()
        }

    def _add(self, row: Row) -> None:
        place, window_text, participant_text, side_text, price, quantity = row
        window = self.names.get(window_text) or self.name(place, "window", window_text)
        participant = self.names.get(participant_text) or self.name(place, "participant", participant_text)
        side = _SIDES.get(side_text)
        if side is None:
            side = self.side(place, side_text)
        tick = self.ticks.get(price)
        if tick is None:
            tick = self.tick(place, price)
        width = self.widths.get(quantity) or self.width(place, quantity)
        bids = self.windows.get(window)
        if bids is None:
            bids = self.windows[window] = {}
        bid = bids.get(participant)
        if bid is None:
            bids[participant] = (side, {tick: width})
        else:
            self._add_step(place, window, participant, bid, (side, tick, width))

    def _add_step(
        self, place: int, window: str, participant: str, bid: tuple[Side, dict[int, int]], step: tuple[Side, int, int]
    ) -> None:
        """One more row of a curve: on the same side, at most 16 prices, none too wide (§2)."""
        (curve_side, steps), (side, tick, width) = bid, step
        if curve_side is not side:
            raise self.source.two_sides(place, participant, window, curve_side)
        steps[tick] = merged = steps.get(tick, 0) + width
        if len(steps) > MAX_SEGMENTS:
            raise self.source.too_many_prices(place, participant, window)
        if merged > MAX_WIDTH_WH:
            raise self.source.too_wide(place, participant, merged)
