"""`stowatt clear BOOK --out FILLS`: the same clearing for books larger than memory, with the fills in a file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from stowatt.bulk import Outcome, clear_large
from stowatt.bulk.source import ROWS_IN_PART, open_book
from stowatt.clearing import Rules
from stowatt.cli.clear import summary
from stowatt.cli.hiring import hired
from stowatt.cli.progress import staged
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import OutputError

MOST_ROWS = 40
"""Windows of the table; `--json` and the output file have all."""


@dataclass(frozen=True, slots=True)
class Means:
    """How a large book is cleared. None of it shows in a result."""

    memory: str | None
    workers: int | None
    scheduler: str | None
    partitions: int | None


def clear_to_file(book: Path, unit: DecimalUnit, rules: Rules, out: Path | None, means: Means, as_json: bool) -> None:
    """Clear a large book and show its windows."""
    if out is not None and (str(out).endswith(os.sep) or out.is_dir()):
        raise OutputError(f"{out} is a folder", "name a file, such as fills.parquet")
    if means.scheduler is not None:
        if out is None:
            raise OutputError("--scheduler needs --out", "workers leave what they find in a folder beside that file")
        book, out = book.absolute(), out.absolute()  # workers run in other folders
    rows = open_book(book).rows  # what cannot be read is said before anybody is hired
    part = ROWS_IN_PART if means.partitions is None else max(1, -(-rows // means.partitions))
    with hired(means.workers, means.scheduler, means.memory) as (workers, memory), staged("rows") as progress:
        outcomes = clear_large(book, unit, rules, out, workers, progress, rows_in_part=part, memory=memory)
    if as_json:
        windows = [outcome.as_json(name, unit) for name, outcome in outcomes.items()]
        print(json.dumps({"windows": windows} | ({} if out is None else {"fills_file": str(out)})))
    else:
        _print(outcomes, unit, out)


def _print(outcomes: dict[str, Outcome], unit: DecimalUnit, out: Path | None) -> None:
    console = Console()
    if not outcomes:
        console.print("The book has no bids: no window to clear.")
    else:
        console.print(summary(dict(list(outcomes.items())[:MOST_ROWS]), unit))
    if len(outcomes) > MOST_ROWS:
        console.print(f"{len(outcomes) - MOST_ROWS} more windows: --json has all", highlight=False, soft_wrap=True)
    if out is not None:
        console.print(f"every row's fill: {out}", highlight=False, soft_wrap=True, markup=False)
