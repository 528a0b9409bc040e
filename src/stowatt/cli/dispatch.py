"""`stowatt dispatch EVENTS`: from a market's events to what each battery and each buyer does when."""

import json
import os
import shutil
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.audit.events import Event
from stowatt.audit.records import read_events
from stowatt.cli.progress import counting
from stowatt.cli.values import instant, short_time, windows_of
from stowatt.data.decimals import WH_IN_KWH
from stowatt.dispatch import document, openadr, tables
from stowatt.dispatch.cleared import cleared_market
from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.schedules import BatterySchedule, DispatchPlan, build
from stowatt.dispatch.states import read_forecast, read_states
from stowatt.errors import OutputError


class Format(StrEnum):
    """What can be written."""

    CSV = "csv"
    JSON = "json"
    OPENADR = "openadr"


SHOWN = 200
"""Rows that are printed; the files have all."""
_HEADINGS: Final = (
    *("device", "window", "start", "kWh\nsold", "kWh\ndue", "kWh at\nmeter"),
    *("W", "kWh\nbefore", "kWh\nafter", "kWh\nmissing"),
)


def dispatch(
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS", help="A market's events, as `audit --export` wrote them.")
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write files here: a new folder.")] = None,
    formats: Annotated[
        list[Format] | None, typer.Option("--format", help="What to write: csv, json or openadr (default: all three).")
    ] = None,
    market: Annotated[
        Path | None, typer.Option("--market", metavar="FILE", help="The market's file: audit the events first.")
    ] = None,
    window: Annotated[list[str] | None, typer.Option("--window", metavar="N|N-M", help="Only these windows.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="As of this time (default: that of the last event).")
    ] = None,
    batteries: Annotated[
        Path | None, typer.Option("--batteries", metavar="CSV", help="What is stored: device,stored_kwh.")
    ] = None,
    forecast: Annotated[
        Path | None, typer.Option("--forecast", metavar="CSV", help="Own needs: device,window,net_load_kwh.")
    ] = None,
    program_id: Annotated[
        str, typer.Option("--program-id", metavar="ID", help="The OpenADR program's id, as the VTN gave it.")
    ] = openadr.PROGRAM_NAME,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw energy and power to an .svg or .png file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Schedules for batteries and buyers, and whether each battery can deliver. Status 1 if one cannot."""
    if plot is not None:
        from stowatt.cli.clear_plot import check_target

        check_target(plot)
    if formats and out is None:
        raise OutputError("--format without --out writes nothing", "name a new folder with --out")
    if out is not None:
        _require_new(out)
    log = list(read_events(events))
    if market is not None:
        _audit(log, market)
    plan = build(
        cleared_market(log),
        at=None if at is None else instant("--at", at),
        windows=windows_of(window) if window else None,
        stored_wh=read_states(batteries) if batteries else None,
        net_load_wh=read_forecast(forecast) if forecast else None,
    )
    files = _files(plan, formats or list(Format), program_id)
    if out is not None:
        _write(out, files)
    if plot is not None:
        from stowatt.cli.dispatch_plot import plot_plan

        plot_plan(plot, plan)
    if as_json:
        print(json.dumps(document.to_json(plan)))
    else:
        _show(plan, audited=market is not None)
    if not plan.feasible:
        raise typer.Exit(1)


def _audit(log: list[Event], market: Path) -> None:
    """Nothing is scheduled from events that do not follow from the rules."""
    from stowatt.audit import Subject, Verdict
    from stowatt.audit.replay import audit
    from stowatt.chain.client.deployment import Deployment

    d = Deployment.read(market)
    subject = Subject(d.chain_id, d.market, None, d.token, d.registry, d.rights, d.delivery)
    with counting("auditing") as progress:
        report = audit(log, subject, progress)
    if report.verdict is Verdict.MISMATCH:
        raise DispatchError(
            f"{len(report.mismatches)} values of the events do not follow from the rules, the first: "
            f"{report.mismatches[0]}",
            "see `stowatt audit`",
        )


# ---------------------------------------------------------------- files


def _files(plan: DispatchPlan, formats: Iterable[Format], program_id: str) -> dict[str, str]:
    """The text of each file, by its name in the folder."""
    found: dict[str, str] = {}
    if Format.JSON in formats:
        found["dispatch.json"] = _json(document.to_json(plan))
    if Format.CSV in formats:
        found["batteries.csv"] = tables.battery_csv(plan)
        found["buyers.csv"] = tables.buyer_csv(plan)
        found["pairs.csv"] = tables.pair_csv(plan)
    if Format.OPENADR in formats:
        found["openadr/program.json"] = _json(openadr.program(plan))
        for name, event in openadr.events(plan, program_id):
            found[f"openadr/event-{name}.json"] = _json(event)
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


def _require_new(folder: Path) -> None:
    """An old schedule beside a new one could be dispatched by mistake, so nothing is written into a used folder."""
    try:
        here = folder.resolve() == Path.cwd()  # moved over, it would be gone under the shell that stands in it
        used = folder.exists() and (not folder.is_dir() or next(folder.iterdir(), None) is not None)
    except OSError as error:
        raise OutputError(f"{folder} cannot be used: {error.strerror}", "name another folder") from None
    if here:
        raise OutputError(f"{folder} is the folder that you are in", "name a new one")
    if used:
        raise OutputError(f"{folder} exists and is not an empty folder", "name a new one; nothing is overwritten")


def _write(folder: Path, files: dict[str, str]) -> None:
    """All files or none: they are written beside and moved in one step."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        for name, text in files.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        os.replace(draft, folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}", "name another folder") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


# ---------------------------------------------------------------- what people read


def _show(plan: DispatchPlan, audited: bool) -> None:
    console = Console()
    if not plan.windows:
        console.print("No window was cleared with a trade: there is nothing to dispatch.")
        return
    # Ten columns of numbers in 80 characters: two-line headings, and no rules between the columns.
    table = Table(title=f"Dispatch of {plan.market}", box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    rows = [(battery, row) for battery in plan.batteries for row in battery.rows]
    for battery, row in rows[:SHOWN]:
        table.add_row(
            str(battery.device), str(row.window), short_time(row.start), WH_IN_KWH.text(row.sold_wh),
            WH_IN_KWH.text(row.due_wh), WH_IN_KWH.text(row.deliver_wh), str(row.average_w),
            WH_IN_KWH.text(row.before_wh), WH_IN_KWH.text(row.after_wh),
            WH_IN_KWH.text(row.missing_wh) if row.missing_wh else "",
        )  # fmt: skip
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"and {len(rows) - SHOWN} more rows: see --out or --json")
    for battery in plan.batteries:
        console.print(Text(_verdict(battery), style="" if battery.feasible else "red"), soft_wrap=True)
    for line in _notes(plan, audited):
        console.print(Text(line), soft_wrap=True)


def _verdict(battery: BatterySchedule) -> str:
    assumed = " (assumed full: --batteries says what is stored)" if battery.assumed_full else ""
    return f"device {battery.device}: {battery.verdict}{assumed}"


def _notes(plan: DispatchPlan, audited: bool) -> list[str]:
    total = sum(row.wh for buyer in plan.buyers for row in buyer.rows)
    notes = [f"{len(plan.buyers)} buyers take {WH_IN_KWH.text(total)} kWh; {len(plan.pairs)} pairs."]
    open_ones = [str(window.window) for window in plan.windows if window.provisional]
    if open_ones:
        notes.append(f"note: buyers can still pay in {_list(open_ones)}; defaults will shrink what is due")
    late = [w for w in plan.windows if w.unclaimed_sell_wh or w.unclaimed_buy_wh]
    if late:
        sold, bought = sum(w.unclaimed_sell_wh for w in late), sum(w.unclaimed_buy_wh for w in late)
        names = _list([str(w.window) for w in late])
        whose = f"{WH_IN_KWH.text(sold)} kWh of sellers, {WH_IN_KWH.text(bought)} kWh of buyers"
        notes.append(f"note: fills are unclaimed in {names} ({whose}): not scheduled")
    if not audited:
        notes.append("note: the events are taken as they are; --market FILE audits them first")
    return notes


def _list(windows: list[str]) -> str:
    more = len(windows) - 8
    return f"window {', '.join(windows[:8])}" + (f" and {more} more" if more > 0 else "")
