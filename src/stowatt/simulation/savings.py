"""What the market saved against no market: every home on its own tariff and battery."""

from stowatt.simulation.tariff import Tariff
from stowatt.units import WH_PER_KWH


def buyer_saving(bought_wh: int, net_paid: int, tariff: Tariff) -> int:
    """Evening tariff avoided on the energy that came, less what it cost in the market (base units, rounded down).

    `net_paid` is the payment less compensation and forfeits received. Negative when the market was the dearer way.
    """
    return bought_wh * tariff.avoided // WH_PER_KWH - net_paid
