"""§3: the book of one window: every opened curve, in order of reveal."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from stowatt.curves import Curve, Side
from stowatt.errors import BookError
from stowatt.units import MAX_SIDE_WH, Wh


class Bid(NamedTuple):
    """One participant's curve. `participant` is any name or address that is unique in the window."""

    participant: str
    curve: Curve


@dataclass(frozen=True, slots=True)
class Book:
    """The opened bids of one window in order of reveal; an account is on one side only, with one curve (§2)."""

    bids: tuple[Bid, ...]

    def __post_init__(self) -> None:
        seen: dict[str, Side] = {}
        for participant, curve in self.bids:
            first = seen.setdefault(participant, curve.side)
            if first is not curve.side:
                raise BookError(f"{participant!r} is on both sides", "an account is on one side of a window only (§2)")
        if len(seen) < len(self.bids):
            raise BookError("a participant has two curves", "give one curve to each participant; Curve.of merges (§2)")
        for side in Side:
            if self.total(side) > MAX_SIDE_WH:
                raise BookError(f"{side.word} bids add up to {self.total(side)} Wh", f"the most is {MAX_SIDE_WH} Wh")

    @classmethod
    def of(cls, bids: Iterable[tuple[str, Curve]]) -> "Book":
        """The book of `(participant, curve)` pairs in order of reveal."""
        return cls(tuple(Bid(participant, curve) for participant, curve in bids))

    def total(self, side: Side) -> Wh:
        """S_tot of the asks or D_tot of the bids."""
        return Wh(sum(curve.total for _, curve in self.bids if curve.side is side))

    def offsets(self) -> tuple[int, ...]:
        """For each segment, bid after bid: the Wh that its side held at its tick when it was revealed (§3).

        This is the `a` of the rationing rules; the contract stores it at the reveal.
        """
        held: dict[tuple[Side, int], int] = {}
        offsets = []
        for _, curve in self.bids:
            for tick, width in curve.segments:
                a = held.get((curve.side, tick), 0)
                offsets.append(a)
                held[curve.side, tick] = a + width
        return tuple(offsets)
