"""The seller's strategy that never oversells: offers of one battery over many windows, any of which may be filled.

A seller does not know which of its sealed bids will be filled, nor how far. It must be able to deliver *every*
combination: a battery that sold 18:00 and 18:15 delivers both. `plan` gives the most that it can offer so.

Why it holds. Let E_t be what is stored at the start of window t, s_t the sale and o_t ≥ s_t the offer. One window of
`stowatt.dispatch.storage.advance` is E_{t+1} = f_t(E_t, s_t), where f_t

 1. does not fall with E_t: it subtracts a draw that is at most what there is, rounds and clips at the full battery,
    each of which keeps the order of two values of E_t;
 2. does not rise with s_t: a sale draws on the store, a larger one draws more, and a window with a sale is not counted
    as charging at all.

Hence by induction the trajectory in which every offer is filled whole, E*, is the lowest of all: E_t ≥ E*_t for every
choice of fills. Whether a sale s_t ≤ o_t can be delivered depends on E_t (the more the better), on the power cap and on
s_t alone, and so does what the own home gets. So it suffices that the plan with *all* bids filled whole delivers each
of them: then every subset, in whole or part, is delivered too, the energy stays between empty (the reserve) and full,
the power under the cap. The plan asks a little more: that the own home gets, window by window, what it would get
without the new offers. So no fill makes the home buy back in the evening what it sold.

Which of the deliverable plans: the most even one. A common level rises for all windows; those that power, Q_max or the
energy up to then hold back stop there, the others rise on (windows after a recharge can offer more than those before).

What it cannot know: the true state of charge, and own load above the forecast. `reserve_wh` is kept for both.

Units (§2). The market sees each bid's upper bound in 64ths of Q_max, and the sum of all that are live stays within the
usable energy: it counts no recharge between windows. Offers are cut to what the free units cover. `equal_units`
promises in every window the same share of what is free: it depends on nothing that is private, so it tells nothing
about quantities, at the price of the offers above that share.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.feasibility import check
from stowatt.dispatch.storage import Slot, Step, Storage
from stowatt.settlement.capacity import UNITS, budget, capacity, units_for
from stowatt.units import PPM, Wh, ceil_div


@dataclass(frozen=True, slots=True)
class Offer:
    """The most that a bid in one window may offer, and what it promises on chain."""

    window: int
    wh: Wh
    """0: make no bid."""
    units: int
    """0 exactly if no bid is made."""


def slots_of(
    first_window: int,
    start: int,
    length_s: int,
    net_load_wh: Sequence[int],
    grid_charge_wh: Sequence[int] | None = None,
    sold_wh: Sequence[int] | None = None,
) -> list[Slot]:
    """Consecutive windows from a forecast of the home's net load (load − PV; negative in a surplus).

    `grid_charge_wh` is what the battery is allowed and meant to charge from the grid in each window (none without it);
    the grid then serves the home as well. `sold_wh` is what was sold or offered before, each counted whole.
    """
    grid = grid_charge_wh or [0] * len(net_load_wh)
    sold = sold_wh or [0] * len(net_load_wh)
    if not len(grid) == len(sold) == len(net_load_wh):
        raise DispatchError(
            f"{len(net_load_wh)} windows of net load, {len(grid)} of charging, {len(sold)} sold",
            "give the same number of each",
        )
    return [
        Slot(
            first_window + number,
            start + number * length_s,
            length_s,
            sale,
            own_wh=0 if charge else max(0, net),
            charge_wh=charge + max(0, -net),
        )
        for number, (net, charge, sale) in enumerate(zip(net_load_wh, grid, sold, strict=True))
    ]


def plan(
    storage: Storage,
    slots: Sequence[Slot],
    windows: Collection[int],
    *,
    promised: int = 0,
    reserve_wh: int = 0,
    contract_ppm: int = PPM,
    equal_units: bool = False,
) -> list[Offer]:
    """The offers for `windows`, in order of time; each of them may be bid whole.

    `slots` reach as far as the home's own needs are to be kept: usually beyond the last window that is offered. Their
    `sale_wh` are earlier sales and live offers, whose units are in `promised`. `reserve_wh` stays stored throughout; a
    battery that holds less offers nothing.
    `contract_ppm` is η of the market: of a right to q Wh, ⌈η·q⌉ are due at the meter (30); without it, all of q.
    """
    offered = [number for number, slot in enumerate(slots) if slot.window in windows]
    if len(offered) != len(windows):
        raise DispatchError(
            f"{len(windows)} windows are offered, {len(offered)} of them are in the forecast", "forecast each once"
        )
    if not 1 <= contract_ppm <= PPM or reserve_wh < 0 or promised < 0:
        raise DispatchError(
            f"η of {contract_ppm} ppm, a reserve of {reserve_wh} Wh, {promised} units promised",
            "use η in 1 … 10^6 and numbers from 0",
        )
    if reserve_wh > storage.stored_wh:
        return [Offer(slots[number].window, Wh(0), 0) for number in offered]
    battery = replace(storage, usable_wh=storage.usable_wh - reserve_wh, stored_wh=storage.stored_wh - reserve_wh)
    limits = [storage.limit_wh(slot.length_s) for slot in slots]
    free = [max(0, capacity(storage.usable_wh, limit) - promised) for limit in limits]
    book = _Book(battery, slots, contract_ppm)
    equal = [min(UNITS, units // len(offered)) for units in free] if equal_units and offered else [UNITS] * len(slots)
    caps = [0] * len(slots)
    for number in offered:
        caps[number] = min(book.headroom(number), budget(limits[number], equal[number]))
    offers = _most_even(caps, book.first_loss)
    if equal_units:
        return [Offer(slots[n].window, Wh(offers[n]), equal[n] if offers[n] else 0) for n in offered]
    return _within_units(slots, offered, offers, limits, min((free[n] for n in offered), default=0))


class _Book:
    """A battery's windows, and what further sales would take away from earlier promises and from the own home."""

    def __init__(self, storage: Storage, slots: Sequence[Slot], contract_ppm: int) -> None:
        self.storage, self.slots, self.contract_ppm = storage, slots, contract_ppm
        self.without = check(storage, slots).steps

    def headroom(self, number: int) -> int:
        """Wh of right that the power cap leaves after earlier sales and the own home. Rounded down."""
        slot = self.slots[number]
        cap = self.storage.cap_wh(slot.length_s)
        return max(0, cap - slot.sale_wh - min(slot.own_wh, cap)) * PPM // self.contract_ppm

    def first_loss(self, offers: Sequence[int]) -> int | None:
        """The first window in which something is missing when all offers are filled; None if nothing is."""
        slots = [
            replace(slot, sale_wh=slot.sale_wh + ceil_div(offer * self.contract_ppm, PPM)) if offer else slot
            for slot, offer in zip(self.slots, offers, strict=True)
        ]
        steps = check(self.storage, slots).steps
        for number, (step, before) in enumerate(zip(steps, self.without, strict=True)):
            if _loses(step, before):
                return number
        return None


def _loses(step: Step, before: Step) -> bool:
    return step.missing_wh > before.missing_wh or step.unserved_wh > before.unserved_wh


def _most_even(caps: Sequence[int], first_loss: Callable[[Sequence[int]], int | None]) -> list[int]:
    """The offers by a common level that rises until it loses something; then the odd Wh, window by window."""
    offers, rising, level = [0] * len(caps), {number for number, cap in enumerate(caps) if cap}, 0

    def raised(to: int) -> list[int]:
        return [min(cap, to) if n in rising else offers[n] for n, cap in enumerate(caps)]

    while rising:
        highest = max(caps[number] for number in rising)
        level = _largest(level, highest, lambda to: first_loss(raised(to)) is None)
        offers = raised(level)
        failing = first_loss(raised(level + 1)) if level < highest else None
        if failing is None:
            break
        rising = {number for number in rising if number > failing and caps[number] > level}
    for number, cap in enumerate(caps):
        if offers[number] < cap:

            def alone(wh: int, number: int = number) -> bool:
                return first_loss([wh if n == number else offer for n, offer in enumerate(offers)]) is None

            offers[number] = _largest(offers[number], cap, alone)
    return offers


def _largest(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The largest value in low … high that fits; `low` does, and what is above one that does not, does not."""
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _within_units(
    slots: Sequence[Slot], offered: Sequence[int], offers: Sequence[int], limits: Sequence[Wh], free: int
) -> list[Offer]:
    """The fewest units for each offer; if they are more than what is free, the greatest are cut to a level."""
    needed = {n: units_for(offers[n], limits[n]) for n in offered}
    level = next(top for top in range(UNITS, -1, -1) if sum(min(top, u) for u in needed.values()) <= free or not top)
    left = free - sum(min(level, u) for u in needed.values())
    found = []
    for n in offered:
        units = min(level, needed[n])
        if needed[n] > level and left > 0:
            units, left = units + 1, left - 1
        wh = min(offers[n], budget(limits[n], units))
        found.append(Offer(slots[n].window, Wh(wh), units if wh else 0))
    return found
