"""`stowatt wear fit DATA`: how a battery wears, estimated from what it did (28), with intervals and held-out error."""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.cli.progress import counting
from stowatt.data.decimals import parse_decimal, shown
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.errors import OutputError, UnitError

NO_LABEL = "none"


def fit(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="CSV or Parquet; docs/wear-calibration.md has columns.")],
    kind: Annotated[
        Literal["auto", "operating", "mj1", "cycle-life"], typer.Option(help="The shape of the file.")
    ] = "auto",
    fix: Annotated[
        list[str] | None, typer.Option("--fix", metavar="NAME=VALUE", help="A parameter that you know; repeatable.")
    ] = None,
    free: Annotated[
        list[str] | None, typer.Option("--free", metavar="NAME", help="Estimate an optional parameter: cycle_bend.")
    ] = None,
    held_out: Annotated[
        str, typer.Option(metavar="LABEL", help="Predict each group from the others: cell, temperature, …; or none.")
    ] = "auto",
    confidence: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    bootstrap: Annotated[int, typer.Option(metavar="N", help="Also intervals from N draws of cells; 0: none.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw predicted against measured to an .svg or .png file.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the law to a file (theta.json).")] = None,
) -> None:
    """Estimate how a battery wears from operating data: depth, temperature, utilisation and lost capacity.

    A parameter that the data do not determine is refused, with the reason; --fix takes your value for it.
    """
    from stowatt.degradation.calibration_bootstrap import bootstrap as draw
    from stowatt.degradation.calibration_fit import fit as estimate
    from stowatt.degradation.calibration_held_out import held_out as leave_out
    from stowatt.degradation.calibration_sources import read_kind
    from stowatt.degradation.calibration_theta import theta_of

    if not 0.5 <= confidence <= 0.999:
        raise CalibrationError(f"a confidence of {confidence:g} is out of range", "give 0.5 to 0.999")
    fixed = parse_fixed(fix or [])
    if plot is not None:
        from stowatt.cli.wear_fit_plot import check_target, plot_fit

        check_target(plot)
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise OutputError(f"{out} cannot be written", "name a file in a folder that exists")
    rows = read_kind(data, kind)
    found = estimate(rows, fixed, free or [], confidence)
    label = rows.cluster if held_out == "auto" else held_out
    outcome = None
    if label != NO_LABEL and not (held_out == "auto" and rows.cells < 2):
        with counting("held out") as progress:
            outcome = leave_out(found, label, progress)
    drawn: dict[str, tuple[float, float]] = {}
    if bootstrap:
        with counting("bootstrap") as progress:
            drawn = draw(found, bootstrap, seed, progress)
    if out is not None:
        write_whole(out, json.dumps(theta_of(found).document(), indent=1, ensure_ascii=False) + "\n")
    if plot is not None:
        plot_fit(plot, found)
    if as_json:
        print(json.dumps(_document(found, outcome, drawn), ensure_ascii=False))
    else:
        _print_tables(found, outcome, drawn)


def parse_fixed(texts: list[str]) -> dict[str, float]:
    """`name=value` for each parameter that the user gives."""
    fixed = {}
    for text in texts:
        name, mark, value = (part.strip() for part in text.partition("="))
        try:
            parse_decimal(value)
        except UnitError as error:
            problem = error.what if mark else "has no value"
            raise CalibrationError(f"--fix {shown(text)}: {problem}", "write it as cycle_shape=0.8") from None
        if name in fixed:
            raise CalibrationError(f"--fix {name} is given twice", "give it once")
        fixed[name] = float(value)
    return fixed


def write_whole(path: Path, text: str) -> None:
    """The text as a file; an older file is replaced only when the new one is whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written ({error.strerror})", "choose another place") from None


# ---- output ----


def _document(found: Any, outcome: Any, drawn: dict[str, tuple[float, float]]) -> dict[str, Any]:
    from stowatt.degradation.calibration_theta import theta_of

    document: dict[str, Any] = theta_of(found).document()
    for name, interval in drawn.items():
        document["parameters"][name]["bootstrap"] = list(interval)
    for estimate in found.estimates:
        document["parameters"][estimate.name]["note"] = estimate.note
    document |= {
        "cells": found.data.cells,
        "checks": len(found.data),
        "intervals": found.intervals,
        "notes": list(found.notes),
        "held_out": None,
    }
    if outcome is not None:
        document["held_out"] = {
            "label": outcome.label,
            "rmse": outcome.rmse,
            "groups": [
                {"name": group.name, "checks": group.checks, "rmse": group.rmse, "bias": group.bias}
                for group in outcome.groups
            ],
            "refused": outcome.refused,
        }
    return document


def _print_tables(found: Any, outcome: Any, drawn: dict[str, tuple[float, float]]) -> None:
    console = Console()
    console.print(_theta_table(found, drawn))
    console.print(Text(f"in sample: RMSE {spell_error(found, found.rmse)} over {len(found.data)} checks"))
    if outcome is not None:
        console.print(_held_out_text(found, outcome))
    console.print(Text(f"intervals: {found.intervals}"))
    absent: dict[str, list[str]] = {}
    for estimate in found.estimates:
        if estimate.status == "absent":
            absent.setdefault(estimate.note, []).append(estimate.name)
    for why, names in absent.items():
        console.print(Text(f"left out: {', '.join(names)} ({why})"))
    for note in found.notes:
        console.print(Text(f"note: {note}"))


def _theta_table(found: Any, drawn: dict[str, tuple[float, float]]) -> Table:
    cells = f"{found.data.cells} cell{'s' * (found.data.cells != 1)}"
    table = Table(title=Text(f"θ of {found.data.source}: {cells}, {len(found.data)} checks"))
    table.add_column("parameter", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column(f"{100 * found.confidence:g} % interval", justify="right", no_wrap=True)
    if drawn:
        table.add_column("bootstrap", justify="right")
    table.add_column("unit")
    for estimate in found.estimates:
        if estimate.status == "absent":
            continue
        if estimate.status == "estimated":
            cells_of_row = [_number(estimate.value), f"{_number(estimate.low)} … {_number(estimate.high)}"]
        else:
            cells_of_row = [_number(estimate.value), "given by you"]
        if drawn:
            pair = drawn.get(estimate.name)
            cells_of_row.append(f"{_number(pair[0])} … {_number(pair[1])}" if pair else "")
        table.add_row(estimate.name, *cells_of_row, Text(estimate.unit))
    return table


def _held_out_text(found: Any, outcome: Any) -> Text:
    text = Text()
    if outcome.rmse is None:
        text.append(f"held out by {outcome.label}: nothing can be predicted")
    else:
        worst = max(outcome.groups, key=lambda group: group.rmse)
        text.append(
            f"held out by {outcome.label}: RMSE {spell_error(found, outcome.rmse)} over {len(outcome.groups)} groups; "
            f"worst {worst.name}: {spell_error(found, worst.rmse)}"
        )
    for name, why in outcome.refused.items():
        text.append(f"\nwithout {name} nothing can be predicted: {why}")
    return text


def spell_error(found: Any, error: float) -> str:
    """A loss in percentage points of capacity, or a relative error of the life."""
    if found.data.measured == "loss":
        return f"{100 * error:.2f} % of capacity"
    return f"{100 * error / float(found.theta[5]):.1f} % of the life"


def _number(value: float) -> str:
    return f"{value:.4g}"
