"""From θ to (28): c(q) = a + b·q + φ(DOD, T, u), in money per Wh discharged.

A Wh costs `worth` of the capacity that it wears: replacement cost divided by the loss at which the battery is replaced
(6000 money for a battery that is replaced at 20 % loss: 30 000 a whole capacity). With E usable Wh, a battery that has
x full cycles behind it, a sale that goes on at depth D0 of the current cycle and S the stress of the law,

    φ(D0, T, u) = worth · (1 + α) · S(D0, T, u) · m(x) / E      wear of the next Wh at depth D0 (α: depth_exponent)
    b           = [φ(D1) − φ(D0)] / q1,  D1 = D0 + q1/E         how fast it rises until the end of the sale of q1 Wh
    a           = worth · (calendar loss of a day) / (u · E)    what time takes, spread over the Wh of a day

where m(x) = cycle_shape · (x/100)^(cycle_shape − 1) / 100. The factor 1 + α: a cycle of depth D loses D · D^α, so going
deeper costs its derivative. The line a + b·q + φ is the chord of the marginal wear: exact at both ends; between them
`below` tells by how much it lies under it at the worst place, so that an ask can add that and never be below wear.

a is an average cost, not a marginal one: time passes whether the battery sells or not. An owner who wants the marginal
cost bids with a = 0; losses of conversion are not wear and come on top of all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from stowatt.degradation.calibration_model import REFERENCE_CYCLES
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.calibration_theta import Theta
from stowatt.degradation.operating_data import Floats

_POINTS = 257


@dataclass(frozen=True, slots=True)
class LinearWear:
    """(28) for one battery, one window: money per Wh at q Wh into the sale."""

    a: float
    """Wear by time, spread over the throughput, money/Wh."""
    b: float
    """How the wear grows with depth, money/Wh²."""
    phi: float
    """Wear of the first Wh, money/Wh."""
    below: float
    """The most by which a + b·q + φ is below the law, money/Wh."""

    def at(self, sold_wh: float) -> float:
        """c(q)."""
        return self.a + self.b * sold_wh + self.phi


@dataclass(frozen=True, slots=True)
class BatteryNow:
    """What (28) takes from the battery and the day."""

    usable_wh: float
    worth: float
    """Money for a whole capacity lost: replacement cost / loss at replacement."""
    temperature_k: float
    utilisation: float
    full_cycles: float
    """Behind it."""
    days: float
    """Age."""
    depth: float = 0.0
    """Depth already reached in this cycle, 0 … 1."""


def linear_wear(theta: Theta, battery: BatteryNow, sale_wh: float) -> LinearWear:
    """a, b and φ of a sale of `sale_wh`. Only where θ knows its conditions does it mean anything (`Theta.outside`)."""
    _check(battery, sale_wh)
    depths = battery.depth + np.linspace(0, sale_wh, _POINTS) / battery.usable_wh
    wear = np.array([marginal_wear(theta, battery, float(depth)) for depth in depths])
    slope = float(wear[-1] - wear[0]) / sale_wh
    line: Floats = wear[0] + slope * np.linspace(0, sale_wh, _POINTS)
    a_day = theta.calendar_loss(battery.temperature_k, (battery.days, battery.days + 1))
    spread = battery.worth * a_day / (battery.utilisation * battery.usable_wh)
    return LinearWear(spread, slope, float(wear[0]), max(0.0, float((wear - line).max())))


def marginal_wear(theta: Theta, battery: BatteryNow, depth: float) -> float:
    """Money for the next Wh at this depth: worth · (1 + α) · S · m(x) / E. Depth counts as 1/1000 at least."""
    values = theta.values
    if values["cycle_rate"] == 0:
        return 0.0
    depth = max(depth, 1e-3)
    first_hundred = theta.cycle_loss(depth, battery.temperature_k, battery.utilisation, (0.0, REFERENCE_CYCLES))
    shape = values["cycle_shape"]
    # A new battery (x = 0) has an endless slope for shapes below 1: its first full cycle stands for it.
    reached = max(battery.full_cycles, 1.0) / REFERENCE_CYCLES
    slope = shape * reached ** (shape - 1) / REFERENCE_CYCLES
    return float(battery.worth * (1 + values["depth_exponent"]) * first_hundred * slope / battery.usable_wh)


def _check(battery: BatteryNow, sale_wh: float) -> None:
    for name, value, low in (
        ("usable_wh", battery.usable_wh, 0.0),
        ("worth", battery.worth, 0.0),
        ("temperature_k", battery.temperature_k, 0.0),
        ("utilisation", battery.utilisation, 0.0),
        ("sale_wh", sale_wh, 0.0),
    ):
        if not (isfinite(value) and value > low):
            raise CalibrationError(f"{name} = {value:g} is not above 0", "correct the battery's state")
    for name, value in (("full_cycles", battery.full_cycles), ("days", battery.days), ("depth", battery.depth)):
        if not (isfinite(value) and value >= 0):
            raise CalibrationError(f"{name} = {value:g} is below 0", "correct the battery's state")
    if battery.depth + sale_wh / battery.usable_wh > 1 + 1e-9:
        raise CalibrationError(f"a sale of {sale_wh:g} Wh goes deeper than the battery", "sell less")
