"""§6, (23)–(24): bonds, reserves and deposits, in base units of the settlement token.

Every division here rounds up: the depositor pays at most one unit more, so that the escrow is never short. α is in ppm;
money = Wh · tick · tick_size / 1000 with tick_size in base units per kWh, hence the divisor 1000 · 10^6.
"""

from typing import Final

from stowatt.curves import Curve, Side
from stowatt.errors import SettlementError
from stowatt.units import PPM, WH_PER_KWH, Money, ceil_div

_DIVISOR: Final = WH_PER_KWH * PPM


def deposit(wh: int, tick: int, tick_size: int, alpha: int) -> Money:
    """(23) D_S = α_S·q·λ and (24) D_B = α_B·y·λ for `wh` at the clearing price, rounded up: the escrow gains."""
    return _collateral(wh * tick, tick_size, alpha)


def part_deposit(start: int, wh: int, tick: int, tick_size: int, alpha: int) -> Money:
    """The deposit of the part [start, start + wh) of a bid's fill: D(start + wh) - D(start), see (23)–(24).

    The parts of a split add up to the whole's deposit exactly, so neither side gains by splitting; a single part can be
    one unit more or less than its own rounded-up share.
    """
    return Money(deposit(start + wh, tick, tick_size, alpha) - deposit(start, tick, tick_size, alpha))


def reserve(curve: Curve, ticks: int, tick_size: int, alpha: int) -> Money:
    """The worst-case deposit of an opened bid, rounded up: the reserve gains. No clearing can ask for more (§6).

    A buyer's worst case is its own prices, α_B·Σ width·max(tick, 1); a seller's its whole Q at the grid's highest tick,
    for a seller can be paid more than it asked. A bid at tick 0 counts as one at tick 1, so that whatever occupies the
    price book ties money down (T8).
    """
    if curve.side is Side.SELL:
        return _collateral(curve.total * (ticks - 1), tick_size, alpha)
    return _collateral(sum(width * max(tick, 1) for tick, width in curve.segments), tick_size, alpha)


def locked(bond: int, worst_case: int) -> Money:
    """What an opened bid keeps locked until its claim: the bond counts towards the reserve. Exact."""
    return Money(max(bond, worst_case))


def bond_share(unopened: int, bond: int, wh: int, volume: int) -> Money:
    """A fill's share of the bonds that the *other* side forfeited by not opening, ⌊unopened·bond·wh/V⌋ (§5).

    Rounded down: the window's pool gains what is left over, less than one unit for each fill.
    """
    if not 0 <= wh <= volume or volume == 0:
        raise SettlementError(f"a fill of {wh} Wh of a volume of {volume} Wh", "a fill is 0 … V, and V is not 0")
    return Money(unopened * bond * wh // volume)


def _collateral(value: int, tick_size: int, alpha: int) -> Money:
    """⌈α · value · tick_size / (1000·10^6)⌉ with value in tick·Wh."""
    if value < 0 or tick_size < 0 or not 0 <= alpha <= PPM:
        raise SettlementError(
            f"a deposit of α {alpha} ppm on {value} tick·Wh at tick size {tick_size}",
            "use 0 … 10^6 ppm of numbers from 0",
        )
    return Money(ceil_div(alpha * value * tick_size, _DIVISOR))
