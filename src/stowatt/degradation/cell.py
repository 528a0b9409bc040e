"""What a wear model of a cell has to say, and for which conditions it was tested.

All models here are power laws with separable stress: the loss of capacity by cycling and by age is

    Q_cyc = (Σ_cycles G(depth)·R(C-rate))^z_cyc        Q_cal = (∫ K(SOC, T) dt)^z_cal        SOH = 1 - Q_cyc - Q_cal

The sums in brackets are *stress*; stress simply adds up, and the loss follows from it. That is the equivalent-time
method (a loss of Q is worth the stress Q^(1/z), however it came about) without its detour: what a cycle costs depends
on the state, and the order of events does not matter.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stowatt.degradation.errors import OutOfRangeError, WearError

Floats: TypeAlias = NDArray[np.float64]

ZERO_CELSIUS: Final = 273.15
_COLDEST, _HOTTEST = -60.0, 120.0


@dataclass(frozen=True, slots=True)
class ValidityRange:
    """Conditions between which the cell was tested; outside, a result is an extrapolation."""

    temperature_c: tuple[float, float]
    """Cell temperature, °C."""
    soc: tuple[float, float]
    """State of charge, share of the present capacity."""
    depth: tuple[float, float]
    """Depth of a cycle, share of the present capacity."""
    c_rate: tuple[float, float]
    """Mean rate of a cycle, 1/h."""
    unknown: tuple[str, ...] = ()
    """Names of conditions that the tests have no record of; the range holds the value that stands in for them."""

    def outside(self, **values: float) -> list[str]:
        """Each given condition (`temperature_c`, `soc`, `depth`, `c_rate`) that was not tested, in words."""
        found = []
        for name, value in values.items():
            low, high = getattr(self, name)
            if not low - 1e-9 <= value <= high + 1e-9:
                if name in self.unknown:
                    found.append(f"{name} = {value:g}: the data have no {name.partition('_')[0]}")
                else:
                    tested = f"{low:g} to {high:g}" if low < high else f"{low:g}, the only value"
                    found.append(f"{name} = {value:g} is outside the tested {tested}")
        return found

    def require(self, cell: str, **values: float) -> None:
        """Refuse conditions that were not tested."""
        found = self.outside(**values)
        if found:
            raise OutOfRangeError(f"{cell}: {'; '.join(found)}", "allow extrapolation, or use another cell model")


class CellModel(Protocol):
    """Capacity loss of one kind of cell. Arrays in, arrays of the same shape out."""

    @property
    def name(self) -> str:
        """Short name, such as LFP."""
        ...

    @property
    def valid(self) -> ValidityRange:
        """Conditions of the tests that the parameters come from."""
        ...

    @property
    def cycle_power(self) -> float:
        """z_cyc: loss by cycling = stress^z_cyc."""
        ...

    @property
    def calendar_power(self) -> float:
        """z_cal: loss by age = stress^z_cal."""
        ...

    def cycle_stress(self, depth: Floats) -> Floats:
        """G: stress of one full cycle (out and back) of this depth (share of the present capacity)."""
        ...

    def rate_factor(self, c_rate: Floats) -> Floats:
        """R: by what the stress of a cycle is multiplied at this mean rate (1/h); never falls with the rate."""
        ...

    def calendar_stress(self, soc: Floats, temperature_c: Floats) -> Floats:
        """K: stress of one day at this state of charge and cell temperature (°C)."""
        ...


def kelvin(temperature_c: Floats) -> Floats:
    """°C in K; refuses what is plainly no temperature of a battery in °C, such as one in kelvin."""
    if not bool(np.all((temperature_c >= _COLDEST) & (temperature_c <= _HOTTEST))):
        given = np.ravel(temperature_c)
        worst = float(given[np.argmax(np.abs(given))])
        way_out = "give it in °C, not in kelvin" if 200 < worst < 400 else f"give {_COLDEST:g} to {_HOTTEST:g} °C"
        raise WearError(f"a cell temperature of {worst:g} °C", way_out)
    return temperature_c + ZERO_CELSIUS


def array(value: Any) -> Floats:
    """A number or a sequence as an array."""
    return np.asarray(value, dtype=np.float64)


def number(name: str, value: object, low: float, high: float) -> float:
    """A finite number in [low, high], or a WearError that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise WearError(f"{name} is {value!r}", "give a number")
    if not low <= value <= high:
        raise WearError(f"{name} is {value:g}", f"give {low:g} to {high:g}")
    return float(value)


def whole(name: str, value: object, low: int, high: int) -> int:
    """A whole number in [low, high], or a WearError that names it (§1: no fraction of a Wh or a base unit)."""
    if type(value) is not int or not low <= value <= high:
        raise WearError(f"{name} is {value!r}", f"give a whole number from {low} to {high}")
    return value
