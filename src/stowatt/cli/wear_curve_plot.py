"""The picture of a wear-aware ask: what each kWh costs, its envelope, and the steps that are asked."""

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from stowatt.degradation.ask import AskFit
from stowatt.errors import OutputError

COST_COLOUR: Final = "#0072b2"
ENVELOPE_COLOUR: Final = "#009e73"
ASK_COLOUR: Final = "#d55e00"
_MOST_POINTS: Final = 400


def plot_ask(path: Path, fit: AskFit, tick_size: int, title: str) -> None:
    """Draw one ask to an .svg or .png file; the file appears whole or not at all."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    marginal = fit.marginal
    places = np.unique(np.linspace(0, len(marginal.exact) - 1, _MOST_POINTS).astype(int))
    sold = (places + 1) / 1000
    axis.plot(sold, marginal.exact[places] / 1e6, color=COST_COLOUR, label="cost of each Wh (28)")
    axis.plot(sold, marginal.ask[places] / 1e6, color=ENVELOPE_COLOUR, linestyle="--", label="its rising envelope")
    if fit.curve is not None:
        edges = np.cumsum([0, *(segment.width for segment in fit.curve.segments)]) / 1000
        prices = [segment.tick * tick_size / 1e6 for segment in fit.curve.segments]
        axis.stairs(prices, edges, baseline=None, color=ASK_COLOUR, label="ask", linewidth=1.6)
    axis.axhline(marginal.base / 1e6, color="grey", linewidth=0.8, linestyle=":", label="charging and losses")
    axis.set_xlabel("sold in the window (kWh)")
    axis.set_ylabel("money per kWh")
    axis.set_title(title, fontsize="medium", parse_math=False)
    axis.legend(frameon=False, fontsize="small")
    axis.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    """Write a figure; without the date, so that the same figure gives the same file."""
    import matplotlib

    content = BytesIO()
    svg = path.suffix.lower() == ".svg"
    with matplotlib.rc_context({"svg.hashsalt": "stowatt"}):
        figure.savefig(content, format="svg" if svg else "png", dpi=150, metadata={"Date": None} if svg else None)
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_bytes(content.getvalue())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}", "check the folder and its space") from None
