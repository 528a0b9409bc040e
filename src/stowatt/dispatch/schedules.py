"""Dispatch schedules: what each battery delivers when, what each buyer may take when, and whether it can be done.

A battery's obligation in a window is Q_eff = ⌊κ·Q⌋ of its rights (unpaid buyers shrink it, §6), and the meter has to
show ⌈η·Q_eff⌉ Wh for ρ = 1 (30). That is what a schedule plans, evenly over the window's sub-slots. Powers are for
people and machines that want watts; they round up, so that a device that keeps to them delivers enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stowatt.calendar import deadlines
from stowatt.curves import Side
from stowatt.dispatch.cleared import ClearedMarket, ClearedWindow, Device, Right
from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.feasibility import Shortfall, Verdict, check
from stowatt.dispatch.pairing import Pair, pair_window
from stowatt.dispatch.storage import Slot, Storage
from stowatt.units import PPM, SECONDS_PER_HOUR, ceil_div


@dataclass(frozen=True, slots=True)
class BatteryRow:
    """One window of one battery."""

    window: int
    start: int
    end: int
    rights: tuple[int, ...]
    """Token ids of what it delivers."""
    sold_wh: int
    """Σ Q of its rights."""
    due_wh: int
    """Σ Q_eff: what is left of it after buyers' defaults."""
    deliver_wh: int
    """What the meter has to show, ⌈η·Q_eff⌉ for each bid."""
    average_w: int
    """Constant power that delivers it, rounded up."""
    peak_w: int
    """Power of the fullest sub-slot when whole Wh are spread evenly over the sub-slots, rounded up."""
    own_wh: int
    """Forecast of what the own home takes from the battery."""
    charge_wh: int
    """Forecast of what could charge it; not counted in a window with a sale."""
    before_wh: int
    """Stored at the start, by the model."""
    after_wh: int
    """Stored at the end, by the model."""
    missing_wh: int
    """What of `deliver_wh` it cannot deliver."""


@dataclass(frozen=True, slots=True)
class BatterySchedule:
    """All windows of one battery, in order of time."""

    device: int
    owner: str
    storage: Storage
    assumed_full: bool
    """Whether nobody said what is stored."""
    rows: tuple[BatteryRow, ...]
    shortfalls: tuple[Shortfall, ...]
    """Windows that it cannot deliver; empty if it can deliver all."""
    before_defaults: tuple[Shortfall, ...]
    """The same if every buyer had paid (κ = 1)."""

    @property
    def feasible(self) -> bool:
        """Whether it can deliver all that is due."""
        return not self.shortfalls

    @property
    def verdict(self) -> str:
        """In words, with the first window that fails and by how much."""
        text = str(Verdict((), self.shortfalls))
        if self.feasible and self.before_defaults:
            return f"{text} because buyers did not pay; else {self.before_defaults[0]}"
        return text


@dataclass(frozen=True, slots=True)
class BuyerRow:
    """One window of one buyer."""

    window: int
    start: int
    end: int
    rights: tuple[int, ...]
    wh: int
    """What its paid (or still payable) rights entitle it to."""
    average_w: int
    """Constant power that takes it, rounded up."""


@dataclass(frozen=True, slots=True)
class BuyerSchedule:
    """All windows of one holder of buyers' rights."""

    holder: str
    rows: tuple[BuyerRow, ...]


@dataclass(frozen=True, slots=True)
class WindowSummary:
    """What the schedules rest on."""

    window: int
    start: int
    end: int
    price: int
    volume_wh: int
    covered_wh: int
    """κ·V: what is paid; all of V while buyers can still pay."""
    provisional: bool
    """Buyers can still pay: obligations can only shrink."""
    unclaimed_sell_wh: int
    """Sold, but in no schedule: the seller has not claimed its fill."""
    unclaimed_buy_wh: int


@dataclass(frozen=True, slots=True)
class DispatchPlan:
    """All schedules of a market at a moment."""

    market: str
    as_of: int
    efficiency_ppm: int
    """η, contractual."""
    windows: tuple[WindowSummary, ...]
    batteries: tuple[BatterySchedule, ...]
    """By number of device."""
    buyers: tuple[BuyerSchedule, ...]
    """By address."""
    pairs: tuple[Pair, ...]

    @property
    def feasible(self) -> bool:
        """Whether every battery can deliver all that is due."""
        return all(battery.feasible for battery in self.batteries)


def build(
    market: ClearedMarket,
    *,
    at: int | None = None,
    windows: Iterable[int] | None = None,
    stored_wh: Mapping[int, int] | None = None,
    net_load_wh: Mapping[tuple[int, int], int] | None = None,
) -> DispatchPlan:
    """The schedules of the windows asked for (all by default), as they stand at time `at` (that of the last event).

    `net_load_wh` forecasts by device and window what its home needs (PV surplus is negative), also in windows without a
    trade: a battery's schedule has a row for each window that it sold or that is forecast. `stored_wh` says by device
    what is stored when the first of these starts; a battery that is not named is assumed to be full.
    """
    moment = market.as_of if at is None else at
    chosen = _chosen(market, windows)
    known, loads = stored_wh or {}, net_load_wh or {}
    _check_devices(market, known, loads)
    traded = {window.number: window for window in chosen}
    sold: defaultdict[int, defaultdict[int, list[Right]]] = defaultdict(lambda: defaultdict(list))
    bought: defaultdict[str, defaultdict[int, list[Right]]] = defaultdict(lambda: defaultdict(list))
    for window in chosen:
        for right in window.sells:
            sold[right.device][window.number].append(right)
        for right in window.live_buys(moment):
            bought[right.holder][window.number].append(right)
    batteries = tuple(
        _battery(market, market.devices[device], traded, rights, moment, known.get(device), loads)
        for device, rights in sorted(sold.items())
    )
    return DispatchPlan(
        market.market,
        moment,
        market.calendar.efficiency,
        tuple(_summary(window, moment) for window in chosen),
        batteries,
        tuple(_buyer(holder, traded, rights) for holder, rights in sorted(bought.items())),
        tuple(found for window in chosen for found in pair_window(window, moment)),
    )


def _check_devices(market: ClearedMarket, stored_wh: Mapping[int, int], loads: Mapping[tuple[int, int], int]) -> None:
    unknown = sorted({*stored_wh, *(device for device, _ in loads)} - set(market.devices))
    if unknown:
        raise DispatchError(f"there is no device {unknown[0]}", "use the numbers of `stowatt device show`")
    for device, wh in stored_wh.items():
        usable = market.devices[device].parameters.usable_wh
        if wh > usable:
            raise DispatchError(
                f"device {device} has {wh} Wh stored, more than its usable {usable} Wh",
                "count from the lowest permitted state of charge",
            )


def _chosen(market: ClearedMarket, windows: Iterable[int] | None) -> list[ClearedWindow]:
    if windows is None:
        return list(market.windows)
    wanted = set(windows)
    missing = sorted(wanted - {window.number for window in market.windows})
    if missing:
        raise DispatchError(f"window {missing[0]} has no trade", "name windows that were cleared with a trade")
    return [window for window in market.windows if window.number in wanted]


def _summary(window: ClearedWindow, at: int) -> WindowSummary:
    return WindowSummary(
        window.number, window.times.start, window.times.end, window.price, window.volume, window.covered(at),
        window.provisional(at), window.unclaimed(Side.SELL, at), window.unclaimed(Side.BUY, at),
    )  # fmt: skip


# ---------------------------------------------------------------- batteries


def _battery(
    market: ClearedMarket,
    device: Device,
    traded: Mapping[int, ClearedWindow],
    mine: Mapping[int, Sequence[Right]],
    at: int,
    stored: int | None,
    loads: Mapping[tuple[int, int], int],
) -> BatterySchedule:
    storage = Storage.of(device.parameters, stored)
    number, eta = device.number, market.calendar.efficiency
    used = sorted({*mine, *(window for other, window in loads if other == number)})
    times = {window: deadlines(market.calendar, window) for window in used}

    def slots(wh_of: Callable[[ClearedWindow, Right], int]) -> list[Slot]:
        found = []
        for window in used:
            bids: defaultdict[str, int] = defaultdict(int)  # the parts of one bid are delivered together
            for right in mine.get(window, []):
                bids[right.id.participant] += wh_of(traded[window], right)
            sale, net = sum(_metered(wh, eta) for wh in bids.values()), loads.get((number, window), 0)
            found.append(Slot(window, times[window].start, market.calendar.length, sale, max(0, net), max(0, -net)))
        return found

    verdict = check(storage, slots(lambda window, right: window.due(right, at)))
    contracted = check(storage, slots(lambda _, right: right.wh))
    rows = []
    for window, step in zip(used, verdict.steps, strict=True):
        rights, deliver = mine.get(window, []), step.slot.sale_wh
        rows.append(
            BatteryRow(
                window, times[window].start, times[window].end, tuple(right.id.encode() for right in rights),
                sum(right.wh for right in rights), sum(traded[window].due(right, at) for right in rights), deliver,
                _watts(deliver, market.calendar.length),
                _watts(ceil_div(deliver, market.calendar.sub_slots), market.calendar.sub_slot),
                step.slot.own_wh, step.slot.charge_wh, step.before_wh, step.after_wh, step.missing_wh,
            )
        )  # fmt: skip
    return BatterySchedule(
        device.number, device.owner, storage, stored is None, tuple(rows), verdict.shortfalls, contracted.shortfalls
    )


def _metered(due: int, eta: int) -> int:
    """The least metered energy for ρ = 1, ⌈η·Q_eff⌉. Rounded up: a Wh less would cost the seller a ppm."""
    return ceil_div(due * eta, PPM)


def _watts(wh: int, seconds: int) -> int:
    return ceil_div(wh * SECONDS_PER_HOUR, seconds)


# ---------------------------------------------------------------- buyers


def _buyer(holder: str, traded: Mapping[int, ClearedWindow], bought: Mapping[int, Sequence[Right]]) -> BuyerSchedule:
    rows = []
    for number, rights in bought.items():
        window, wh = traded[number], sum(right.wh for right in rights)
        ids = tuple(right.id.encode() for right in rights)
        rows.append(BuyerRow(number, window.times.start, window.times.end, ids, wh, _watts(wh, window.length_s)))
    return BuyerSchedule(holder, tuple(rows))
