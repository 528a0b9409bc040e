"""Every problem of a book file, not only the first: what `stowatt clear` would refuse, row by row.

Rows with a bad cell are left out of the rules for whole curves. Memory: 25 bytes a row and about 150 for each different
window, participant, price and quantity; while curves are checked, another 75 bytes a row.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stowatt.curves import Side
from stowatt.data.book_columns import read_columns
from stowatt.data.book_file import COLUMNS, Progress, Row
from stowatt.data.book_rules import Fault, merge, side_errors
from stowatt.data.book_stream import open_rows
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit
from stowatt.errors import BookFileError

LONGEST_VALUE = 200
"""Characters of a cell that a problem repeats."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault and its cell: its text, or for a sum over several rows, the sum as the cell would spell it."""

    error: BookFileError
    value: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The parts of the message."""
        error = self.error
        return {
            "file": error.path,
            error.counts: error.line,
            "column": error.column,
            "value": self.value,
            "problem": error.reason,
            "way_out": error.way_out,
        }


@dataclass(slots=True)
class Findings:
    """What one file has: its good rows, and its problems in the file's order, of which `most` are kept."""

    path: str
    most: int
    rows: int = 0
    """Rows without a problem of their own."""
    windows: int = 0
    curves: int = 0
    count: int = 0
    """Problems in all."""
    problems: list[Problem] = field(default_factory=list)

    def add(self, error: BookFileError, row: Row | None = None) -> None:
        """One more problem."""
        self.count += 1
        if len(self.problems) < self.most:
            value = None if row is None or error.column is None else row[1 + COLUMNS.index(error.column)]
            self.problems.append(Problem(error, None if value is None else str(value)[:LONGEST_VALUE]))


def find_problems(path: Path, tick_size: DecimalUnit, most: int, progress: Progress | None = None) -> Findings:
    """Check a whole file. A file that cannot be read at all has that as its one problem, or as its last."""
    found = Findings(str(path), most)
    try:
        with open_rows(path, found.add) as source:
            columns = read_columns(source, tick_size, progress, found.add)
            found.rows, found.windows = len(columns), len(columns.windows)
            segments, faults = merge(source, columns, most)
            found.curves = _different(segments.window, segments.participant)
            found.count += faults.count
            found.problems += [Problem(fault.error, _value(fault, tick_size)) for fault in faults.first]
            found.problems.sort(key=lambda problem: problem.error.line or 0)
            for error in side_errors(source, segments):
                found.add(error)
            del found.problems[most:]
    except BookFileError as error:
        found.add(error)
    return found


def _different(windows: Any, participants: Any) -> int:
    """How many curves there are, in columns that are sorted by both."""
    changes = (windows[1:] != windows[:-1]) | (participants[1:] != participants[:-1])
    return int(changes.sum()) + min(1, len(windows))


def _value(fault: Fault, tick_size: DecimalUnit) -> str:
    if fault.column == "side":
        return Side(fault.value).word
    return (tick_size if fault.column == "price" else WH_IN_KWH).text(fault.value)
