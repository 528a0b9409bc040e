"""What using a battery costs besides wear: the battery's data and the prices that (28) needs.

Money is in base units of the settlement token, prices in base units per kWh.
"""

from dataclasses import dataclass
from typing import Final

from stowatt.data.homes import WINDOW_S, Battery
from stowatt.degradation.cell import number, whole
from stowatt.simulation.tariff import BatteryCosts, Tariff
from stowatt.units import PPM, SECONDS_PER_HOUR

_MOST_WH: Final = 2**48 - 1
_MOST_MONEY: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Pack:
    """A battery with its inverter, as far as asks depend on it."""

    usable_wh: int
    """Present usable energy, Wh stored, from empty to full."""
    power_w: int
    """Highest discharge power at the terminals, W."""
    discharge_ppm: int = PPM
    """Efficiency from the store to the terminals, ppm."""
    charge_ppm: int = PPM
    """Efficiency from the terminals to the store, ppm."""

    def __post_init__(self) -> None:
        whole("the usable energy in Wh", self.usable_wh, 1, _MOST_WH)
        whole("the power in W", self.power_w, 1, _MOST_WH)
        whole("the discharge efficiency in ppm", self.discharge_ppm, 1, PPM)
        whole("the charge efficiency in ppm", self.charge_ppm, 1, PPM)

    @classmethod
    def of(cls, battery: Battery) -> "Pack":
        """A home's battery."""
        return cls(battery.usable_wh, battery.power_w, battery.efficiency_ppm, battery.efficiency_ppm)

    def window_cap_wh(self, window_s: int = WINDOW_S) -> int:
        """The most that leaves the terminals in a window, Wh; rounds down."""
        return self.power_w * window_s // SECONDS_PER_HOUR

    def deliverable_wh(self, soc: float) -> int:
        """What a state of charge gives at the terminals, Wh; rounds down."""
        stored = int(self.usable_wh * soc + 1e-6)
        return stored * self.discharge_ppm // PPM


@dataclass(frozen=True, slots=True)
class Costs:
    """θ of (28) but for the cell: c(q) = a + b·q + φ."""

    replacement: int = 400_000_000
    """Price of a new battery for each usable kWh."""
    end_of_life: float = 0.8
    """State of health at which it is replaced: the price is spread over the capacity lost until then."""
    charging: int = 80_000
    """What a kWh at the terminals costs when charging: the feed-in price forgone."""
    other: int = 0
    """Anything else that each sold kWh costs or has to earn."""
    slope: int = 0
    """b: by how much the price of a kWh rises with each kWh sold in the window (base units per kWh and kWh)."""
    rest_hours: float = 4.0
    """Hours for which the sale leaves the battery at a lower charge than it would have without it: until it is
    charged again, or until the home would have drawn as much. 0 gives no credit for the slower ageing."""

    def __post_init__(self) -> None:
        for name in ("replacement", "charging", "other", "slope"):
            whole(f"the cost {name!r}", getattr(self, name), 0, _MOST_MONEY)
        number("the state of health at the end of life", self.end_of_life, 0, 0.99)
        number("the hours until the battery is charged again", self.rest_hours, 0, 8_784)

    @classmethod
    def of(cls, costs: BatteryCosts, tariff: Tariff) -> "Costs":
        """The costs that the flat strategies use, without their cycle life: the cell's model takes its place."""
        return cls(replacement=costs.replacement, charging=tariff.feed_in)

    def base(self, pack: Pack) -> float:
        """a: charging with the losses of the round trip, and `other`; base units per kWh at the terminals."""
        return self.other + self.charging * (PPM / pack.charge_ppm) * (PPM / pack.discharge_ppm)

    def per_loss(self, pack: Pack, soh: float) -> float:
        """Money for losing all of the capacity when new; what a loss of one share of it costs."""
        return self.replacement * (pack.usable_wh / 1000 / soh) / (1 - self.end_of_life)
