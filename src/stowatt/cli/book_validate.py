"""`stowatt book validate FILE…`: every problem of book files, where it is and the way out."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from stowatt.cli.progress import counting
from stowatt.data.book_problems import Findings, find_problems
from stowatt.data.decimals import DecimalUnit


def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Book files, CSV or Parquet.")],
    tick_size: Annotated[str, typer.Option(help="Money per kWh of one tick.")] = "0.0001",
    max_errors: Annotated[int, typer.Option(min=0, help="Problems to list; the others are counted.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List all that `stowatt clear` would refuse in book files, not only the first; status 1 if there is anything.

    Needs about 100 bytes of memory a row, and 150 for each different name and number.
    """
    unit = DecimalUnit.parse(tick_size)
    found: list[Findings] = []
    left = max_errors
    for file in files:
        with counting(file.name) as progress:
            found.append(find_problems(file, unit, left, progress))
        left -= len(found[-1].problems)
        if not as_json:
            _print_file(found[-1])
    count, listed = sum(one.count for one in found), max_errors - left
    if as_json:
        print(json.dumps({"problems": count, "listed": listed, "files": [_as_json(one) for one in found]}))
    elif count > listed:
        print(f"{count - listed} more not listed; raise --max-errors to see them")
    if count:
        raise typer.Exit(1)


def _print_file(found: Findings) -> None:
    for problem in found.problems:
        print(" ".join(str(problem.error).split()))
    problems = {0: "no problem", 1: "1 problem"}.get(found.count, f"{found.count} problems")
    print(f"{found.path}: {problems}; good rows: {found.rows}, curves: {found.curves}, windows: {found.windows}")


def _as_json(found: Findings) -> dict[str, Any]:
    return {
        "file": found.path,
        "good_rows": found.rows,
        "curves": found.curves,
        "windows": found.windows,
        "problems": found.count,
        "listed": [problem.as_json() for problem in found.problems],
    }
