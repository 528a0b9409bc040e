"""What comes of a cleared window: who delivers, who gets how much, who pays. Payments are λ · Wh, exact.

The rules of §6 with a token of nine decimals: its smallest unit is a base unit · Wh (10^-9 EUR), so that no payment is
rounded. A battery that is down delivers nothing. Its fulfilment ρ is 0: it earns nothing, its deposit is forfeited, and
both go to the window's buyers as compensation, pro rata to what they bought (26), (30). So does the energy that came:
each buyer gets its part, the sums exact; what is missing it imports.
"""

import numpy as np

from stowatt.scenarios.community import Int64s
from stowatt.scenarios.gate import Cleared
from stowatt.settlement import compensation, deposit, earnings_cap, fulfilment, payment, release_coefficient, released
from stowatt.units import PPM, WH_PER_KWH


def settle(
    cleared: Cleared, given: Int64s, owners: Int64s, tick_size: int, deposit_ppm: int
) -> tuple[Int64s, Int64s, int]:
    """(Wh that each home gets, what each home pays, Wh missing) when the batteries of `owners` gave `given` Wh."""
    if (given == cleared.sold).all():
        paid = cleared.bought * (cleared.tick * tick_size)
        paid[owners] -= given * (cleared.tick * tick_size)
        return cleared.bought, paid, 0
    tick, size = cleared.tick, tick_size * WH_PER_KWH
    volume, came = cleared.volume, int(given.sum())
    paid, pool = np.zeros_like(cleared.bought), 0
    for battery in np.flatnonzero(cleared.sold).tolist():
        sold, delivered = int(cleared.sold[battery]), int(given[battery])
        ratio = release_coefficient(fulfilment(delivered, sold, PPM), PPM)
        stake = deposit(sold, tick, size, deposit_ppm)
        forfeited = stake - released(stake, ratio)
        earned = earnings_cap(delivered, tick, size)
        pool += earnings_cap(sold, tick, size) - earned + forfeited
        paid[owners[battery]] += forfeited - earned
    taken, before = np.zeros_like(cleared.bought), 0
    for home in np.flatnonzero(cleared.bought).tolist():
        bought = int(cleared.bought[home])
        taken[home] = compensation(came, before, bought, volume)
        paid[home] += payment(bought, tick, size) - compensation(pool, before, bought, volume)
        before += bought
    return taken, paid, volume - came
