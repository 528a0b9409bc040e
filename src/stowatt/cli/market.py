"""`stowatt market`: deploy a market, open, watch, clear and void its windows, admit participants."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from stowatt.agent import positions
from stowatt.agent.once import Step, catch_up
from stowatt.agent.waiting import Moment, wait_for
from stowatt.audit.events import Cleared, Voided, WindowOpened
from stowatt.calendar import Status, deadlines
from stowatt.chain.client import MarketReader, phase_name
from stowatt.cli.admission import register, revoke, submit_statement
from stowatt.cli.deploy import deploy_market
from stowatt.cli.output import money_text, show_positions, show_steps
from stowatt.cli.session import Session, command_group, on_market
from stowatt.cli.values import short_time, tick_unit, time_text, windows_of
from stowatt.data.decimals import WH_IN_KWH

market_app = command_group("market", "Deploy a market; open, watch, clear and void its windows; admit participants.")
market_app.command("deploy")(deploy_market)
market_app.command("register")(register)
market_app.command("revoke")(revoke)
market_app.command("submit")(submit_statement)

Windows = Annotated[list[str], typer.Argument(metavar="WINDOW...", help="Windows such as 7 or 4-9.")]


@market_app.command("open")
@on_market
def open_windows(session: Session, windows: Windows) -> None:
    """Open windows for bidding; one that is open already is left alone."""
    client, numbers = session.client, windows_of(windows)
    catch_up(client)
    steps = []
    for first, count in _runs([w for w in numbers if client.state(w).status is Status.NONE]):
        done = client.execute(client.calls.open_windows(first, count))
        steps += [Step(event.window, "opened") for event in done.of(WindowOpened)]
    opened = {step.window for step in steps}
    show_steps(session, [*(Step(w, "opened", False) for w in numbers if w not in opened), *steps])


@market_app.command("clear")
@on_market
def clear(session: Session, windows: Windows) -> None:
    """Clear windows whose reveal deadline has passed, or whose commitments are all opened. Anybody may."""
    client = session.client
    catch_up(client)
    steps = []
    for window in windows_of(windows):
        status = client.state(window).status
        done = status in (Status.TRADED, Status.NO_TRADE)
        if not done:
            receipt = client.execute(client.calls.clear(window))
            status = Status.TRADED if list(receipt.of(Cleared)) else Status.NO_TRADE
        steps.append(Step(window, "cleared", not done, detail=_result_text(client, window, status)))
    show_steps(session, steps)


@market_app.command("void")
@on_market
def void(session: Session, windows: Windows) -> None:
    """Void windows that nobody cleared in time; everybody gets everything back. Anybody may."""
    client = session.client
    catch_up(client)
    steps = []
    for window in windows_of(windows):
        known = client.state(window).status is Status.VOID
        if not known:
            client.execute(client.calls.void(window)).only(Voided)
        steps.append(Step(window, "voided", not known))
    show_steps(session, steps)


@market_app.command("wait")
@on_market
def wait(
    session: Session,
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="The window.")],
    until: Annotated[Moment, typer.Option("--until", help="What of it to wait for.")],
    move_clock: Annotated[
        bool, typer.Option("--move-clock", help="Move a development chain's clock there instead of waiting.")
    ] = False,
) -> None:
    """Wait for a window's deadline by the chain's clock, or move the clock of a development chain there."""
    (number,) = windows_of([window]) or [0]
    reader = session.reader
    at = wait_for(reader, number, until, clock=_clock(session) if move_clock else None)
    session.show(
        {"window": number, "time": at, "phase": phase_name(reader.phase(number))},
        ("window", "time", "phase"),
        [(str(number), time_text(at), phase_name(reader.phase(number)))],
    )


def _clock(session: Session) -> Any:
    if session.options.rpc is not None:
        from stowatt.chain.rpc import DevClock

        return DevClock(session.options.rpc)
    return session.ledger


@market_app.command("status")
@on_market
def status(
    session: Session,
    window: Annotated[list[str] | None, typer.Option("--window", help="Windows to show (default: all opened).")] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Show what this account has in them; with --key, its own.")
    ] = None,
) -> None:
    """Show the market's windows, or what an account has in them."""
    reader = session.reader
    chosen = windows_of(window) if window else None
    if account is not None or session.options.key is not None:
        show_positions(session, reader, positions(reader, session.address(account), chosen))
        return
    if chosen is None:
        events = reader.events(WindowOpened)
        chosen = sorted({event.window for event in events if isinstance(event, WindowOpened)})
    values = [_window_json(reader, number) for number in chosen]
    rows = [
        (
            str(value["window"]),
            value["phase"],
            short_time(value["times"]["commit"]),
            short_time(value["times"]["reveal"]),
            short_time(value["times"]["start"]),
            value.get("price") or "",
            WH_IN_KWH.text(value["volume_wh"]) if value.get("volume_wh") else "",
        )
        for value in values
    ]
    d = reader.deployment
    session.show(
        {
            "market": d.market,
            "chain_id": d.chain_id,
            "time": reader.ledger.time(),
            "token": {"address": d.token, "symbol": d.token_symbol, "decimals": d.token_decimals},
            "open_mode": reader.open_mode,
            "calendar": asdict(reader.calendar),
            "windows": values,
        },
        ("window", "phase", "commit until", "reveal until", "delivery from", "price", "kWh"),
        rows,
        title=f"Market {d.market} at {time_text(reader.ledger.time())}",
    )


def _window_json(reader: MarketReader, window: int) -> dict[str, Any]:
    times, state, money = deadlines(reader.calendar, window), reader.state(window), money_text(reader)
    value: dict[str, Any] = {
        "window": window,
        "phase": phase_name(reader.phase(window)),
        "times": asdict(times),
        "unopened_sellers": state.sellers,
        "unopened_buyers": state.buyers,
    }
    if state.status is Status.TRADED:
        result, funds = reader.result(window), reader.money(window)
        value |= {
            "price": tick_unit(reader).text(result.tick),
            "volume_wh": result.volume,
            "resolved_wh": state.resolved,
            "settled_wh": state.settled,
            "paid_wh": funds.paid,
            "pool": money(funds.pool),
            "escrow": money(funds.escrow),
        }
    return value


def _result_text(reader: MarketReader, window: int, status: Status) -> str:
    if status is Status.NO_TRADE:
        return "no trade"
    result = reader.result(window)
    price = f"{tick_unit(reader).text(result.tick)} {reader.deployment.token_symbol}/kWh"
    return f"{WH_IN_KWH.text(result.volume)} kWh at {price}"


def _runs(windows: list[int]) -> list[tuple[int, int]]:
    """Consecutive windows as (first, count)."""
    runs: list[tuple[int, int]] = []
    for window in sorted(windows):
        if runs and sum(runs[-1]) == window:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((window, 1))
    return runs
