"""Cycles in a series of states of charge, counted by the rainflow method (ASTM E1049)."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from stowatt.degradation.cell import Floats, array
from stowatt.degradation.errors import WearError


@dataclass(frozen=True, slots=True)
class Cycle:
    """One counted cycle, or half of one."""

    depth: float
    """From its highest to its lowest state of charge."""
    mean: float
    """Mean of the two."""
    count: float
    """1, or 0.5 for a half cycle."""
    first: int
    """Place of the turning point where it begins."""
    last: int
    """Place of the turning point where its counted range ends."""


def count_cycles(soc: Sequence[float] | Floats) -> list[Cycle]:
    """The cycles of a series; none for a series that never turns or has fewer than two values."""
    values = array(soc)
    if values.ndim != 1 or not bool(np.all((values >= -1e-9) & (values <= 1 + 1e-9))):
        raise WearError(
            "the states of charge are not all between 0 and 1", "give shares, not percent, and leave gaps out"
        )
    # The library overlooks the one range of a series of two values; a third that repeats the second changes nothing.
    series = np.append(values, values[-1]) if len(values) == 2 else values
    return [
        Cycle(float(depth), float(mean), float(count), int(first), min(int(last), len(values) - 1))
        for depth, mean, count, first, last in _rainflow().extract_cycles(series)
        if depth > 0
    ]


def full_equivalent(cycles: Sequence[Cycle]) -> float:
    """Full equivalent cycles: Σ count × depth."""
    return sum(cycle.count * cycle.depth for cycle in cycles)


def _rainflow() -> Any:
    try:
        return import_module("rainflow")
    except ImportError:
        raise WearError("rainflow, which counts cycles, is not installed", "pip install 'stowatt[wear]'") from None
