"""How a battery ages under a duty that repeats: the stress of one period, and the capacity after many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stowatt.degradation.cell import CellModel, Floats, array, number
from stowatt.degradation.cycles import Cycle, count_cycles, full_equivalent
from stowatt.degradation.errors import WearError

_SECONDS_A_DAY = 86_400.0
_SHORTEST_H = 1 / 3600


@dataclass(frozen=True, slots=True)
class Duty:
    """The stress that one period of use puts on a cell."""

    days: float
    """Length of the period."""
    fec: float
    """Full equivalent cycles in it."""
    calendar: float
    """Stress by age."""
    cycle: float
    """Stress by cycling."""
    outside: tuple[str, ...] = ()
    """Conditions in it that the cell was never tested at."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is left of a cell. Shares of the capacity when new."""

    days: float
    fec: float
    calendar_loss: float
    cycle_loss: float

    @property
    def soh(self) -> float:
        """State of health, never below 0."""
        return max(0.0, 1.0 - self.calendar_loss - self.cycle_loss)


def duty_of(
    cell: CellModel,
    time_s: Sequence[float] | Floats,
    soc: Sequence[float] | Floats,
    temperature_c: float | Sequence[float] | Floats,
) -> Duty:
    """The duty of a measured or planned profile: states of charge at increasing times (s), and cell temperatures.

    Between two times the state of charge counts as their mean. The rate of a counted cycle is its depth over the time
    between its turning points.
    """
    times, charge = array(time_s), array(soc)
    if times.ndim != 1 or times.shape != charge.shape or len(times) < 2 or not bool(np.all(np.diff(times) > 0)):
        raise WearError("a profile needs at least two times, each later than the one before, and a charge for each")
    warmth = np.broadcast_to(array(temperature_c), times.shape)
    steps = np.diff(times) / _SECONDS_A_DAY
    cycles = count_cycles(charge)
    middle, warm = (charge[1:] + charge[:-1]) / 2, (warmth[1:] + warmth[:-1]) / 2
    depths, rates = array([c.depth for c in cycles]), _rates(cycles, times)
    stress = array([c.count for c in cycles]) * cell.cycle_stress(depths) * cell.rate_factor(rates)
    notes: dict[str, None] = {}
    for value in (float(warm.min()), float(warm.max())):
        notes |= dict.fromkeys(cell.valid.outside(temperature_c=value))
    if len(rates):
        notes |= dict.fromkeys(cell.valid.outside(c_rate=float(rates.max())))
    calendar = float(np.sum(cell.calendar_stress(middle, warm) * steps))
    return Duty(float(np.sum(steps)), full_equivalent(cycles), calendar, float(np.sum(stress)), tuple(notes))


def _rates(cycles: Sequence[Cycle], times: Floats) -> Floats:
    hours = [max(_SHORTEST_H, abs(float(times[c.last] - times[c.first])) / 3600) for c in cycles]
    return array([c.depth / h for c, h in zip(cycles, hours, strict=True)])


def after(cell: CellModel, duty: Duty, days: float) -> Capacity:
    """A new cell after `days` of a duty that repeats. Stress adds up, so this is exact and takes no steps."""
    number("the time in days", days, 0, 36_525)
    periods = days / duty.days
    return Capacity(
        days,
        duty.fec * periods,
        float((duty.calendar * periods) ** cell.calendar_power),
        float((duty.cycle * periods) ** cell.cycle_power),
    )


def constant_duty(cell: CellModel, depth: float, temperature_c: float, mean_soc: float = 0.5) -> Duty:
    """One cycle a day, up and down at an even rate around `mean_soc`."""
    number("the depth", depth, 0, 1)
    number("the mean state of charge", mean_soc, depth / 2 - 1e-12, 1 - depth / 2 + 1e-12)
    return duty_of(cell, *triangle(depth, mean_soc), temperature_c)


def triangle(depth: float, mean_soc: float, steps: int = 96) -> tuple[Floats, Floats]:
    """One day of an even cycle: times (s) and states of charge, from the top down and up again."""
    phase = np.linspace(0.0, 1.0, steps + 1)
    soc = mean_soc + depth * (np.abs(1 - 2 * phase) - 0.5)
    return phase * _SECONDS_A_DAY, np.clip(soc, 0.0, 1.0)
