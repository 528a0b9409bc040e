"""`stowatt vault`: tokens into the market, out of it, and how much there is (§6)."""

from typing import Annotated

import typer

from stowatt.agent.once import Step, catch_up, once
from stowatt.cli.output import money_text, show_steps
from stowatt.cli.session import Session, command_group, on_market
from stowatt.cli.values import amount
from stowatt.errors import LedgerError

vault_app = command_group("vault", "Deposit tokens, withdraw them, look at balances.")

Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="In tokens, such as 12.50.")]


@vault_app.command("deposit")
@on_market
def deposit(session: Session, tokens: Amount) -> None:
    """Move tokens into the key's free balance: with a permit if the token takes one, else approved first."""
    client = session.client
    value = amount(tokens, client.deployment.token_decimals)
    purpose = f"deposit {client.deployment.market} {value}"
    under_way = client.sender.unfinished(purpose + " ") is not None
    if not under_way and (owned := client.token_balance(client.address)) < value:
        raise LedgerError(f"{client.address} has {client.spell(owned)}, not {client.spell(value)}", "deposit less")
    with once(client, purpose, client.deposit_call(value)) as (_, new):
        show_steps(session, [Step(-1, "deposited", new, client.address, detail=_now(session))])


@vault_app.command("withdraw")
@on_market
def withdraw(
    session: Session,
    tokens: Annotated[str, typer.Argument(metavar="AMOUNT|all", help="In tokens; `all`: the whole free balance.")],
    to: Annotated[str | None, typer.Option(help="Who gets them: address or key (default: the key).")] = None,
) -> None:
    """Take tokens out of the key's free balance."""
    client, recipient = session.client, session.address(to)
    if tokens == "all":
        catch_up(client)
        value = client.balance(client.address)
        if not value:
            show_steps(session, [Step(-1, "withdrawn", False, client.address, detail=_now(session))])
            return
    else:
        value = amount(tokens, client.deployment.token_decimals)
    call = client.calls.withdraw(recipient, value)
    with once(client, f"withdraw {client.deployment.market} {recipient} {value}", call) as (_, new):
        show_steps(session, [Step(-1, "withdrawn", new, client.address, detail=_now(session))])


@vault_app.command("mint")
@on_market
def mint(
    session: Session,
    to: Annotated[str, typer.Argument(metavar="TO", help="Who gets them: an address or a key's name.")],
    tokens: Amount,
) -> None:
    """Issue new community tokens; the key must be the token's owner's, who deployed the market."""
    client, recipient = session.client, session.address(to)
    value = amount(tokens, client.deployment.token_decimals)
    call = client.calls.mint(recipient, value)
    with once(client, f"mint {client.deployment.token} {recipient} {value}", call) as (_, new):
        show_steps(session, [Step(-1, "minted", new, recipient, detail=client.spell(value))])


@vault_app.command("balance")
@on_market
def balance(
    session: Session,
    account: Annotated[str | None, typer.Argument(help="Whose (default: the key's).")] = None,
) -> None:
    """Show an account's free balance in the market, and its tokens outside."""
    reader, address = session.reader, session.address(account)
    spell = money_text(reader)
    free, outside = spell(reader.balance(address)), spell(reader.token_balance(address))
    symbol = reader.deployment.token_symbol
    value = {"account": address, "free": free, "outside": outside, "symbol": symbol}
    session.show(value, ("account", f"free, {symbol}", "outside"), [(address, free, outside)])


def _now(session: Session) -> str:
    return f"{session.client.spell(session.client.balance(session.client.address))} free"
