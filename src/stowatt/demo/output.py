"""Where a demo writes: a folder of its own. Nothing that is there already is replaced or deleted."""

import itertools
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from stowatt.errors import OutputError

PARENT: Final = Path("demo-output")


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """The files of one demo."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The chain: `stowatt node` and `stowatt audit` open it."""
        return self.path / "ledger"

    @property
    def market(self) -> Path:
        """The market file that all commands take."""
        return self.path / "market.json"

    @property
    def openings(self) -> Path:
        """The homes' sealed bids, stored before their commitments are sent."""
        return self.path / "private" / "openings.sqlite3"

    @property
    def meters(self) -> Path:
        """The meters' counters."""
        return self.path / "private" / "meters"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def day(self) -> Path:
        """The day as JSON."""
        return self.path / "day.json"

    @property
    def events(self) -> Path:
        """Every event of the market, one JSON object a line."""
        return self.path / "events.jsonl"


def choose_folder(out: Path | None, day: date, parent: Path = PARENT) -> OutputFolder:
    """The folder `out`, which must be new or empty; without it demo-output/<day>-<n> with the first free n."""
    if out is not None:
        return OutputFolder(_fresh(out))
    for number in itertools.count(1):
        path = parent / f"{day.isoformat()}-{number}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if parent.is_dir():
                continue
            raise OutputError(f"{parent} is not a folder", "name another one with --out") from None
        except OSError as error:
            raise OutputError(f"{path} cannot be made ({error.strerror})", "name another folder with --out") from error
        return OutputFolder(path)
    raise AssertionError("unreachable")


def _fresh(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        used = next(path.iterdir(), None)
    except OSError as error:
        raise OutputError(f"{path} cannot be used ({error.strerror})", "name another folder with --out") from error
    if used is not None:
        raise OutputError(f"{path} is not empty (it holds {used.name})", "name a new folder; nothing is overwritten")
    return path
