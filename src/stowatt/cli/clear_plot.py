"""The picture of a clearing: supply and demand steps, λ and the interval of optimal prices, one panel a window.

Floating point is fine here: nothing is computed from the picture.
"""

import warnings
from math import ceil
from pathlib import Path
from typing import Any, Final

from stowatt.clearing import Book, WindowResult
from stowatt.curves import Side
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import OutputError

MOST_PANELS: Final = 24
PRICE_COLOUR: Final = "#009e73"
COLOURS: Final = {Side.SELL: "#0072b2", Side.BUY: "#d55e00"}
NAMES: Final = {Side.SELL: "supply", Side.BUY: "demand"}


def check_target(path: Path) -> None:
    """Refuse what could not be written, before the work is done."""
    if path.suffix.lower() not in (".svg", ".png"):
        raise OutputError(f"{path} is neither .svg nor .png", "name a file that ends in one of them")
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written", "name a file in a folder that exists")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise OutputError("matplotlib, which draws --plot, is not installed", "pip install 'stowatt[plot]'") from None


def plot_windows(path: Path, books: dict[str, Book], results: dict[str, WindowResult], unit: DecimalUnit) -> None:
    """Draw the first windows of the book to `path`."""
    from matplotlib.figure import Figure

    shown = list(results)[:MOST_PANELS]
    columns = min(4, max(1, ceil(len(shown) ** 0.5)))
    rows = max(1, ceil(len(shown) / columns))
    size = (7, 5) if len(shown) <= 1 else (4 * columns, 3.1 * rows + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    for axis, name in zip(axes, shown, strict=False):
        _draw_window(axis, name, books[name], results[name], float(unit.text(1)))
    if shown:
        part = f"; the first {len(shown)} of {len(results)} windows" if len(shown) < len(results) else ""
        figure.supxlabel(f"quantity (kWh){part}", fontsize="medium")
        figure.supylabel("price (money per kWh)", fontsize="medium")
        labels = {
            label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(
            labels.values(), labels, loc="outside upper center", ncols=len(labels), fontsize="small", frameon=False
        )
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    with warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; that needs no warning between our lines.
        warnings.simplefilter("ignore")
        try:
            # Without the date the same book gives the same file.
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}", "check the folder and its space") from None


def _draw_window(axis: Any, name: str, book: Book, result: WindowResult, tick_size: float) -> None:
    top = max(tick for _, curve in book.bids for tick, _ in curve.segments) * tick_size * 1.1 or 1.0
    low = result.lowest * tick_size
    high = top if result.highest is None else result.highest * tick_size
    if high > low:
        axis.axhspan(low, high, color=PRICE_COLOUR, alpha=0.15, linewidth=0, label="optimal prices")
    # Demand is the wider line, so that both show where they run together.
    for side, width in (Side.BUY, 2.6), (Side.SELL, 1.4):
        prices, quantities = _steps(book, side, tick_size)
        if prices:
            axis.plot(quantities, prices, color=COLOURS[side], label=NAMES[side], linewidth=width)
    title = name if len(name) <= 32 else name[:31] + "…"
    if result.price is None:
        axis.set_title(f"{title}\nno trade", fontsize="medium", parse_math=False)
    else:
        price, volume = result.price * tick_size, result.volume / 1000
        axis.axhline(price, color=PRICE_COLOUR, linewidth=1.2, linestyle="--", zorder=1, label="price λ")
        axis.plot([volume], [price], "o", color="black", markersize=5, zorder=4, label="trade")
        axis.set_title(f"{title}\nλ = {price:.6g}, {volume:.6g} kWh", fontsize="medium", parse_math=False)
    axis.set_ylim(0, top)
    axis.set_xlim(left=0)
    axis.tick_params(labelsize="small")
    axis.spines[["top", "right"]].set_visible(False)


def _steps(book: Book, side: Side, tick_size: float) -> tuple[list[float], list[float]]:
    """The corners of one side's step line, in merit order: prices and cumulated kWh."""
    segments = (segment for _, curve in book.bids if curve.side is side for segment in curve.segments)
    prices: list[float] = []
    quantities: list[float] = []
    total = 0.0
    for tick, width in sorted(segments, reverse=side is Side.BUY):
        prices += [tick * tick_size] * 2
        quantities += [total, total + width / 1000]
        total += width / 1000
    return prices, quantities
