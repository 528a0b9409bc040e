"""Compare Stowatt's wear models with BLAST-Lite, an independent model library, on the same duty.

In an environment of its own (requirements/blast.lock; BLAST-Lite pins numpy below 2):

    compare_blast.py run --profiles DIR     run BLAST-Lite, write tests/vectors/wear/blast.json

In the project's environment:

    compare_blast.py table [--check]        write, or check, the tables of docs/wear.md from it

DIR holds soc_profile_germany.parquet and soc_profile_california.parquet, a home battery's state of charge over a year.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests" / "vectors" / "wear" / "blast.json"
PAGE = ROOT / "docs" / "wear.md"
DATA = ROOT.parent / "shared" / "data"

DAY_S = 86_400
YEARS = (5, 10)
TEMPERATURES = (15, 25, 35)
DEPTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
CHARGES = (0.5, 1.0)
PROFILES = ("germany", "california")
MODELS = {
    "lfp_sony": "Lfp_Gr_SonyMurata3Ah_Battery",
    "nmc_sanyo": "Nmc111_Gr_Sanyo2Ah_Battery",
    "nmc_kokam": "Nmc111_Gr_Kokam75Ah_Battery",
    "nmc_mj1": "Nmc811_GrSi_LGMJ1_4Ah_Battery",
}
"""BLAST-Lite's models: one of the very cell that our LFP is, and three of other NMC cells."""
COMPARED = {"lfp": ("lfp_sony",), "nmc": ("nmc_sanyo", "nmc_kokam", "nmc_mj1")}


def triangle(depth: float, steps: int = 96) -> tuple[Any, Any]:
    """One day of an even cycle around half charge, as stowatt.degradation.ageing.triangle has it."""
    phase = np.linspace(0.0, 1.0, steps + 1)
    return phase * DAY_S, np.clip(0.5 + depth * (np.abs(1 - 2 * phase) - 0.5), 0.0, 1.0)


def profile(folder: Path, name: str) -> tuple[Any, Any]:
    """A year's states of charge at their times, from 0 s."""
    table = import_module("pyarrow.parquet").read_table(folder / f"soc_profile_{name}.parquet")
    times = np.asarray(table["Time_s"], dtype=float)
    return times - times[0], np.asarray(table["SOC"], dtype=float)


def cases(folder: Path | None) -> list[tuple[str, int, Any, Any]]:
    """Each duty with its temperature: name, °C, times and states of charge of one period."""
    found: list[tuple[str, int, Any, Any]] = []
    for temperature in TEMPERATURES:
        for charge in CHARGES:
            times, _ = triangle(0.0)
            found.append((f"storage {charge:g}", temperature, times, np.full_like(times, charge)))
        for depth in DEPTHS:
            found.append((f"cycle {depth:g}", temperature, *triangle(depth)))
        if folder is not None:
            for name in PROFILES:
                found.append((f"profile {name}", temperature, *profile(folder, name)))
    return found


def blast(model: Any, times: Any, soc: Any, temperature: int) -> list[float | None]:
    """State of health after each of YEARS; None where the model gives no number. The duty is in shares of what is left.

    BLAST-Lite's LFP model can leave its own range: on a day near SOC 0 the calendar loss has a ceiling, and a cell that
    has lost more than that already has no place on the curve.
    """
    constant = len(times) < 1000
    model.simulate_battery_life(
        {"Time_s": times, "SOC": soc, "Temperature_C": np.full(len(times), float(temperature))},
        threshold_time=max(YEARS) + 0.01,
        is_constant_input=constant,
        is_conserve_energy_throughput=False,
    )
    found = (float(np.interp(365 * years, model.stressors["t_days"], model.outputs["q"])) for years in YEARS)
    return [None if np.isnan(value) else round(value, 6) for value in found]


def run(folder: Path) -> None:
    """Run BLAST-Lite over all cases and write its results."""
    models = import_module("blast.models")
    results: dict[str, dict[str, dict[str, list[float | None]]]] = {}
    for key, name in MODELS.items():
        results[key] = {}
        for duty, temperature, times, soc in cases(folder):
            values = blast(getattr(models, name)(), times, soc, temperature)
            results[key].setdefault(duty, {})[str(temperature)] = values
            print(key, duty, temperature, values, file=sys.stderr)
    document = {
        "what": "state of health after years of a repeated duty, by BLAST-Lite; scripts/compare_blast.py run",
        "blast_lite": version("blast-lite"),
        "numpy": version("numpy"),
        "years": list(YEARS),
        "models": MODELS,
        "results": results,
    }
    VECTORS.parent.mkdir(parents=True, exist_ok=True)
    VECTORS.write_text(json.dumps(document, indent=1) + "\n")


def ours(folder: Path | None) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Our models' states of health for the same cases; profiles only if their files are there."""
    ageing, homes = import_module("stowatt.degradation.ageing"), import_module("stowatt.degradation.cells")
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for chemistry in COMPARED:
        cell = homes.cell_of(chemistry)
        duties: dict[str, dict[str, list[float]]] = found.setdefault(chemistry, {})
        for duty, temperature, times, soc in cases(folder):
            load = ageing.duty_of(cell, times, soc, float(temperature))
            values = [ageing.after(cell, load, 365.0 * years).soh for years in YEARS]
            duties.setdefault(duty, {})[str(temperature)] = values
    return found


def deviations(chemistry: str, own: Any, stored: Any, year: int) -> list[tuple[str, int, float, list[float | None]]]:
    """Duty, °C, our state of health in %, and ours less each of BLAST-Lite's in percentage points."""
    rows = []
    for duty, by_temperature in own[chemistry].items():
        for temperature, values in by_temperature.items():
            others = [stored[key][duty][temperature][year] for key in COMPARED[chemistry]]
            differences = [None if other is None else 100 * (values[year] - other) for other in others]
            rows.append((duty, int(temperature), 100 * values[year], differences))
    return rows


def table(chemistry: str, own: Any, stored: Any, wanted: Callable[[str], bool]) -> list[str]:
    """The Markdown table of one chemistry: after ten years, state of health and deviations at each temperature."""
    names = COMPARED[chemistry]
    rows = [row for row in deviations(chemistry, own, stored, len(YEARS) - 1) if wanted(row[0])]
    heads = [f"{t} °C: ours, less {', '.join(name.split('_')[1] for name in names)}" for t in TEMPERATURES]
    lines = [f"| duty | {' | '.join(heads)} |", "|---" * (1 + len(TEMPERATURES)) + "|"]
    for duty in dict.fromkeys(row[0] for row in rows):
        cells = []
        for temperature in TEMPERATURES:
            (found,) = [row for row in rows if row[:2] == (duty, temperature)]
            differences = ("none" if value is None else f"{value:+.1f}" for value in found[3])
            cells.append(f"{found[2]:.1f}, {', '.join(differences)}")
        lines.append(f"| {words(duty)} | {' | '.join(cells)} |")
    return lines


def words(duty: str) -> str:
    """A duty as the page names it."""
    kind, what = duty.split()
    if kind == "profile":
        return f"home battery, {what.capitalize()}"
    return f"{'stored at SOC' if kind == 'storage' else 'daily, DOD'} {100 * float(what):.0f} %"


def summary(own: Any, stored: Any, wanted: Callable[[str], bool]) -> list[str]:
    """The mean and the greatest absolute deviation after each of YEARS."""
    lines = ["| ours | BLAST-Lite's model | years | mean deviation | mean absolute | greatest |", "|---" * 6 + "|"]
    for chemistry, names in COMPARED.items():
        for place, name in enumerate(names):
            for year, years in enumerate(YEARS):
                rows = [row for row in deviations(chemistry, own, stored, year) if wanted(row[0])]
                found = [value for row in rows if (value := row[3][place]) is not None]
                worst = max(found, key=abs)
                model = MODELS[name].removesuffix("_Battery")
                figures = f"{np.mean(found):+.1f} | {np.mean(np.abs(found)):.1f} | {worst:+.1f}"
                lines.append(f"| {chemistry.upper()} | {model} | {years} | {figures} |")
    return lines


def blocks(folder: Path | None) -> dict[str, list[str]]:
    """Every generated table of the page by its name; those of the profiles only if their files are there."""
    stored = json.loads(VECTORS.read_text())["results"]
    own = ours(folder)

    def steady(duty: str) -> bool:
        return not duty.startswith("profile")

    found = {f"blast-{chemistry}": table(chemistry, own, stored, steady) for chemistry in COMPARED}
    found["blast-summary"] = summary(own, stored, steady)
    if folder is not None:
        for chemistry in COMPARED:
            found[f"profiles-{chemistry}"] = table(chemistry, own, stored, lambda duty: not steady(duty))
    return found


def replaced(page: str, name: str, lines: Sequence[str]) -> str:
    """The page with one generated table put in."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->\n"
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"{PAGE.name} has no place named {name}")
    return head + begin + "\n".join(lines) + "\n" + end + tail


def main() -> None:
    """Run, write the tables, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--profiles", type=Path, default=DATA if DATA.is_dir() else None)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.what == "run":
        if options.profiles is None:
            raise SystemExit("run needs --profiles DIR")
        run(options.profiles)
        return
    page = PAGE.read_text(encoding="utf-8")
    written = page
    for name, lines in blocks(options.profiles).items():
        written = replaced(written, name, lines)
    if options.check and written != page:
        raise SystemExit("docs/wear.md is stale: run scripts/compare_blast.py table")
    if not options.check:
        PAGE.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
