"""Prices outside the market, and what a battery's use costs. All in base units of the token per kWh.

The default is a token with six decimals worth one euro: 380_000 is 0.38 EUR/kWh.
"""

from dataclasses import dataclass
from datetime import time

from stowatt.errors import StowattError
from stowatt.units import PPM, ceil_div


class TariffError(StowattError):
    """A price or a cost that the strategies cannot work with."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """A household tariff by time of use, with a feed-in price."""

    evening: int = 380_000
    """Price of a kWh from the grid in the evening."""
    day: int = 300_000
    """Price at all other times."""
    feed_in: int = 80_000
    """What the grid pays for a kWh of PV surplus."""
    levy: int = 0
    """Network charges and taxes that a buyer still owes on a kWh bought in the community. Zero here; where energy
    sharing pays full network charges it takes most of the gain away, so set it before believing a saving."""
    evening_end: time = time(22)
    """Local time at which the evening price ends."""

    def __post_init__(self) -> None:
        for name, value in (("feed_in", self.feed_in), ("levy", self.levy)):
            if value < 0:
                raise TariffError(f"tariff: {name} = {value} is negative", "use a number from 0")
        if not self.levy <= self.day <= self.evening:
            raise TariffError(
                f"tariff: levy {self.levy}, day {self.day}, evening {self.evening} do not rise",
                "the evening price is the highest, and the levy is part of every price",
            )

    @property
    def avoided(self) -> int:
        """What a buyer is spared for each kWh bought in the evening."""
        return self.evening - self.levy


@dataclass(frozen=True, slots=True)
class BatteryCosts:
    """What it costs to use a battery once more.

    Defaults: 400 EUR for each usable kWh and 6,000 full cycles, an ordinary LFP home battery. That is 7.0 ct for each
    delivered kWh at 95 % one-way efficiency. Calendar ageing is not in it: it happens whether one trades or not.
    """

    replacement: int = 400_000_000
    """Price of a new battery for each usable kWh."""
    cycle_life: int = 6_000
    """Full cycles until it is replaced."""

    def __post_init__(self) -> None:
        if self.replacement < 0 or self.cycle_life < 1:
            raise TariffError(
                f"battery costs: replacement = {self.replacement}, cycle_life = {self.cycle_life}",
                "use a replacement price from 0 and at least one cycle",
            )

    def wear(self, efficiency_ppm: int) -> int:
        """Wear of one kWh delivered at the terminals, rounded up, so that a seller never asks below it.

        c_wear = C_replacement / (cycles × η), η the one-way efficiency: HOMER's battery wear cost, where the lifetime
        throughput is counted inside the battery and √η_round_trip leads to its terminals (Lambert, Gilman, Lilienthal:
        Micropower system modeling with HOMER; in Farret, Simões: Integration of Alternative Sources of Energy, 2006).
        """
        return ceil_div(self.replacement * PPM, self.cycle_life * efficiency_ppm)

    def charging(self, efficiency_ppm: int, feed_in: int) -> int:
        """Cost of the energy behind one delivered kWh, losses of the round trip included, rounded up.

        The batteries charge from PV surplus, which would otherwise have earned the feed-in price: feed_in / η².
        """
        return ceil_div(feed_in * PPM * PPM, efficiency_ppm * efficiency_ppm)

    def per_kwh(self, efficiency_ppm: int, feed_in: int) -> int:
        """Wear plus losses plus charging: the least that a delivered kWh must earn."""
        return self.wear(efficiency_ppm) + self.charging(efficiency_ppm, feed_in)
