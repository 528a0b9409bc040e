"""§6: what a buyer's default does to the sellers, and what under-delivery gives back to the buyers.

κ = paid Wh / V is fixed at the payment deadline. κ itself is never rounded: Q_eff comes from the two integers.
"""

from stowatt.errors import SettlementError
from stowatt.units import Money, Wh


def effective_quantity(wh: int, paid: int, volume: int) -> Wh:
    """The obligation left to a seller of `wh`: Q_eff = ⌊κ·Q⌋ Wh, rounded down: the seller's duty shrinks.

    Σ Q_eff ≤ paid Wh, so no seller earns what nobody paid.
    """
    if not 0 <= paid <= volume or not 0 <= wh <= volume or volume == 0:
        raise SettlementError(f"{wh} Wh with {paid} of {volume} Wh paid", "fill and paid Wh are 0 … V, and V is not 0")
    return Wh(wh * paid // volume)


def forfeit_share(forfeited: int, wh: int, volume: int) -> Money:
    """A seller right's share of the deposits of buyers in default, ⌊forfeited·q/V⌋, rounded down: the pool gains."""
    if not 0 <= wh <= volume or volume == 0:
        raise SettlementError(f"a right of {wh} Wh of a volume of {volume} Wh", "a right is 0 … V, and V is not 0")
    return Money(forfeited * wh // volume)


def compensation(pool: int, wh: int, paid_left: int) -> Money:
    """A paid buyer right's share of what is left in the pool: ⌊pool·y/paid_left⌋, rounded down: later buyers gain.

    `paid_left` is the paid Wh not settled yet, this right's included. It and the pool shrink with each settlement, so
    the last one takes all that is left. A right never gets less than its exact share rounded down; each leaves less
    than one unit to the later ones, so that the last of n rights gets fewer than n units more than its exact share.
    """
    if not 0 < wh <= paid_left:
        raise SettlementError(f"a right of {wh} Wh with {paid_left} paid Wh left", "settle each paid right once")
    return Money(pool * wh // paid_left)
