"""`stowatt clear BOOK --out FILLS`: the same clearing for books larger than memory, with the fills in a file."""

import json
import os
from pathlib import Path

from rich.console import Console

from stowatt.bulk import Outcome, clear_large
from stowatt.bulk.memory import DEFAULT, Memory, parse_memory
from stowatt.clearing import Rules
from stowatt.cli.clear import summary
from stowatt.cli.progress import staged
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import OutputError
from stowatt.parallel import Threads

MOST_ROWS = 40
"""Windows of the table; `--json` and the output file have all."""


def clear_to_file(
    book: Path, unit: DecimalUnit, rules: Rules, out: Path | None, memory: str | None, as_json: bool
) -> None:
    """Clear a large book and show its windows."""
    if out is not None and (str(out).endswith(os.sep) or out.is_dir()):
        raise OutputError(f"{out} is a folder", "name a file, such as fills.parquet")
    limit = Memory.of(DEFAULT if memory is None else parse_memory(memory), len(os.sched_getaffinity(0)))
    with staged("rows") as progress:
        outcomes = clear_large(book, unit, rules, out, Threads(limit.workers), progress, memory=limit)
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
