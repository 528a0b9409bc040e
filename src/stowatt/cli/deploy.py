"""`stowatt market deploy`."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from stowatt.calendar import Calendar
from stowatt.chain.client import deploy, refusal
from stowatt.chain.errors import ChainRevert
from stowatt.clearing import PriceRule, Rationing
from stowatt.clearing.rules import by_name
from stowatt.cli.session import Session, on_market
from stowatt.cli.values import duration, instant, money_unit, share, time_text
from stowatt.data.decimals import shown
from stowatt.errors import OutputError, UnitError

COMMUNITY_DECIMALS = 6


@on_market
def deploy_market(
    session: Session,
    token: Annotated[
        str | None,
        typer.Option("--token", metavar="ADDRESS", help="The settlement token (default: a new one of ours)."),
    ] = None,
    token_name: Annotated[str, typer.Option("--token-name", help="Name of a new token.")] = "Community euro",
    token_symbol: Annotated[str, typer.Option("--token-symbol", help="Symbol of a new token.")] = "CEUR",
    open_mode: Annotated[bool, typer.Option("--open-mode", help="Nobody needs a credential to bid.")] = False,
    issuer: Annotated[str | None, typer.Option("--issuer", help="Who signs credentials (default: the key).")] = None,
    treasury: Annotated[
        str | None, typer.Option("--treasury", help="Who gets what nobody has a claim on (default: the key).")
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", metavar="TIME", help="Delivery of window 0 starts (default: soon).")
    ] = None,
    length: Annotated[str, typer.Option(help="Length of a window.")] = "15m",
    sub_slot: Annotated[str, typer.Option(help="Length of a metering sub-slot.")] = "5m",
    commit_lead: Annotated[str, typer.Option(help="Commitments end this long before the start.")] = "1h",
    reveal_lead: Annotated[str, typer.Option(help="Openings end this long before it.")] = "30m",
    payment_lead: Annotated[str, typer.Option(help="Payments end this long before it.")] = "5m",
    reading_grace: Annotated[str, typer.Option(help="Readings are taken this long after the end.")] = "10m",
    void_delay: Annotated[str, typer.Option(help="A window not cleared so long after the openings lapses.")] = "15m",
    ring: Annotated[int, typer.Option(min=1, help="Windows that can be open ahead.")] = 96,
    ticks: Annotated[int, typer.Option(min=2, help="Ticks of the price grid.")] = 4096,
    tick_size: Annotated[str, typer.Option(help="Money per kWh of one tick.")] = "0.0001",
    bond: Annotated[str, typer.Option(help="Money that a commitment locks.")] = "0.1",
    alpha_seller: Annotated[str, typer.Option(help="Deposit of a new seller, a share of the value.")] = "0.2",
    alpha_buyer: Annotated[str, typer.Option(help="Buyers' deposit.")] = "0.2",
    efficiency: Annotated[str, typer.Option(help="Contractual efficiency η.")] = "0.95",
    tolerance: Annotated[str, typer.Option(help="From this fulfilment on the whole deposit is released.")] = "0.98",
    alpha_proven: Annotated[
        str | None,
        typer.Option(help="Deposit of a seller that always delivered (default: half of a new one's)."),
    ] = None,
    reliability_gain: Annotated[
        str, typer.Option(help="Weight of a sale of all that a device can in its reliability; 0: deposits stay fixed.")
    ] = "0.1",
    price_rule: Annotated[
        Literal["lowest", "midpoint", "seed"], typer.Option(help="The price on a flat interval.")
    ] = "lowest",
    rationing: Annotated[
        Literal["pro_rata", "seeded_order"], typer.Option(help="How the marginal bids share.")
    ] = "pro_rata",
) -> None:
    """Deploy a market and write its file (--market)."""
    path = session.options.market
    if path.exists():
        raise OutputError(f"{path} exists already", "name another --market file; nothing is overwritten")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no such folder", "make it first")
    token = None if token is None else session.address(token)
    decimals = COMMUNITY_DECIMALS if token is None else _decimals(session, token)
    seconds = duration("length", length)
    lead = duration("commit-lead", commit_lead)
    new_alpha = share("alpha-seller", alpha_seller)
    calendar = Calendar(
        origin=_origin(session, origin, seconds, lead),
        length=seconds,
        sub_slot=duration("sub-slot", sub_slot),
        commit_lead=lead,
        reveal_lead=duration("reveal-lead", reveal_lead),
        payment_lead=duration("payment-lead", payment_lead),
        reading_grace=duration("reading-grace", reading_grace),
        void_delay=duration("void-delay", void_delay),
        ring=ring,
        ticks=ticks,
        price_rule=int(by_name(PriceRule, price_rule)),
        rationing=int(by_name(Rationing, rationing)),
        tick_size=_units("tick-size", tick_size, decimals),
        bond=_units("bond", bond, decimals),
        alpha_seller=new_alpha,
        alpha_buyer=share("alpha-buyer", alpha_buyer),
        efficiency=share("efficiency", efficiency),
        tolerance=share("tolerance", tolerance),
        alpha_proven=new_alpha - new_alpha // 2 if alpha_proven is None else share("alpha-proven", alpha_proven),
        reliability_gain=share("reliability-gain", reliability_gain, lowest=0),
    )
    people = {"issuer": issuer, "treasury": treasury}
    named = {role: session.address(text) for role, text in people.items() if text is not None}
    try:
        deployment = deploy(
            session.sender, calendar, token=token, open_mode=open_mode, token_name=token_name,
            token_symbol=token_symbol, **named,
        )  # fmt: skip
    except ChainRevert as revert:
        raise refusal(revert, call="the deployment") from None
    deployment.save(path)
    rows = [(name, str(value)) for name, value in asdict(deployment).items() if name != "code"]
    rows.append(("delivery of window 0", time_text(calendar.origin)))
    session.show({"file": str(path), **asdict(deployment)}, ("", ""), rows, title=f"Market written to {path}")


def _origin(session: Session, text: str | None, length: int, lead: int) -> int:
    """As given; else the first full multiple of the length for which a whole length of bidding is left."""
    if text is not None:
        return instant("origin", text)
    if length == 0:
        raise UnitError("length is '0'", "give a duration such as 15m")
    return -(-(session.ledger.time() + lead + length) // length) * length


def _decimals(session: Session, token: str) -> int:
    from stowatt.chain.abi import contract
    from stowatt.chain.ledger import Call

    if not session.ledger.code(token):
        raise UnitError(f"there is no contract at the token's address {token}", "give an ERC-20's address")
    answer = session.ledger.call(Call(token, contract("CommunityToken").call("decimals")))
    return int(contract("CommunityToken").result("decimals", answer)[0])


def _units(name: str, text: str, decimals: int) -> int:
    count = money_unit(decimals).count(text)
    if count is None:
        raise UnitError(f"{name} is {shown(text)}, finer than the token", f"give at most {decimals} decimals")
    return count
