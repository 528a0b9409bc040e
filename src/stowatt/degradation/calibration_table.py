"""Tables of measurements in CSV or Parquet: cells as text with the place of each row, and errors that name it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final, NoReturn

from stowatt.data.decimals import parse_decimal, shown
from stowatt.errors import StowattError, UnitError

PARQUET_MAGIC: Final = b"PAR1"


class CalibrationError(StowattError):
    """(28): operating data, or parameters of wear, that cannot be used."""


class OperatingDataError(CalibrationError):
    """A file of operating data, or one value of it, that cannot be read; the message names file, line and column."""


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file as text, one list for each column."""

    path: str
    counts: str
    """What `places` counts: `line` in CSV, `row` in Parquet."""
    places: list[int]
    columns: dict[str, list[str]]

    def refuse(self, row: int | None, column: str | None, what: str, way_out: str) -> NoReturn:
        """Raise the error that names the file, the line and the column."""
        place = "" if row is None else f", {self.counts} {self.places[row]}"
        place += f", column {column}" if column else ""
        raise OperatingDataError(f"{self.path}{place}: {what}", way_out)

    def require(self, *names: str) -> None:
        """Every one of the columns must be there."""
        for name in names:
            if name not in self.columns:
                found = shown(",".join(self.columns))
                self.refuse(None, None, f"column {name!r} is missing, found {found}", f"it needs {','.join(names)}")

    def numbers(self, name: str, low: float, high: float, advice: str) -> list[float]:
        """The column as numbers in [low, high]."""
        values = []
        for row, text in enumerate(self.columns[name]):
            try:
                parse_decimal(text.strip())
            except UnitError as error:
                self.refuse(row, name, error.what, error.way_out)
            value = float(text)
            if not (isfinite(value) and low <= value <= high):
                self.refuse(row, name, f"{shown(text.strip())} is outside {low:g} to {high:g}", advice)
            values.append(value)
        return values

    def labels(self, name: str) -> list[str]:
        """The column as names, none of them empty."""
        values = [text.strip() for text in self.columns[name]]
        if "" in values:
            self.refuse(values.index(""), name, "is empty", "give every row a name")
        return values


def read_table(path: Path) -> Table:
    """The whole file. Parquet is recognised by its first bytes."""
    data = _read_bytes(path)
    table = _parquet(str(path), data) if data.startswith(PARQUET_MAGIC) else _csv(str(path), data)
    if not table.places:
        table.refuse(None, None, "there is no row below the header", "add measurements")
    return table


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise OperatingDataError(f"{path}: is a directory", "name a CSV or Parquet file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise OperatingDataError(f"{path}: there is no such file", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OperatingDataError(f"{path}: cannot be read: {reason}", "check the path and its permissions") from None


def _csv(path: str, data: bytes) -> Table:
    reader = csv.reader(io.StringIO(_decode(path, data), newline=""), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    places: list[int] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if not header:
                    header = _check_header(path, [cell.strip() for cell in cells])
                elif len(cells) != len(header):
                    what = f"the row has {len(cells)} cells instead of {len(header)}: {shown(','.join(cells))}"
                    raise OperatingDataError(f"{path}, line {line}: {what}", "give every column one cell")
                else:
                    rows.append(cells)
                    places.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        what = f"the row is not valid CSV ({error})"
        raise OperatingDataError(f"{path}, line {line}: {what}", "close every quote") from None
    if not header:
        raise OperatingDataError(f"{path}: the file is empty", "its first line names the columns")
    return Table(path, "line", places, {name: [row[at] for row in rows] for at, name in enumerate(header)})


def _decode(path: str, data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise OperatingDataError(f"{path}: the file is UTF-16", "save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise OperatingDataError(f"{path}, line {line}: {what}", "save the file as UTF-8") from None


def _check_header(path: str, header: Sequence[str]) -> list[str]:
    for name in header:
        if header.count(name) > 1:
            raise OperatingDataError(f"{path}: column {name!r} is there twice", "keep one of them")
    return list(header)


def _parquet(path: str, data: bytes) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data), use_threads=False)
        columns = {name: [_text(value) for value in table.column(name).to_pylist()] for name in table.column_names}
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise OperatingDataError(
            f"{path}: is not a readable Parquet file ({reason})", "write it again, or use CSV"
        ) from None
    _check_header(path, table.column_names)
    return Table(path, "row", list(range(1, table.num_rows + 1)), columns)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
