"""What the market saved against no market: every home on its own tariff and battery."""

from stowatt.simulation.tariff import BatteryCosts, Tariff
from stowatt.units import WH_PER_KWH, ceil_div


def buyer_saving(bought_wh: int, net_paid: int, tariff: Tariff) -> int:
    """Evening tariff avoided on the energy that came, less what it cost in the market (base units, rounded down).

    `net_paid` is the payment less compensation and forfeits received. Negative when the market was the dearer way.
    """
    return bought_wh * tariff.avoided // WH_PER_KWH - net_paid


def seller_gain(delivered_wh: int, net_received: int, efficiency_ppm: int, costs: BatteryCosts, tariff: Tariff) -> int:
    """Revenue less wear, losses and the feed-in forgone for the energy that left the battery (rounded down)."""
    return net_received - ceil_div(delivered_wh * costs.per_kwh(efficiency_ppm, tariff.feed_in), WH_PER_KWH)
