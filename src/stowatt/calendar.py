"""The calendar of a market (§5, §6): the windows, their deadlines, and the one function that decides a window's phase.

A calendar is fixed when the market is deployed. Times are unix seconds; a deadline itself belongs to the next phase, so
an action "until the deadline" is possible for now < deadline and no longer at now == deadline (T9).
"""

from dataclasses import astuple, dataclass, fields
from enum import IntEnum
from typing import Final

from stowatt.errors import StowattError
from stowatt.units import GRID_MAX_TICKS, PPM

MAX_SUB_SLOTS: Final = 96
"""Sub-slots of a window, at most (one bit each in the word of readings seen)."""

MAX_WINDOW: Final = 2**32 - 1

LAST_ROUND: Final = 2**16 - 1
"""The highest value of window // ring that a slot's tag can hold."""

LOWEST, MIDPOINT, SEED = 0, 1, 2  # the price rules, see stowatt.clearing.rules
PRO_RATA, SEEDED_ORDER = 0, 1  # rationing


class CalendarError(StowattError):
    """§5: a calendar that no market can have, or a window or time that is not on it."""


class Status(IntEnum):
    """What the chain has decided about a window, numbered as on chain; time alone decides the rest of its phase."""

    NONE = 0
    """Nobody opened it for bidding."""
    OPEN = 1
    """Opened, and neither cleared nor void."""
    TRADED = 2
    """Cleared with a trade."""
    NO_TRADE = 3
    """Cleared, and no trade was possible."""
    VOID = 4
    """Not cleared in time and voided: everybody gets everything back."""


class Phase(IntEnum):
    """What can be done with a window, numbered as on chain."""

    NOT_OPEN = 0
    """Not opened; past its commit deadline it never will be."""
    COMMIT = 1
    """Sealed commitments."""
    REVEAL = 2
    """Openings."""
    CLEARING = 3
    """Anyone may clear it."""
    LAPSED = 4
    """Not cleared in time: anyone may void it (T16)."""
    PAYMENT = 5
    """Cleared: claims and payments."""
    DELIVERY = 6
    """Meter readings and draws."""
    SETTLEMENT = 7
    """Final settlement."""
    NO_TRADE = 8
    """Cleared without a trade."""
    VOID = 9
    """Everybody gets everything back."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The times of one window, unix seconds. A deadline is the first second that is too late."""

    opening: int
    """From here on anyone can open the window, until the commit deadline: its start is less than one ring ahead."""
    commit: int
    """Commitments can be made, replaced and withdrawn before it."""
    reveal: int
    """Openings are taken before it."""
    void: int
    """The window can be cleared before it; from here on it can only be voided."""
    payment: int
    """Buyers pay before it; who has not is in default."""
    start: int
    """Delivery starts."""
    end: int
    """Delivery ends."""
    reading: int
    """Meter readings are taken before it; from here on the window can be settled."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The immutable parameters of a market, in the order of the contract's struct."""

    origin: int
    """Unix time at which window 0's delivery starts."""
    length: int
    """Length of a window, seconds."""
    sub_slot: int
    """Length of a metering sub-slot, seconds; divides `length`."""
    commit_lead: int
    """Commit deadline = start - commit_lead."""
    reveal_lead: int
    """Reveal deadline = start - reveal_lead."""
    payment_lead: int
    """Payment deadline = start - payment_lead."""
    reading_grace: int
    """Meter readings are taken until end + reading_grace."""
    void_delay: int
    """A window that is not cleared at reveal deadline + void_delay lapses: it can only be voided."""
    ring: int
    """Windows w and w + ring share storage."""
    ticks: int
    """The price grid is 0 … ticks-1."""
    price_rule: int
    """0 lowest, 1 midpoint, 2 seed (§3)."""
    rationing: int
    """0 pro rata, 1 seeded order (§3)."""
    tick_size: int
    """Base units of the settlement token per kWh and tick."""
    bond: int
    """Base units that a commitment locks."""
    alpha_seller: int
    """α_S of a seller without a record, ppm (23)."""
    alpha_buyer: int
    """α_B, ppm (24)."""
    efficiency: int
    """η, the contractual efficiency, ppm (30)."""
    tolerance: int
    """ρ at or above it counts as 1 for the deposit, ppm."""
    alpha_proven: int
    """α_S of a seller whose reliability is 1, ppm; at most alpha_seller (§6, dynamic α)."""
    reliability_gain: int
    """γ, ppm: what a sale of the whole Q_max weighs in the reliability; 0 keeps α_S fixed."""

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = _RANGES[field.name]
            value: object = getattr(self, field.name)
            if not isinstance(value, int) or not low <= value <= high:
                raise CalendarError(f"{field.name} is {value!r}", f"choose a whole number from {low} to {high}")
        self._validate_window()
        self._validate_leads()
        if self.alpha_proven > self.alpha_seller:
            raise CalendarError(
                f"alpha_proven is {self.alpha_proven}",
                f"a proven seller deposits no more than a new one: at most alpha_seller, {self.alpha_seller}",
            )

    def _validate_window(self) -> None:
        if self.length % self.sub_slot:
            raise CalendarError(f"sub_slot is {self.sub_slot}", f"choose a divisor of length, {self.length}")
        if self.sub_slots > MAX_SUB_SLOTS:
            raise CalendarError(
                f"sub_slot is {self.sub_slot}, a {self.sub_slots}th of length",
                f"choose at most {MAX_SUB_SLOTS} a window",
            )
        if self.price_rule != LOWEST and self.ticks > GRID_MAX_TICKS // 2:
            raise CalendarError(
                f"ticks is {self.ticks}", f"choose at most {GRID_MAX_TICKS // 2} for the price rules midpoint and seed"
            )

    def _validate_leads(self) -> None:
        """Commit, reveal, clearing, payment and start follow in this order, and a window can be opened before them."""
        if self.commit_lead >= self.origin:
            raise CalendarError(f"commit_lead is {self.commit_lead}", f"choose less than origin, {self.origin}")
        if self.reveal_lead >= self.commit_lead:
            raise CalendarError(
                f"reveal_lead is {self.reveal_lead}",
                f"reveals follow commitments: less than commit_lead, {self.commit_lead}",
            )
        if self.payment_lead >= self.reveal_lead:
            raise CalendarError(
                f"payment_lead is {self.payment_lead}",
                f"payments follow reveals: less than reveal_lead, {self.reveal_lead}",
            )
        if self.void_delay > self.reveal_lead - self.payment_lead:
            raise CalendarError(
                f"void_delay is {self.void_delay}",
                f"clearing ends before payment does: at most reveal_lead - payment_lead, "
                f"{self.reveal_lead - self.payment_lead}",
            )
        if self.ring * self.length <= self.commit_lead + 1:
            raise CalendarError(
                f"ring is {self.ring}, {self.ring * self.length} seconds",
                f"no window could open before its commit deadline: more than {(self.commit_lead + 1) // self.length}",
            )

    @property
    def sub_slots(self) -> int:
        """The number of metering sub-slots in a window."""
        return self.length // self.sub_slot

    @property
    def last_window(self) -> int:
        """The last window that the market can hold: the slot's tag counts 2^16 rounds of the ring."""
        return min(MAX_WINDOW, (LAST_ROUND + 1) * self.ring - 1)

    def encode(self) -> tuple[int, ...]:
        """The tuple that the market's constructor takes."""
        return tuple(int(value) for value in astuple(self))


_RANGES: Final[dict[str, tuple[int, int]]] = {
    "origin": (0, 2**63 - 1),
    "length": (1, 2**32 - 1),
    "sub_slot": (1, 2**32 - 1),
    "commit_lead": (0, 2**32 - 1),
    "reveal_lead": (0, 2**32 - 1),
    "payment_lead": (0, 2**32 - 1),
    "reading_grace": (0, 2**32 - 1),
    "void_delay": (1, 2**32 - 1),
    "ring": (1, 2**32 - 1),
    "ticks": (2, GRID_MAX_TICKS),
    "price_rule": (LOWEST, SEED),
    "rationing": (PRO_RATA, SEEDED_ORDER),
    "tick_size": (1, 2**96 - 1),
    "bond": (0, 2**96 - 1),
    "alpha_seller": (1, PPM),
    "alpha_buyer": (1, PPM),
    "efficiency": (1, PPM),
    "tolerance": (1, PPM),
    "alpha_proven": (1, PPM),
    "reliability_gain": (0, PPM),
}
"""The values that each field admits by itself, inclusive."""


def deadlines(calendar: Calendar, window: int) -> Deadlines:
    """All times of a window."""
    if not 0 <= window <= calendar.last_window:
        raise CalendarError(f"window {window} is not on the calendar", f"choose 0 … {calendar.last_window}")
    start = calendar.origin + window * calendar.length
    end = start + calendar.length
    reveal = start - calendar.reveal_lead
    return Deadlines(
        opening=start - calendar.ring * calendar.length + 1,
        commit=start - calendar.commit_lead,
        reveal=reveal,
        void=reveal + calendar.void_delay,
        payment=start - calendar.payment_lead,
        start=start,
        end=end,
        reading=end + calendar.reading_grace,
    )


def phase(calendar: Calendar, window: int, now: int, status: Status) -> Phase:
    """The phase of a window at time `now`: the one place where a time is compared with a deadline (T9).

    A window may be cleared before the reveal deadline, once all its commitments are opened; it is then in Payment.
    """
    times = deadlines(calendar, window)
    match status:
        case Status.OPEN:
            return _first(
                now,
                ((times.commit, Phase.COMMIT), (times.reveal, Phase.REVEAL), (times.void, Phase.CLEARING)),
                Phase.LAPSED,
            )
        case Status.TRADED:
            return _first(now, ((times.payment, Phase.PAYMENT), (times.reading, Phase.DELIVERY)), Phase.SETTLEMENT)
        case Status.NO_TRADE:
            return Phase.NO_TRADE
        case Status.VOID:
            return Phase.VOID
        case Status.NONE:
            return Phase.NOT_OPEN


def _first(now: int, phases: tuple[tuple[int, Phase], ...], last: Phase) -> Phase:
    """The first phase whose deadline has not come yet, else the last."""
    return next((phase for deadline, phase in phases if now < deadline), last)


def window_at(calendar: Calendar, time: int) -> int:
    """The window whose delivery covers a time: start <= time < end."""
    window = (time - calendar.origin) // calendar.length
    if not 0 <= window <= calendar.last_window:
        end = deadlines(calendar, calendar.last_window).end
        raise CalendarError(f"time {time} lies in no window", f"the market runs from {calendar.origin} until {end}")
    return window


def sub_slot_at(calendar: Calendar, time: int) -> tuple[int, int]:
    """The window and the sub-slot of it that cover a time."""
    window = window_at(calendar, time)
    return window, (time - deadlines(calendar, window).start) // calendar.sub_slot
