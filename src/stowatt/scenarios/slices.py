"""Virtual slices of one battery: each home's own, with the battery's roundings shared among them.

Slices are kept in 10^-6 Wh, the battery in Wh with the roundings of (F3). Always 0 ≤ slice ≤ its size, and all slices
together hold at most what the battery holds: nothing is promised that is not there. What rounding leaves over in one
window, at most 10^-6 Wh for each Wh that moved, goes to those who charge next: nothing is lost in the books either. A
slice keeps back 1 Wh and 2 ppm of what it holds: the battery's draw, rounded up to a Wh, may fall on a single slice.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from stowatt.scenarios.alone import room
from stowatt.scenarios.community import Int64s, Storage
from stowatt.scenarios.shares import PARTS
from stowatt.units import PPM, ceil_div

UWH: Final = 10**6
"""Units of a slice in a Wh."""


@dataclass(slots=True)
class Slices:
    """What each home holds in the battery, 10^-6 Wh, and the battery itself, Wh."""

    storage: Storage
    """The battery: one entry."""
    size: Int64s
    held: Int64s
    stored: int
    passing: bool
    """Whether what one slice puts in and another takes out in the same window passes by the battery, without loss."""

    @classmethod
    def of(cls, storage: Storage, shares: Int64s, *, passing: bool) -> Self:
        """Slices by a fixed key that adds up to `PARTS`; what is stored at the start belongs to all by the key."""
        start = int(storage.stored_wh[0])
        size = shares * int(storage.usable_wh[0]) // (PARTS // UWH)
        return cls(storage, size, shares * start // (PARTS // UWH), start, passing)

    def step(self, offered: Int64s, wanted: Int64s) -> tuple[Int64s, Int64s, int, int]:
        """(into, out of) each slice and (charge, discharge) of the battery in one window, Wh at the terminals.

        No slice is both offered and wanted from.
        """
        cap, eta = int(self.storage.cap_wh[0]), int(self.storage.efficiency_ppm[0])
        into = np.minimum(offered, (self.size - self.held) // UWH)
        spare = np.maximum(self.held - UWH - self.held // PPM * 2, 0)
        out = np.minimum(wanted, spare // UWH * eta // PPM)
        most = min(cap, int(room(self.storage, np.array([self.stored]))[0]))
        into, out = (_netted if self.passing else _in_turn)(into, out, most, cap)
        total_in, total_out = int(into.sum()), int(out.sum())
        passed = min(total_in, total_out) if self.passing else 0
        charge, discharge = total_in - passed, total_out - passed
        drawn = ceil_div(discharge * PPM, eta)
        self.stored += charge * eta // PPM - drawn
        if total_out:
            self.held -= out * ceil_div((drawn + passed) * UWH, total_out)
        if total_in:
            free = self.stored * UWH - int(self.held.sum())
            self.held += into * min(UWH, free // total_in)
        return into, out, charge, discharge


def _netted(into: Int64s, out: Int64s, most: int, cap: int) -> tuple[Int64s, Int64s]:
    """Both, cut so that their difference charges at most `most` and discharges at most `cap`. Rounded down."""
    total_in, total_out = int(into.sum()), int(out.sum())
    if total_in > total_out + most:
        into = into * (total_out + most) // total_in
    elif total_out > total_in + cap:
        out = out * (total_in + cap) // total_out
    return into, out


def _in_turn(into: Int64s, out: Int64s, most: int, cap: int) -> tuple[Int64s, Int64s]:
    """Both, cut so that the battery can do one after the other within the window (F5). Rounded down."""
    total_in, total_out = int(into.sum()), int(out.sum())
    if total_in > most:
        into, total_in = into * most // total_in, most
    if total_in + total_out > cap:
        into, out = into * cap // (total_in + total_out), out * cap // (total_in + total_out)
    return into, out
