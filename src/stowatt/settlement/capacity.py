"""§2 (1), no overselling: a device's energy in *units* of Q_max/64, and what of it is promised.

Q_max (`limit_wh`) bounds one window; the usable energy bounds all windows that are sold and not yet delivered together.
A seller's sealed bid names its quantity only as `units`, an upper bound in 64ths of Q_max, and the market refuses it
unless the account's promised units stay within its capacity. Every division here rounds against the seller: as long as

    Σ units ≤ capacity(usable, limit)   and   q ≤ budget(limit, units) for each bid,   Σ q ≤ usable   exactly.

The price is at most one unit, 1.6 % of Q_max, that a bid occupies and cannot use. A seller who minds that the units
tell an upper bound of its quantity commits equal units everywhere (`stowatt.simulation.portfolio`).
"""

from typing import Final

from stowatt.errors import SettlementError
from stowatt.units import Wh, ceil_div

UNITS: Final = 64
"""Units of one Q_max; the most that one bid can promise."""
MAX_CAPACITY: Final = 2**16 - 1
"""What the account's word holds; a device of more than 1,024 · Q_max can promise that much at once."""


def capacity(usable_wh: int, limit_wh: int) -> int:
    """The units that a device can promise at once: min(⌊64·usable/limit⌋, 65535), 0 for a device that sells nothing.

    Rounded down: the seller loses less than one unit, the buyers gain that it is never oversold.
    """
    _check("usable energy", usable_wh)
    _check("Q_max", limit_wh)
    return min(UNITS * usable_wh // limit_wh, MAX_CAPACITY) if limit_wh else 0


def budget(limit_wh: int, units: int) -> Wh:
    """The most that a bid of so many units can offer, ⌊limit·units/64⌋ Wh. Rounded down, against the seller."""
    _check("Q_max", limit_wh)
    _check_units(units)
    return Wh(limit_wh * units // UNITS)


def units_for(quantity: int, limit_wh: int) -> int:
    """The fewest units whose budget holds `quantity`, ⌈64·q/limit⌉. Rounded up, against the seller.

    It is the inverse of `budget`: units_for(q) ≤ u exactly when q ≤ budget(u). Refused beyond Q_max, the 64 units.
    """
    _check("a quantity", quantity)
    _check("Q_max", limit_wh)
    if quantity > limit_wh:
        raise SettlementError(
            f"{quantity} Wh need more than {UNITS} units of a device that sells at most {limit_wh} Wh in a window",
            f"offer at most {limit_wh} Wh (§2)",
        )
    return ceil_div(UNITS * quantity, limit_wh) if limit_wh else 0


def used_units(fill: int, limit_wh: int) -> int:
    """What the claim of a fill leaves promised, ⌈64·fill/limit⌉; 0 without a fill. The rest of the bid's units is free.

    Rounded up, against the seller, until settlement. Never more than the bid's units: a fill is within its budget.
    """
    return units_for(fill, limit_wh)


def part_units(units: int, start: int, wh: int, whole: int) -> int:
    """What settling the part [start, start + wh) of a right of `whole` frees: ⌈u(start+wh)/whole⌉ − ⌈u·start/whole⌉.

    The parts of a split free exactly `units` together, in whatever order they settle. Each rounds up in the running
    sum, so an earlier part frees at most one unit more than its share: this is the one rounding for the seller, and
    the later parts pay for it.
    """
    _check_units(units)
    if not 0 <= start <= start + wh <= whole or whole == 0:
        raise SettlementError(
            f"a part of {wh} Wh from {start} of a right of {whole} Wh",
            "a part lies within its right, of more than 0 Wh",
        )
    return ceil_div(units * (start + wh), whole) - ceil_div(units * start, whole)


def _check(name: str, wh: int) -> None:
    if wh < 0:
        raise SettlementError(f"{name} of {wh} Wh is negative", "use energies from 0")


def _check_units(units: int) -> None:
    if not 0 <= units <= UNITS:
        raise SettlementError(f"a bid of {units} units", f"a bid promises 0 … {UNITS} units (§2)")
