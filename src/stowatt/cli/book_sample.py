"""`stowatt book sample`: a synthetic book, for trying things out and for measuring."""

from pathlib import Path
from typing import Annotated

import typer

from stowatt.clearing.rules import parse_seed
from stowatt.cli.progress import counting


def sample(
    out: Annotated[Path, typer.Option(metavar="BOOK", help="The new file: .csv or .parquet.")],
    segments: Annotated[int, typer.Option(help="Rows in all: one segment each, four a curve.")] = 1000,
    windows: Annotated[int, typer.Option(help="Windows, over which the rows are spread evenly.")] = 1,
    seed: Annotated[str, typer.Option(help="The same seed gives the same book: 0x… or decimal.")] = "0",
) -> None:
    """Write a synthetic book: as many sellers as buyers, asks around 0.7 and bids around 0.9 per kWh.

    A seller's curve starts near 0.7 and a buyer's near 0.9 (nearly normal, deviation 0.18, within 0.1 … 1.5), and its
    four segments go on from there in steps of 0.0001 … 0.0249, up for sellers, down for buyers; each has 1 … 5000 Wh.
    Rows are written as they are made. An existing file is not replaced, and a stopped run leaves none.
    """
    from stowatt.data.book_sample import Sample, check_name, write_sample
    from stowatt.data.new_file import refuse_existing

    check_name(out)
    refuse_existing(out)
    with counting("writing") as progress:
        write_sample(out, Sample(segments, windows, parse_seed(seed)), progress)
    print(f"{out}: {segments} rows, {windows} windows, seed {parse_seed(seed)}")
