"""§2: bids as runs of rows, and which of them need a closer look.

Rows of one window and participant that follow one another are one run. A bid that is one run and breaks no rule needs
nothing else. All others are found by the hashes of their runs: those that appear twice, and those that look wrong.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stowatt.bulk.names import Words
from stowatt.bulk.rows import BidRows, Ints
from stowatt.units import MAX_SEGMENTS, MAX_WIDTH_WH


@dataclass(slots=True)
class Run:
    """A run that may go on in the next batch, or in the next part."""

    window: str
    participant: str
    hash: int
    buy: bool
    steps: dict[int, int]
    """Wh by tick."""
    broken: bool = False

    @classmethod
    def of(cls, rows: BidRows, window: str, hash_: int, place: slice) -> "Run":
        """The rows at `place` of a batch."""
        found = cls(window, rows.people[int(rows.person[place.start])], hash_, bool(rows.buys[place.start]), {})
        ticks, sums = np.unique(rows.ticks[place], return_inverse=True)
        if len(ticks) > MAX_SEGMENTS or (rows.buys[place] != found.buy).any():
            found.broken = True
            return found
        held = np.zeros(len(ticks), np.int64)
        np.add.at(held, sums, rows.widths[place].astype(np.int64))
        found.steps = dict(zip(ticks.tolist(), held.tolist(), strict=True))
        found.broken = max(found.steps.values()) > MAX_WIDTH_WH
        return found

    def goes_on_in(self, other: "Run") -> bool:
        """Whether `other`, which follows, is of the same bid."""
        return self.window == other.window and self.participant == other.participant

    def extend(self, other: "Run") -> None:
        """Both together."""
        for tick, width in other.steps.items():
            self.steps[tick] = self.steps.get(tick, 0) + width
        self.broken |= other.broken or self.buy != other.buy or len(self.steps) > MAX_SEGMENTS
        self.broken = self.broken or max(self.steps.values()) > MAX_WIDTH_WH
        if self.broken:
            self.steps = {}

    def as_json(self) -> dict[str, Any]:
        """All fields."""
        steps = list(self.steps.items())
        return {"names": [self.window, self.participant], "hash": self.hash, "bid": [self.buy, steps, self.broken]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Run":
        """What `as_json` gave."""
        buy, steps, broken = value["bid"]
        window, participant = value["names"]
        return cls(window, participant, value["hash"], buy, {tick: width for tick, width in steps}, broken)


@dataclass(slots=True)
class Runs:
    """The runs of one part, or of several that follow one another."""

    head: Run | None = None
    """The first run, which may have begun before."""
    tail: Run | None = None
    """The last one, which may go on; None if it is the first."""
    hashes: list[Words] = field(default_factory=list)
    """Of all others."""
    suspects: list[int] = field(default_factory=list)
    """Hashes of bids that break a rule by themselves."""

    def add(self, rows: BidRows, windows: list[str], hashes: Words) -> None:
        """The next batch; `hashes` of its runs."""
        if len(rows) == 0:
            return
        starts, ends = rows.starts, np.append(rows.starts[1:], len(rows))
        self._follow(self._run(rows, windows, hashes, 0, ends), True)
        last = len(starts) - 1
        if last == 0:
            return
        self._follow(self._run(rows, windows, hashes, last, ends), False)
        self.hashes.append(hashes[1:-1])
        for which in suspicious(rows, ends):
            if 0 < which < last and self._run(rows, windows, hashes, which, ends).broken:
                self.suspects.append(int(hashes[which]))

    def join(self, other: "Runs") -> None:
        """The runs of what follows."""
        for run, beside in ((other.head, True), (other.tail, False)):
            if run is not None:
                self._follow(run, beside)
        self.hashes += other.hashes
        self.suspects += other.suspects

    def close(self) -> None:
        """The book ends here."""
        for run in (self.head, self.tail):
            if run is not None:
                self._closed(run)
        self.head = self.tail = None

    def _follow(self, run: Run, beside: bool) -> None:
        """One more run, which begins where the last one ends if it is `beside` it."""
        last = self.tail or self.head
        if last is None:
            self.head = run
        elif beside and last.goes_on_in(run):
            last.extend(run)
        else:
            if self.tail is not None:
                self._closed(self.tail)
            self.tail = run

    def _closed(self, run: Run) -> None:
        self.hashes.append(np.array([run.hash], np.uint64))
        if run.broken:
            self.suspects.append(run.hash)

    @staticmethod
    def _run(rows: BidRows, windows: list[str], hashes: Words, which: int, ends: Ints) -> Run:
        place = slice(int(rows.starts[which]), int(ends[which]))
        return Run.of(rows, windows[int(rows.window[place.start])], int(hashes[which]), place)


def suspicious(rows: BidRows, ends: Ints) -> list[int]:
    """The runs that could break a rule by themselves."""
    starts = rows.starts
    lengths = ends - starts
    odd: NDArray[np.bool_] = lengths > MAX_SEGMENTS
    longest = int(lengths.max(initial=1))
    if longest > 1:
        turns = rows.buys[1:] != rows.buys[:-1]
        turns[starts[1:] - 1] = False
        if turns.any():
            odd[np.searchsorted(starts, np.flatnonzero(turns) + 1, side="right") - 1] = True
        if longest * int(rows.widths.max()) > MAX_WIDTH_WH:
            odd |= np.add.reduceat(rows.widths.astype(np.int64), starts) > MAX_WIDTH_WH
    return np.flatnonzero(odd).tolist()
