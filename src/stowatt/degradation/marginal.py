"""(28), (29): what each Wh sold costs the battery.

    c(q) = a + b·q + φ(DOD, T, u)

a is charging and losses, b·q whatever rises with the quantity, φ wear. φ is the money for the capacity lost, and u
enters through the rate: what is sold in a window flows within the window.

*Cycles.* A sale deepens the discharge of the evening from depth d to d + x. What it wears is the stress of the deeper
cycle less that of the shallower, G(d + x) - G(d), counted as a full cycle since what leaves must be charged again.

*Age.* A battery ages whether it trades or not. A sale changes only at which charge it waits until it is charged
again. Only that difference counts, and as a lower charge ages less it is a credit. A full battery can gain more by it
than the cycle wears; no ask falls below a + b·q for that.

*Costs are counted Wh by Wh*: the cost of the z-th Wh is Π(z) - Π(z - 1), the total Π (29) is their exact sum, and a
quantity is always a whole number of Wh. So "never below cost" is a statement on numbers, not on samples of a function.

*The envelope.* An ask must rise (§2), and a seller does not know which of its earlier offers will be sold, nor
whether its home takes what it is expected to. Where G' falls with depth (both cells have such a stretch) a Wh can be
cheaper when more was taken before. The price of a Wh is therefore the dearest stress met from the depth of now up to
its own place, as if all earlier offers had been sold, at the highest rate at which what follows is drawn, on the
tangent of the power law: never below the cost, whatever is sold and used. `Marginal.overcharge` says what that costs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.data.homes import WINDOW_S
from stowatt.degradation.cell import CellModel, Floats, array, number, whole
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.errors import WearError
from stowatt.degradation.state import WearState
from stowatt.units import PPM, SECONDS_PER_HOUR

MOST_WH: Final = 2_000_000
"""The longest stretch of discharge that is priced Wh by Wh."""
_HOURS_A_DAY: Final = 24.0
_GUARD: Final = 1e-9
"""Relative error that floating point may have in a cost, with room: a price is rounded up from above it."""


@dataclass(frozen=True, slots=True)
class Sale:
    """What is offered in one window, and what may happen before. All Wh at the terminals."""

    offer_wh: int
    """What is offered."""
    own_wh: int = 0
    """What the home itself draws from the battery in this window: it raises the rate."""
    before_wh: int = 0
    """What may leave the battery besides: earlier offers, and what the home needs in the other windows."""
    window_s: int = WINDOW_S
    """Length of the window, s."""
    later_own_wh: int = 0
    """The most that the home draws in any later window: a sale pushes that deeper, at whatever rate it then has."""

    def __post_init__(self) -> None:
        for name in ("offer_wh", "own_wh", "before_wh", "later_own_wh"):
            whole(name, getattr(self, name), 0, 2**48)
        whole("the window's length in seconds", self.window_s, 1, 2**31)


@dataclass(frozen=True, slots=True)
class Marginal:
    """Costs of the 1st, 2nd, … Wh of a sale, base units per kWh."""

    exact: Floats
    """Marginal cost when everything before has been sold or used."""
    ask: Floats
    """Its envelope: rises, and is never below the cost whatever was sold before."""
    cycle: Floats
    """The part of `exact` that is wear by cycling."""
    calendar: Floats
    """The part of `exact` that is wear by age: not above 0, a credit."""
    base: float
    """The part a."""

    @property
    def overcharge(self) -> float:
        """The most by which the envelope is above the marginal cost, base units per kWh."""
        return float(np.max(self.ask - self.exact, initial=0.0))

    def total(self, quantity_wh: int) -> float:
        """(29) Π(q): what selling `quantity_wh` costs, base units."""
        whole("the quantity in Wh", quantity_wh, 0, len(self.exact))
        return float(np.sum(self.exact[:quantity_wh])) / 1000


class Discharge:
    """The stress of each Wh of one battery's discharge from its present state: what an evening's windows share."""

    def __init__(
        self, cell: CellModel, state: WearState, pack: Pack, costs: Costs, *, reach_wh: int | None = None
    ) -> None:
        """`reach_wh`: how far sales will go, if not as far as the charge gives."""
        if state.soh <= 0:
            raise WearError("the battery has no capacity left", "give its losses as shares of the capacity when new")
        self._cell = cell
        self._pack = pack
        self._costs = costs
        self._wh = PPM / (pack.discharge_ppm * pack.usable_wh)
        """Depth of one Wh at the terminals."""
        self._deliverable = pack.deliverable_wh(state.soc)
        self._per_loss = costs.per_loss(pack, state.soh)
        self._cycles_before = state.cycle_stress(cell)
        self._age_before = state.calendar_stress(cell)
        # Of an unknown depth the deepest is exact, and the envelope begins within a Wh of none.
        low = 1 - state.soc if state.depth is None else state.depth
        self._start = int(low / self._wh) if state.depth is None else 0
        low = max(0.0, low - self._start * self._wh)
        self._far = self._deliverable if reach_wh is None else min(reach_wh, self._deliverable)
        reach = self._start + self._far
        if reach > MOST_WH:
            raise WearError(f"a discharge of {reach} Wh", f"price at most {MOST_WH} Wh at once: split the battery")
        depths = np.minimum(1.0, low + self._wh * np.arange(reach + 1))
        self._exact = np.diff(cell.cycle_stress(depths))
        self._envelope = np.maximum.accumulate(self._exact) if reach else self._exact
        self._stored = np.concatenate(([0.0], np.cumsum(self._envelope)))
        self._rest(state)

    def _rest(self, state: WearState) -> None:
        """What each Wh saves of the ageing until the battery is charged again; negative, base units."""
        cell, hours = self._cell, self._costs.rest_hours
        socs = np.maximum(0.0, state.soc - self._wh * np.arange(self._far + 1))
        temperatures = np.full_like(socs, state.temperature_c)
        stress = cell.calendar_stress(socs, temperatures) * (hours / _HOURS_A_DAY)
        money = self._per_loss * _loss(self._age_before, stress, cell.calendar_power)
        self._saved = np.diff(money)
        self._sure = np.maximum.accumulate(self._saved) if self._far else self._saved

    def check(self, sale: Sale) -> None:
        """Refuse an offer that the charge or the power do not carry."""
        cap = self._pack.window_cap_wh(sale.window_s)
        if sale.own_wh + sale.offer_wh > cap:
            raise WearError(
                f"{sale.offer_wh} Wh offered and {sale.own_wh} Wh used in a window whose power carries {cap} Wh",
                "offer less, or state the power right",
            )
        if sale.before_wh + sale.own_wh + sale.offer_wh > self._deliverable:
            raise WearError(
                f"{sale.offer_wh} Wh offered, {sale.own_wh + sale.before_wh} Wh taken before, but the charge gives "
                f"{self._deliverable} Wh",
                "offer less: what is kept for the home and sold earlier is not there",
            )

    def marginal(self, sale: Sale) -> Marginal:
        """The costs of a sale, Wh by Wh."""
        self.check(sale)
        number_of = sale.offer_wh
        first = sale.before_wh + sale.own_wh
        rate = self._rate(sale)
        window = slice(self._start + sale.before_wh, self._start + first + number_of)
        exact = np.concatenate(([0.0], np.cumsum(self._exact[window])))[sale.own_wh :]
        sure = self._stored[self._start + first : window.stop + 1] - self._stored[self._start + first]
        own = float(self._stored[self._start + first] - self._stored[window.start])
        power = self._cell.cycle_power
        cycle = self._per_loss * 1000 * np.diff(_loss(self._cycles_before, exact * rate, power))
        # The tangent, as a power law is concave: no cycle before makes a later one dearer than it is from here.
        slope = power * self._cycles_before ** (power - 1)
        deeper = np.maximum(rate, self._rate(Sale(0, sale.later_own_wh, window_s=sale.window_s)))
        dearest = self._per_loss * 1000 * slope * np.diff(sure * deeper + own * rate)
        taken = slice(first, first + number_of)
        calendar = self._saved[taken] * 1000
        base = self._costs.base(self._pack)
        rising = base + self._costs.slope * (np.arange(number_of) + 0.5) / 1000
        wear = np.maximum(dearest, cycle) + np.maximum(self._sure[taken] * 1000, calendar)
        ask = rising + np.maximum(0.0, wear)
        if number_of:
            ask = np.maximum.accumulate(ask) * (1 + _GUARD)
        return Marginal(rising + cycle + calendar, ask, cycle, calendar, base)

    def _rate(self, sale: Sale) -> Floats:
        """Rate factor when 0, 1, … Wh of the offer are sold."""
        taken = sale.own_wh + np.arange(sale.offer_wh + 1)
        return self._cell.rate_factor(array(taken * self._wh * (SECONDS_PER_HOUR / sale.window_s)))


def _loss(before: float, stress: Floats, power: float) -> Floats:
    """(before + stress)^power - before^power, exact also for stress far below `before`."""
    if before == 0:  # a law without this kind of wear
        return stress**power
    loss: Floats = before**power * np.expm1(power * np.log1p(stress / before))
    return loss


def marginal_cost(cell: CellModel, state: WearState, pack: Pack, costs: Costs, sale: Sale) -> Marginal:
    """(28) for one sale from one state."""
    return Discharge(cell, state, pack, costs).marginal(sale)


def extrapolations(cell: CellModel, state: WearState, pack: Pack, sale: Sale) -> list[str]:
    """Each condition of a sale that the cell was never tested at, in words."""
    stored = (sale.own_wh + sale.offer_wh) * (PPM / pack.discharge_ppm)
    rate = stored / pack.usable_wh * (SECONDS_PER_HOUR / sale.window_s)
    taken = stored + sale.before_wh * (PPM / pack.discharge_ppm)
    depth = min(1.0, 1 - state.soc + taken / pack.usable_wh)
    return cell.valid.outside(temperature_c=state.temperature_c, soc=state.soc, depth=depth, c_rate=rate)


def total_cost(cell: CellModel, state: WearState, pack: Pack, costs: Costs, sale: Sale) -> float:
    """(29): what selling the whole offer costs, base units."""
    return marginal_cost(cell, state, pack, costs, sale).total(sale.offer_wh)


def wear_of(cell: CellModel, state: WearState, depth: float, c_rate: float = 0.25) -> float:
    """Capacity that one full cycle of this depth takes from the state, share of the capacity when new."""
    number("the depth", depth, 0, 1)
    number("the rate", c_rate, 0, 20)
    stress = cell.cycle_stress(array(depth)) * cell.rate_factor(array(c_rate))
    return float(_loss(state.cycle_stress(cell), stress, cell.cycle_power))
