"""`stowatt rights`: list, show, transfer, split and draw on capacity rights (25), (27), (32).

A right is named by window and side, such as 7/sell, with /0x… for another participant's, +WH for a later part, /final
for its settlement token; or by its number.
"""

import json
from base64 import b64decode
from typing import Annotated, Any

import typer

from stowatt import agent
from stowatt.agent import holdings
from stowatt.agent.holdings import find, held_ids, holding
from stowatt.cli.output import holding_json, show_holdings, show_steps
from stowatt.cli.session import Session, command_group, on_market
from stowatt.cli.values import energy
from stowatt.curves import Side
from stowatt.errors import SettlementError

rights_app = command_group("rights", "List, show, transfer, split and draw on capacity rights.")

Right = Annotated[str, typer.Argument(metavar="RIGHT", help="Such as 7/sell, 7/buy/0x…, or its number.")]


@rights_app.command("list")
@on_market
def list_rights(
    session: Session,
    account: Annotated[str | None, typer.Argument(help="Whose (default: the key's).")] = None,
) -> None:
    """List the rights and settlement tokens that an account holds."""
    address = session.address(account)
    show_holdings(session, session.reader, holdings(session.reader, address), address)


@rights_app.command("show")
@on_market
def show(
    session: Session,
    right: Right,
    metadata: Annotated[bool, typer.Option("--metadata", help="Print the token's metadata on chain instead.")] = False,
) -> None:
    """Show one right, or what it was settled with."""
    reader = session.reader
    token = find(reader, session.right(right))
    if metadata:
        value = _metadata(reader.token_uri(token.encode()))
        print(json.dumps(value, indent=None if session.options.as_json else 2, ensure_ascii=False))
        return
    value = holding_json(reader, holding(reader, token))
    rows = [(name.replace("_", " "), str(figure)) for name, figure in value.items() if figure is not None]
    session.show(value, ("", ""), rows)


@rights_app.command("transfer")
@on_market
def transfer(
    session: Session,
    right: Right,
    to: Annotated[str, typer.Argument(metavar="TO", help="The new holder: an address or a key's name.")],
) -> None:
    """Hand a right on. Its deposit still goes back to the participant who made the bid."""
    recipient = session.address(to)
    show_steps(session, [agent.transfer(session.client, session.right(right), recipient)])


@rights_app.command("split")
@on_market
def split(
    session: Session,
    right: Right,
    quantity: Annotated[str, typer.Argument(metavar="KWH", help="What stays; the rest becomes a new right.")],
) -> None:
    """Split a right in two."""
    show_steps(session, [agent.split(session.client, session.right(right), energy(quantity))])


@rights_app.command("draw")
@on_market
def draw(
    session: Session,
    right: Annotated[
        list[str] | None, typer.Argument(metavar="RIGHT...", help="Sellers' rights (default: all that the key holds).")
    ] = None,
) -> None:
    """Pay what sellers' rights have earned so far to their holders."""
    client = session.client
    if right:
        chosen = [session.right(text) for text in right]
    else:
        held = held_ids(client, client.address)
        chosen = [token for token in held if token.side is Side.SELL and not token.final]
    show_steps(session, agent.draw(client, chosen))


def _metadata(uri: str) -> Any:
    """The JSON of a data URL."""
    head, _, body = uri.partition(",")
    if head != "data:application/json;base64":
        raise SettlementError(f"the right's metadata is at {uri[:60]!r}, not on chain", "look there")
    return json.loads(b64decode(body))
