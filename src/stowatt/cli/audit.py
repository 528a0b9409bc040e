"""`stowatt audit`: prove from a market's events alone that every figure is right."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.audit import AuditReport, Subject, Verdict, WindowReport
from stowatt.audit.events import Event
from stowatt.audit.records import read_events, write_events
from stowatt.calendar import Calendar
from stowatt.chain.client.deployment import Deployment
from stowatt.cli.progress import counting
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit, decimal_text
from stowatt.errors import LedgerError

BLOCKS_AT_ONCE = 2000
"""Blocks whose events are asked for at once: endpoints limit the range."""
SHOWN = 40
"""Mismatches that are printed; the JSON has all."""


def audit(
    market: Annotated[
        Path, typer.Option("--market", metavar="FILE", envvar="STOWATT_MARKET", help="The market's file.")
    ] = Path("market.json"),
    rpc: Annotated[
        str | None, typer.Option("--rpc", metavar="URL", envvar="STOWATT_RPC", help="The chain's JSON-RPC endpoint.")
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="DIR", envvar="STOWATT_LEDGER", help="Or an embedded ledger's directory."),
    ] = None,
    events: Annotated[
        Path | None, typer.Option("--events", metavar="FILE", help="Or a file of events; then no chain is asked.")
    ] = None,
    export: Annotated[Path | None, typer.Option("--export", metavar="FILE", help="Write the events to a file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Prove a market from its events: openings, prices, fills, money, deliveries. Status 1 if anything is wrong."""
    deployment = Deployment.read(market)
    log, subject = _from_file(deployment, events) if events else _from_chain(deployment, rpc, ledger)
    if export is not None:
        write_events(export, log)
    report = _audited(log, subject)
    if as_json:
        print(json.dumps(report.to_json()))
    else:
        _show(report, deployment)
    if report.verdict is Verdict.MISMATCH:
        raise typer.Exit(1)


def _audited(log: list[Event], subject: Subject) -> AuditReport:
    from stowatt.audit.replay import audit as replay

    with counting("auditing") as progress:
        return replay(log, subject, progress)


def _from_file(deployment: Deployment, path: Path) -> tuple[list[Event], Subject]:
    return list(read_events(path)), _subject(deployment)


def _from_chain(deployment: Deployment, rpc: str | None, ledger: Path | None) -> tuple[list[Event], Subject]:
    """All events up to the newest block, and the calendar that the contract itself tells."""
    from stowatt.chain.client.reader import MarketReader
    from stowatt.chain.embedded import EmbeddedLedger
    from stowatt.chain.rpc import RpcLedger

    if (rpc is None) == (ledger is None):
        named = "no events are named" if rpc is None else "two chains are named"
        raise LedgerError(named, "give one of --rpc URL, --ledger DIR and --events FILE")
    with RpcLedger(rpc) if rpc is not None else EmbeddedLedger.open(ledger or Path()) as chain:
        deployment.check(chain)
        reader = MarketReader(chain, deployment)
        last = chain.head().number
        log: dict[Event, None] = {}
        with counting("reading blocks") as progress:
            for first in range(deployment.block, last + 1, BLOCKS_AT_ONCE):
                progress(first - deployment.block, last + 1 - deployment.block)
                end = min(first + BLOCKS_AT_ONCE - 1, last)
                # a transfer of the market to itself is found twice
                log.update(dict.fromkeys(reader.events(from_block=first, to_block=end)))
        return list(log), _subject(deployment, reader.calendar)


def _subject(deployment: Deployment, calendar: Calendar | None = None) -> Subject:
    d = deployment
    return Subject(d.chain_id, d.market, calendar, d.token, d.registry, d.rights, d.delivery)


# ---------------------------------------------------------------- what people read


def _show(report: AuditReport, deployment: Deployment) -> None:
    console = Console()
    money = DecimalUnit(1, -deployment.token_decimals)
    table = Table(title=f"Audit of {deployment.market} up to block {report.last_block}")
    last = ("still to come",) if any(window.missing for window in report.windows) else ()
    for heading in ("window", "verdict", "status", "price", "kWh", "welfare", "paid", "checks", *last):
        table.add_column(heading, justify="left" if heading in ("verdict", "status", *last) else "right")
    for window in report.windows:
        table.add_row(*map(Text, _row(report, window, money)[: len(table.columns)]))
    console.print(table)
    _show_mismatches(console, report)
    for note in report.notes:
        console.print(Text(f"note: {note}"), soft_wrap=True)
    console.print(Text(_sentence(report, money, deployment.token_symbol)), soft_wrap=True)


def _row(report: AuditReport, window: WindowReport, money: DecimalUnit) -> tuple[str, ...]:
    tick = DecimalUnit(report.tick_size or 1, money.exponent)
    welfare = decimal_text(window.welfare * report.tick_size, money.exponent - 3)
    return (
        str(window.window),
        window.verdict.value,
        window.status,
        "" if window.price is None else tick.text(window.price),
        WH_IN_KWH.text(window.volume) if window.volume else "",
        welfare if window.volume else "",
        money.text(window.payments) if window.payments else "",
        str(window.checks),
        "; ".join(window.missing),
    )


def _show_mismatches(console: Console, report: AuditReport) -> None:
    for mismatch in report.mismatches[:SHOWN]:
        console.print(Text(f"mismatch: {mismatch}", style="red"), soft_wrap=True)
        if mismatch.related:
            others = ", ".join(str(place) for place in mismatch.related[-3:])
            more = len(mismatch.related) - 3
            console.print(Text(f"  it rests on {others}" + (f" and {more} more" if more > 0 else "")), soft_wrap=True)
    if len(report.mismatches) > SHOWN:
        console.print(Text(f"and {len(report.mismatches) - SHOWN} more mismatches: see --json"))


def _sentence(report: AuditReport, money: DecimalUnit, symbol: str) -> str:
    """The verdict on the market."""
    t = report.totals
    if report.verdict is Verdict.MISMATCH:
        return f"MISMATCH: {len(report.mismatches)} values of {t.events} events do not follow from the rules"
    still = sum(window.verdict is Verdict.OPEN for window in report.windows)
    proved = f"PROVED: {t.windows - still} of {t.windows} windows" if still else f"PROVED: all {t.windows} windows"
    rest = f"; {still} are not over, and right so far" if still else ""
    return (
        f"{proved}{rest}. {t.events} events, {t.checks} values redone; {WH_IN_KWH.text(t.volume)} kWh traded, "
        f"{money.text(t.payments)} {symbol} paid; {money.text(t.free + t.held)} {symbol} in the market, all explained"
    )
