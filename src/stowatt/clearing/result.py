"""§3: the result of one clearing."""

from dataclasses import dataclass
from typing import NamedTuple

from stowatt.curves import Side
from stowatt.units import Tick, Wh


class Fill(NamedTuple):
    """What one participant sells or buys; 0 if nothing."""

    participant: str
    side: Side
    quantity: Wh


class Cohort(NamedTuple):
    """One side around the price λ. All zero when there is no price."""

    better: Wh
    """S(λ-) of the asks, D(λ+) of the bids: filled whole."""
    size: Wh
    """T: the Wh exactly at λ."""
    residual: Wh
    """R = V - better: what the marginal cohort shares."""


NO_COHORT = Cohort(Wh(0), Wh(0), Wh(0))


@dataclass(frozen=True, slots=True)
class WindowResult:
    """The clearing of one window. Every number is an integer; values are in tick·Wh."""

    price: Tick | None
    """λ, the tick that the price rule picks; None without a trade."""
    lowest: Tick
    """λ_lo: the least tick that minimises Φ (19)."""
    highest: Tick | None
    """λ_hi: the greatest; None when nobody sells, for then every higher tick does too."""
    volume: Wh
    """V: the largest trade among the welfare-equal optima."""
    supply: Cohort
    demand: Cohort
    offsets: tuple[int, ...]
    """For each segment, bid after bid: see `Book.offsets`."""
    fills: tuple[Fill, ...]
    """One for each bid, in the book's order."""
    welfare: int
    """Σ V_j(y_j) - Σ Π_i(q_i), recomputed from the fills."""
    dual: int
    """Φ(λ) (9), at λ_lo without a price."""

    @property
    def gap(self) -> int:
        """The duality gap; 0 proves the optimum."""
        return self.dual - self.welfare
