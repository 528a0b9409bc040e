"""What the contracts' views return, as frozen records."""

from __future__ import annotations

from dataclasses import dataclass

from stowatt.calendar import Status
from stowatt.credentials import Role
from stowatt.curves import Side
from stowatt.settlement.capacity import UNITS
from stowatt.units import Money, Ppm, Tick, Wh


@dataclass(frozen=True, slots=True)
class WindowState:
    """What is stored of a window's progress."""

    status: Status
    sellers: int
    """Sellers' commitments that are not opened; all of them until the window is cleared."""
    buyers: int
    resolved: Wh
    """Fills that are claimed and, for a buyer, paid or in default; 2·V when all are."""
    settled: Wh
    """Sellers' fills that are settled finally; V when all are."""


@dataclass(frozen=True, slots=True)
class ClearingResult:
    """A clearing's price and what its rationing needs (§3)."""

    tick: Tick
    volume: Wh
    residual: Wh
    """R of the rationed cohort."""
    total: Wh
    """T of the rationed cohort."""
    phase: int
    """φ = seed mod T."""
    rationed: Side | None


@dataclass(frozen=True, slots=True)
class WindowMoney:
    """A window's money (§6)."""

    pool: Money
    escrow: Money
    paid: Wh
    forfeited: Money
    """Deposits of buyers in default, which the sellers share."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What the market knows of an account besides its money."""

    roles: Role
    expiry: int
    device: int
    """The device that it sells from; 0 for none."""
    limit: Wh
    """That device's Q_max (1)."""
    fingerprint: bytes
    """H_i of that device."""
    reliability: Ppm
    """r of that device: the weighted mean of its ρ, 0 without a record (§6)."""
    capacity: int
    """That device's usable energy in energy units of Q_max/64; 0 while an earlier device's promises are not over."""
    promised: int
    """Units of it that commitments, opened bids and unsettled rights hold."""

    @classmethod
    def of_word(cls, word: int, fingerprint: bytes) -> Admission:
        """From the account's word, as `Vault.sol` lays it out."""

        def lane(shift: int, bits: int) -> int:
            return word >> shift & (1 << bits) - 1

        return cls(
            roles=Role(lane(252, 4)), expiry=lane(212, 40), device=lane(96, 32), limit=Wh(lane(128, 32)),
            fingerprint=fingerprint, reliability=Ppm(lane(160, 20)), capacity=lane(180, 16), promised=lane(196, 16),
        )  # fmt: skip

    @property
    def free(self) -> int:
        """Units that can still be promised; 0 also while an earlier device's promises are not over."""
        return max(0, self.capacity - self.promised)

    def energy(self, units: int) -> Wh:
        """So many units in Wh, rounded down."""
        return Wh(self.limit * units // UNITS)


@dataclass(frozen=True, slots=True)
class Right:
    """An open capacity right (25)."""

    quantity: Wh
    whole: Wh
    """The bid's whole fill, of which the right is a part."""
    device: int
    """A seller's; 0 for a buyer."""
    paid: bool
    alpha: Ppm
    """α of its deposit: a seller's as of its commitment; 0 for a buyer, whose α is the calendar's."""
    units: int
    """Energy units that the whole bid holds; 0 for a buyer."""
    drawn: Money


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a final settlement token records (27)."""

    quantity: Wh
    fulfilment: Ppm
    amount: Money
    """Payments to the seller's holder, or compensation to the buyer's."""
    released: Money
    """The deposit that went back (26)."""


@dataclass(frozen=True, slots=True)
class Participant:
    """The registry's entry of an account."""

    did: str
    roles: Role
    expiry: int
    device: int


@dataclass(frozen=True, slots=True)
class Device:
    """The registry's entry of a device."""

    owner: str
    usable: Wh
    export_w: int
    limit: Wh
    """Q_max of a window (1)."""
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class MeterProgress:
    """How far a device's readings have come."""

    counter: int
    """The last one."""
    position: int
    """1 + the last sub-slot, counted from the calendar's origin; 0 if there was none."""
