"""The result of one window of a large book, and its proof from the fills."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stowatt.clearing.crossing import Crossing
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import CertificateError


@dataclass(frozen=True, slots=True)
class Outcome:
    """As `WindowResult`, without the fills, which are in the output file."""

    price: int | None
    lowest: int
    highest: int | None
    volume: int
    welfare: int
    """Σ V_j(y_j) - Σ Π_i(q_i): from the fills if they were written, else from the sums by tick."""
    dual: int
    """Φ(λ) (9), from the sums by tick."""

    @property
    def gap(self) -> int:
        """The duality gap; 0 proves the optimum."""
        return self.dual - self.welfare

    def as_json(self, name: str, unit: DecimalUnit) -> dict[str, Any]:
        """The fields that `stowatt clear --json` shows of a window."""
        return {
            "window": name,
            "price": None if self.price is None else unit.text(self.price),
            "price_interval": [unit.text(self.lowest), None if self.highest is None else unit.text(self.highest)],
            "volume_wh": self.volume,
            "welfare": unit.text(self.welfare, per_thousand=True),
            "dual": unit.text(self.dual, per_thousand=True),
            "gap": unit.text(self.gap, per_thousand=True),
        }


def prove(names: Sequence[str], found: Sequence[Crossing], filled: Any) -> dict[str, Outcome]:
    """The windows' results. `filled` has, for each window and side, Σ fill and Σ tick · fill as (units of 2^32, rest),
    taken from the fills themselves: sold = bought = V, and the gap is 0, or there is no result."""
    outcomes = {}
    for window, (name, crossing) in enumerate(zip(names, found, strict=True)):
        welfare, sold = crossing.welfare, int(crossing.volume)
        bought = crossing.demand.better + crossing.demand.residual
        if filled is not None:
            (sold, *asks), (bought, *bids) = ([int(value) for value in row] for row in filled[2 * window :][:2])
            welfare = (bids[0] << 32) + bids[1] - (asks[0] << 32) - asks[1]
        outcomes[name] = Outcome(
            crossing.price, crossing.lowest, crossing.highest, crossing.volume, welfare, crossing.dual
        )
        if not sold == bought == crossing.volume or outcomes[name].gap:
            what = f"window {name!r}: sold {sold}, bought {bought} of {crossing.volume} Wh, gap {outcomes[name].gap}"
            raise CertificateError(what, "this is a fault of the engine: report it with the book")
    return outcomes
