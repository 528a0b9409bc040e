"""`stowatt clear BOOK`: clear the windows of a book file, off chain, with the proof of each (§3)."""

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt import clearing
from stowatt.clearing import Book, PriceRule, Rationing, Rules, WindowResult
from stowatt.clearing.rules import by_name, parse_seed
from stowatt.cli.progress import counting
from stowatt.data.book_file import read_book
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit
from stowatt.errors import OutputError

WINDOWS_PER_REPORT = 64


class Cleared(Protocol):
    """What is shown of a window's result."""

    @property
    def price(self) -> int | None:
        """λ."""

    @property
    def lowest(self) -> int:
        """λ_lo."""

    @property
    def highest(self) -> int | None:
        """λ_hi."""

    @property
    def volume(self) -> int:
        """V."""

    @property
    def welfare(self) -> int:
        """In tick·Wh."""

    @property
    def gap(self) -> int:
        """0 if it is proved."""


def clear(
    book: Annotated[
        Path, typer.Argument(metavar="BOOK", help="CSV or Parquet: window,participant,side,price,quantity.")
    ],
    tick_size: Annotated[str, typer.Option(help="Money per kWh of one tick.")] = "0.0001",
    price_rule: Annotated[
        Literal["lowest", "midpoint", "seed"], typer.Option(help="The price on a flat interval.")
    ] = "lowest",
    rationing: Annotated[
        Literal["pro_rata", "seeded_order"], typer.Option(help="How the marginal bids share.")
    ] = "pro_rata",
    seed: Annotated[str, typer.Option(help="256-bit seed, 0x… or decimal.")] = "0",
    fills: Annotated[bool, typer.Option("--fills", help="Show every participant's fill.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw supply and demand to an .svg or .png file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILLS.parquet", help="Write every row with its fill; for Parquet books.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The most memory to take, such as 2GiB; for Parquet books.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes to work with, instead of threads; Parquet books.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler to work with, such as tcp://HOST:8786.")
    ] = None,
    partitions: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Into how many parts a Parquet book is cut.")
    ] = None,
) -> None:
    """Clear a book of bids off chain: price, volume, fills and the proof that they are optimal.

    BOOK has the columns window, participant, side (sell or buy), price (money per kWh) and quantity (kWh).
    The rows of one window and participant are one curve.

    With --out or --memory, or if BOOK is a folder of Parquet files, the book is read a part at a time and may be larger
    than memory (2GiB unless --memory says else). A run that was stopped goes on when the same command is given again.
    With --workers or --scheduler, the parts are divided among processes or machines (docs/cluster.md).
    """
    unit = DecimalUnit.parse(tick_size)
    rules = Rules(by_name(PriceRule, price_rule), by_name(Rationing, rationing), parse_seed(seed))
    given = (out, memory, workers, scheduler, partitions)
    if any(option is not None for option in given) or book.is_dir():
        from stowatt.cli.clear_large import Means, clear_to_file

        if fills or plot is not None:
            option = "--fills" if fills else "--plot"
            raise OutputError(f"{option} is for books that fit into memory", "leave it out; --out writes the fills")
        clear_to_file(book, unit, rules, out, Means(memory, workers, scheduler, partitions), as_json)
        return
    if plot is not None:
        from stowatt.cli.clear_plot import check_target, plot_windows

        check_target(plot)
    with _collector_paused():
        books = _read(book, unit)
        results = _clear_all(books, rules)
    if plot is not None:
        plot_windows(plot, books, results, unit)
    if as_json:
        print(json.dumps({"windows": [_as_json(name, result, unit, fills) for name, result in results.items()]}))
    else:
        _print_tables(results, unit, fills)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without the cyclic collector, which halves the time for a million rows: books are trees of small tuples."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(path: Path, unit: DecimalUnit) -> dict[str, Book]:
    with counting("reading") as progress:
        return read_book(path, unit, progress)


def _clear_all(books: dict[str, Book], rules: Rules) -> dict[str, WindowResult]:
    """Clear each window and prove it; a result without proof is never shown."""
    results = {}
    with counting("clearing") as progress:
        for number, (name, book) in enumerate(books.items(), start=1):
            results[name] = clearing.clear(book, rules)
            clearing.require_proof(book, rules, results[name])
            if number % WINDOWS_PER_REPORT == 0:
                progress(number, len(books))
    return results


def _as_json(name: str, result: WindowResult, unit: DecimalUnit, fills: bool) -> dict[str, Any]:
    window: dict[str, Any] = {
        "window": name,
        "price": None if result.price is None else unit.text(result.price),
        "price_interval": [unit.text(result.lowest), None if result.highest is None else unit.text(result.highest)],
        "volume_wh": result.volume,
        "welfare": unit.text(result.welfare, per_thousand=True),
        "dual": unit.text(result.dual, per_thousand=True),
        "gap": unit.text(result.gap, per_thousand=True),
    }
    if fills:
        window["fills"] = [
            {"participant": fill.participant, "side": fill.side.word, "quantity_wh": fill.quantity}
            for fill in result.fills
        ]
    return window


def _print_tables(results: dict[str, WindowResult], unit: DecimalUnit, fills: bool) -> None:
    console = Console()
    if not results:
        console.print("The book has no bids: no window to clear.")
        return
    console.print(summary(results, unit))
    if fills:
        for name, result in results.items():
            console.print(_fill_table(name, result))


def summary(results: Mapping[str, Cleared], unit: DecimalUnit) -> Table:
    """One row for each window."""
    table = Table("window", title="Clearing, each window proved optimal")
    for heading in ("price\nper kWh", "optimal\nprices", "volume\nkWh", "welfare", "gap"):
        table.add_column(heading, justify="right")
    for name, result in results.items():
        highest = "∞" if result.highest is None else unit.text(result.highest)
        lowest = unit.text(result.lowest)
        table.add_row(
            Text(name),
            "no trade" if result.price is None else unit.text(result.price),
            lowest if lowest == highest else f"{lowest} … {highest}",
            WH_IN_KWH.text(result.volume),
            unit.text(result.welfare, per_thousand=True),
            unit.text(result.gap, per_thousand=True),
        )
    return table


def _fill_table(name: str, result: WindowResult) -> Table:
    table = Table("participant", "side", title=Text.assemble("Fills of ", name))
    table.add_column("kWh", justify="right")
    for participant, side, quantity in result.fills:
        table.add_row(Text(participant), side.word, WH_IN_KWH.text(quantity))
    return table
