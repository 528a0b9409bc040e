"""Plots: plain SVG that is the same for the same figures."""

from pathlib import Path
from typing import Any

PALETTE = ("#0b6e4f", "#3a86c8", "#e08e0b", "#8d6cab", "#c0392b", "#6b7280", "#17a2a2", "#a0522d")
"""Stowatt comes first, in green."""


def figure(columns: int = 1, width: float = 8.0, height: float = 4.2) -> tuple[Any, list[Any]]:
    """A figure with so many axes side by side."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams.update(
        {
            "svg.hashsalt": "stowatt", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
            "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "white",
        }
    )  # fmt: skip
    made, axes = pyplot.subplots(1, columns, figsize=(width, height), squeeze=False)
    return made, list(axes[0])


def save_svg(made: Any, path: Path) -> None:
    """Writes and closes a figure."""
    from matplotlib import pyplot

    made.tight_layout()
    made.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(made)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")
