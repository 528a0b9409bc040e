"""§6: the buyer's payment for its fill, in base units. Due by the payment deadline, taken at the claim if possible."""

from stowatt.units import Money, money


def payment(wh: int, tick: int, tick_size: int) -> Money:
    """P = λ·y for a whole fill, rounded up: the window's pool gains, so that it can always pay what sellers earn."""
    return money(wh, tick, tick_size, up=True)


def earnings_cap(obligation: int, tick: int, tick_size: int) -> Money:
    """The most that a seller can earn for its obligation Q_eff, λ·Q_eff (31), rounded down: the pool gains.

    Σ Q_eff ≤ paid Wh and Σ⌊λ·Q_eff⌋ ≤ Σ⌈λ·y⌉, so the sellers together never earn more than the buyers paid.
    """
    return money(obligation, tick, tick_size, up=False)
