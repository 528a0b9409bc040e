"""Who delivers to whom, where somebody wants it in writing: a deterministic pairing of a window's rights.

The market settles against a pool: every buyer is paid from it for what all sellers together failed to deliver, and no
seller owes anything to one buyer. So a pairing changes no right, no payment and nobody's risk. It is for records that
ask for counterparties, such as an energy community's balance of who supplied whom.

Both sides are laid end to end over [0, W) in the order of their token ids; a pair is where a seller's interval meets a
buyer's. It depends on nothing but ids and quantities, uses every Wh of both sides once and needs at most n + m − 1
pairs, the fewest that suffice for every n sellers and m buyers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from stowatt.dispatch.cleared import ClearedWindow, Right
from stowatt.dispatch.errors import DispatchError
from stowatt.units import Wh


@dataclass(frozen=True, slots=True)
class Pair:
    """`wh` of a seller's right meet a buyer's."""

    window: int
    sell: int
    """Token id of the seller's right."""
    buy: int
    """Token id of the buyer's right."""
    wh: Wh


def pair(window: int, sells: Iterable[tuple[int, int]], buys: Iterable[tuple[int, int]]) -> list[Pair]:
    """Pairs two sides of (id, Wh) with the same sum, in any order."""
    left, right = _laid_out(window, sells), _laid_out(window, buys)
    sold_wh, bought_wh = sum(wh for _, wh in left), sum(wh for _, wh in right)
    if sold_wh != bought_wh:
        raise DispatchError(
            f"window {window}: {sold_wh} Wh of sellers meet {bought_wh} Wh of buyers",
            "pair a window when all its fills are claimed",
        )
    pairs, s, b, sold, bought = [], 0, 0, 0, 0
    while s < len(left) and b < len(right):
        wh = min(left[s][1] - sold, right[b][1] - bought)
        pairs.append(Pair(window, left[s][0], right[b][0], Wh(wh)))
        sold, bought = sold + wh, bought + wh
        if sold == left[s][1]:
            s, sold = s + 1, 0
        if bought == right[b][1]:
            b, bought = b + 1, 0
    return pairs


def pair_window(window: ClearedWindow, at: int) -> list[Pair]:
    """The pairs of a window; none as long as a fill is unclaimed on either side.

    After defaults, the sellers' shares of what is paid, W, are f(a + q) − f(a) with f(x) = ⌊W·x/V⌋ along the same line:
    they add up to W, each within one Wh of the seller's obligation ⌊κ·Q⌋.
    """
    buys = [(right.id.encode(), int(right.wh)) for right in window.live_buys(at)]
    covered, done = window.covered(at), 0
    if sum(right.wh for right in window.sells) != window.volume or sum(wh for _, wh in buys) != covered:
        return []
    sells = []
    for right in sorted(window.sells, key=_by_id):
        share = covered * (done + right.wh) // window.volume - covered * done // window.volume
        done += right.wh
        sells.append((right.id.encode(), share))
    return pair(window.number, sells, buys)


def _by_id(right: Right) -> int:
    return right.id.encode()


def _laid_out(window: int, side: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In the order of the ids; nothing is nobody's."""
    laid = sorted((number, wh) for number, wh in side if wh)
    numbers = [number for number, _ in laid]
    if any(wh < 0 for _, wh in laid) or len(set(numbers)) != len(numbers):
        raise DispatchError(f"window {window}: a side has a negative energy or a right twice", "give each right once")
    return laid
