"""§3, the certificate: a result is proved optimal, not trusted.

`violations` judges any claimed result of a book, wherever it comes from. Fills are optimal if and only if they are
primal feasible, λ minimises the dual Φ and the gap is 0; complementarity says the same bid by bid, so that a mistake is
named where it is. The rest of §3, which of the optima is due, is checked by its definition.
"""

from collections.abc import Iterator
from typing import NamedTuple

from stowatt.clearing.book import Book
from stowatt.clearing.readable import Market, allocate, welfare
from stowatt.clearing.result import WindowResult
from stowatt.clearing.rules import Rules
from stowatt.curves import Side
from stowatt.errors import CertificateError


class Violation(NamedTuple):
    """One way in which a result is wrong."""

    condition: str
    """`primal`, `dual`, `complementarity`, `gap`, `price rule`, `volume`, `rationing`, or a wrong `statement`."""
    subject: str
    """The participant or the quantity that is wrong."""
    message: str

    def __str__(self) -> str:
        return f"{self.condition}: {self.subject}: {self.message}"


def require_proof(book: Book, rules: Rules, result: WindowResult) -> None:
    """Raise a CertificateError that names the first violation, if there is any."""
    found = violations(book, rules, result)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise CertificateError(f"the clearing is not proved: {found[0]}{more}", "clear the same book again (§3)")


def violations(book: Book, rules: Rules, result: WindowResult) -> tuple[Violation, ...]:
    """Everything that is wrong with `result`; nothing if it is the clearing of `book` by `rules`.

    A later condition is judged only where the earlier ones give it a meaning: values need fills that lie on their
    curves, shares need the right price.
    """
    if [(name, curve.side) for name, curve in book.bids] != [(name, side) for name, side, _ in result.fills]:
        return (Violation("statement", "fills", "there must be one for each bid, in the book's order"),)
    market = Market.of(book)
    primal = tuple(_primal(book, result))
    price = (*_dual(market, result), *_price(market, rules, result))
    found = (*primal, *price, *_volume(market, result))
    if not primal:
        found += (*_complementarity(book, result), *_gap(book, market, result))
    if not price:
        found += tuple(_rationing(book, market, rules, result))
    return found


def _primal(book: Book, result: WindowResult) -> Iterator[Violation]:
    """Every fill lies on its curve, and sold = bought = V."""
    traded = dict.fromkeys(Side, 0)
    for (participant, curve), fill in zip(book.bids, result.fills, strict=True):
        traded[curve.side] += fill.quantity
        if not 0 <= fill.quantity <= curve.total:
            yield Violation("primal", participant, f"fill {fill.quantity} Wh is not in 0 … {curve.total} Wh")
    for side, total in traded.items():
        if total != result.volume:
            yield Violation("primal", f"{side.word} fills", f"add up to {total} Wh, the volume is {result.volume} Wh")


def _dual(market: Market, result: WindowResult) -> Iterator[Violation]:
    """[λ_lo, λ_hi] is exactly where Φ is least. Φ is convex and breaks at ticks, so the neighbours suffice."""
    lowest, highest = result.lowest, result.highest
    if lowest < 0 or (highest is not None and highest < lowest):
        yield Violation("dual", "interval", f"[{lowest}, {highest}] is not an interval of prices")
        return
    least = market.dual_value(lowest)
    if market.dual_value(lowest + 1) < least:
        yield Violation("dual", "λ_lo", f"Φ is less at {lowest + 1} than at {lowest}")
    if lowest > 0 and market.dual_value(lowest - 1) <= least:
        yield Violation("dual", "λ_lo", f"{lowest} is not the least minimiser of Φ")
    if highest is None:
        # Beyond every tick Φ rises by all supply at each tick: it stays flat only if nobody sells.
        last = max((*market.asks.ticks[-1:], *market.bids.ticks[-1:]), default=0)
        if market.dual_value(max(last, lowest) + 1) != least:
            yield Violation("dual", "λ_hi", "the interval ends, although it is said not to")
    elif market.dual_value(highest) != least:
        yield Violation("dual", "λ_hi", f"Φ is not constant on [{lowest}, {highest}]")
    elif market.dual_value(highest + 1) <= least:
        yield Violation("dual", "λ_hi", f"{highest} is not the greatest minimiser of Φ")


def _price(market: Market, rules: Rules, result: WindowResult) -> Iterator[Violation]:
    """The price is the rule's pick of the interval, and None exactly when no ask meets a bid."""
    lowest, highest = result.lowest, result.highest
    can_trade = bool(market.asks.ticks and market.bids.ticks) and market.asks.ticks[0] <= market.bids.ticks[-1]
    if result.price is None:
        if can_trade:
            yield Violation("price rule", "price", "is None although an ask meets a bid")
    elif not can_trade:
        yield Violation("price rule", "price", f"is {result.price} although no ask meets a bid: it must be None")
    elif highest is None or highest < lowest or result.price != rules.price_rule.pick(lowest, highest, rules.seed):
        rule = rules.price_rule.name.lower()
        yield Violation("price rule", "price", f"{result.price} is not the {rule} pick of [{lowest}, {highest}]")


def _volume(market: Market, result: WindowResult) -> Iterator[Violation]:
    """V is the largest of the welfare-equal trades, and the cohorts are those around the price."""
    supply, demand = market.cohorts(result.price)
    if (expected := supply.better + supply.residual) != result.volume:
        yield Violation("volume", "volume", f"{result.volume} Wh, the largest optimum is {expected} Wh")
    for side, stated, cohort in (("sell", result.supply, supply), ("buy", result.demand, demand)):
        if stated != cohort:
            yield Violation("statement", f"{side} cohort", f"{tuple(stated)} instead of {tuple(cohort)}")


def _complementarity(book: Book, result: WindowResult) -> Iterator[Violation]:
    """A segment strictly better than λ is filled whole, a strictly worse one not at all."""
    if result.price is None:
        return
    for (participant, curve), fill in zip(book.bids, result.fills, strict=True):
        least = curve.better_than(result.price)
        most = least + curve.at(result.price)
        if not least <= fill.quantity <= most:
            yield Violation(
                "complementarity", participant, f"fill {fill.quantity} Wh is not in {least} … {most} Wh at λ"
            )


def _gap(book: Book, market: Market, result: WindowResult) -> Iterator[Violation]:
    """Welfare and dual value are as stated, and equal."""
    primal, dual = (
        welfare(book, result.fills),
        market.dual_value(result.lowest if result.price is None else result.price),
    )
    if result.welfare != primal:
        yield Violation("statement", "welfare", f"{result.welfare} tick·Wh instead of {primal}")
    if result.dual != dual:
        yield Violation("statement", "dual", f"{result.dual} tick·Wh instead of {dual}")
    if primal != dual:
        yield Violation("gap", "gap", f"{dual - primal} tick·Wh instead of 0")


def _rationing(book: Book, market: Market, rules: Rules, result: WindowResult) -> Iterator[Violation]:
    """Every marginal fill is the one that the rule gives, Wh for Wh."""
    if result.offsets != book.offsets():
        yield Violation("statement", "offsets", "they are not those of the order of reveal")
    due = allocate(book, book.offsets(), result.price, market.cohorts(result.price), rules)
    for stated, expected in zip(result.fills, due, strict=True):
        if stated != expected:
            rule = rules.rationing.name.lower()
            message = f"fill {stated.quantity} Wh, {rule} gives {expected.quantity} Wh"
            yield Violation("rationing", stated.participant, message)
