"""The day as a whole: the report's record, and the money in and out of the market."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from stowatt.calendar import Calendar
from stowatt.clearing import PriceRule, Rationing
from stowatt.demo.check import window_book
from stowatt.demo.community import Community
from stowatt.demo.flows import deliveries, money_flows
from stowatt.demo.judge import Judgement
from stowatt.demo.settings import CURRENCY, WINDOW_S, DemoError
from stowatt.demo.source import Source
from stowatt.demo.stories import Story
from stowatt.demo.troubles import Kind
from stowatt.demo.window import WindowRun
from stowatt.report import DayReport, GasUse, WindowReport, text


@dataclass(frozen=True, slots=True)
class Conservation:
    """All money that ever came into the market, and where it is now. Base units."""

    deposited: int
    withdrawn: int
    free: int
    held: int
    """Bonds, reserves, escrows and pools."""
    tokens: int
    """What the token contract says that the market has."""

    @property
    def good(self) -> bool:
        """Whether nothing appeared or vanished."""
        return self.deposited - self.withdrawn == self.free + self.held == self.tokens


def conservation(judgement: Judgement, community: Community) -> Conservation:
    """The audit's totals beside the token's own books."""
    totals = judgement.audit.totals
    market = community.deployment.market
    return Conservation(
        totals.deposited, totals.withdrawn, totals.free, totals.held, community.operator.token_balance(market)
    )


def day_report(
    source: Source,
    community: Community,
    calendar: Calendar,
    windows: Sequence[WindowRun],
    stories: Sequence[Story],
    judgement: Judgement,
    gas: tuple[GasUse, ...],
    physics: tuple[tuple[str, str], ...],
) -> DayReport:
    """The record that becomes the page."""
    return DayReport(
        community=source.community,
        day=f"{source.day:%d %B %Y}".lstrip("0"),
        source=source.credit,
        currency=CURRENCY,
        facts=_facts(source, community, calendar),
        windows=tuple(_window(window, stories, judgement) for window in windows),
        deliveries=deliveries(community, windows, calendar),
        flows=money_flows(community, windows, calendar, source.evening),
        gas=gas,
        audit=judgement.of_day(),
        notes=(*_notes(), *_left_out(stories)),
        physics=physics,
    )


def _window(window: WindowRun, stories: Sequence[Story], judgement: Judgement) -> WindowReport:
    if window.result is None:
        raise DemoError(f"window {window.number} was never cleared", "report this fault")
    return WindowReport.of(
        window.number,
        window.start,
        window.start + timedelta(seconds=WINDOW_S),
        window_book(window),
        window.result,
        CURRENCY,
        judgement.of_window(window.number),
        committed=len(window.sides),
        troubles=[story.sentence for story in stories if story.trouble.window == window.number],
    )


def _facts(source: Source, community: Community, calendar: Calendar) -> tuple[tuple[str, str], ...]:
    tariff, costs = source.evening.parameters.tariff, source.evening.parameters.costs
    eur = CURRENCY.name

    def price(units: int) -> str:
        return text.money(units, CURRENCY, 2)

    return (
        ("Market contract", f"{community.deployment.market} on chain {community.deployment.chain_id} (embedded EVM)"),
        ("Admission", "gated: credentials and device certificates signed by the community's issuer (EIP-712)"),
        (
            "Price rule, rationing",
            f"{_spell(PriceRule(calendar.price_rule).name)}, {_spell(Rationing(calendar.rationing).name)}",
        ),
        ("Tick", f"{text.price(1, CURRENCY)} {eur}/kWh, {text.grouped(calendar.ticks)} ticks"),
        (
            "Deposits α",
            f"sellers {text.percent(calendar.alpha_seller)} without a record to {text.percent(calendar.alpha_proven)} "
            f"with the best one, buyers {text.percent(calendar.alpha_buyer)}",
        ),
        ("Bond of a commitment", f"{price(calendar.bond)} {eur}"),
        ("Contractual efficiency η", f"{text.percent(calendar.efficiency)}: rights are counted at the terminals"),
        ("Tolerance", f"a fulfilment ρ from {text.percent(calendar.tolerance)} on releases the whole deposit"),
        (
            "Before delivery starts",
            f"commitments until {calendar.commit_lead // 60}, openings until {calendar.reveal_lead // 60}, "
            f"payments until {calendar.payment_lead // 60} minutes before",
        ),
        (
            "Meter readings",
            f"every {calendar.sub_slot // 60} minutes, with {calendar.reading_grace // 60} minutes of grace",
        ),
        (
            "Evening and day tariff, feed-in",
            f"{price(tariff.evening)}, {price(tariff.day)} and {price(tariff.feed_in)} {eur}/kWh",
        ),
        (
            "Battery",
            f"{price(costs.replacement)} {eur} for each usable kWh, replaced at 80 % of its capacity, at 20 °C "
            f"(docs/wear.md); cells and ages: docs/homes.md",
        ),
    )


def _notes() -> tuple[str, ...]:
    return (
        "Homes know their own profile for the evening; a real home would forecast it.",
        "Network charges and taxes on energy shared in the community are taken as zero; where they are due, they take "
        "part of what is saved.",
        "The profiles and the batteries are given; tariffs, battery costs and the strategies are assumptions "
        "(docs/homes.md). The troubles are staged.",
        "The chain is an EVM on this machine, whose clock the demo moves. Gas is that of a new market: a first bid, "
        "reading or balance creates its storage, so later days cost less (docs/gas.md).",
    )


def _left_out(stories: Sequence[Story]) -> tuple[str, ...]:
    missing = left_out(stories)
    return (f"No home here could show: {', '.join(missing)}.",) if missing else ()


def left_out(stories: Sequence[Story]) -> list[str]:
    """The kinds of trouble that no home could cause visibly."""
    told = {story.trouble.kind for story in stories}
    return [kind.value for kind in Kind if kind not in told]


def _spell(name: str) -> str:
    return name.lower().replace("_", " ")
