"""The market's events as records: one class for each event, the fields as in the contracts' ABI, in snake case.

An auditor needs nothing else. Whoever reads a chain makes these records from its logs; this package only judges them.
Addresses are EIP-55 strings, `bytes32` and `bytes` are bytes, whole numbers are ints. Approvals and the like, which no
rule reads, have no class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ZERO_ADDRESS: Final = "0x" + "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Where an event stands in the chain."""

    block: int
    index: int
    """Position among the logs of the block."""
    address: str
    """The contract that emitted it."""
    time: int
    """The block's timestamp, unix seconds; it stands in the block, not in the log, and is filled in from there."""
    transaction: str
    """Hash of the transaction, 0x and 64 digits."""


# ---------------------------------------------------------------- registry (§2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(Event):
    """An admin or issuer was appointed."""

    role: bytes
    account: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(Event):
    """An admin or issuer was dismissed, or stepped down."""

    role: bytes
    account: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRegistered(Event):
    """An account was admitted by an issuer's credential."""

    account: str
    did: str
    roles: int
    expiry: int
    nonce: int
    issuer: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRevoked(Event):
    """An account can make no further commitment."""

    account: str
    issuer: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the issuer, or in the open mode the owner, says of a device."""

    owner: str
    usable_wh: int
    export_w: int
    charge_w: int
    charge_efficiency: int
    discharge_efficiency: int
    serial: bytes
    meter_key: str
    valid_from: int
    valid_to: int
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRegistered(Event):
    """A device, its limits (1) and its fingerprint H_i."""

    device: int
    certificate: Certificate
    fingerprint: bytes
    limit_wh: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRevoked(Event):
    """A device can be sold from no more."""

    device: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRefreshed(Event):
    """The registry told the market again what is registered of an account."""

    account: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKeySet(Event):
    """A meter key and when it is valid, both ends included."""

    device: int
    key: str
    valid_from: int
    valid_to: int
    digest: bytes


# ---------------------------------------------------------------- market


@dataclass(frozen=True, slots=True)
class CalendarValues:
    """The market's parameters as the chain gives them; `stowatt.calendar.Calendar` says what they mean and may be."""

    origin: int
    length: int
    sub_slot: int
    commit_lead: int
    reveal_lead: int
    payment_lead: int
    reading_grace: int
    void_delay: int
    ring: int
    ticks: int
    price_rule: int
    rationing: int
    tick_size: int
    bond: int
    alpha_seller: int
    alpha_buyer: int
    efficiency: int
    tolerance: int
    alpha_proven: int
    reliability_gain: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """The contracts that belong together, and the treasury's account."""

    token: str
    registry: str
    rights: str
    delivery: str
    treasury: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDeployed(Event):
    """The market's parameters, for good."""

    calendar: CalendarValues
    wiring: Wiring
    open_mode: bool
    digest: bytes
    """Hash of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited(Event):
    """Tokens came in, to an account's free balance."""

    account: str
    amount: int
    balance: int
    """The account's free balance afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Event):
    """Tokens went out, from an account's free balance."""

    account: str
    to: str
    amount: int
    balance: int
    """The account's free balance afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOpened(Event):
    """A window opened for bidding."""

    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed(Event):
    """A sealed bid (6), or one that replaces it."""

    window: int
    participant: str
    commitment: int
    terms: int
    """A seller's, see `stowatt.commitments.Terms`; 0 for a buyer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentWithdrawn(Event):
    """A sealed bid was taken back."""

    window: int
    participant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed(Event):
    """An opening was accepted (7): the curve, then the offsets that its segments got in the book."""

    window: int
    participant: str
    blinder: int
    bid: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a clearing found (8)–(22)."""

    tick: int
    volume: int
    supply_below: int
    supply_at: int
    demand_above: int
    demand_at: int
    seed: int
    unopened_sellers: int
    unopened_buyers: int
    digest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared(Event):
    """A trade at one uniform price."""

    window: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTrade(Event):
    """No trade was possible."""

    window: int
    seed: int
    unopened_sellers: int
    unopened_buyers: int
    digest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided(Event):
    """The window was not cleared in time: everybody gets everything back."""

    window: int
    digest: int
    """Of all commitments, as at a clearing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Event):
    """A bid's allocation was issued (23)–(25)."""

    window: int
    participant: str
    quantity: int
    deposit: int
    payment: int
    bond_share: int
    unlocked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(Event):
    """A buyer's right was paid after its claim."""

    right_id: int
    payer: str
    payment: int
    balance: int
    """The payer's free balance afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaulted(Event):
    """A buyer did not pay in time: its right is void, its deposit is forfeited."""

    window: int
    participant: str
    quantity: int
    deposit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(Event):
    """A bid of a void window was undone; or, with amount 0, a commitment of another one gave its energy back."""

    window: int
    participant: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSwept(Event):
    """A pool that nobody has a claim on went to the treasury."""

    window: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityChanged(Event):
    """A settled right moved its device's reliability (§6)."""

    account: str
    device: int
    reliability: int
    """ppm, from now on."""


# ---------------------------------------------------------------- delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingAccepted(Event):
    """A meter's signed reading of one sub-slot."""

    device: int
    window: int
    sub_slot: int
    energy: int
    counter: int
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRedeemed(Event):
    """A meter's signed sum over a window's sub-slots 0 … through-1."""

    device: int
    window: int
    through: int
    energy: int
    """Σ u_t of all of them, Wh."""
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedOpened(Event):
    """The opened sum of sub-slots that stay sealed each."""

    device: int
    window: int
    through: int
    energy: int
    """Σ u_t, Wh."""
    blinder: int
    """Σ r_t mod n."""
    points: bytes
    """C_t = u_t·G + r_t·H in order, 64 bytes each: what the meter signed."""
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(Event):
    """Streamed earnings were paid out (32)."""

    right_id: int
    holder: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerSettled(Event):
    """A seller's right was settled (26), (30)."""

    right_id: int
    holder: str
    fulfilment: int
    payment: int
    forfeit_share: int
    released: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerSettled(Event):
    """A buyer's right was settled (26)."""

    right_id: int
    holder: str
    compensation: int
    released: int


# ---------------------------------------------------------------- tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Event):
    """A right was split: `quantity` Wh stayed, the rest became the new right."""

    right_id: int
    new_right_id: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RightTransfer(Event):
    """ERC-721's Transfer of a capacity right or a settlement token: mint, transfer or burn."""

    from_: str
    to: str
    token_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTransfer(Event):
    """ERC-20's Transfer of the settlement token."""

    from_: str
    to: str
    value: int


EVENTS: Final[dict[str, tuple[type[Event], ...]]] = {
    "registry": (
        RoleGranted, RoleRevoked, ParticipantRegistered, ParticipantRevoked, DeviceRegistered, DeviceRevoked,
        AccountRefreshed, MeterKeySet,
    ),
    "market": (
        MarketDeployed, Deposited, Withdrawn, WindowOpened, Committed, CommitmentWithdrawn, Revealed, Cleared, NoTrade,
        Voided, Claimed, Paid, Defaulted, Refunded, PoolSwept,
        ReliabilityChanged,
    ),
    "delivery": (ReadingAccepted, VoucherRedeemed, SealedOpened, Drawn, SellerSettled, BuyerSettled),
    "rights": (Split, RightTransfer),
    "token": (TokenTransfer,),
}  # fmt: skip
"""The events of each contract; the keys are the market's and the names in `Wiring`."""

EVENT_TYPES: Final[dict[str, type[Event]]] = {kind.__name__: kind for kinds in EVENTS.values() for kind in kinds}
EMITTER: Final[dict[type[Event], str]] = {kind: contract for contract, kinds in EVENTS.items() for kind in kinds}
"""Which contract emits an event."""


def abi_name(kind: type[Event]) -> str:
    """The event's name in the ABI: both tokens call theirs Transfer."""
    return "Transfer" if kind in (RightTransfer, TokenTransfer) else kind.__name__
