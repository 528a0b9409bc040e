"""`stowatt demo`: an evening of a real grid, from sealed bids to settled rights and the audit."""

import json
from contextlib import nullcontext
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from stowatt.demo.settings import DemoError, DemoSettings, DemoStopped


def demo(
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The evening (SimBench: any of 2016).")
    ] = None,
    first: Annotated[str, typer.Option("--first", metavar="HH:MM", help="Start of the first window.")] = "17:00",
    windows: Annotated[int, typer.Option(min=1, max=96, help="Windows of a quarter of an hour.")] = 12,
    homes: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Your own homes as CSV files (docs/homes.md).")
    ] = None,
    max_buyers: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="At most so many buyers, those with the greatest load.")
    ] = None,
    zone: Annotated[str, typer.Option(help="The homes' clock.")] = "Europe/Berlin",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new or empty folder (default demo-output/DATE-N).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the day as JSON, and nothing else.")] = False,
) -> None:
    """Run an evening: sealed bids, clearing, payment, metered delivery, settlement, troubles, audit, report.

    It runs on a real EVM in a folder of its own, with the homes of a SimBench low-voltage grid or your own. The status
    is 1 if the audit finds a mismatch.
    """
    settings = DemoSettings(_date(day), _time(first), windows, homes, max_buyers, out, zone)
    console = Console(quiet=as_json, highlight=False)
    with console.status("reading") if console.is_terminal else nullcontext():
        from stowatt.demo.run import run_demo
        from stowatt.demo.screen import Screen

    try:
        outcome = run_demo(settings, Screen(console))
    except DemoStopped as stopped:
        typer.echo(stopped, err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(outcome.document, ensure_ascii=False))
    if not outcome.good:
        raise DemoError("the day is not proved: audit, engine or books differ", "day.json names every difference")


def _date(value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise DemoError(f"{value!r} is not a date", "write it like 2016-10-20") from None


def _time(value: str) -> time:
    try:
        return datetime.strptime(value, "%H:%M").time()
    except ValueError:
        raise DemoError(f"{value!r} is not a time of day", "write it like 17:00") from None
