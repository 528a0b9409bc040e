"""`stowatt claim`, `stowatt pay` and `stowatt settle`: from the clearing to the final settlement (§6)."""

from typing import Annotated

import typer

from stowatt import agent
from stowatt.agent import Step, positions
from stowatt.agent.issue import ISSUING
from stowatt.calendar import Phase
from stowatt.cli.output import show_steps
from stowatt.cli.progress import counting
from stowatt.cli.session import Session, on_market
from stowatt.cli.values import windows_of
from stowatt.curves import Side
from stowatt.rights import RightId

Window = Annotated[list[str] | None, typer.Option("--window", metavar="W", help="A window such as 7, or 4-9.")]


@on_market
def claim(
    session: Session,
    window: Window = None,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's bids, not only this key's.")] = False,
) -> None:
    """Issue what opened bids were allotted: deposit, payment and capacity right; refunds in void windows.

    Without --window, in every window in which this key has something to claim.
    """
    client = session.client
    chosen = windows_of(window) if window else _waiting(session, {"revealed", "refundable"}, ISSUING)
    with counting("claiming") as progress:
        who = None if everybody else [client.address]
        steps = agent.claim(client, chosen, participants=who, progress=progress)
    show_steps(session, steps)


@on_market
def pay(
    session: Session,
    window: Window = None,
    right: Annotated[list[str] | None, typer.Option("--right", metavar="RIGHT", help="Or a right to pay for.")] = None,
) -> None:
    """Pay for buyers' rights from this key's free balance, before the payment deadline.

    Without --window and --right, for all of this key's own.
    """
    client = session.client
    if right:
        rights = [session.right(text) for text in right]
    else:
        chosen = windows_of(window) if window else _waiting(session, {"payment due"}, (Phase.PAYMENT,))
        rights = [RightId(client.address, number, Side.BUY) for number in chosen]
    show_steps(session, agent.pay(client, rights))


@on_market
def settle(
    session: Session,
    window: Annotated[list[str], typer.Option("--window", metavar="W", help="A window such as 7, or 4-9.")],
) -> None:
    """Settle windows finally, for everybody: open claims, defaults, sellers, buyers. Anybody may."""
    with counting("settling") as progress:
        steps: list[Step] = agent.settle(session.client, windows_of(window), progress)
    show_steps(session, steps)


def _waiting(session: Session, states: set[str], phases: tuple[Phase, ...]) -> list[int]:
    """This key's windows in such a state and phase."""
    found = positions(session.reader, session.client.address)
    return [position.window for position in found if position.state in states and position.phase in phases]
