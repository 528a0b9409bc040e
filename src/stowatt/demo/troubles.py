"""The troubles of the day: which home causes which, and in which window, chosen before anybody bids.

Each is placed where it shows: the victim would trade, and others still do. Whoever needs one kind of home that does
not exist (a second seller, a buyer whose fill its bond does not cover) is left out, and the summary says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stowatt.calendar import Calendar
from stowatt.clearing import Book, Rules, WindowResult, clear_readable
from stowatt.curves import Curve, Side
from stowatt.settlement import deposit, locked, payment, reserve
from stowatt.simulation.evening import Evening, PlannedWindow

LEAST_WH: Final = 6
"""A fill below it is too small to see anything happen to it."""


class Kind(StrEnum):
    """What goes wrong."""

    SILENT = "never reveals"
    WRONG = "wrong opening"
    UNPAID = "does not pay"
    WEAK = "battery fails"
    REPLAY = "replayed reading"
    SOLD = "right sold on"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble: who, when, and for a sold right to whom."""

    kind: Kind
    window: int
    home: str
    other: str = ""


class _Plan:
    """Places the troubles one after the other; a home has at most one in a window."""

    def __init__(self, evening: Evening, calendar: Calendar) -> None:
        self.evening, self.calendar = evening, calendar
        self.found: list[Trouble] = []

    def place(self, kind: Kind, turn: int, candidates: Callable[["_Plan", PlannedWindow], Iterator[str]]) -> None:
        """The first window, from the turn's own on, in which a home can cause it."""
        windows = self.evening.windows
        own = turn * (len(windows) - 1) // (len(Kind) - 1)
        for window in (*windows[own:], *windows[:own]):
            busy = {t.home for t in self.found if t.window == window.number}
            for home in candidates(self, window):
                if home not in busy:
                    self.found.append(Trouble(kind, window.number, home))
                    return

    def predict(self, window: PlannedWindow, without: str = "") -> tuple[WindowResult, dict[str, Curve]]:
        """The clearing that is to be expected, without the bids that will not be opened."""
        unopened = {t.home for t in self.found if t.window == window.number and t.kind in (Kind.SILENT, Kind.WRONG)}
        bids = [(b.home, b.curve) for b in window.bids if b.home not in {*unopened, without}]
        return clear_readable(Book.of(bids), Rules()), dict(bids)

    def filled(self, window: PlannedWindow, side: Side) -> list[tuple[str, int]]:
        """Homes of a side that would trade visibly, the largest fill first."""
        result, _ = self.predict(window)
        fills = [(f.participant, f.quantity) for f in result.fills if f.side is side and f.quantity >= LEAST_WH]
        return sorted(fills, key=lambda fill: -fill[1])


def plan_troubles(evening: Evening, calendar: Calendar) -> tuple[Trouble, ...]:
    """One trouble of each kind, as far as the homes allow, in the order of `Kind`."""
    plan = _Plan(evening, calendar)
    for turn, (kind, candidates) in enumerate(_CANDIDATES.items()):
        plan.place(kind, turn, candidates)
    return tuple(_with_partner(trouble, plan) for trouble in plan.found)


def _unopened(side: Side) -> Callable[[_Plan, PlannedWindow], Iterator[str]]:
    """Homes of a side without whose bid the others still trade, the middle one first."""

    def candidates(plan: _Plan, window: PlannedWindow) -> Iterator[str]:
        names = [name for name, _ in plan.filled(window, side)]
        for name in names[len(names) // 2 :] + names[: len(names) // 2]:
            if plan.predict(window, without=name)[0].volume:
                yield name

    return candidates


def _wrong(plan: _Plan, window: PlannedWindow) -> Iterator[str]:
    """A seller if the market can miss one, else a buyer."""
    yield from _unopened(Side.SELL)(plan, window)
    if len(plan.evening.sellers) == 1:
        yield from _unopened(Side.BUY)(plan, window)


def _unpaid(plan: _Plan, window: PlannedWindow) -> Iterator[str]:
    """Buyers whose payment exceeds all that the claim frees, when others buy too."""
    c = plan.calendar
    result, curves = plan.predict(window)
    fills = plan.filled(window, Side.BUY)
    forfeited = sum(t.window == window.number and t.kind is Kind.WRONG for t in plan.found) * c.bond
    for name, wh in fills if len(fills) > 1 and result.price is not None else ():
        kept = locked(c.bond, reserve(curves[name], c.ticks, c.tick_size, c.alpha_buyer))
        freed = kept - deposit(wh, result.price or 0, c.tick_size, c.alpha_buyer) + forfeited * wh // result.volume
        if payment(wh, result.price or 0, c.tick_size) > freed:
            yield name


def _sellers(plan: _Plan, window: PlannedWindow) -> Iterator[str]:
    yield from (name for name, _ in plan.filled(window, Side.SELL))


def _with_partner(trouble: Trouble, plan: _Plan) -> Trouble:
    """A sold right needs somebody who buys it: another seller, else a buyer; nobody with a trouble in that window."""
    if trouble.kind is not Kind.SOLD:
        return trouble
    busy = {t.home for t in plan.found if t.window == trouble.window or t.kind is Kind.UNPAID}
    homes = (*plan.evening.sellers, *plan.evening.buyers)
    other = next((home.id for home in homes if home.id not in busy), homes[-1].id)
    return Trouble(trouble.kind, trouble.window, trouble.home, other)


_CANDIDATES: Final = {
    Kind.SILENT: _unopened(Side.BUY),
    Kind.WRONG: _wrong,
    Kind.UNPAID: _unpaid,
    Kind.WEAK: _sellers,
    Kind.REPLAY: _sellers,
    Kind.SOLD: _sellers,
}
