"""`stowatt book plot FILE`: supply and demand of one window, or of several as small multiples."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from stowatt import clearing
from stowatt.clearing import Book, Rules
from stowatt.cli.progress import counting
from stowatt.data.book_file import ROWS_PER_REPORT, BookReader, Progress, Row, RowSource
from stowatt.data.book_stream import open_rows
from stowatt.data.decimals import DecimalUnit, shown
from stowatt.errors import BookFileError, OutputError


def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A book file, CSV or Parquet.")],
    out: Annotated[Path, typer.Option(metavar="PICTURE", help="The picture: .svg or .png.")],
    window: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A window; repeat it for several. Else the first 24.")
    ] = None,
    tick_size: Annotated[str, typer.Option(help="Money per kWh of one tick.")] = "0.0001",
) -> None:
    """Draw the stepped supply and demand of windows, with the clearing price and volume of the rule `lowest`.

    Of the windows that are not drawn nothing is checked or kept.
    """
    from stowatt.cli.clear_plot import MOST_PANELS, check_target, plot_windows

    unit = DecimalUnit.parse(tick_size)
    check_target(out)
    if window and len(set(window)) > MOST_PANELS:
        raise OutputError(f"{len(set(window))} windows do not fit into a picture", f"name at most {MOST_PANELS}")
    books, windows = _read(file, unit, window, MOST_PANELS)
    if not books:
        raise BookFileError(str(file), "the book has no bids", "there is nothing to draw")
    rules, results = Rules(), {}
    for name, book in books.items():
        results[name] = clearing.clear(book, rules)
        clearing.require_proof(book, rules, results[name])
    draft = out.with_name(f".{out.stem}.{os.getpid()}{out.suffix}")
    try:
        plot_windows(draft, books, results, unit)
        os.replace(draft, out)
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror}", "check the folder and its space") from None
    finally:
        draft.unlink(missing_ok=True)
    rest = f"; the first of {windows}" if windows > len(books) else ""
    print(f"{out}: {len(books)} window{'s' if len(books) > 1 else ''}{rest}")


def _read(file: Path, unit: DecimalUnit, wanted: list[str] | None, most: int) -> tuple[dict[str, Book], int]:
    """The books of the wanted windows, in the order of the command line, or of the first; and how many there are."""
    seen: dict[str, None] = {}
    chosen = set(wanted or ())

    def rows(source: RowSource, progress: Progress) -> Iterator[Row]:
        for number, row in enumerate(source.rows, start=1):
            if number % ROWS_PER_REPORT == 0:
                progress(row[0], source.total)
            name = row[1].strip(" \t")
            if not wanted and name not in seen:
                seen[name] = None
                if len(seen) <= most:
                    chosen.add(name)
            if name in chosen:
                yield row

    with open_rows(file) as source, counting("reading") as progress:
        books = BookReader(replace(source, rows=rows(source, progress)), unit).read(None)
    for name in wanted or ():
        if name not in books:
            raise BookFileError(str(file), f"there is no window {shown(name)}", "stowatt book stats lists them")
    return ({name: books[name] for name in wanted} if wanted else books), len(seen)
