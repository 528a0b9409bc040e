"""§2 (2)–(5): ask and bid curves. The marginal price is piecewise constant, the total value piecewise linear."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from stowatt.errors import CurveError
from stowatt.units import MAX_SEGMENTS, MAX_TICK, MAX_WIDTH_WH, Tick, Wh

SEGMENT_BYTES = 6
"""An encoded segment: the tick in 2 bytes, then the width in 4, both big-endian."""
MAX_ENCODED_TICK = 2**16 - 1


class Side(IntEnum):
    """The side of the market, numbered as on chain."""

    SELL = 0
    BUY = 1

    @property
    def word(self) -> str:
        """`sell` or `buy`, as in book files."""
        return self.name.lower()


class Segment(NamedTuple):
    """`width` Wh offered or asked for at `tick`."""

    tick: Tick
    width: Wh


@dataclass(frozen=True, slots=True)
class Curve:
    """1 to 16 segments in merit order: ask ticks strictly rise, bid ticks strictly fall."""

    side: Side
    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.segments) <= MAX_SEGMENTS:
            raise CurveError(f"a curve of {len(self.segments)} segments", f"§2 allows 1 to {MAX_SEGMENTS}")
        for tick, width in self.segments:
            _check_segment(tick, width)
        for first, second in pairwise(self.segments):
            if not (first.tick < second.tick if self.side is Side.SELL else first.tick > second.tick):
                raise CurveError(
                    f"a {self.side.word} curve has tick {second.tick} after {first.tick}",
                    "asks rise and bids fall strictly (§2); Curve.of sorts and merges",
                )

    @classmethod
    def of(cls, side: Side, pairs: Iterable[tuple[int, int]]) -> "Curve":
        """The curve of `(tick, width)` pairs in any order; widths at one tick are added (§2)."""
        merged: dict[int, int] = {}
        for tick, width in pairs:
            _check_segment(tick, width)
            merged[tick] = merged.get(tick, 0) + width
        ordered = sorted(merged.items(), reverse=side is Side.BUY)
        return cls(side, tuple(Segment(Tick(tick), Wh(width)) for tick, width in ordered))

    @property
    def total(self) -> Wh:
        """The whole quantity, Q of an ask and Y of a bid."""
        return Wh(sum(width for _, width in self.segments))

    @property
    def worst_value(self) -> int:
        """Σ width × tick, in tick·Wh: the most that a buyer can come to pay (§6)."""
        return sum(tick * width for tick, width in self.segments)

    def accepts(self, segment_tick: int, price: int) -> bool:
        """Whether a segment at `segment_tick` gains strictly at `price`, so that it is filled whole (§3)."""
        return segment_tick < price if self.side is Side.SELL else segment_tick > price

    def better_than(self, price: int) -> Wh:
        """The quantity strictly better than `price`: asks below it, bids above it (§3)."""
        return Wh(sum(width for tick, width in self.segments if self.accepts(tick, price)))

    def at(self, price: int) -> Wh:
        """The quantity exactly at `price`: the curve's part of the marginal cohort (§3)."""
        return Wh(sum(width for tick, width in self.segments if tick == price))

    def value(self, quantity: int) -> int:
        """Π(q) of an ask or V(y) of a bid (3), (5), in tick·Wh: the best `quantity` Wh of the curve."""
        if not 0 <= quantity <= self.total:
            raise CurveError(f"{quantity} Wh of a curve of {self.total} Wh", "ask for 0 Wh up to the curve's total")
        value, left = 0, quantity
        for tick, width in self.segments:
            taken = min(width, left)
            value += tick * taken
            left -= taken
        return value

    def encode(self) -> bytes:
        """The curve as it is committed to and sent to the contract (§5): 6 bytes a segment, in merit order."""
        for tick, _ in self.segments:
            if tick > MAX_ENCODED_TICK:
                raise CurveError(f"tick {tick} does not fit the encoding", f"the highest is {MAX_ENCODED_TICK}")
        return b"".join(tick.to_bytes(2) + width.to_bytes(4) for tick, width in self.segments)

    @classmethod
    def decode(cls, side: Side, data: bytes) -> "Curve":
        """The curve that `encode` wrote. Anything but the one canonical encoding is refused."""
        if len(data) % SEGMENT_BYTES:
            raise CurveError(f"an encoded curve of {len(data)} bytes", f"a segment takes {SEGMENT_BYTES} bytes")
        return cls(side, tuple(_decode_segments(data)))


def _decode_segments(data: bytes) -> Iterator[Segment]:
    for start in range(0, len(data), SEGMENT_BYTES):
        tick, width = data[start : start + 2], data[start + 2 : start + SEGMENT_BYTES]
        yield Segment(Tick(int.from_bytes(tick)), Wh(int.from_bytes(width)))


def _check_segment(tick: object, width: object) -> None:
    """§1, §2: whole numbers in range. Typed `object` because callers outside mypy do pass floats."""
    if type(tick) is not int or type(width) is not int:
        raise CurveError(f"segment ({tick!r}, {width!r}) is not in whole ticks and Wh", "use integers (§1)")
    if not 0 <= tick <= MAX_TICK:
        raise CurveError(f"tick {tick} is out of range", f"ticks run from 0 to {MAX_TICK}")
    if not 1 <= width <= MAX_WIDTH_WH:
        raise CurveError(f"a segment of {width} Wh is out of range", f"a width is 1 to {MAX_WIDTH_WH} Wh (§2)")
