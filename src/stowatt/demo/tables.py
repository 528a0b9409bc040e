"""The end of the demo on the screen: the evening in figures, gas by operation, the audit's verdict, the files."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from stowatt.demo.dispatch import Dispatch
from stowatt.demo.judge import Judgement
from stowatt.demo.output import OutputFolder
from stowatt.demo.summary import Conservation
from stowatt.report import DayReport, text


def print_summary(
    console: Console,
    report: DayReport,
    dispatch: Dispatch,
    judgement: Judgement,
    money: Conservation,
    folder: OutputFolder,
) -> None:
    """Everything after the last settlement."""
    console.print()
    console.print(evening_table(report))
    console.print(physics_table(report))
    console.print(gas_table(dispatch))
    for note in report.notes:
        if note.startswith("No home"):
            console.print(Text(note, style="dim"))
    console.print(verdict_panel(report, judgement, money))
    console.print()
    for name, path, what in (
        ("report", folder.report, "open it in a browser: it needs no network"),
        ("day", folder.day, "the same as JSON"),
        ("events", folder.events, "all that an auditor needs"),
        ("ledger", folder.ledger, "the chain"),
    ):
        console.print(Text.assemble(f"{name:8}", (str(path), "bold"), ("  " + what, "dim")), soft_wrap=True)
    console.print()
    console.print("Do not believe it; audit it yourself:")
    arguments = ("audit", "--market", str(folder.market), "--events", str(folder.events))
    console.print(Text(f"  {_program()} {shlex.join(arguments)}", style="bold"), soft_wrap=True)


def _program() -> str:
    """How this program was called."""
    called = sys.argv[0]
    return shlex.quote(called) if Path(called).name == "stowatt" else "stowatt"


def evening_table(report: DayReport) -> Table:
    """Price, volume, welfare and verdict of each window, and what all saved."""
    table = Table(title="The evening", title_justify="left", box=box.SIMPLE_HEAD, show_footer=True)
    eur = report.currency.name
    mean = text.price(report.mean_price, report.currency)
    table.add_column("window", footer="all")
    table.add_column(f"λ {eur}/kWh", footer=mean, justify="right")
    table.add_column("volume kWh", footer=text.kwh(report.volume), justify="right")
    table.add_column(f"welfare {eur}", footer=_money(report.welfare, report), justify="right")
    table.add_column("figures", footer=text.grouped(report.audit.checks), justify="right")
    table.add_column("audit", footer="proved" if report.audit.good else "MISMATCH")
    for window in report.windows:
        table.add_row(
            f"{window.start:%H:%M}",
            text.price(window.price, report.currency),
            text.kwh(window.volume),
            _money(window.welfare, report),
            text.grouped(window.verdict.checks),
            Text("proved", "green") if window.verdict.good else Text("MISMATCH", "bold red"),
        )
    return table


def physics_table(report: DayReport) -> Table:
    """What batteries, meters and records did."""
    table = Table(title="Batteries, meters, deposits", title_justify="left", box=box.SIMPLE_HEAD, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, sentence in report.physics:
        table.add_row(name, sentence)
    return table


def gas_table(dispatch: Dispatch) -> Table:
    """Gas of each kind of transaction, and what one bid, reading or right costs in it."""
    totals = dispatch.totals()
    table = Table(title="Gas by operation", title_justify="left", box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    table.add_column("operation", footer="all", no_wrap=True)
    table.add_column("count", footer=text.grouped(sum(gas.count for gas in totals)), justify="right")
    for heading in ("min", "median", "max", "each"):
        footer = text.grouped(sum(gas.total for gas in totals)) if heading == "max" else ""
        table.add_column(heading, footer=footer, justify="right", no_wrap=True)
    for gas in totals:
        figures = (gas.count, gas.least, gas.median, gas.most, gas.each)
        table.add_row(gas.operation, *(text.grouped(value) for value in figures))
    table.caption = "each: a bid, right or reading, of which one transaction can carry many"
    table.caption_justify = "left"
    return table


def verdict_panel(report: DayReport, judgement: Judgement, money: Conservation) -> Panel:
    """What was saved, where the money is, and whether the audit proves it."""
    good = judgement.good and money.good
    lines = [*_savings(report), "", *_books(report, money), "", *_audit(judgement)]
    return Panel("\n".join(lines), title="proved" if good else "NOT PROVED", border_style="green" if good else "red")


def _savings(report: DayReport) -> Iterator[str]:
    eur = report.currency.name
    buyers, sellers = report.saved("buyer"), report.saved("seller")
    yield (
        f"Against no market: buyers save {_money(buyers, report)} {eur}, sellers gain {_money(sellers, report)} {eur} "
        f"after wear and losses."
    )


def _books(report: DayReport, money: Conservation) -> Iterator[str]:
    def show(units: int) -> str:
        return f"{text.money(units, report.currency, 6)}"

    yield (
        f"Money: {show(money.deposited)} {report.currency.name} came in, {show(money.withdrawn)} went out; the market "
        f"holds {show(money.tokens)}, owes {show(money.free + money.held)}; difference "
        f"{show(money.tokens - money.free - money.held)}. Sum of all nets: {show(report.balance)}."
    )


def _audit(judgement: Judgement) -> Iterator[str]:
    audit = judgement.audit
    yield (
        f"Audit of {text.grouped(audit.totals.events)} events, {text.grouped(audit.totals.checks)} figures redone: "
        f"windows {len(audit.windows)}, mismatches {len(audit.mismatches)}: {audit.verdict.value}."
    )
    yield from (f"- {mismatch}" for mismatch in audit.mismatches[:20])
    if len(audit.mismatches) > 20:
        yield f"- and {len(audit.mismatches) - 20} more, see day.json"


def _money(units: int, report: DayReport) -> str:
    return text.money(units, report.currency, 2)
