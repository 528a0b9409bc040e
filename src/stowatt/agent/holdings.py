"""The capacity rights that an account holds, and what their holder can do with them (25), (27)."""

from __future__ import annotations

from dataclasses import dataclass

from stowatt.agent.once import Step, catch_up
from stowatt.audit.events import RightTransfer, Split, WindowOpened
from stowatt.calendar import Phase
from stowatt.chain.client import MarketClient, MarketReader, Refusal, Right, Settlement
from stowatt.chain.ledger import checksum
from stowatt.curves import Side
from stowatt.errors import SettlementError
from stowatt.rights import RightId
from stowatt.settlement.deposits import part_deposit
from stowatt.typed_data import checksummed
from stowatt.units import Money, Ppm, money


@dataclass(frozen=True, slots=True)
class Holding:
    """One token: an open right or a final settlement token."""

    id: RightId
    holder: str
    phase: Phase
    price: int
    """The clearing price, ticks."""
    right: Right | None
    """An open right's record."""
    settlement: Settlement | None
    """A settlement token's record."""
    deposit: Money | None = None
    """What the right's part of the escrow is."""
    payment: Money | None = None
    """The whole price: what a buyer owes or paid, the most that a seller can earn."""
    earned: Money | None = None
    """A seller's entitlement so far, drawn or not (31)."""
    fulfilment: Ppm | None = None
    """ρ so far (30)."""

    @property
    def state(self) -> str:
        """In words."""
        if self.right is None:
            return "settled"
        if not self.right.paid:
            return "payment due" if self.phase is Phase.PAYMENT else "in default"
        return "open"


def held_ids(reader: MarketReader, account: str) -> list[RightId]:
    """What the account holds now, from the transfers to and from it."""
    arrived = reader.transfers(to=account)
    left = reader.transfers(from_=account)
    held: dict[int, None] = {}
    for event in sorted([*arrived, *left], key=lambda e: (e.block, e.index)):
        assert isinstance(event, RightTransfer)
        if event.to.lower() == account.lower():
            held[event.token_id] = None
        else:
            held.pop(event.token_id, None)
    return [RightId.decode(number) for number in held]


def ids_of_window(reader: MarketReader, window: int) -> list[RightId]:
    """Every token of the window that exists now: minted and not burnt since the window was opened."""
    opened = reader.events(WindowOpened, window=window)
    if not opened:
        return []
    alive: dict[int, None] = {}
    for event in reader.events(RightTransfer, from_block=opened[0].block):
        assert isinstance(event, RightTransfer)
        if int(event.from_, 16) == 0:
            alive[event.token_id] = None
        elif int(event.to, 16) == 0:
            alive.pop(event.token_id, None)
    return [right for right in map(RightId.decode, alive) if right.window == window]


def holdings(reader: MarketReader, account: str) -> list[Holding]:
    """What the account holds, with its figures."""
    return [holding(reader, right) for right in sorted(held_ids(reader, account), key=_order)]


def holding(reader: MarketReader, right: RightId) -> Holding:
    """One token with its figures; a Refusal if it does not exist."""
    number, calendar = right.encode(), reader.calendar
    phase, tick = reader.phase(right.window), reader.result(right.window).tick
    holder = reader.holder(number)
    if right.final:
        return Holding(right, holder, phase, tick, None, reader.settlement(number))
    record = reader.right(number)
    sells = right.side is Side.SELL
    alpha = record.alpha if sells else calendar.alpha_buyer
    return Holding(
        right, holder, phase, tick, record, None,
        deposit=part_deposit(right.start, record.quantity, tick, calendar.tick_size, alpha),
        payment=money(record.quantity, tick, calendar.tick_size, up=not sells),
        earned=reader.entitlement(number) if sells else None,
        fulfilment=reader.fulfilment(number) if sells else None,
    )  # fmt: skip


def transfer(client: MarketClient, right: RightId, to: str) -> Step:
    """Hands a right on; one that `to` holds already is left alone."""
    new = checksummed(to)
    if new is None:
        raise SettlementError(f"{to[:60]!r} is not an address", "give 0x and 40 digits, with a right checksum if mixed")
    d = client.deployment
    if new in (d.token, d.registry, d.market, d.rights, d.metadata, d.delivery):
        raise SettlementError(f"{new} is a contract of the market itself", "it could never hand the right on")
    catch_up(client)
    number, holder = right.encode(), client.holder(right.encode())
    if holder == new:
        return Step(right.window, "transferred", False, new, number)
    client.execute(client.calls.transfer(holder, new, number))
    return Step(right.window, "transferred", True, new, number)


def split(client: MarketClient, right: RightId, quantity: int) -> Step:
    """`quantity` Wh stay, the rest becomes a new right of the same holder; a right split so before is left alone."""
    catch_up(client)
    number = right.encode()
    later = RightId(right.participant, right.window, right.side, right.start + quantity)
    if client.right(number).quantity == quantity and _exists(client, later):
        return Step(right.window, "split", False, right.participant, later.encode())
    done = client.execute(client.calls.split(number, quantity))
    return Step(right.window, "split", True, right.participant, done.only(Split).new_right_id)


def find(reader: MarketReader, right: RightId) -> RightId:
    """The token that a right's name means now: its settlement token once it is settled."""
    if right.final or _exists(reader, right) or not _exists(reader, right.settled()):
        return right
    return right.settled()


def _exists(reader: MarketReader, right: RightId) -> bool:
    try:
        return bool(checksum(reader.holder(right.encode())))
    except Refusal:
        return False


def _order(right: RightId) -> tuple[int, int, int, str, bool]:
    return (right.window, right.side, right.start, right.participant, right.final)
