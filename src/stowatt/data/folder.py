"""A folder of the user's own homes as CSV files; the format is documented in docs/homes.md.

One file for each home, named after it, with the columns `timestamp,load_kwh,pv_kwh`; optionally `homes.csv`
with the columns `home,usable_kwh,power_kw,efficiency,initial_kwh` for those that have a battery, and perhaps
`cells,age_years`.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stowatt.data.homes import CELLS, MOST_YEARS, WINDOW, WINDOW_S, Battery, Home, HomesError, to_wh
from stowatt.units import PPM

PROFILE_COLUMNS = ("timestamp", "load_kwh", "pv_kwh")
BATTERY_COLUMNS = ("home", "usable_kwh", "power_kw", "efficiency", "initial_kwh")
WEAR_COLUMNS = ("cells", "age_years")
"""Optional: without the column, or with an empty cell, LFP cells of four years."""
BATTERY_FILE = "homes.csv"
MAX_KWH = Decimal(1_000_000)
"""The most that one cell may hold, kWh or kW: beyond any low-voltage connection, so a mistake of unit."""

FIRST_YEAR, LAST_YEAR = 1971, 2999


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell with its place, for errors that name it."""

    file: str
    line: int
    column: str
    text: str

    def error(self, problem: str, way_out: str) -> HomesError:
        return HomesError(f"{self.file}, row {self.line}, {self.column} = {self.text[:80]!r}: {problem}", way_out)


def read_folder(folder: Path, zone: str = "Europe/Berlin") -> list[Home]:
    """All homes of a folder, by name. `zone` is the clock of timestamps that carry no offset."""
    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise HomesError(f"unknown time zone {zone!r}", "use a name like Europe/Berlin") from error
    if not folder.is_dir():
        raise HomesError(f"{folder} is not a folder", "give one that holds a CSV file for each home")
    files = sorted(file for file in folder.glob("*.csv") if file.name != BATTERY_FILE)
    if not files:
        raise HomesError(f"{folder} holds no home", "put one CSV file for each home into it (docs/homes.md)")
    homes = {file.stem: read_home(file, clock) for file in files}
    if (folder / BATTERY_FILE).exists():
        for home, battery in read_batteries(folder / BATTERY_FILE, set(homes)).items():
            homes[home] = replace(homes[home], battery=battery)
    return list(homes.values())


def read_home(file: Path, clock: ZoneInfo) -> Home:
    """One home's profile."""
    start: datetime | None = None
    due: datetime | None = None
    load: list[int] = []
    pv: list[int] = []
    for stamp, load_cell, pv_cell in _rows(file, PROFILE_COLUMNS):
        at = _instant(stamp, clock, due)
        if due is None:
            start = at
        elif at != due:
            raise _sequence_error(stamp, at, due, first_step=len(load) == 1)
        due = at + WINDOW
        load.append(to_wh(_decimal(load_cell)))
        pv.append(to_wh(_decimal(pv_cell)))
    if start is None:
        raise HomesError(f"{file.name}: no rows below the header", "give one row for each quarter of an hour")
    return Home(file.stem, start, tuple(load), tuple(pv))


def read_batteries(file: Path, homes: set[str]) -> dict[str, Battery]:
    """The batteries of `homes.csv`, by home."""
    found: dict[str, Battery] = {}
    for name, usable, power, efficiency, initial, cells, age in _rows(file, BATTERY_COLUMNS, WEAR_COLUMNS):
        if name.text not in homes:
            raise name.error("there is no such home", f"add {name.text}.csv or remove the row")
        if name.text in found:
            raise name.error("the home appears twice", "keep one row for each home")
        for cell in (usable, power, efficiency):
            if _decimal(cell) == 0:
                raise cell.error("is zero", "give the battery's value, or remove the row of a home without battery")
        if _decimal(efficiency) > 1:
            raise efficiency.error("is above 1", "give the one-way efficiency as a fraction, such as 0.95")
        if _decimal(initial) > _decimal(usable):
            raise initial.error("is above usable_kwh", "give the energy stored at the profile's first row")
        found[name.text] = Battery(
            usable_wh=_at_least_one(usable, to_wh(_decimal(usable))),
            power_w=_at_least_one(power, to_wh(_decimal(power))),
            efficiency_ppm=_at_least_one(efficiency, int(_decimal(efficiency) * PPM)),
            energy_wh=to_wh(_decimal(initial)),
            cells=_cells(cells),
            age_years=_years(age),
        )
    return found


def _cells(cell: _Cell) -> str:
    kind = cell.text.lower() or "lfp"
    if kind not in CELLS:
        raise cell.error("is no kind of cells", f"choose from {', '.join(CELLS)}")
    return kind


def _years(cell: _Cell) -> int:
    if not cell.text:
        return 4
    value = _decimal(cell)
    if value != int(value) or not 1 <= value <= MOST_YEARS:
        raise cell.error("is no age in whole years", f"give 1 to {MOST_YEARS}")
    return int(value)


def _rows(file: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> Iterator[tuple[_Cell, ...]]:
    """The cells of the named columns, row by row; an optional one that is not there is empty. A byte-order mark, CRLF
    and blank lines are accepted."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            header = [name.strip() for name in next(reader, [])]
            named = (*columns, *(column for column in optional if column in header))
            places = _places(file, header, named)
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(header):
                    raise HomesError(
                        f"{file.name}, row {reader.line_num}: {len(row)} cells but the header has {len(header)}",
                        "write decimals with a point and one cell for each column",
                    )
                found = dict(zip(named, (row[place].strip() for place in places), strict=True))
                yield tuple(
                    _Cell(file.name, reader.line_num, column, found.get(column, "")) for column in (*columns, *optional)
                )
    except UnicodeDecodeError as error:
        raise HomesError(f"{file.name}: not a UTF-8 text (byte {error.start})", "save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise HomesError(f"{file.name}: not a CSV file ({error})", "save it as CSV with commas") from error
    except OSError as error:
        raise HomesError(f"{file.name}: cannot be read ({error.strerror})", "check the file") from error


def _places(file: Path, header: list[str], columns: tuple[str, ...]) -> list[int]:
    if not header:
        raise HomesError(f"{file.name}: the file is empty", f"its first row must be {','.join(columns)}")
    for column in columns:
        if header.count(column) > 1:
            raise HomesError(f"{file.name}, row 1: column {column} appears twice", "keep one")
        if column not in header:
            hint = (
                "separate the columns by commas" if ";" in header[0] else f"the first row must be {','.join(columns)}"
            )
            raise HomesError(f"{file.name}, row 1: no column {column} in {','.join(header)[:80]!r}", hint)
    return [header.index(column) for column in columns]


def _decimal(cell: _Cell) -> Decimal:
    """A finite decimal of at least 0 and at most MAX_KWH."""
    if not cell.text:
        raise cell.error("the cell is empty", "write 0 where there is none")
    try:
        value = Decimal(cell.text)
    except InvalidOperation as error:
        raise cell.error("is not a number", "write a decimal such as 0.25") from error
    if not value.is_finite():
        raise cell.error("is not a finite number", "fill the gap with a measured or estimated value")
    if value < 0:
        raise cell.error("is negative", "give consumption and generation as two columns, both at least 0")
    if value > MAX_KWH:
        raise cell.error(f"is above {MAX_KWH}", "check the unit: kWh for a window, kWh or kW for a battery")
    return value


def _at_least_one(cell: _Cell, value: int) -> int:
    if value < 1:
        raise cell.error("rounds to zero", "check the unit: kWh, kW, and a fraction for the efficiency")
    return value


def _instant(cell: _Cell, clock: ZoneInfo, due: datetime | None) -> datetime:
    """A timestamp in UTC. Without an offset it is read on `clock`; in the hour that an autumn night repeats, the
    second pass is recognised by its place (it would otherwise go back in time)."""
    try:
        stamp = datetime.fromisoformat(cell.text)
    except ValueError as error:
        raise cell.error(
            "is not an ISO timestamp", "write it like 2016-04-20T17:00 or 2016-04-20T17:00+02:00"
        ) from error
    if not FIRST_YEAR <= stamp.year <= LAST_YEAR:
        raise cell.error(f"is outside {FIRST_YEAR} to {LAST_YEAR}", "check the year")
    if stamp.tzinfo is None:
        local = stamp.replace(tzinfo=clock)
        at = local.astimezone(UTC)
        if at.astimezone(clock).replace(tzinfo=None) != stamp:
            raise cell.error(f"does not exist on the clock of {clock.key}", "add the offset, such as +02:00")
        if due is not None and at < due:
            at = local.replace(fold=1).astimezone(UTC)
    else:
        at = stamp.astimezone(UTC)
    if int(at.timestamp()) % WINDOW_S or at.microsecond:
        raise cell.error("is not the start of a quarter of an hour", "resample the profile to 15 minutes")
    return at


def _sequence_error(cell: _Cell, at: datetime, due: datetime, *, first_step: bool) -> HomesError:
    """What is wrong with a row that does not follow the one above it."""
    if at == due - WINDOW:
        return cell.error("the same timestamp appears twice", "keep one row for each window")
    if at < due:
        return cell.error("goes back in time", "sort the rows by timestamp")
    minutes = (at - due + WINDOW).total_seconds() / 60
    if first_step:
        return cell.error(f"follows after {minutes:g} minutes", "resample the profile to 15 minutes")
    missing = (at - due) // WINDOW
    return cell.error(f"{missing} row(s) missing before it", f"the next was due at {due.isoformat()}: fill the gap")
