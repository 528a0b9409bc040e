"""Books as columns, one row for each segment in order of reveal. Every engine gets the same arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing import Book
from stowatt.curves import Curve, Side

TICKS = 16_384
"""The largest grid that the contract has."""
SEGMENTS = 4
"""Segments of one curve."""


@dataclass(frozen=True, slots=True, eq=False)
class HalfBook:
    """One side's segments, apart from the other's."""

    ticks: NDArray[np.int64]
    widths: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """One window's segments; `asks` and `bids` are the same rows by side, made before any clock runs."""

    ticks: NDArray[np.int64]
    widths: NDArray[np.int64]
    buys: NDArray[np.bool_]
    asks: HalfBook = field(init=False)
    bids: HalfBook = field(init=False)

    def __post_init__(self) -> None:
        for name, side in ("asks", ~self.buys), ("bids", self.buys):
            object.__setattr__(self, name, HalfBook(self.ticks[side], self.widths[side]))

    @property
    def grid(self) -> int:
        """One more than the highest tick."""
        return int(self.ticks.max()) + 1


def make_book(rows: int, seed: int = 1) -> Segments:
    """As many sellers as buyers with four segments each: asks around 7,000 and bids around 9,000 of 16,384 ticks."""
    random = np.random.default_rng(seed)
    people = rows // SEGMENTS
    buys = random.permutation(people) % 2 == 1
    bases = np.where(buys, random.normal(9_000, 1_800, people), random.normal(7_000, 1_800, people))
    bases = np.clip(bases, 1_000, 15_000).astype(np.int64)
    steps = np.cumsum(random.integers(1, 250, (people, SEGMENTS)), axis=1)
    ticks = bases[:, None] + np.where(buys, -1, 1)[:, None] * steps
    widths = random.integers(1, 5_001, people * SEGMENTS)
    return Segments(ticks.reshape(-1), widths, np.repeat(buys, SEGMENTS))


def tied_books(count: int) -> Iterator[Segments]:
    """Small books over nine ticks: ties, flat intervals, one-sided margins, windows without a trade."""
    random = np.random.default_rng(2)
    for _ in range(count):
        rows = int(random.integers(2, 25))
        buys = random.integers(0, 2, rows).astype(np.bool_)
        buys[:2] = True, False
        yield Segments(random.integers(0, 9, rows), random.integers(1, 10, rows), buys)


def as_objects(segments: Segments) -> Book:
    """The same book as curves of participants."""
    rows = zip(segments.ticks.tolist(), segments.widths.tolist(), strict=True)
    sides = segments.buys[::SEGMENTS].tolist()
    return Book.of(
        (f"p{index}", Curve.of(Side(int(buys)), [next(rows) for _ in range(SEGMENTS)]))
        for index, buys in enumerate(sides)
    )
