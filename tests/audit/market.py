"""Open markets with random bids, played to the end: for many rules and sizes."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stowatt.audit.events import Claimed, Revealed
from stowatt.calendar import Calendar
from stowatt.chain.client import Commitment, Refusal
from stowatt.curves import Side
from stowatt.rights import RightId
from tests.audit.day import Day


def separate(calendar: Calendar) -> Calendar:
    """Bidding for a window ends before that for the next begins; readings are taken after all of them."""
    return replace(
        calendar, commit_lead=900, reveal_lead=600, payment_lead=100, void_delay=400, reading_grace=100_000, ticks=64
    )


def random_market(folder: Path, calendar: Calendar, windows: int, sellers: int, buyers: int, seed: int) -> Day:
    """Windows 0 … windows-1, with heavy ties, some never opened, metered at random, all settled."""
    dice = random.Random(seed)
    sells = [f"seller {number}" for number in range(sellers)]
    buys = [f"buyer {number}" for number in range(buyers)]
    day = Day.start(folder, calendar, ("admin", "issuer", "treasury", *sells, *buys), open_mode=True)
    enter(day, sells, buys)
    anyone = day["admin"]
    anyone.execute(anyone.calls.open_windows(0, windows))
    for name in (*sells, *buys):
        commitments = [bid(day, dice, name, window) for window in range(windows)]
        day[name].execute(day[name].calls.commit_many(commitments))
    for window in range(windows):
        clear(day, dice, window, [*sells, *buys])
    for window in range(windows):
        day.to(window, "end")
        for name in sells:
            energies = [dice.randrange(400) for _ in range(calendar.sub_slots)]
            match dice.randrange(3):
                case 0:
                    day.meter(day.reading(name, window, slot, energy) for slot, energy in enumerate(energies))
                case 1:
                    day.redeem(name, window, len(energies), sum(energies))
                case _:
                    day.open_sealed(name, window, *energies)
        settle(day, window)
    return day


def enter(day: Day, sells: Sequence[str], buys: Sequence[str]) -> None:
    """Money for all, devices for the sellers, which register them themselves."""
    anyone = day["admin"]
    for name in (*sells, *buys):
        anyone.execute(anyone.calls.mint(day.address(name), 10**10))
        day[name].deposit(10**10)
    for name in sells:
        day.own_device(name, 40_000, 16_000)


def bid(day: Day, dice: random.Random, name: str, window: int) -> Commitment:
    """A curve of one to four segments around the middle of the grid."""
    side = Side.SELL if name.startswith("seller") else Side.BUY
    middle = day["admin"].calendar.ticks // 2
    low = middle - 8 if side is Side.SELL else middle - 6
    ticks = dice.sample(range(low, low + 14), dice.randint(1, 4))
    return day.seal(name, window, side, *((tick, dice.randint(1, 900)) for tick in ticks))


def clear(day: Day, dice: random.Random, window: int, names: Sequence[str]) -> None:
    """Most open, in any order; cleared and claimed."""
    anyone = day["admin"]
    day.to(window, "commit")
    opened = [name for name in dice.sample(names, len(names)) if dice.random() < 0.9]
    day.reveal(window, *opened)
    day.to(window, "reveal", 0)
    anyone.execute(anyone.calls.clear(window))
    day.claim(window, *opened)


def settle(day: Day, window: int) -> None:
    """Sellers' rights, then buyers'."""
    day.to(window, "reading")
    anyone = day["admin"]
    revealed = {event.participant for event in anyone.events(Revealed, window=window)}  # type: ignore[attr-defined]
    claimed = [event for event in anyone.events(Claimed, window=window) if isinstance(event, Claimed)]
    rights = []
    for side in Side:
        for event in claimed:
            right = RightId(event.participant, window, side)
            if event.quantity and event.participant in revealed:
                try:
                    anyone.right(right.encode())
                except Refusal:
                    continue
                rights.append(right.encode())
    if rights:
        day.settle(rights)
