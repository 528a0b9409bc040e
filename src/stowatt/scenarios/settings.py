"""What is fixed about a market before anybody bids: its grid and rules, its hours, its outages, who follows what."""

from dataclasses import dataclass, field
from typing import Final

from stowatt.clearing.rules import PriceRule, Rationing
from stowatt.scenarios.community import MOST_PRICE
from stowatt.scenarios.errors import ScenarioError
from stowatt.simulation.strategies import PriceGrid
from stowatt.units import PPM

SELLERS: Final = ("patient", "reserve", "flat")
"""Strategies of homes with a battery; `strategies.py` says what each does and why."""
BUYERS: Final = ("prudent", "marked-up", "truthful")
"""Strategies of homes that lack energy."""
FORECASTS: Final = ("persistence", "perfect")
"""What a home knows about its own load and PV."""
HOURS: Final = 24

Shares = tuple[tuple[str, int], ...]
"""Strategies with the share of homes that follow each, ppm; together 10^6."""


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """The rules of a market, and the mixture of those who trade in it."""

    grid: PriceGrid = field(default_factory=PriceGrid)
    """The market's ticks."""
    price_rule: PriceRule = PriceRule.LOWEST
    rationing: Rationing = Rationing.PRO_RATA
    first: int = 0
    """Local hour at which the first window of a day starts."""
    last: int = HOURS
    """Local hour before which the last window of a day starts."""
    outages_ppm: int = 0
    """Probability that a battery is down in a window, ppm: each battery and each window by itself."""
    deposit_ppm: int = 200_000
    """α_S (23): the deposit of a seller as a share of its sale's value, ppm."""
    sellers: Shares = (("patient", PPM),)
    buyers: Shares = (("prudent", PPM),)
    forecast: str = "persistence"

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("first", self.first, 0, HOURS - 1),
            ("last", self.last, self.first + 1, HOURS),
            ("outages_ppm", self.outages_ppm, 0, PPM),
            ("deposit_ppm", self.deposit_ppm, 0, PPM),
            ("the highest price", self.grid.tick_size * self.grid.ticks, 1, MOST_PRICE),
        ):
            if not low <= value <= high:
                raise ScenarioError(f"market: {name} = {value} is outside {low} to {high}", "choose a value inside")
        for side, shares, known in (("sellers", self.sellers, SELLERS), ("buyers", self.buyers, BUYERS)):
            names = [name for name, _ in shares]
            if len(set(names)) < len(names) or not set(names) <= set(known):
                raise ScenarioError(f"{side} follow {', '.join(names)}", f"choose from {', '.join(known)}, each once")
            if any(share < 0 for _, share in shares) or sum(share for _, share in shares) != PPM:
                raise ScenarioError(
                    f"{side}: shares of {', '.join(f'{share} ppm' for _, share in shares)}",
                    "give shares from 0 that add up to 1",
                )
        if self.forecast not in FORECASTS:
            raise ScenarioError(f"no forecast is called {self.forecast!r}", f"choose from {', '.join(FORECASTS)}")
