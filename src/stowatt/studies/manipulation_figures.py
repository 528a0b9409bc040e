"""What the books of the manipulation study add up to, and the figures of a cell with their bands."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from stowatt.curves import Side
from stowatt.studies import bands
from stowatt.studies.books import TICK_SIZE, Ints
from stowatt.studies.deviations import SHADES_PER_MILLE
from stowatt.units import WH_PER_KWH

QUANTILES: Final = (95, 99, 100)
_QUANTILE_RESAMPLES: Final = 100
BASE_PER_TICK_WH: Final = TICK_SIZE / WH_PER_KWH


@dataclass(slots=True)
class Tally:
    """What the books of one family, size and price rule added up to; money in tick·Wh."""

    sums: dict[str, list[float]] = field(default_factory=dict)
    """By name, one figure for each book."""
    shades: dict[Side, list[tuple[Ints, int]]] = field(default_factory=lambda: {side: [] for side in Side})
    """For each book: the gain of its sampled participants by shading factor, and their truthful surplus."""
    withheld: dict[str, list[Ints]] = field(default_factory=dict)
    """For each book: by bid, what withholding its opening gains."""

    def add(self, **figures: float) -> None:
        """Adds one book's figures."""
        for name, figure in figures.items():
            self.sums.setdefault(name, []).append(figure)


def summary(tally: Tally, drawn: bands.Floats, *, seed: int, bond: int) -> tuple[dict[str, Any], bands.Floats]:
    """The figures of a cell with bands, as plain values; money in base units. And the resamples of `relative`."""
    sums = {name: np.array(values, dtype=np.float64) for name, values in tally.sums.items()}
    relative, resamples = bands.ratio(sums["gain"], sums["welfare"], drawn)
    fewer = bands.weights(len(sums["lost"]), seed)

    def shares(top: str, bottom: str) -> dict[str, float]:
        return plain(bands.ratio(sums[top], sums[bottom], drawn)[0])

    cell = {
        "traded": float(sums["traded"].mean()),
        "surplus": plain(bands.ratio(sums["welfare"] * BASE_PER_TICK_WH, sums["participants"], drawn)[0]),
        "gain": plain(bands.ratio(sums["gain"] * BASE_PER_TICK_WH, sums["participants"], drawn)[0]),
        "relative": plain(relative),
        "sellers": shares("sell_gain", "sell_surplus"),
        "buyers": shares("buy_gain", "buy_surplus"),
        "top": shares("top", "welfare"),
        "shading": shares("shading", "sampled_surplus"),
        "holding": shares("holding", "sampled_surplus"),
        "pair": shares("pair_gain", "pair_surplus"),
        "lost": plain(bands.ratio(sums["lost"], sums["lost_welfare"], fewer)[0]),
        "missed": _digits(float(sums["missed"].max()) * BASE_PER_TICK_WH),
        "blind": {side.word: _blind(tally.shades[side], seed) for side in Side},
        "withholding": {
            name: _quantiles(values, bond if not name.endswith("kwh") else None, seed)
            for name, values in tally.withheld.items()
        },
    }
    return cell, resamples


def _blind(shades: list[tuple[Ints, int]], seed: int) -> dict[str, Any]:
    """The factor that gains most on the even books, and what it gains on the odd ones."""
    gains = np.stack([gain for gain, _ in shades]).astype(np.float64)
    truth = np.array([surplus for _, surplus in shades], dtype=np.float64)
    best = int(gains[0::2].sum(axis=0).argmax())
    tested = len(gains[1::2])
    value, _ = bands.ratio(gains[1::2, best], truth[1::2], bands.weights(tested, seed))
    return {"shade_per_mille": SHADES_PER_MILLE[best], **plain(value)}


def _quantiles(values: list[Ints], bond: int | None, seed: int) -> dict[str, Any]:
    """Quantiles over all bids in base units, with bands over books; and the share of bids above the bond."""
    flat = np.concatenate(values) * BASE_PER_TICK_WH
    random = np.random.default_rng([seed, len(values)])
    redrawn = []
    for _ in range(_QUANTILE_RESAMPLES):
        books = random.integers(len(values), size=len(values))
        redrawn.append(np.percentile(np.concatenate([values[book] for book in books]), QUANTILES) * BASE_PER_TICK_WH)
    points = np.percentile(flat, QUANTILES)
    found: dict[str, Any] = {
        f"q{q}": plain(bands.band(float(point), column))
        for q, point, column in zip(QUANTILES, points, np.stack(redrawn).T, strict=True)
    }
    if bond is not None:
        found["above_bond"] = _digits(float((flat > bond).mean()))
    return found


def plain(figure: bands.Banded) -> dict[str, float]:
    """A figure with its band as plain values."""
    return {name: _digits(value) for name, value in figure._asdict().items()}


def _digits(value: float) -> float:
    """Five significant digits: enough to read, and a file that stays small."""
    return float(f"{value:.5g}")
