"""What is known about a battery before it sells: charge, temperature, and how much of it is worn already."""

from dataclasses import dataclass, replace
from typing import Final

from stowatt.degradation.cell import CellModel, array, kelvin, number
from stowatt.degradation.errors import WearError

FIRST_FEC: Final = 25.0
"""A power law with an exponent below 1 has an infinite slope at 0: a cell counts as having passed at least this many
full equivalent cycles (of depth 0.8 at C/2), about the first check-up of an ageing test."""
FIRST_DAYS: Final = 30.0
"""The same for age: at least this many days, at half charge and 25 °C."""


@dataclass(frozen=True, slots=True)
class WearState:
    """A battery's state. Shares, not percent."""

    soc: float
    """State of charge, 0 to 1, share of the present usable energy."""
    temperature_c: float
    """Cell temperature, °C."""
    calendar_loss: float = 0.0
    """Capacity lost to age, share of the capacity when new."""
    cycle_loss: float = 0.0
    """Capacity lost to cycling, share of the capacity when new."""
    depth: float | None = None
    """How deep the present discharge is already, counted from where it began. None: not known, from 0 to 1 - soc."""

    def __post_init__(self) -> None:
        number("the state of charge", self.soc, 0, 1)
        number("the loss by age", self.calendar_loss, 0, 1)
        number("the loss by cycling", self.cycle_loss, 0, 1)
        number("the temperature", self.temperature_c, -1e6, 1e6)
        kelvin(array(self.temperature_c))
        if self.depth is not None:
            number("the depth of discharge so far", self.depth, 0, 1 - self.soc + 1e-9)

    @property
    def soh(self) -> float:
        """State of health: present capacity as a share of the capacity when new, never below 0."""
        return max(0.0, 1.0 - self.calendar_loss - self.cycle_loss)

    @classmethod
    def aged(
        cls,
        cell: CellModel,
        *,
        soc: float,
        temperature_c: float,
        days: float = 0.0,
        fec: float = 0.0,
        soh: float | None = None,
        past: "Past | None" = None,
        depth: float | None = None,
    ) -> "WearState":
        """The state after so many days and full equivalent cycles, as the model has it.

        With a measured `soh` both losses are scaled so that they add up to it.
        """
        past = past or Past()
        number("the age in days", days, 0, 36_525)
        number("the number of full equivalent cycles", fec, 0, 1e6)
        calendar = float(cell.calendar_stress(array(past.soc), array(past.temperature_c))) * days
        cycles = float(cell.cycle_stress(array(past.depth)) * cell.rate_factor(array(past.c_rate))) * fec / past.depth
        losses = [calendar**cell.calendar_power, cycles**cell.cycle_power]
        total = sum(losses)
        if soh is not None:
            number("the state of health", soh, 0.01, 1)
            if soh < 1 and total == 0:
                raise WearError(f"a battery without age or cycles has a state of health of {soh:g}", "give its age too")
            losses = [part * (1 - soh) / total if total else 0.0 for part in losses]
        elif total >= 1:
            raise WearError(
                f"{cell.name}: nothing is left after {days:g} days and {fec:g} cycles (loss {total:.0%})",
                "give the measured state of health, or a shorter life",
            )
        return cls(soc, temperature_c, losses[0], losses[1], depth)

    def cycle_stress(self, cell: CellModel) -> float:
        """Stress by cycling so far, with the floor of FIRST_FEC."""
        first = float(cell.cycle_stress(array(0.8)) * cell.rate_factor(array(0.5))) / 0.8 * FIRST_FEC
        return max(first, float(self.cycle_loss ** (1 / cell.cycle_power)))

    def calendar_stress(self, cell: CellModel) -> float:
        """Stress by age so far, with the floor of FIRST_DAYS."""
        first = float(cell.calendar_stress(array(0.5), array(25.0))) * FIRST_DAYS
        return max(first, float(self.calendar_loss ** (1 / cell.calendar_power)))

    def at(self, soc: float, depth: float | None = None) -> "WearState":
        """The same battery at another state of charge."""
        return replace(self, soc=soc, depth=depth)


@dataclass(frozen=True, slots=True)
class Past:
    """How a battery was used before: what turns days and cycles into losses."""

    soc: float = 0.5
    """Mean state of charge."""
    temperature_c: float = 25.0
    """Mean cell temperature, °C."""
    depth: float = 0.8
    """Depth of its cycles."""
    c_rate: float = 0.25
    """Mean rate of its cycles, 1/h."""

    def __post_init__(self) -> None:
        number("the past state of charge", self.soc, 0, 1)
        number("the past temperature", self.temperature_c, -60, 120)
        number("the past depth of cycles", self.depth, 0.01, 1)
        number("the past rate", self.c_rate, 0, 20)
