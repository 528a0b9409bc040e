"""Can one battery deliver what it sold, window after window? The verdict names the first window that fails."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.storage import Slot, Step, Storage, advance


class Limit(StrEnum):
    """What stands in the way."""

    ENERGY = "energy"
    """The battery is empty before the window's sale is delivered."""
    POWER = "power"
    """The window is too short for the sale at the highest power."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A window whose sale cannot be delivered."""

    window: int
    limit: Limit
    needed_wh: int
    """The sale, at the terminals."""
    missing_wh: int
    """By how much it fails, at the terminals."""

    def __str__(self) -> str:
        reach = self.needed_wh - self.missing_wh
        why = "power lets through" if self.limit is Limit.POWER else "stored energy reaches for"
        return f"window {self.window} needs {self.needed_wh} Wh, but {why} {reach} Wh: {self.missing_wh} Wh are missing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a battery does over all its windows."""

    steps: tuple[Step, ...]
    shortfalls: tuple[Shortfall, ...]
    """Empty if all can be delivered."""

    @property
    def feasible(self) -> bool:
        """Whether every sale can be delivered in full."""
        return not self.shortfalls

    @property
    def first(self) -> Shortfall | None:
        """The first window that fails."""
        return self.shortfalls[0] if self.shortfalls else None

    @property
    def missing_wh(self) -> int:
        """Over all windows."""
        return sum(shortfall.missing_wh for shortfall in self.shortfalls)

    def __str__(self) -> str:
        if self.first is None:
            return "deliverable"
        more = len(self.shortfalls) - 1
        return f"{self.first}" + (f"; {more} later window(s) fail too" if more else "")


def check(storage: Storage, slots: Iterable[Slot]) -> Verdict:
    """Runs the battery through the windows, which are in order of time and do not overlap.

    After a failure it goes on with what is left: later windows are judged as if all that could be delivered was. What
    happens between windows that are not given, such as recharging, is not counted.
    """
    stored, end, steps, shortfalls = storage.stored_wh, None, [], []
    for slot in slots:
        if end is not None and slot.start < end:
            raise DispatchError(
                f"window {slot.window} starts before the window before it ends", "give each window once, in order"
            )
        end = slot.start + slot.length_s
        step = advance(storage, stored, slot)
        stored = step.after_wh
        steps.append(step)
        if step.missing_wh:
            power = step.delivered_wh == storage.cap_wh(slot.length_s)
            limit = Limit.POWER if power else Limit.ENERGY
            shortfalls.append(Shortfall(slot.window, limit, slot.sale_wh, step.missing_wh))
    return Verdict(tuple(steps), tuple(shortfalls))
