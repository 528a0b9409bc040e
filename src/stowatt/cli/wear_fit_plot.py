"""The picture of a fit: predicted against measured, one colour for each group of cells."""

from pathlib import Path
from typing import Any, Final

from stowatt.cli.clear_plot import check_target
from stowatt.degradation.calibration_fit import Fit
from stowatt.errors import OutputError

__all__ = ["check_target", "draw_fit", "plot_fit"]

COLOURS: Final = ("#0072b2", "#009e73", "#d55e00", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MOST_GROUPS: Final = len(COLOURS)
"""With more groups than colours all points have one."""


def plot_fit(path: Path, found: Fit) -> None:
    """Draw the fit to `path`."""
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.6), layout="constrained")
    draw_fit(figure.subplots(), found)
    try:
        # Without the date and with a salt of our own, the same data give the same file.
        with matplotlib.rc_context({"svg.hashsalt": "stowatt"}):
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", "check the folder and its space") from None


def draw_fit(axis: Any, found: Fit) -> None:
    """Points of predicted against measured: losses in percent, or lives in full cycles."""
    data = found.data
    if data.measured == "life" and data.full_cycles is not None:
        shape = float(found.theta[5])
        measured = data.full_cycles
        predicted = data.full_cycles * (found.measured / found.predicted) ** (1 / shape)
        unit = "life, full cycles"
        _logarithmic(axis)
    else:
        measured, predicted, unit = 100 * found.measured, 100 * found.predicted, "loss since the first check, %"
    for number, (name, rows) in enumerate(_groups(found)):
        axis.plot(
            measured[rows], predicted[rows], ".", color=COLOURS[number], markersize=4, alpha=0.7, label=name or None
        )
    ends = [float(min(measured.min(), predicted.min())), float(max(measured.max(), predicted.max()))]
    axis.plot(ends, ends, color="grey", linewidth=1, zorder=0)
    axis.set_xlabel(f"measured {unit}")
    axis.set_ylabel(f"predicted {unit}")
    axis.set_title(data.source, fontsize="medium", parse_math=False)
    axis.spines[["top", "right"]].set_visible(False)
    if axis.get_legend_handles_labels()[1]:
        axis.legend(fontsize="small", frameon=False)


def _logarithmic(axis: Any) -> None:
    """Both axes, with 1, 2 and 5 in plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    axis.set_xscale("log")
    axis.set_yscale("log")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(LogLocator(subs=(1, 2, 5)))
        side.set_major_formatter(ScalarFormatter())
        side.set_minor_formatter(NullFormatter())


def _groups(found: Fit) -> list[tuple[str, Any]]:
    """The groups of the label that makes few of them: temperature, or a label of the file."""
    data = found.data
    labels = [*(["temperature"] if data.temperature_k is not None else []), "batch", *data.labels]
    for label in labels:
        if label == "temperature" or label in data.labels:
            groups = data.groups(label)
            if 2 <= len(groups) <= MOST_GROUPS:
                return list(groups.items())
    return [("", slice(None))]
