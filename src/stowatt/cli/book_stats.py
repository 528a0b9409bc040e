"""`stowatt book stats FILE`: what is in a book file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.cli.progress import counting
from stowatt.data.book_stats import AtPrice, BookStats, SideStats, WindowStats, book_stats, infer_tick_size
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit
from stowatt.errors import BookFileError

MOST_ROWS = 40
"""Windows of the table; `--json` has all."""
QUARTILES = ("lowest", "quartile_1", "median", "quartile_3", "highest")


def stats(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A book file, CSV or Parquet.")],
    tick_size: Annotated[
        str | None, typer.Option(help="Money per kWh of one tick; else the coarsest 1, 0.1, 0.01 … that fits.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count a book file: participants, segments, kWh, prices, and whether and where its two sides meet.

    The quartiles of the prices count every Wh alike. The price is that of the rule `lowest`, without fills and proof:
    that is `stowatt clear`. Needs about 100 bytes of memory a row, and 150 for each different name and number.
    """
    if tick_size is None:
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise BookFileError(str(file), "can be read only once", "give --tick-size, or a plain file")
        with counting("tick size") as progress:
            unit = infer_tick_size(file, progress)
    else:
        unit = DecimalUnit.parse(tick_size)
    with counting("reading") as reading, counting("counting") as windows:
        found = book_stats(file, unit, reading, windows)
    if as_json:
        print(json.dumps(_as_json(str(file), found, unit, tick_size is None)))
    else:
        _print_tables(found, unit, tick_size is None)


def _as_json(path: str, found: BookStats, unit: DecimalUnit, inferred: bool) -> dict[str, Any]:
    return {
        "file": path,
        "rows": found.rows,
        "tick_size": unit.text(1),
        "tick_size_inferred": inferred,
        "participants": found.participants,
        "segments": found.sell.segments + found.buy.segments,
        "sell": _side_json(found.sell, unit),
        "buy": _side_json(found.buy, unit),
        "windows_with_trade": sum(window.price is not None for window in found.windows),
        "volume_wh": sum(window.volume for window in found.windows),
        "windows": [_window_json(window, unit) for window in found.windows],
    }


def _side_json(side: SideStats, unit: DecimalUnit) -> dict[str, Any]:
    prices = side.prices and {name: unit.text(tick) for name, tick in zip(QUARTILES, side.prices, strict=True)}
    return {"participants": side.participants, "segments": side.segments, "wh": side.wh, "prices": prices}


def _window_json(window: WindowStats, unit: DecimalUnit) -> dict[str, Any]:
    def text(tick: int | None) -> str | None:
        return None if tick is None else unit.text(tick)

    return {
        "window": window.name,
        "participants": window.sell.participants + window.buy.participants,
        "segments": window.sell.segments + window.buy.segments,
        "sell": _side_json(window.sell, unit),
        "buy": _side_json(window.buy, unit),
        "overlap": window.price is not None,
        "best_ask": text(window.best_ask),
        "best_bid": text(window.best_bid),
        "price": text(window.price),
        "price_interval": [text(window.lowest), text(window.highest)],
        "volume_wh": window.volume,
        "at_price": {"sell": _at_json(window.sell_at_price), "buy": _at_json(window.buy_at_price)},
        "tied": window.tied,
    }


def _at_json(at: AtPrice) -> dict[str, int]:
    return {"segments": at.segments, "wh": at.cohort.size, "filled_wh": at.cohort.residual}


def _print_tables(found: BookStats, unit: DecimalUnit, inferred: bool) -> None:
    console = Console()
    origin = "inferred from the prices" if inferred else "given"
    console.print(
        f"{found.rows} rows, {len(found.windows)} windows, {found.participants} participants; "
        f"tick size {unit.text(1)} ({origin})",
        highlight=False,
        soft_wrap=True,
    )
    if not found.windows:
        return
    console.print(_sides_table(found, unit))
    console.print(_windows_table(found, unit))
    if len(found.windows) > MOST_ROWS:
        console.print(f"{len(found.windows) - MOST_ROWS} more windows: --json has all", highlight=False, soft_wrap=True)


def _sides_table(found: BookStats, unit: DecimalUnit) -> Table:
    table = Table("", title="All windows; quartiles of the price per kWh count each Wh alike")
    sides = found.sell, found.buy
    for heading in ("sell", "buy"):
        table.add_column(heading, justify="right")
    table.add_row("participants", *(str(side.participants) for side in sides))
    table.add_row("segments", *(str(side.segments) for side in sides))
    table.add_row("kWh", *(WH_IN_KWH.text(side.wh) for side in sides))
    for number, name in enumerate(QUARTILES):
        prices = (unit.text(side.prices[number]) if side.prices else "–" for side in sides)
        table.add_row(f"price: {name.replace('_', ' ')}", *prices)
    return table


def _windows_table(found: BookStats, unit: DecimalUnit) -> Table:
    table = Table("window", title="Where the sides meet (lowest optimal price)")
    for heading in (
        "sellers\nbuyers",
        "offered\nasked kWh",
        "best ask\nbest bid",
        "price\nper kWh",
        "volume\nkWh",
        "ties",
    ):
        table.add_column(heading, justify="right")
    for window in found.windows[:MOST_ROWS]:
        sell, buy = window.sell, window.buy
        table.add_row(
            Text(window.name),
            f"{sell.participants}\n{buy.participants}",
            f"{WH_IN_KWH.text(sell.wh)}\n{WH_IN_KWH.text(buy.wh)}",
            "\n".join("–" if tick is None else unit.text(tick) for tick in (window.best_ask, window.best_bid)),
            "no trade" if window.price is None else unit.text(window.price),
            WH_IN_KWH.text(window.volume),
            _ties(window),
        )
    return table


def _ties(window: WindowStats) -> str:
    """The segments at the price of each side that has to share: `3 sell`."""
    sides = ("sell", window.sell_at_price), ("buy", window.buy_at_price)
    return "\n".join(f"{at.segments} {side}" for side, at in sides if at.shares)
