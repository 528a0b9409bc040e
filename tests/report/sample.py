"""A day for the report, run off chain: the strategies, the readable engine, and a settlement short enough to read.

One battery delivers half of what it owes, one commitment is never opened, one buyer does not pay. Money is conserved.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from stowatt.clearing import Book, Rules, clear_readable
from stowatt.curves import Side
from stowatt.report import Currency, DayReport, Delivery, GasUse, MoneyFlow, Verdict, WindowReport
from stowatt.simulation.evening import Evening
from stowatt.simulation.savings import buyer_saving
from stowatt.units import Money, Wh, ceil_div, money

ALPHA_PERCENT = 20
BOND = 500_000
EFFICIENCY = 950_000
GAS = (
    GasUse("commit", 928, 34_112, 37_204, 44_890, 34_525_312),
    GasUse("reveal (batch of 32)", 29, 1_502_331, 1_780_220, 1_901_400, 51_626_380),
    GasUse("clear", 12, 212_040, 265_118, 322_007, 3_181_416),
    GasUse("claim", 611, 101_220, 118_340, 129_870, 72_305_740),
    GasUse("pay", 3, 51_002, 51_340, 52_113, 154_455),
    GasUse("meter report (batch)", 36, 180_220, 214_500, 260_771, 7_722_000),
    GasUse("settle", 608, 61_441, 70_213, 88_020, 42_689_504),
)


@dataclass
class Sums:
    """One participant's day."""

    role: str
    amounts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    delivered: int = 0
    bought: int = 0


def day_report(evening: Evening, source: str, gas: tuple[GasUse, ...] = GAS) -> DayReport:
    """The report of an evening with its troubles."""
    currency = Currency(tick_size=evening.parameters.grid.tick_size)
    flows = {home.id: Sums("seller") for home in evening.sellers}
    flows |= {home.id: Sums("buyer") for home in evening.buyers}
    flows["community treasury"] = Sums("treasury")
    lazy, silent = evening.sellers[0].id, next((bid.home for w in evening.windows[3:4] for bid in reversed(w.bids)), "")
    windows: list[WindowReport] = []
    deliveries: list[Delivery] = []
    for planned in evening.windows:
        bids = [(bid.home, bid.curve) for bid in planned.bids]
        troubles = []
        if planned.number == 3 and silent in dict(bids):
            bids = [bid for bid in bids if bid[0] != silent]
            troubles.append(f"{silent} never opened its commitment: the bond of 0.50 EUR goes to the filled sellers.")
        book = Book.of(bids)
        result = clear_readable(book, Rules(seed=planned.number * 7919))
        if result.price is not None:
            share = settle(book, result, currency, flows, deliveries, planned.number, lazy)
            if troubles:
                flows[silent].amounts["forfeited"] += BOND
                spread_evenly(flows, [f.participant for f in result.fills if f.side is Side.SELL and f.quantity], BOND)
            if share:
                troubles.append(
                    f"{lazy} delivered half of what it owed: its deposit and the unearned payments go back."
                )
        windows.append(
            WindowReport.of(
                planned.number,
                planned.start,
                planned.start + timedelta(minutes=15),
                book,
                result,
                currency,
                Verdict(checks=11 * len(bids) + 9),
                committed=len(planned.bids),
                troubles=troubles,
            )
        )
    return DayReport(
        community="Rural grid LV3.101",
        day=f"{evening.windows[0].start:%d %B %Y}",
        source=source,
        currency=currency,
        facts=(
            ("Market contract", "0x5FbDB2315678afecb367f032d93F642f64180aa3 on chain 31337"),
            ("Price rule, rationing", "lowest, pro rata"),
            ("Tick", "0.0001 EUR/kWh, 4,096 ticks"),
            ("Deposits α", f"sellers {ALPHA_PERCENT} %, buyers {ALPHA_PERCENT} %"),
            ("Bond of a commitment", "0.50 EUR"),
            ("Evening and day tariff, feed-in", "0.38, 0.30 and 0.08 EUR/kWh"),
        ),
        windows=tuple(windows),
        deliveries=tuple(deliveries),
        flows=tuple(flow(name, sums, evening) for name, sums in flows.items()),
        gas=gas,
        audit=Verdict(sum(window.verdict.checks for window in windows)),
        notes=(
            "Homes know their own profile for the evening; a real home would forecast it.",
            "Network charges on energy shared in the community are taken as zero.",
        ),
    )


def settle(book, result, currency, flows, deliveries, number, lazy) -> bool:
    """Payments into the pool, entitlements out of it, the rest back to the buyers. True if somebody fell short."""
    pool, short = 0, False
    for participant, side, quantity in result.fills:
        sums = flows[participant]
        value = money(quantity, result.price, currency.tick_size, up=True)
        sums.amounts["deposit"] += -(-value * ALPHA_PERCENT // 100)
        if side is Side.BUY:
            sums.amounts["paid"] += value
            sums.bought += quantity
            pool += value
    for participant, side, quantity in result.fills:
        if side is Side.SELL and quantity:
            ours = participant == lazy and number in (5, 6)
            came = quantity // 2 if ours else quantity
            short = short or ours
            earned = money(came, result.price, currency.tick_size, up=False)
            flows[participant].amounts["received"] += earned
            flows[participant].delivered += came
            pool -= earned
            if ours:
                lost = money(quantity - came, result.price, currency.tick_size, up=False) * ALPHA_PERCENT // 100
                flows[participant].amounts["forfeited"] += lost
                pool += lost
            deliveries.append(Delivery(number, participant, Wh(quantity), Wh(came)))
    buyers = [fill for fill in result.fills if fill.side is Side.BUY and fill.quantity]
    for participant, _, quantity in buyers:
        back = pool * quantity // result.volume
        flows[participant].amounts["compensation"] += back
    flows["community treasury"].amounts["shares"] += pool - sum(
        pool * fill.quantity // result.volume for fill in buyers
    )
    return short


def spread_evenly(flows, receivers, amount) -> None:
    """A forfeited bond, in equal shares; what does not divide goes to the treasury."""
    for receiver in receivers:
        flows[receiver].amounts["shares"] += amount // len(receivers)
    flows["community treasury"].amounts["shares"] += amount % len(receivers)


def flow(name: str, sums: Sums, evening: Evening) -> MoneyFlow:
    """The record of one participant."""
    amounts = {key: Money(value) for key, value in sums.amounts.items()}
    get = amounts.get
    zero = Money(0)
    record = MoneyFlow(
        name,
        sums.role,
        get("deposit", zero),
        get("paid", zero),
        get("received", zero),
        get("compensation", zero),
        get("forfeited", zero),
        get("shares", zero),
    )
    tariff, costs = evening.parameters.tariff, evening.parameters.costs
    saved = {
        "seller": record.net - ceil_div(sums.delivered * costs.per_kwh(EFFICIENCY, tariff.feed_in), 1_000),
        "buyer": buyer_saving(sums.bought, -record.net, tariff),
    }.get(sums.role, 0)
    return MoneyFlow(*(getattr(record, name) for name in MoneyFlow.__slots__[:-1]), saved=saved)
