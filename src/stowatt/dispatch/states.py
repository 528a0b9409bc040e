"""What the chain does not know of batteries, from their owners: stored energy, and a forecast of the own net load."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stowatt.data.decimals import WH_IN_KWH
from stowatt.devices import MAX_RATING
from stowatt.dispatch.errors import DispatchError
from stowatt.errors import UnitError

STATE_COLUMNS: Final = ("device", "stored_kwh")
FORECAST_COLUMNS: Final = ("device", "window", "net_load_kwh")


def read_states(path: Path) -> dict[int, int]:
    """Wh stored above the lowest permitted state when the battery's schedule starts, by device."""
    found: dict[int, int] = {}
    for place, (device, stored) in _rows(path, STATE_COLUMNS):
        number = _number(place, "device", device)
        if number in found:
            raise DispatchError(f"{place}: device {number} appears twice", "keep one row for each device")
        found[number] = _wh(place, "stored_kwh", stored, 0)
    return found


def read_forecast(path: Path) -> dict[tuple[int, int], int]:
    """By device and window, Wh that the home wants from its battery; negative: a surplus that can charge it."""
    found: dict[tuple[int, int], int] = {}
    for place, (device, window, load) in _rows(path, FORECAST_COLUMNS):
        key = _number(place, "device", device), _number(place, "window", window)
        if key in found:
            raise DispatchError(f"{place}: device {key[0]} has window {key[1]} twice", "keep one row for each window")
        found[key] = _wh(place, "net_load_kwh", load, -MAX_RATING)
    return found


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """The place of each row in words, and its cells in the order of `columns`."""
    way_out = f"give a CSV file whose first row is {','.join(columns)}"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if sorted(header) != sorted(columns):
                raise DispatchError(f"{path} has the columns {','.join(header)[:80]!r}", way_out)
            order = [header.index(column) for column in columns]
            for row in reader:
                if len(row) == len(columns):
                    yield f"{path}, line {reader.line_num}", [row[number].strip() for number in order]
                elif any(cell.strip() for cell in row):
                    raise DispatchError(f"{path}, line {reader.line_num}: {len(row)} cells", way_out)
    except OSError as error:
        raise DispatchError(f"{path} cannot be read: {error.strerror}", way_out) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DispatchError(f"{path} is not a CSV file: {error}", way_out) from None


def _number(place: str, column: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise DispatchError(f"{place}, column {column}: {text[:40]!r} is no number", "write a whole number from 0")
    return int(text)


def _wh(place: str, column: str, text: str, low: int) -> int:
    try:
        wh = WH_IN_KWH.count(text)
    except UnitError as error:
        raise DispatchError(f"{place}, column {column}: {error.what}", error.way_out) from None
    if wh is None or not low <= wh <= MAX_RATING:
        least = "from 0" if low == 0 else "of a battery's size"
        raise DispatchError(
            f"{place}, column {column}: {text[:40]!r} is out of range", f"give kWh {least} with at most three decimals"
        )
    return wh
