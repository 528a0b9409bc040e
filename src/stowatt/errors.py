"""Every error that a user can cause.

StowattError
├── UnitError            §1  a number that is not a whole number of Wh, ticks or base units
├── CurveError           §2  an ask or bid curve that the rules refuse
├── DeviceError          §2  impossible device parameters
├── BookError            §3  bids that cannot form a book: one account on both sides, two curves by one account
│   └── BookFileError    §3  a row of a book file that cannot be read
├── RuleError            §3  an unknown price rule or rationing, a seed out of range
├── CertificateError     §3  a clearing result that is not proved optimal
├── CommitmentError      §5  a commitment or an opening that the rules refuse
├── SettlementError      §6  a deposit, payment or release that the rules refuse
├── MeterError           §6  a meter reading that the rules refuse
├── LedgerError              the chain refuses, or cannot be reached
├── KeyStoreError            a key file that cannot be read or opened
└── OutputError              a file that cannot be written

An error is one line: what is wrong, with the value, and the way out. The command line prints it without a traceback and
ends with status 1.
"""

from typing import Any


class StowattError(Exception):
    """`what` is wrong, with the value in it; `way_out` says what to do instead."""

    def __init__(self, what: str, way_out: str = "") -> None:
        self.what = what
        self.way_out = way_out
        super().__init__(f"{what}; {way_out}" if way_out else what)

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes, whatever their constructors take."""
        return _again, (type(self), self.args), vars(self)


def _again(kind: type[StowattError], line: tuple[Any, ...]) -> StowattError:
    """An error without its values, which follow."""
    return kind.__new__(kind, *line)


class UnitError(StowattError):
    """§1: a number that is not a whole number of Wh, ticks or base units, or out of its range."""


class CurveError(StowattError):
    """§2: an ask or bid curve that the rules refuse."""


class DeviceError(StowattError):
    """§2: device parameters that no device can have."""


class BookError(StowattError):
    """§3: bids that cannot form the book of one window."""


class BookFileError(BookError):
    """§3: a book file, or one row of it, that cannot be read.

    `line` is, from 1, the row's first line in a CSV file (`counts` = "line") or its number in a Parquet file ("row").
    `reason` is what is wrong, without the place.
    """

    def __init__(
        self,
        path: str,
        what: str,
        way_out: str = "",
        *,
        line: int | None = None,
        column: str | None = None,
        counts: str = "line",
    ) -> None:
        self.path = path
        self.line = line
        self.column = column
        self.counts = counts
        self.reason = what
        place = path + (f", {counts} {line}" if line is not None else "") + (f", column {column}" if column else "")
        super().__init__(f"{place}: {what}", way_out)


class RuleError(StowattError):
    """§3: a price rule, a rationing rule or a seed that does not exist."""


class CertificateError(StowattError):
    """§3: a clearing result whose certificate does not hold."""


class CommitmentError(StowattError):
    """§5: a commitment or an opening that the rules refuse."""


class SettlementError(StowattError):
    """§6: a deposit, payment, stream or release that the rules refuse."""


class MeterError(StowattError):
    """§6: a meter reading that the rules refuse."""


class LedgerError(StowattError):
    """The chain refuses a call, or cannot be reached."""


class KeyStoreError(StowattError):
    """A key file that cannot be read or opened."""


class OutputError(StowattError):
    """A file that cannot be written."""
