"""Each trouble in one sentence: what was done, and how it ended. The figures are those of the chain's events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from stowatt.audit.events import (
    BuyerSettled,
    Claimed,
    Defaulted,
    Drawn,
    ReadingAccepted,
    ReliabilityChanged,
    Revealed,
    SellerSettled,
)
from stowatt.calendar import Calendar
from stowatt.curves import Side
from stowatt.demo.bidding import WRONG_STEPS
from stowatt.demo.community import Community
from stowatt.demo.incidents import RESALE_PERCENT, Incidents
from stowatt.demo.settings import CURRENCY
from stowatt.demo.troubles import Kind, Trouble
from stowatt.demo.window import WindowRun
from stowatt.report import text
from stowatt.rights import RightId


@dataclass(frozen=True, slots=True)
class Story:
    """A trouble with its end."""

    trouble: Trouble
    sentence: str
    facts: dict[str, Any]
    """The figures behind the sentence: Wh, base units, ppm, hashes."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What a sentence is made of."""

    trouble: Trouble
    window: WindowRun
    account: str
    known: dict[str, Any]
    calendar: Calendar
    community: Community


def stories_of(window: WindowRun, incidents: Incidents, calendar: Calendar) -> Iterator[Story]:
    """The window's troubles, once it is settled."""
    community = incidents.community
    for trouble in window.troubles:
        known = incidents.facts.get(trouble, {})
        account = community.members[trouble.home].address
        sentence, facts = _TELL[trouble.kind](_Case(trouble, window, account, known, calendar, community))
        yield Story(trouble, sentence, {**{k: v for k, v in known.items() if k != "paid"}, **facts})


def _silent(case: _Case) -> tuple[str, dict[str, Any]]:
    facts = _forfeited_bond(case)
    return (
        f"{case.trouble.home} never opens its {_word(case)}: {_where_it_went(facts)}",
        facts,
    )


def _wrong(case: _Case) -> tuple[str, dict[str, Any]]:
    facts = _forfeited_bond(case)
    step = text.price(WRONG_STEPS, CURRENCY)
    change = f"asks {step} more" if case.window.sides[case.account] is Side.SELL else f"bids {step} less"
    return (
        f"{case.trouble.home} opens another {_word(case)} than it sealed ({change}): refused, so it counts as "
        f"unopened, and {_where_it_went(facts)}",
        facts,
    )


def _forfeited_bond(case: _Case) -> dict[str, Any]:
    """Where the bond of an unopened commitment went (§5)."""
    window = case.window
    side = window.sides[case.account]
    receivers = [e for e in window.of(Claimed) if e.quantity and window.sides[e.participant] is not side]
    same = sum(
        window.sides[account] is side
        for account in window.sides.keys() - {event.participant for event in window.of(Revealed)}
    )
    shares = sum(event.bond_share for event in receivers)
    return {
        "bond": case.calendar.bond,
        "unopened_on_its_side": same,
        "receivers": len(receivers),
        "receiving_side": Side(1 - side).word,
        "bond_shares": shares,
        "left_in_the_pool": same * case.calendar.bond - shares,
    }


def _where_it_went(facts: dict[str, Any]) -> str:
    receivers = _many(facts["receivers"], f"filled {facts['receiving_side']}er")
    return f"its bond of {_money(facts['bond'])} goes to {receivers}."


def _unpaid(case: _Case) -> tuple[str, dict[str, Any]]:
    window, volume = case.window, case.window.volume
    default = next(event for event in window.of(Defaulted) if event.participant == case.account)
    paid = sum(window.fills(Side.BUY).values())
    shares = [event.forfeit_share for event in window.of(SellerSettled) if event.forfeit_share]
    facts = {
        "unpaid_wh": default.quantity,
        "deposit": default.deposit,
        "paid_wh": paid,
        "volume_wh": volume,
        "receivers": len(shares),
        "forfeit_shares": sum(shares),
    }
    return (
        f"{case.trouble.home} withdraws its balance and does not pay for {text.kwh(default.quantity)} kWh: in default, "
        f"right void; its deposit of {_money(default.deposit)} goes to {_rights(len(shares))} "
        f"that now owe {text.share(paid, volume)} of what was sold.",
        facts,
    )


def _weak(case: _Case) -> tuple[str, dict[str, Any]]:
    window = case.window
    settled = [e for e in window.of(SellerSettled) if RightId.decode(e.right_id).participant == case.account]
    stake = sum(event.deposit for event in window.of(Claimed) if event.participant == case.account)
    released = sum(event.released for event in settled)
    back = [event.compensation for event in window.of(BuyerSettled) if event.compensation]
    device = case.community.by_address[case.account].device
    metered = sum(event.energy for event in window.of(ReadingAccepted) if event.device == device)
    record = next((e.reliability for e in window.of(ReliabilityChanged) if e.account == case.account), None)
    facts = {
        "fulfilment_ppm": settled[0].fulfilment,
        "metered_wh": metered,
        "deposit": stake,
        "released": released,
        "forfeited": stake - released,
        "compensated_buyers": len(back),
        "compensation": sum(back),
        "reliability_ppm": record,
    }
    return (
        f"{case.trouble.home}'s inverter trips after five minutes: ρ = {_percent(settled[0].fulfilment)}. It earns "
        f"only what its meter signed, forfeits {_money(stake - released)} of its deposit of {_money(stake)}, and "
        f"{_many(len(back), 'buyer')} get{'s' * (len(back) == 1)} {_money(sum(back))} back."
        + (f" Its reliability is now {_percent(record)}." if record is not None else ""),
        facts,
    )


def _replay(case: _Case) -> tuple[str, dict[str, Any]]:
    device = case.community.by_address[case.account].device
    mine = [event for event in case.window.of(ReadingAccepted) if event.device == device]
    counted = [event for event in mine if event.counter == case.known["counter"]]
    facts = {"accepted_readings": len(mine), "times_counted": len(counted)}
    return (
        f"A reading of {case.trouble.home}'s meter ({text.kwh(case.known['energy_wh'])} kWh) is sent a second time: "
        f"refused, its counter {case.known['counter']} is used; it counts once.",
        facts,
    )


def _sold(case: _Case) -> tuple[str, dict[str, Any]]:
    right, window = case.known["right"], case.window
    other = case.community.members[case.trouble.other].address
    drawn = sum(e.amount for e in window.of(Drawn) if e.right_id == right and e.holder == other)
    settled = [event for event in window.of(SellerSettled) if event.right_id == right and event.holder == other]
    received = drawn + sum(event.payment + event.forfeit_share for event in settled)
    facts = {"holder_drew": drawn, "holder_received": received, "right": f"0x{right:x}"}
    return (
        f"{case.trouble.home} splits its right of {text.kwh(case.known['whole_wh'])} kWh and sells "
        f"{text.kwh(case.known['sold_wh'])} kWh to {case.trouble.other} for {_money(case.known['price'])} "
        f"({RESALE_PERCENT} % of its face value); the new holder receives the payments, {_money(received)}.",
        facts,
    )


def _word(case: _Case) -> str:
    return "ask" if case.window.sides[case.account] is Side.SELL else "bid"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _rights(count: int) -> str:
    return "one seller's right" if count == 1 else f"{count} sellers' rights"


def _percent(ppm: int) -> str:
    """One digit behind the point, rounded down."""
    return f"{ppm // 10_000}.{ppm // 1_000 % 10} %"


def _money(units: int) -> str:
    return f"{text.money(units, CURRENCY)} {CURRENCY.name}"


_TELL: Final[dict[Kind, Callable[[_Case], tuple[str, dict[str, Any]]]]] = {
    Kind.SILENT: _silent,
    Kind.WRONG: _wrong,
    Kind.UNPAID: _unpaid,
    Kind.WEAK: _weak,
    Kind.REPLAY: _replay,
    Kind.SOLD: _sold,
}
