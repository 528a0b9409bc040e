"""The rights that a market's events issued: who holds what, from which device, paid or in default.

It reads claims, splits, transfers, payments and defaults and takes them as they are; whether they are right is the
audit's question (`stowatt.audit`). A settled right counts as before its settlement: what was due stays due.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from stowatt.audit.events import (
    Claimed,
    Cleared,
    Committed,
    Defaulted,
    DeviceRegistered,
    Event,
    MarketDeployed,
    Paid,
    RightTransfer,
    Split,
)
from stowatt.calendar import Calendar, Deadlines, deadlines
from stowatt.commitments import Terms
from stowatt.curves import Side
from stowatt.devices import DeviceParameters
from stowatt.dispatch.errors import DispatchError
from stowatt.errors import CommitmentError
from stowatt.rights import RightId
from stowatt.settlement.default import effective_quantity
from stowatt.units import Ppm, Wh

_ZERO: Final = "0x" + "0" * 40
_AUDIT: Final = "audit the events: `stowatt audit --events FILE` names what is wrong"


@dataclass(frozen=True, slots=True)
class Device:
    """A registered battery."""

    number: int
    owner: str
    parameters: DeviceParameters


@dataclass(frozen=True, slots=True)
class Right:
    """One capacity right, or the part of one that a split left."""

    id: RightId
    holder: str
    wh: Wh
    whole: Wh
    """The fill of the bid that it is a part of."""
    device: int
    """What delivers it; 0 for a buyer's."""
    paid: bool
    """A seller's always is."""


@dataclass(frozen=True, slots=True)
class ClearedWindow:
    """A window with a trade, and what of it is issued."""

    number: int
    times: Deadlines
    price: int
    """Ticks."""
    volume: Wh
    """V: sold, and bought."""
    sells: tuple[Right, ...]
    buys: tuple[Right, ...]
    """Without those in default. Both in the order of their token ids."""
    paid: Wh
    """Σ of the paid buyers' rights."""

    @property
    def length_s(self) -> int:
        """Seconds of delivery."""
        return self.times.end - self.times.start

    def provisional(self, at: int) -> bool:
        """Whether buyers can still pay: then κ is not known, and counts as 1."""
        return at < self.times.payment

    def covered(self, at: int) -> Wh:
        """What sellers have to deliver at most: all of V while buyers can still pay, then what is paid, κ·V."""
        return self.volume if self.provisional(at) else self.paid

    def due(self, right: Right, at: int) -> Wh:
        """The right's obligation: of ⌊κ·Q⌋ of the whole bid the part that begins at the right's start.

        The parts of a split add up to the whole's exactly; each is its share rounded down or up.
        """
        whole = effective_quantity(right.whole, self.covered(at), self.volume)
        end = right.id.start + right.wh
        return Wh(whole * end // right.whole - whole * right.id.start // right.whole)

    def live_buys(self, at: int) -> list[Right]:
        """The buyers' rights that are paid, or can still be."""
        return [right for right in self.buys if right.paid or self.provisional(at)]

    def unclaimed(self, side: Side, at: int) -> Wh:
        """Fills that nobody claimed yet, so that no right says who they belong to; a buyer's lapses unclaimed."""
        if side is Side.BUY:
            return Wh(self.covered(at) - sum(right.wh for right in self.live_buys(at)))
        return Wh(self.volume - sum(right.wh for right in self.sells))


@dataclass(frozen=True, slots=True)
class ClearedMarket:
    """What a market's events say up to the last of them."""

    market: str
    calendar: Calendar
    devices: dict[int, Device]
    windows: tuple[ClearedWindow, ...]
    """Those with a trade, by number."""
    as_of: int
    """Time of the last event."""


@dataclass(slots=True)
class _Fold:
    """What is known after each event."""

    deployed: MarketDeployed
    calendar: Calendar
    devices: dict[int, Device] = field(default_factory=dict)
    terms: dict[tuple[int, str], Terms] = field(default_factory=dict)
    """By window and participant: the last commitment's. They say the side, and a seller's device."""
    cleared: dict[int, Cleared] = field(default_factory=dict)
    rights: dict[int, Right] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """One event."""
        if isinstance(event, DeviceRegistered):
            self._device(event)
        elif isinstance(event, Committed):
            self._commit(event)
        elif isinstance(event, Cleared):
            self.cleared[event.window] = event
        elif isinstance(event, Claimed):
            self._claim(event)
        elif isinstance(event, Paid):
            self._change(event.right_id, event, paid=True)
        elif isinstance(event, Defaulted):
            self.rights.pop(RightId(event.participant, event.window, Side.BUY).encode(), None)
        elif isinstance(event, Split):
            self._split(event)
        elif (
            isinstance(event, RightTransfer) and _ZERO not in (event.from_, event.to) and event.token_id in self.rights
        ):
            self._change(event.token_id, event, holder=event.to)

    def _device(self, event: DeviceRegistered) -> None:
        c = event.certificate
        parameters = DeviceParameters(
            Wh(c.usable_wh), c.export_w, c.charge_w, Ppm(c.charge_efficiency), Ppm(c.discharge_efficiency), c.serial
        )
        self.devices[event.device] = Device(event.device, c.owner, parameters)

    def _commit(self, event: Committed) -> None:
        try:
            self.terms[event.window, event.participant] = Terms.decode(event.terms)
        except CommitmentError as error:
            raise _broken(event, error.what) from None

    def _claim(self, event: Claimed) -> None:
        if not event.quantity:
            return
        known = self.terms.get((event.window, event.participant))
        cleared = self.cleared.get(event.window)
        if known is None or cleared is None:
            missing = "commitment" if known is None else "Cleared event"
            raise _broken(event, f"window {event.window} of {event.participant} has no {missing}")
        side, device = known.side, known.device
        if side is Side.SELL and device not in self.devices:
            raise _broken(event, f"{event.participant} sold without a registered device")
        paid = side is Side.SELL or event.payment > 0 or cleared.outcome.tick == 0
        wh, right = Wh(event.quantity), RightId(event.participant, event.window, side)
        self.rights[right.encode()] = Right(right, event.participant, wh, wh, device, paid)

    def _split(self, event: Split) -> None:
        old = self.rights.get(event.right_id)
        if old is None or not 0 < event.quantity < old.wh:
            raise _broken(event, f"a right that cannot be split so, {event.right_id:#x}")
        later = replace(old.id, start=old.id.start + event.quantity)
        if later.encode() != event.new_right_id:
            raise _broken(event, f"a split into {event.new_right_id:#x}, not {later.encode():#x}")
        self.rights[event.right_id] = replace(old, wh=Wh(event.quantity))
        self.rights[event.new_right_id] = replace(old, id=later, wh=Wh(old.wh - event.quantity))

    def _change(self, number: int, event: Event, *, paid: bool = False, holder: str | None = None) -> None:
        right = self.rights.get(number)
        if right is None:
            raise _broken(event, f"a right that was never issued, {number:#x}")
        self.rights[number] = replace(right, paid=right.paid or paid, holder=holder or right.holder)

    def windows(self) -> tuple[ClearedWindow, ...]:
        """The cleared windows with their rights."""
        rights: dict[int, list[Right]] = {number: [] for number in sorted(self.cleared)}
        for _, right in sorted(self.rights.items()):
            rights[right.id.window].append(right)
        return tuple(self._window(number, found) for number, found in rights.items())

    def _window(self, number: int, rights: list[Right]) -> ClearedWindow:
        event = self.cleared[number]
        sells = tuple(right for right in rights if right.id.side is Side.SELL)
        buys = tuple(right for right in rights if right.id.side is Side.BUY)
        volume = Wh(event.outcome.volume)
        if max(sum(right.wh for right in side) for side in (sells, buys)) > volume:
            raise _broken(event, f"window {number} has more rights than the {volume} Wh that it traded")
        paid = Wh(sum(right.wh for right in buys if right.paid))
        times = deadlines(self.calendar, number)
        return ClearedWindow(number, times, event.outcome.tick, volume, sells, buys, paid)


def cleared_market(events: Iterable[Event]) -> ClearedMarket:
    """What the events of one market issued. They come in the order of the chain."""
    fold: _Fold | None = None
    last = 0
    for event in events:
        last = max(last, event.time)
        if isinstance(event, MarketDeployed):
            if fold is not None:
                raise DispatchError("two markets were deployed in these events", "export the events of one market")
            fold = _Fold(event, Calendar(**asdict(event.calendar)))
        elif fold is not None:
            fold.take(event)
        elif isinstance(event, DeviceRegistered | Committed | Claimed):
            raise DispatchError("the events do not begin with MarketDeployed", "export all events of the market")
    if fold is None:
        raise DispatchError("there is no MarketDeployed among the events", "export all events of the market")
    return ClearedMarket(fold.deployed.address, fold.calendar, fold.devices, fold.windows(), last)


def _broken(event: Event, what: str) -> DispatchError:
    return DispatchError(f"{type(event).__name__} in block {event.block}, log {event.index}: {what}", _AUDIT)
