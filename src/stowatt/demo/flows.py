"""Who paid and received what over the day, from the chain's events."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stowatt.audit.events import (
    BuyerSettled,
    Claimed,
    Defaulted,
    Drawn,
    Event,
    NoTrade,
    Paid,
    PoolSwept,
    Revealed,
    SellerSettled,
    TokenTransfer,
)
from stowatt.calendar import Calendar
from stowatt.curves import Side
from stowatt.demo.community import TREASURY, Community
from stowatt.demo.evidence import metered_by_device
from stowatt.demo.window import WindowRun
from stowatt.report import Delivery, MoneyFlow, Role
from stowatt.rights import RightId
from stowatt.settlement import effective_quantity
from stowatt.simulation.evening import Evening
from stowatt.simulation.savings import buyer_saving
from stowatt.simulation.worn import evening_cost
from stowatt.units import PPM, Money, Wh, ceil_div


@dataclass
class _Sums:
    """One account's day."""

    amounts: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    bought: int = 0


def money_flows(
    community: Community, windows: Sequence[WindowRun], calendar: Calendar, evening: Evening
) -> tuple[MoneyFlow, ...]:
    """One flow for each home, and the treasury's."""
    parameters = evening.parameters
    sums: defaultdict[str, _Sums] = defaultdict(_Sums)
    for window in windows:
        for event in window.events:
            _book(event, sums, community)
        _book_lost(window, sums, community, calendar)
        _count_energy(window, sums, community)
    flows = []
    for member in community:
        mine = sums[member.address]
        net = _flow(member.name, member.side, mine.amounts).net
        if member.home.battery:
            rows = [member.home.index(window.start) for window in windows]
            own = sum(max(0, member.home.net_load_wh(row)) for row in rows)
            stored = evening.stored_wh[member.name]
            saved = net - evening_cost(member.home, stored, own, mine.delivered, parameters)
        else:
            saved = buyer_saving(mine.bought, -net, parameters.tariff)
        flows.append(_flow(member.name, member.side, mine.amounts, saved))
    return (*flows, _flow(TREASURY, None, sums[community.treasury.address].amounts))


def deliveries(community: Community, windows: Iterable[WindowRun], calendar: Calendar) -> tuple[Delivery, ...]:
    """What each seller owed and delivered in each window."""
    found = []
    for window in windows:
        metered = metered_by_device(window.events)
        paid = sum(window.fills(Side.BUY).values())
        for account, wh in window.fills(Side.SELL).items():
            owed = ceil_div(effective_quantity(wh, paid, window.volume) * calendar.efficiency, PPM)
            member = community.by_address[account]
            found.append(Delivery(window.number, member.name, Wh(owed), Wh(metered[member.device])))
    return tuple(found)


def _book(event: Event, sums: defaultdict[str, _Sums], community: Community) -> None:
    """What one event moved."""
    match event:
        case Claimed():
            mine = sums[event.participant].amounts
            mine.update(deposit=event.deposit, paid=event.payment, shares=event.bond_share)
        case Paid():
            sums[event.payer].amounts["paid"] += event.payment
        case Defaulted():
            sums[event.participant].amounts["forfeited"] += event.deposit
        case Drawn():
            sums[event.holder].amounts["received"] += event.amount
        case SellerSettled():
            sums[event.holder].amounts.update(received=event.payment, shares=event.forfeit_share)
            sums[RightId.decode(event.right_id).participant].amounts["forfeited"] -= event.released
        case BuyerSettled():
            sums[event.holder].amounts["compensation"] += event.compensation
        case PoolSwept():
            sums[community.treasury.address].amounts["shares"] += event.amount
        case TokenTransfer() if event.from_ in community.by_address and event.to in community.by_address:
            sums[event.from_].amounts["paid"] += event.value
            sums[event.to].amounts["received"] += event.value


def _book_lost(window: WindowRun, sums: defaultdict[str, _Sums], community: Community, calendar: Calendar) -> None:
    """Forfeited bonds, and sellers' deposits of which `_book` has taken off what was released."""
    opened = {event.participant for event in window.of(Revealed)}
    lost = window.sides.keys() - opened
    for account in lost:
        sums[account].amounts["forfeited"] += calendar.bond
    if any(True for _ in window.of(NoTrade)):
        sums[community.treasury.address].amounts["shares"] += calendar.bond * len(lost)
    for event in window.of(Claimed):
        if window.sides[event.participant] is Side.SELL:
            sums[event.participant].amounts["forfeited"] += event.deposit


def _count_energy(window: WindowRun, sums: defaultdict[str, _Sums], community: Community) -> None:
    """Energy that left each battery, and each buyer's share of what came, rounded down."""
    metered = metered_by_device(window.events)
    for account in window.fills(Side.SELL):
        sums[account].delivered += metered[community.by_address[account].device]
    bought = window.fills(Side.BUY)
    paid = sum(bought.values())
    came = min(paid, sum(metered.values()))
    for account, wh in bought.items():
        sums[account].bought += came * wh // paid


def _flow(name: str, side: Side | None, amounts: Counter[str], saved: int = 0) -> MoneyFlow:
    role: Role = "treasury" if side is None else "seller" if side is Side.SELL else "buyer"

    def get(column: str) -> Money:
        return Money(amounts[column])

    return MoneyFlow(
        name,
        role,
        get("deposit"),
        get("paid"),
        get("received"),
        get("compensation"),
        get("forfeited"),
        get("shares"),
        saved,
    )
