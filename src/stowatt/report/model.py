"""What a day's report shows: plain records in integers, filled in by whoever ran the day.

Energy is in Wh, prices are ticks, money is in base units of the settlement token, values are exact. Only the plots turn
them into floats.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from stowatt.clearing import Book, WindowResult
from stowatt.curves import Segment, Side
from stowatt.units import PPM, WH_PER_KWH, Money, Tick, Wh

Role = Literal["seller", "buyer", "treasury"]


@dataclass(frozen=True, slots=True)
class Currency:
    """How base units and ticks are written."""

    name: str = "EUR"
    decimals: int = 6
    """10^decimals base units are one unit of the currency."""
    tick_size: int = 100
    """Base units per kWh and tick."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the audit found about one window, or about the day."""

    checks: int
    """Figures that were recomputed and compared."""
    mismatches: tuple[str, ...] = ()
    """Each figure that differs, in words."""

    @property
    def good(self) -> bool:
        """Whether every recomputed figure agrees."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class WindowReport:
    """One window, from sealed bids to the audit."""

    number: int
    start: datetime
    end: datetime
    """Delivery, on the community's clock."""
    supply: tuple[Segment, ...]
    """Supply steps, one for each tick, rising."""
    demand: tuple[Segment, ...]
    """Demand steps, one for each tick, falling."""
    lowest: Tick
    highest: Tick | None
    """The interval [λ_lo, λ_hi] (§3); no upper end when nobody sells."""
    price: Tick | None
    volume: Wh
    welfare: Money
    """Value to the buyers less cost to the sellers, base units, rounded down."""
    committed: int
    opened: int
    """Commitments made, and those that were opened."""
    verdict: Verdict
    troubles: tuple[str, ...] = ()
    """What went wrong in this window and how it ended, one sentence each."""

    @classmethod
    def of(
        cls,
        number: int,
        start: datetime,
        end: datetime,
        book: Book,
        result: WindowResult,
        currency: Currency,
        verdict: Verdict,
        *,
        committed: int | None = None,
        troubles: Iterable[str] = (),
    ) -> "WindowReport":
        """The record of a window whose opened bids are `book` and whose clearing is `result`."""
        return cls(
            number,
            start,
            end,
            steps(book, Side.SELL),
            steps(book, Side.BUY),
            result.lowest,
            result.highest,
            result.price,
            result.volume,
            Money(result.welfare * currency.tick_size // WH_PER_KWH),
            len(book.bids) if committed is None else committed,
            len(book.bids),
            verdict,
            tuple(troubles),
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One seller's right in one window and what its meter showed."""

    window: int
    participant: str
    obligation: Wh
    """What had to be delivered: the paid part of the right times the contractual efficiency (§6)."""
    delivered: Wh


@dataclass(frozen=True, slots=True)
class MoneyFlow:
    """One participant's money over the day, base units. Every amount is at least 0."""

    participant: str
    role: Role
    deposit: Money
    """Moved to escrow at the claims, and returned but for what `forfeited` says. Not part of the net."""
    paid: Money
    received: Money
    """Payments to and from the windows' pools."""
    compensation: Money
    """Returned to a buyer for energy that did not come."""
    forfeited: Money
    """Bonds and deposits lost."""
    shares: Money
    """Part in the bonds and deposits that others lost."""
    saved: int = 0
    """Advantage over no market: avoided tariff less net payments, or net revenue less wear and losses."""

    @property
    def net(self) -> int:
        """What the day left in the participant's account."""
        return self.received + self.compensation + self.shares - self.paid - self.forfeited


@dataclass(frozen=True, slots=True)
class GasUse:
    """Gas of one kind of transaction."""

    operation: str
    count: int
    least: int
    median: int
    most: int
    total: int
    items: int = 0
    """Bids, readings or rights that all of them carried; 0 if each is about one."""
    setup: bool = False
    """Done once, before the market runs: it is in the table, and would dwarf all else in the plot."""

    @property
    def each(self) -> int:
        """Gas of one bid, reading or right, rounded down."""
        return self.total // (self.items or self.count)


@dataclass(frozen=True, slots=True)
class DayReport:
    """One market day."""

    community: str
    day: str
    """The date, as the community writes it."""
    source: str
    """Where the profiles come from, with their licence."""
    currency: Currency
    facts: tuple[tuple[str, str], ...]
    """The market's parameters: name and value."""
    windows: tuple[WindowReport, ...]
    deliveries: tuple[Delivery, ...]
    flows: tuple[MoneyFlow, ...]
    gas: tuple[GasUse, ...]
    audit: Verdict
    """The audit of the day as a whole: conservation of money, and every window."""
    notes: tuple[str, ...] = ()
    """Assumptions a reader must know to believe the figures."""
    physics: tuple[tuple[str, str], ...] = ()
    """What batteries, meters and records did: name and sentence."""

    @property
    def volume(self) -> Wh:
        """Energy traded over the day."""
        return Wh(sum(window.volume for window in self.windows))

    @property
    def welfare(self) -> Money:
        """Welfare over the day."""
        return Money(sum(window.welfare for window in self.windows))

    @property
    def turnover_ticks(self) -> int:
        """Σ price × volume, in tick·Wh."""
        return sum(window.price * window.volume for window in self.windows if window.price is not None)

    @property
    def mean_price(self) -> Tick | None:
        """Mean price weighted by volume, to the nearest tick below; None without a trade."""
        return Tick(self.turnover_ticks // self.volume) if self.volume else None

    def saved(self, role: Role) -> int:
        """What all participants of a role saved against no market."""
        return sum(flow.saved for flow in self.flows if flow.role == role)

    @property
    def balance(self) -> int:
        """Sum of all nets, the treasury's included: 0 when no money appeared or vanished."""
        return sum(flow.net for flow in self.flows)


def steps(book: Book, side: Side) -> tuple[Segment, ...]:
    """All segments of a side, added up by tick, in merit order."""
    widths: dict[int, int] = {}
    for _, curve in book.bids:
        if curve.side is side:
            for tick, width in curve.segments:
                widths[tick] = widths.get(tick, 0) + width
    return tuple(Segment(Tick(tick), Wh(width)) for tick, width in sorted(widths.items(), reverse=side is Side.BUY))


def fulfilment_ppm(delivered: int, obligation: int) -> int:
    """ρ in ppm, at most 1 (§6); 1 when nothing was owed. Rounds down."""
    return PPM if obligation == 0 else min(PPM, delivered * PPM // obligation)
