"""`stowatt bid`: commit, withdraw and reveal sealed bids (§5)."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from stowatt import agent
from stowatt.agent import Bidding, Order
from stowatt.cli.output import show_steps
from stowatt.cli.progress import counting
from stowatt.cli.session import Session, command_group, on_market
from stowatt.cli.values import curve, orders_of_file, windows_of
from stowatt.curves import Side
from stowatt.errors import BookError, UnitError

bid_app = command_group("bid", "Commit, withdraw and reveal sealed bids.")

Window = Annotated[list[str] | None, typer.Option("--window", metavar="W", help="A window such as 7, or 4-9.")]


@bid_app.command("commit")
@on_market
def commit(
    session: Session,
    window: Window = None,
    side: Annotated[Literal["sell", "buy"] | None, typer.Option(help="Offer storage, or ask for it.")] = None,
    step: Annotated[
        list[str] | None, typer.Option(metavar="PRICE:KWH", help="A step of the curve; repeat it, up to 16.")
    ] = None,
    units: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Sell: 64ths of the device's Q_max that each bid holds of the battery (default: the fewest).",
        ),
    ] = None,
    equal_units: Annotated[
        bool, typer.Option("--equal-units", help="All bids hold what the largest needs: units are public at once.")
    ] = False,
    bids: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Or a book file (CSV or Parquet): window,participant,side,price,quantity."),
    ] = None,
) -> None:
    """Seal bids and commit to them, in one transaction; a bid for a window replaces the one before.

    The opening is on this machine's disk before the commitment is sent: reveal from here.
    """
    reader = session.reader
    if bids is not None:
        if window or side or step:
            raise BookError("bids come from the file and the command line", "give either --bids, or --window and steps")
        orders = orders_of_file(reader, bids, _names(session))
    else:
        if not window or side is None or not step:
            raise UnitError("the bid is not complete", "give --window, --side and at least one --step, or --bids FILE")
        bid = curve(reader, Side[side.upper()], step)
        orders = [Order(number, bid) for number in windows_of(window)]
    if (units is not None or equal_units) and all(order.curve.side is Side.BUY for order in orders):
        raise UnitError("only a sale holds energy units", "leave --units and --equal-units out of a bid to buy")
    if units is not None:
        if equal_units:
            raise UnitError("units are given twice", "give --units or --equal-units")
        orders = [replace(order, units=units) if order.curve.side is Side.SELL else order for order in orders]
    elif equal_units:
        orders = agent.equal_units(orders, reader.admission(session.address(None)).limit)
    with counting("sealing") as progress:
        steps = Bidding(session.client, session.openings).commit(orders, progress)
    show_steps(session, steps)


@bid_app.command("withdraw")
@on_market
def withdraw(session: Session, window: Window = None) -> None:
    """Take commitments back before the commit deadline; the bonds are free again."""
    if not window:
        raise UnitError("no window is named", "give --window")
    show_steps(session, Bidding(session.client, session.openings).withdraw(windows_of(window)))


@bid_app.command("reveal")
@on_market
def reveal(
    session: Session,
    window: Window = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="For every participant whose openings are on this machine, as a relay.")
    ] = False,
) -> None:
    """Open commitments; without --window, in every window that takes openings now."""
    chosen = windows_of(window) if window else None
    bidding = Bidding(session.client, session.openings)
    with counting("revealing") as progress:
        steps = bidding.reveal(chosen, everybody=everybody, progress=progress)
    show_steps(session, steps)


def _names(session: Session) -> list[str]:
    """How a book file may call this key."""
    key = session.options.key
    address = session.address(None)
    return [address] if key is None or key.lower() == address.lower() else [key, address]
