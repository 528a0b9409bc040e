"""Figures as SVG or PNG that are the same for the same results. Floating point throughout."""

import io
from pathlib import Path
from typing import Any, Final

from stowatt.errors import OutputError
from stowatt.studies.documents import replace_file

PALETTE: Final = ("#0b6e4f", "#3a86c8", "#e08e0b", "#8d6cab", "#c0392b", "#6b7280")


def check_plot(path: Path) -> None:
    """Refuse what could not be drawn, before the work is done."""
    if path.suffix.lower() not in (".svg", ".png"):
        raise OutputError(f"{path} is neither .svg nor .png", "name a file that ends in one of them")
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written", "name a file in a folder that exists")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise OutputError("matplotlib, which draws --plot, is not installed", "pip install 'stowatt[plot]'") from None


def figure(rows: int, columns: int, width: float = 9.0, height: float = 4.0) -> tuple[Any, list[Any]]:
    """A figure with its axes, row after row."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    axes = list(made.subplots(rows, columns, squeeze=False).flatten())
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize="small")
    return made, axes


def save_figure(made: Any, path: Path) -> None:
    """Writes the figure whole or not at all; without a date, and with text as text."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    kind = path.suffix.lower().removeprefix(".")
    with mpl.rc_context({"svg.hashsalt": "stowatt", "svg.fonttype": "none"}):
        made.savefig(buffer, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    data = buffer.getvalue()
    if kind == "svg":
        data = b"\n".join(line.rstrip() for line in data.splitlines()) + b"\n"
    replace_file(path, data)
