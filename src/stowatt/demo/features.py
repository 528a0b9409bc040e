"""What batteries, meters and records did in the evening: wear in the asks, streams, vouchers, sealed sums, deposits.

Every figure is that of the chain's events; the audit redoes each.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from stowatt.audit.events import Drawn, ReliabilityChanged, SealedOpened, SellerSettled, VoucherRedeemed
from stowatt.calendar import Calendar
from stowatt.curves import Curve, Side
from stowatt.demo.community import Community, Member
from stowatt.demo.delivery import Deliveries
from stowatt.demo.evidence import Evidence
from stowatt.demo.meters import SUB_SLOTS
from stowatt.demo.settings import CURRENCY
from stowatt.demo.window import WindowRun
from stowatt.report import text
from stowatt.settlement.capacity import capacity

CELLS: Final = {"lfp": "LFP", "nmc": "NMC"}


def features(
    community: Community, windows: Sequence[WindowRun], deliveries: Deliveries, calendar: Calendar
) -> tuple[tuple[str, str], ...]:
    """(name, sentence), in the order of the day."""
    return (
        *_wear(community, windows),
        *_energy(community, windows),
        *_stream(windows),
        *_vouchers(windows, deliveries),
        *_sealed(windows),
        *_deposits(community, windows, calendar),
    )


def _wear(community: Community, windows: Sequence[WindowRun]) -> Iterator[tuple[str, str]]:
    """How the ask of one battery of each kind rises as it empties."""
    for cells, word in CELLS.items():
        for member in community:
            battery = member.home.battery
            asks = _asks(member, windows) if battery and battery.cells == cells else []
            if battery and len(asks) > 1:
                (at, first), (_, last) = asks[0], asks[-1]
                yield (
                    f"Wear in the asks ({word})",
                    f"{member.name}'s battery is {battery.age_years} years old. It asks {_range(first)} "
                    f"{CURRENCY.name}/kWh in the {at} window and {_range(last)} in its last, when earlier sales have "
                    f"emptied it: the deeper, the more a kWh wears it. No Wh is asked below its wear and losses.",
                )
                break


def _energy(community: Community, windows: Sequence[WindowRun]) -> Iterator[tuple[str, str]]:
    """The battery that promised the greatest share of its energy."""
    shares = []
    for member in community:
        terms = [window.terms[member.address] for window in windows if member.address in window.terms]
        if member.battery and terms:
            held = sum(term.units for term in terms)
            most = capacity(member.battery.certificate.usable_wh, member.battery.limit_wh)
            shares.append((held / most, held, most, member.name, len(terms)))
    if shares:
        _, held, most, name, bids = max(shares)
        yield (
            "No overselling",
            f"{name} promises most of its battery: its {bids} asks hold {held} of its {most} energy units (1/64 of "
            f"what a window can take). One more than it has would be refused with the commitment.",
        )


def _stream(windows: Sequence[WindowRun]) -> Iterator[tuple[str, str]]:
    drawn = sum(event.amount for window in windows for event in window.of(Drawn))
    left = sum(event.payment for window in windows for event in window.of(SellerSettled))
    if drawn:
        yield (
            "Stream",
            f"While the windows run, sellers draw {_money(drawn)} of the {_money(drawn + left)} that they earn; the "
            f"rest comes at settlement. Stream, vouchers, sealed sums and settlement pay the same, to the last unit.",
        )


def _vouchers(windows: Sequence[WindowRun], deliveries: Deliveries) -> Iterator[tuple[str, str]]:
    for window in windows:
        redeemed = len([*window.of(VoucherRedeemed)])
        if window.evidence is Evidence.VOUCHERS and redeemed:
            signed = deliveries.vouchers[window.number]
            yield (
                f"Vouchers, {window.start:%H:%M}",
                f"{redeemed} meters sign {signed} vouchers off the chain; {signed - redeemed} are lost and one of each "
                f"meter is redeemed, all in one transaction. The highest counts for all of them.",
            )


def _sealed(windows: Sequence[WindowRun]) -> Iterator[tuple[str, str]]:
    for window in windows:
        opened = [*window.of(SealedOpened)]
        if window.evidence is Evidence.SEALED and opened:
            energy = sum(event.energy for event in opened)
            yield (
                f"Private window, {window.start:%H:%M}",
                f"{len(opened)} meters seal {len(opened) * SUB_SLOTS} sub-slots (Pedersen commitments) and open only "
                f"the sums, {text.kwh(energy)} kWh in all: nobody sees a load profile, and everybody is paid as usual.",
            )


def _deposits(community: Community, windows: Sequence[WindowRun], calendar: Calendar) -> Iterator[tuple[str, str]]:
    """How the record of the best and of the worst seller moved their deposits."""
    records: dict[str, int] = {}
    for window in windows:
        records.update({event.account: event.reliability for event in window.of(ReliabilityChanged)})
    if not records:
        return
    last = {a: w.terms[a].alpha for w in windows for a in w.terms if w.terms[a].side is Side.SELL and a in records}
    best, worst = min(last, key=last.__getitem__), max(last, key=last.__getitem__)
    sentence = (
        f"All sellers begin without a record and lock α = {_percent(calendar.alpha_seller)} of what they sell. "
        f"{community.name_of(best)} delivers and locks {_percent(last[best])} in its last bid"
    )
    if last[worst] > last[best]:
        sentence += f", {community.name_of(worst)} {_percent(last[worst])}"
    yield (
        "Deposits by record",
        f"{sentence}; at the end the reliabilities are {_percent(min(records.values()))} to "
        f"{_percent(max(records.values()))}.",
    )


def _asks(member: Member, windows: Sequence[WindowRun]) -> list[tuple[str, Curve]]:
    return [
        (f"{window.start:%H:%M}", bid.curve)
        for window in windows
        for bid in window.planned.bids
        if bid.home == member.name
    ]


def _range(curve: Curve) -> str:
    low, high = curve.segments[0].tick, curve.segments[-1].tick
    return text.price(low, CURRENCY) + (f" to {text.price(high, CURRENCY)}" if high > low else "")


def _percent(ppm: int) -> str:
    """One digit behind the point, rounded down."""
    return f"{ppm // 10_000}.{ppm // 1_000 % 10} %"


def _money(units: int) -> str:
    return f"{text.money(units, CURRENCY)} {CURRENCY.name}"
