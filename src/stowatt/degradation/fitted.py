"""A battery's own law as a cell: the estimated θ (`stowatt wear fit`) in the place of a cell from the literature.

The law of `calibration_model` under a fixed utilisation and temperature is one of the power laws of `cell`: with S(D)
the loss of the first 100 full cycles at depth D and z the cycle shape, the stress of one cycle of depth D, which is D
full cycles, is S(D)^(1/z) · D/100; that of a day is the loss of the first 365 days to the power 1/y, over 365.

What it cannot say is what θ cannot: nothing about the state of charge in storage (so no credit for a lower one), no
C-rate within a cycle (the utilisation stands for it), no knee. Where the data had no depths or temperatures, every
depth or temperature is an extrapolation.
"""

from dataclasses import dataclass

import numpy as np

from stowatt.degradation.calibration_model import REFERENCE_CYCLES, REFERENCE_DAYS, REFERENCE_K
from stowatt.degradation.calibration_theta import Range, Theta
from stowatt.degradation.cell import ZERO_CELSIUS, Floats, ValidityRange, kelvin, number

_ANY_RATE = 1e6
_COLUMNS = {"temperature_c": "temperature_k", "depth": "dod"}
"""Conditions of a cell, and what θ's data call them."""


@dataclass(frozen=True, slots=True)
class FittedCell:
    """A `CellModel` from θ. Depth refers to the present capacity, losses to the capacity when new."""

    theta: Theta
    temperature_c: float
    """Cell temperature at which it cycles, °C; ageing takes the temperature that it is asked for."""
    utilisation: float
    """In the unit of θ's data, such as full cycles per day."""

    def __post_init__(self) -> None:
        number("the utilisation", self.utilisation, 1e-9, 1e6)
        kelvin(np.asarray(self.temperature_c))

    @property
    def name(self) -> str:
        """Where θ comes from."""
        return f"θ of {self.theta.source}"

    @property
    def valid(self) -> ValidityRange:
        """The range of the data."""
        low, high = self._reach("temperature_k", REFERENCE_K)
        return ValidityRange(
            temperature_c=(low - ZERO_CELSIUS, high - ZERO_CELSIUS),
            soc=(0.0, 1.0),
            depth=self._reach("dod", 1.0),
            c_rate=(0.0, _ANY_RATE),
            unknown=tuple(name for name, column in _COLUMNS.items() if self.theta.ranges[column] is None),
        )

    @property
    def cycle_power(self) -> float:
        """z: the cycle shape."""
        return self.theta.values["cycle_shape"] or 1.0

    @property
    def calendar_power(self) -> float:
        """y: the calendar shape."""
        return self.theta.values["calendar_shape"] or 1.0

    def cycle_stress(self, depth: Floats) -> Floats:
        """S(D)^(1/z) · D/100."""
        kelvins = self.temperature_c + ZERO_CELSIUS
        full = self.theta.cycle_loss(1.0, kelvins, self.utilisation, (0.0, REFERENCE_CYCLES))
        loss = full * np.maximum(depth, 1e-9) ** self.theta.values["depth_exponent"]
        stress: Floats = loss ** (1 / self.cycle_power) * depth / REFERENCE_CYCLES
        return stress

    def rate_factor(self, c_rate: Floats) -> Floats:
        """1: the utilisation stands for the rate."""
        return np.ones_like(c_rate)

    def calendar_stress(self, soc: Floats, temperature_c: Floats) -> Floats:
        """(loss of the first year at this temperature)^(1/y) / 365, at any state of charge."""
        kelvins, places = np.unique(kelvin(np.broadcast_to(temperature_c, np.shape(soc))), return_inverse=True)
        losses = np.array([self.theta.calendar_loss(float(k), (0.0, REFERENCE_DAYS)) for k in kelvins])
        stress: Floats = (losses ** (1 / self.calendar_power) / REFERENCE_DAYS)[places].reshape(np.shape(soc))
        return stress

    def _reach(self, name: str, neutral: float) -> Range:
        """The range of the data; of what they did not have, only the value at which the law leaves it out."""
        return self.theta.ranges[name] or (neutral, neutral)
