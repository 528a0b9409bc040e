"""The picture of a dispatch plan: what each battery stores and delivers over the windows, one panel a battery.

Floating point is fine here: nothing is computed from the picture.
"""

import warnings
from datetime import UTC, datetime
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any, Final

from stowatt.dispatch.schedules import BatterySchedule, DispatchPlan
from stowatt.errors import OutputError

MOST_PANELS: Final = 16
STORED: Final = "#009e73"
POWER: Final = "#0072b2"
MISSING: Final = "#d55e00"


def plot_plan(path: Path, plan: DispatchPlan) -> None:
    """Draw the first batteries of the plan to `path`."""
    from matplotlib.figure import Figure

    shown = [battery for battery in plan.batteries if battery.rows][:MOST_PANELS]
    columns = min(4, max(1, ceil(len(shown) ** 0.5)))
    rows = max(1, ceil(len(shown) / columns))
    size = (8, 4.5) if len(shown) <= 1 else (4.6 * columns, 3.0 * rows + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    labels: dict[str, Any] = {}
    for axis, battery in zip(axes, shown, strict=False):
        for handle, label in _draw(axis, battery):
            labels[label] = handle
    part = f"; the first {len(shown)} of {len(plan.batteries)}" if len(shown) < len(plan.batteries) else ""
    figure.supxlabel(f"time (UTC){part}" if shown else "no battery sold anything", fontsize="medium")
    if shown:
        figure.supylabel("stored energy (kWh)", fontsize="medium", color=STORED)
        figure.legend(
            labels.values(), labels, loc="outside upper center", ncols=len(labels), fontsize="small", frameon=False
        )
    _save(figure, path)


def _draw(axis: Any, battery: BatterySchedule) -> list[tuple[Any, str]]:
    """Stored energy as a line, the power at the terminals as bars on an axis of its own."""
    dates: Any = import_module("matplotlib.dates")
    times = [_moment(t) for row in battery.rows for t in (row.start, row.end)]
    stored = [wh / 1000 for row in battery.rows for wh in (row.before_wh, row.after_wh)]
    (line,) = axis.plot(times, stored, color=STORED, linewidth=1.6, zorder=3)
    axis.axhline(battery.storage.usable_wh / 1000, color=STORED, linewidth=0.8, linestyle=":")
    axis.set_ylim(0, max(battery.storage.usable_wh / 1000, 0.001) * 1.08)
    bars = axis.twinx()
    starts = [_moment(row.start) for row in battery.rows]
    widths = [_moment(row.end) - start for row, start in zip(battery.rows, starts, strict=True)]
    power = [row.average_w / 1000 for row in battery.rows]
    drawn = bars.bar(starts, power, widths, align="edge", color=POWER, alpha=0.35, linewidth=0)
    cap = bars.axhline(battery.storage.export_w / 1000, color=POWER, linewidth=0.8, linestyle="--")
    bars.set_ylim(0, max(battery.storage.export_w / 1000, *power, 0.001) * 1.15)
    bars.set_ylabel("kW", color=POWER, fontsize="small")
    handles = [(line, "stored"), (drawn, "power sold"), (cap, "power cap")]
    failing = [row for row in battery.rows if row.missing_wh]
    for row in failing:
        span = axis.axvspan(
            _moment(row.start),
            _moment(row.end),
            color=MISSING,
            alpha=0.25,
            linewidth=0,
        )
        handles.append((span, "cannot deliver"))
    verdict = "deliverable" if battery.feasible else f"{sum(row.missing_wh for row in failing) / 1000:g} kWh missing"
    axis.set_title(f"device {battery.device}: {verdict}", fontsize="medium")
    locator = dates.AutoDateLocator(minticks=3, maxticks=5)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axis.set_zorder(bars.get_zorder() + 1)
    axis.patch.set_visible(False)
    for each in (axis, bars):
        each.tick_params(labelsize="small")
        each.spines["top"].set_visible(False)
    return handles


def _moment(unix: int) -> datetime:
    try:
        return datetime.fromtimestamp(unix, UTC)
    except (OverflowError, ValueError, OSError):
        raise OutputError(f"a window starts or ends at {unix}", "no calendar date has that time") from None


def _save(figure: Any, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}", "check the folder and its space") from None
