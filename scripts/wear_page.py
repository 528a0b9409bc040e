"""Draw the figures of docs/wear.md, and write its table of asks from the models.

Usage: wear_page.py [--check]    (--check: only compare the table)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

SCRIPTS = Path(__file__).resolve().parent
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS.parent / "src")]

from compare_blast import COMPARED, DEPTHS, MODELS, PAGE, VECTORS, YEARS, ours, replaced  # noqa: E402
from stowatt.degradation.ask import AskFit, evening_asks, wear_aware_ask  # noqa: E402
from stowatt.degradation.cell import CellModel, array  # noqa: E402
from stowatt.degradation.cells import CELLS  # noqa: E402
from stowatt.degradation.costs import Costs, Pack  # noqa: E402
from stowatt.degradation.marginal import Sale  # noqa: E402
from stowatt.degradation.state import WearState  # noqa: E402
from stowatt.simulation.strategies import PriceGrid  # noqa: E402
from stowatt.simulation.tariff import BatteryCosts, Tariff  # noqa: E402

IMAGES = PAGE.parent / "img"
PACK = Pack(10_000, 5_000, 950_000, 950_000)
GRID = PriceGrid(tick_size=100, ticks=16_384)
COLOURS = {"lfp": "#0072b2", "nmc": "#d55e00"}
AGES = ((0.0, 0.0), (3.0, 700.0), (8.0, 1800.0))
"""Years and full equivalent cycles."""
CHARGES = (0.9, 0.5)


def worn(cell: CellModel, years: float, fec: float, soc: float) -> WearState:
    """A battery of this age at 25 °C, whose discharge begins now."""
    return WearState.aged(cell, soc=soc, temperature_c=25.0, days=365.25 * years, fec=fec, depth=0.0)


def asks_table() -> list[str]:
    """For both cells, ages and charges: cost, what the envelope adds, and the bounds with 16 and with 4 steps."""
    lines = [
        "| cell | age, cycles | SOC | cost of the first and the last Wh, ct/kWh | envelope above it: mean, most, ct/kWh"
        " | bound with 16 steps, ticks | with 4 |",
        "|---" * 7 + "|",
    ]
    for name, cell in CELLS.items():
        for years, fec in AGES:
            for soc in CHARGES:
                state = worn(cell, years, fec, soc)
                fits = [wear_aware_ask(cell, state, PACK, Costs(), Sale(1_250), GRID, segments=n) for n in (16, 4)]
                lines.append(_row(name, years, fec, soc, fits))
    return lines


def _row(name: str, years: float, fec: float, soc: float, fits: list[AskFit]) -> str:
    found = fits[0].marginal
    over = (found.ask - found.exact) / 1e4
    costs = f"{found.exact[0] / 1e4:.1f} … {found.exact[-1] / 1e4:.1f}"
    above = f"{np.mean(over):.2f}, {np.max(over):.2f}"
    bounds = " | ".join(str(fit.bound_ticks) for fit in fits)
    return f"| {name.upper()} | {years:g} a, {fec:g} | {100 * soc:.0f} % | {costs} | {above} | {bounds} |"


def figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (7.0, 3.6)) -> tuple[Any, Any]:
    """An empty figure and its axes."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=size, layout="constrained")
    axes = drawing.subplots(rows, columns, squeeze=False).flatten()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return drawing, axes


def save(drawing: Any, name: str) -> None:
    """The same figure gives the same file: no date, no random ids, text as text."""
    import matplotlib

    IMAGES.mkdir(exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "stowatt", "svg.fonttype": "none"}):
        drawing.savefig(IMAGES / name, metadata={"Date": None})


def draw_depth() -> None:
    """Wear of one more kWh against the depth that the discharge has reached."""
    drawing, axes = figure(1, 2, (8.0, 3.4))
    depth = np.linspace(0, 1, 401)
    for axis, (name, cell) in zip(axes, CELLS.items(), strict=True):
        state = worn(cell, 3.0, 700.0, 1.0)
        stress = np.diff(cell.cycle_stress(depth)) / np.diff(depth) * float(cell.rate_factor(array(0.25)))
        slope = cell.cycle_power * state.cycle_stress(cell) ** (cell.cycle_power - 1)
        per_kwh = 400 / (1 - 0.8) * slope * stress / 0.95 / state.soh
        middle = (depth[1:] + depth[:-1]) / 2
        axis.plot(middle, per_kwh, color=COLOURS[name], label="wear of one kWh more")
        axis.plot(middle, np.maximum.accumulate(per_kwh), "--", color="black", linewidth=1, label="its rising envelope")
        axis.set_title(f"{name.upper()}, 3 years, 700 cycles, C/4", fontsize="medium")
        axis.set_xlabel("depth of the discharge")
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False, fontsize="small")
    axes[0].set_ylabel("money per kWh")
    save(drawing, "wear-depth.svg")


def draw_evening() -> None:
    """The asks of twelve windows, from the first to the last step, beside the flat cost."""
    drawing, axes = figure()
    cell = CELLS["lfp"]
    state = worn(cell, 3.0, 700.0, 0.9)
    fits = evening_asks(cell, state, PACK, Costs(), [500] * 12, [100] * 20, GRID)
    for number, fit in enumerate(fits):
        curve = fit.curve
        assert curve is not None
        low, high = (curve.segments[place].tick * GRID.tick_size / 1e6 for place in (0, -1))
        axes[0].bar(
            number, high - low, bottom=low, width=0.7, color=COLOURS["lfp"], label="" if number else "wear-aware ask"
        )
        exact = fit.marginal.exact / 1e6
        axes[0].plot([number, number], [exact.min(), exact.max()], color="black", label="" if number else "cost")
    flat = BatteryCosts().per_kwh(950_000, Tariff().feed_in) / 1e6
    axes[0].axhline(flat, color="grey", linestyle=":", label="cost that the flat asks start from")
    axes[0].set_xlabel("window of a quarter of an hour")
    axes[0].set_ylabel("money per kWh")
    axes[0].legend(frameon=False, fontsize="small")
    save(drawing, "wear-evening.svg")


def draw_blast() -> None:
    """State of health after ten years of a daily cycle, ours and BLAST-Lite's."""
    stored = json.loads(VECTORS.read_text())["results"]
    own = ours(None)
    drawing, axes = figure(1, 2, (8.0, 3.4))
    for axis, (name, others) in zip(axes, COMPARED.items(), strict=True):
        health = [own[name][f"cycle {depth:g}"]["25"][-1] for depth in DEPTHS]
        axis.plot(DEPTHS, health, "o-", color=COLOURS[name], label=f"our {name.upper()}")
        for other, mark in zip(others, ("s--", "^--", "v--"), strict=False):
            values = [stored[other][f"cycle {depth:g}"]["25"][-1] for depth in DEPTHS]
            label = MODELS[other].removesuffix("_Battery")
            axis.plot(DEPTHS, values, mark, color="grey", markersize=4, linewidth=1, label=label)
        axis.set_xlabel("depth of the daily cycle, 25 °C")
        axis.set_ylim(0, 1)
        axis.legend(frameon=False, fontsize="small")
    axes[0].set_ylabel(f"state of health after {YEARS[-1]} years")
    save(drawing, "wear-blast.svg")


def main() -> None:
    """Write the table and the figures, or check the table."""
    page = PAGE.read_text(encoding="utf-8")
    written = replaced(page, "asks", asks_table())
    if "--check" in sys.argv[1:]:
        if written != page:
            raise SystemExit("docs/wear.md is stale: run scripts/wear_page.py")
        return
    PAGE.write_text(written, encoding="utf-8")
    draw_depth()
    draw_evening()
    draw_blast()


if __name__ == "__main__":
    main()
