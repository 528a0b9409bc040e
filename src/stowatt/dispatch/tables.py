"""Dispatch schedules as CSV, one table for the batteries, one for the buyers, one for the pairs.

The tables hold what a controller or a spreadsheet needs: one row for each window, times in UTC, energies in whole Wh,
powers in whole W. Each can be read back row by row. The whole plan, with states and verdicts, is in the JSON document.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.pairing import Pair
from stowatt.dispatch.schedules import BatteryRow, BuyerRow, DispatchPlan
from stowatt.units import Wh

_BATTERY_NUMBERS: Final = (
    "sold_wh", "due_wh", "deliver_wh", "average_w", "peak_w", "own_wh", "charge_wh", "before_wh", "after_wh",
    "missing_wh",
)  # fmt: skip
BATTERY_COLUMNS: Final = ("device", "window", "start", "end", *_BATTERY_NUMBERS, "rights")
BUYER_COLUMNS: Final = ("holder", "window", "start", "end", "wh", "average_w", "rights")
PAIR_COLUMNS: Final = ("window", "sell", "buy", "wh")


class BatteryLine(NamedTuple):
    """A row of the batteries' table."""

    device: int
    row: BatteryRow


class BuyerLine(NamedTuple):
    """A row of the buyers' table."""

    holder: str
    row: BuyerRow


def battery_csv(plan: DispatchPlan) -> str:
    """One row for each battery and window."""
    return _csv(
        BATTERY_COLUMNS,
        (
            [battery.device, row.window, _utc(row.start), _utc(row.end)]
            + [getattr(row, name) for name in _BATTERY_NUMBERS]
            + [_tokens(row.rights)]
            for battery in plan.batteries
            for row in battery.rows
        ),
    )


def buyer_csv(plan: DispatchPlan) -> str:
    """One row for each buyer and window."""
    return _csv(
        BUYER_COLUMNS,
        (
            [buyer.holder, row.window, _utc(row.start), _utc(row.end), row.wh, row.average_w, _tokens(row.rights)]
            for buyer in plan.buyers
            for row in buyer.rows
        ),
    )


def pair_csv(plan: DispatchPlan) -> str:
    """One row for each pair."""
    return _csv(PAIR_COLUMNS, ([pair.window, hex(pair.sell), hex(pair.buy), pair.wh] for pair in plan.pairs))


def read_batteries(path: Path) -> list[BatteryLine]:
    """The rows that `battery_csv` wrote."""
    found = []
    for cells in _rows(path, BATTERY_COLUMNS):
        numbers = dict(zip(_BATTERY_NUMBERS, [cells.number(name) for name in _BATTERY_NUMBERS], strict=True))
        row = BatteryRow(
            window=cells.number("window"),
            start=cells.time("start"),
            end=cells.time("end"),
            rights=cells.tokens("rights"),
            **numbers,
        )
        found.append(BatteryLine(cells.number("device"), row))
    return found


def read_buyers(path: Path) -> list[BuyerLine]:
    """The rows that `buyer_csv` wrote."""
    return [
        BuyerLine(
            cells.text("holder"),
            BuyerRow(
                cells.number("window"), cells.time("start"), cells.time("end"), cells.tokens("rights"),
                cells.number("wh"), cells.number("average_w"),
            ),
        )
        for cells in _rows(path, BUYER_COLUMNS)
    ]  # fmt: skip


def read_pairs(path: Path) -> list[Pair]:
    """The rows that `pair_csv` wrote."""
    return [
        Pair(cells.number("window"), cells.token("sell"), cells.token("buy"), Wh(cells.number("wh")))
        for cells in _rows(path, PAIR_COLUMNS)
    ]


class _Cells:
    """One row by column, with errors that name the place."""

    def __init__(self, path: Path, line: int, columns: Sequence[str], row: Sequence[str]) -> None:
        self.path, self.line, self.row = path, line, dict(zip(columns, row, strict=True))

    def text(self, name: str) -> str:
        """As it stands."""
        return self.row[name]

    def number(self, name: str) -> int:
        """A whole number from 0."""
        text = self.row[name]
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise self._error(name, "a whole number from 0")
        return int(text)

    def token(self, name: str, text: str | None = None) -> int:
        """0x and hex digits."""
        text = self.row[name] if text is None else text
        try:
            number = int(text, 16) if text.startswith("0x") and len(text) <= 66 else -1
        except ValueError:
            number = -1
        if number < 0:
            raise self._error(name, "0x and hexadecimal digits")
        return number

    def tokens(self, name: str) -> tuple[int, ...]:
        """Several, separated by spaces."""
        return tuple(self.token(name, text) for text in self.row[name].split())

    def time(self, name: str) -> int:
        """A time in UTC such as 2026-04-21T15:00:00Z."""
        try:
            return int(datetime.strptime(self.row[name], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
        except ValueError:
            raise self._error(name, "a time such as 2026-04-21T15:00:00Z") from None

    def _error(self, name: str, wanted: str) -> DispatchError:
        return DispatchError(
            f"{self.path}, line {self.line}, column {name}: {self.row[name][:60]!r}", f"it must be {wanted}"
        )


def _rows(path: Path, columns: Sequence[str]) -> Iterator[_Cells]:
    way_out = f"name a table of `stowatt dispatch`: {','.join(columns)}"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader, []) != list(columns):
                raise DispatchError(f"{path} has other columns", way_out)
            for row in reader:
                if len(row) != len(columns):
                    raise DispatchError(f"{path}, line {reader.line_num}: {len(row)} cells", way_out)
                yield _Cells(path, reader.line_num, columns, row)
    except OSError as error:
        raise DispatchError(f"{path} cannot be read: {error.strerror}", way_out) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DispatchError(f"{path} is not a CSV file: {error}", way_out) from None


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _utc(unix: int) -> str:
    try:
        return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        raise DispatchError(f"a window starts or ends at {unix}", "no calendar date has that time") from None


def _tokens(rights: Iterable[int]) -> str:
    return " ".join(map(hex, rights))
