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


def compensation(pool: int, before: int, wh: int, paid: int) -> Money:
    """A paid buyer right's share of the pool, as the right settled after `before` paid Wh: ⌊P(c+y)/W⌋ − ⌊Pc/W⌋.

    `pool` P is what the sellers' settlements left, `paid` W all paid Wh; both stand still while buyers settle. The
    shares sum to P. Each is the exact share rounded down or up: the order of settlement moves at most one unit.
    """
    if not 0 <= before < before + wh <= paid:
        raise SettlementError(f"a right of {wh} Wh after {before} of {paid} paid Wh", "settle each paid right once")
    return Money(pool * (before + wh) // paid - pool * before // paid)
