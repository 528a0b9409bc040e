"""What a window's books keep of bids and rights, and what a step reports: the figures of the contract's events (§6)."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from stowatt.commitments.terms import NO_TERMS, Terms
from stowatt.curves import Side
from stowatt.units import Money, Ppm, Wh

NO_MONEY: Final = Money(0)
NO_WH: Final = Wh(0)


class RightId(NamedTuple):
    """A right within one window: the part of a participant's fill that begins at `start` Wh."""

    participant: str
    start: int = 0


class BidState(Enum):
    """How far a bid has come."""

    COMMITTED = "committed"
    OPENED = "opened"
    RESOLVED = "resolved"


@dataclass(slots=True)
class Bid:
    """A participant's bid in one window."""

    side: Side
    locked: Money
    """The bond, and from the reveal on max(bond, reserve); 0 once resolved."""
    terms: Terms = NO_TERMS
    """A seller's, as of its commitment."""
    state: BidState = BidState.COMMITTED
    total: Wh = NO_WH
    """The whole opened quantity."""
    filled: Wh = NO_WH
    """The fill that was issued by the claim."""


@dataclass(slots=True)
class Right:
    """A capacity right (25), or a part of one."""

    side: Side
    wh: Wh
    bid_wh: Wh
    """The bid's whole fill, of which the right is a part."""
    holder: str
    device: int
    paid: bool
    """Always true for a seller's right."""
    drawn: Money = NO_MONEY
    alpha: int = 0
    """α of the deposit, ppm: a seller's as of its commitment."""
    units: int = 0
    """Energy units that the whole bid holds of the seller's battery."""
    limit_wh: int = 0
    """Q_max of the seller's device, Wh."""


class Issued(NamedTuple):
    """A claim: what the contract's `Claimed` event says."""

    quantity: Wh
    deposit: Money
    payment: Money
    bond_share: Money
    unlocked: Money
    defaulted: bool
    """A buyer claimed after the payment deadline: in default at once."""


class SellerSettled(NamedTuple):
    """The final settlement of a seller's right (26), (27)."""

    fulfilment: Ppm
    payment: Money
    """To the holder, what was not drawn yet."""
    forfeit_share: Money
    """To the holder."""
    released: Money
    """P_S, to the depositor."""


class BuyerSettled(NamedTuple):
    """The final settlement of a buyer's right (26), (27)."""

    compensation: Money
    """To the holder."""
    released: Money
    """P_B, to the depositor."""
