"""§6, (31)–(32): what a seller has earned so far. The stream *is* the adjusted payment.

Sub-slot t pays λ·u_t/η, capped so that the sum never exceeds λ·Q_eff. (The paper's (31) and (32) agree only when
η·Δτ = 1.) Everything is a function of the metered sum: what a reading adds is the difference of two entitlements, so
the stream's parts add up to the final payment to the unit, however the energy is spread over readings and draws.
"""

from stowatt.errors import SettlementError
from stowatt.settlement.payment import earnings_cap
from stowatt.units import PPM, WH_PER_KWH, Money, ceil_div


def entitlement(metered: int, obligation: int, tick: int, tick_size: int, efficiency: int) -> Money:
    """(31) AdjPay = λ·Q_eff·ρ = min(λ·Σu/η, λ·Q_eff) of a whole bid, both rounded down: the pool gains.

    metered: Σ u_t in Wh; obligation: Q_eff in Wh; efficiency: η in ppm; tick_size: base units per kWh.
    """
    if metered < 0 or not 0 < efficiency <= PPM:
        raise SettlementError(
            f"{metered} Wh metered at an efficiency of {efficiency} ppm", "use Wh from 0, η in 1 … 10^6"
        )
    streamed = metered * tick * tick_size * PPM // (efficiency * WH_PER_KWH)
    return Money(min(streamed, earnings_cap(obligation, tick, tick_size)))


def part_entitlement(whole: int, part_wh: int, bid_wh: int) -> Money:
    """What a right to `part_wh` of a bid's `bid_wh` is entitled to: ⌊E·q/Q⌋, rounded down: the pool gains.

    The parts of a split get at most the whole's entitlement together, and less by less than a unit for each part.
    """
    if not 0 < part_wh <= bid_wh:
        raise SettlementError(f"a right of {part_wh} Wh of a bid's {bid_wh} Wh", "a part is 1 Wh up to the whole fill")
    return Money(whole * part_wh // bid_wh)


def owed(entitled: int, drawn: int) -> Money:
    """What a right can still draw (32): entitled - drawn, at least 0. Exact.

    `drawn` can exceed `entitled` by one unit right after a split, which rounds it up.
    """
    return Money(max(0, entitled - drawn))


def part_drawn(drawn: int, part_wh: int, right_wh: int) -> Money:
    """The share of a right's draws that a part of it inherits when it is split: ⌈drawn·part/right⌉, rounded up.

    The pool gains. Rounded otherwise, a holder could split off parts that leave the rest without recorded draws, and
    draw the same entitlement again (T7).
    """
    if not 0 < part_wh <= right_wh:
        raise SettlementError(
            f"a part of {part_wh} Wh of a right of {right_wh} Wh", "a part is 1 Wh up to the whole right"
        )
    return Money(ceil_div(drawn * part_wh, right_wh))
