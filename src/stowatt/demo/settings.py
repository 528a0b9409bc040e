"""What a user can choose about the demo, and the market that follows from it."""

from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Final

from stowatt.calendar import LOWEST, PRO_RATA, Calendar
from stowatt.errors import StowattError
from stowatt.report import Currency
from stowatt.simulation.strategies import PriceGrid

CHAIN_ID: Final = 31337
CURRENCY: Final = Currency("EUR", 6, PriceGrid().tick_size)
"""The community's token: six decimals, one token for one euro."""

WINDOW_S: Final = 900
SUB_SLOT_S: Final = 300
COMMIT_LEAD_S: Final = 900
REVEAL_LEAD_S: Final = 600
PAYMENT_LEAD_S: Final = 120
READING_GRACE_S: Final = 300
VOID_DELAY_S: Final = 300
RING: Final = 128
"""Windows that share storage: more than a day of them, so that a whole evening can be opened the day before."""
FOUNDED_BEFORE_S: Final = 4 * 3600
"""The market is deployed so long before the first window's delivery …"""
BIDS_BEFORE_S: Final = 3600
"""… and the homes commit to the first windows so long before it."""
ROUND: Final = 4
"""Windows that a home commits to in one transaction: the next hour's, when the last hour's deliveries have shown what
its word is worth."""
ROUND_BEFORE_S: Final = 30
"""A round's commitments are sent so long before the deadline of its first window."""

BOND: Final = 50_000
"""0.05 EUR for each commitment."""
ALPHA_PPM: Final = 200_000
"""Of buyers, and of sellers without a record …"""
ALPHA_PROVEN_PPM: Final = 100_000
"""… and of sellers who always delivered."""
RELIABILITY_GAIN_PPM: Final = 500_000
"""A window that takes all of Q_max moves the reliability half of the way: an evening is short. docs/studies shows what
a market should take."""
EFFICIENCY_PPM: Final = 1_000_000
"""Rights are counted at the battery's terminals, where the strategies count them too."""
TOLERANCE_PPM: Final = 980_000


class DemoError(StowattError):
    """The demo cannot run as asked, or has found a fault."""


class DemoStopped(DemoError):
    """Somebody stopped the demo."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """The choices of the command line."""

    day: date | None = None
    """None: the built-in grid's day, or the first evening that all homes of a folder cover."""
    first: time = time(17)
    windows: int = 12
    homes: Path | None = None
    """A folder of the user's own homes; None: the built-in grid."""
    max_buyers: int | None = None
    out: Path | None = None
    zone: str = "Europe/Berlin"


def market_calendar(first_start: int) -> Calendar:
    """The demo's market: window 0 starts at `first_start`."""
    return Calendar(
        origin=first_start,
        length=WINDOW_S,
        sub_slot=SUB_SLOT_S,
        commit_lead=COMMIT_LEAD_S,
        reveal_lead=REVEAL_LEAD_S,
        payment_lead=PAYMENT_LEAD_S,
        reading_grace=READING_GRACE_S,
        void_delay=VOID_DELAY_S,
        ring=RING,
        ticks=PriceGrid().ticks,
        price_rule=LOWEST,
        rationing=PRO_RATA,
        tick_size=CURRENCY.tick_size,
        bond=BOND,
        alpha_seller=ALPHA_PPM,
        alpha_buyer=ALPHA_PPM,
        efficiency=EFFICIENCY_PPM,
        tolerance=TOLERANCE_PPM,
        alpha_proven=ALPHA_PROVEN_PPM,
        reliability_gain=RELIABILITY_GAIN_PPM,
    )
