"""The engine's result against the contract's, window by window, while the day runs."""

from collections.abc import Iterator

from stowatt.audit.events import Claimed, Cleared, Revealed
from stowatt.calendar import Calendar
from stowatt.clearing import Book, PriceRule, Rationing, Rules, WindowResult, clear_readable, require_proof
from stowatt.commitments import window_seed
from stowatt.curves import Curve
from stowatt.demo.window import WindowRun


def clear_again(window: WindowRun, calendar: Calendar) -> WindowResult:
    """The readable engine on the window's openings, with its proof."""
    book, rules = window_book(window), window_rules(window, calendar)
    result = clear_readable(book, rules)
    require_proof(book, rules, result)
    return result


def window_book(window: WindowRun) -> Book:
    """The opened bids in order of reveal."""
    return Book.of(
        (event.participant, Curve.decode(window.sides[event.participant], event.bid[: len(event.bid) // 2]))
        for event in window.of(Revealed)
    )


def window_rules(window: WindowRun, calendar: Calendar) -> Rules:
    """The market's rules with the seed that the openings yield (§5)."""
    seed = window_seed(window.number, [event.blinder for event in window.of(Revealed)])
    return Rules(PriceRule(calendar.price_rule), Rationing(calendar.rationing), seed)


def differences(window: WindowRun, result: WindowResult, calendar: Calendar) -> Iterator[str]:
    """Every figure in which engine and contract differ; none, as long as both are right."""
    cleared = next(window.of(Cleared), None)
    if cleared is None:
        if result.price is not None:
            yield f"the contract finds no trade, the engine {result.volume} Wh"
        return
    seed = window_rules(window, calendar).seed
    o = cleared.outcome
    pairs = {
        "price": (o.tick, result.price),
        "volume": (o.volume, result.volume),
        "supply below": (o.supply_below, result.supply.better),
        "supply at the price": (o.supply_at, result.supply.size),
        "demand above": (o.demand_above, result.demand.better),
        "demand at the price": (o.demand_at, result.demand.size),
        "seed": (o.seed, seed),
    }
    claimed = {event.participant: event.quantity for event in window.of(Claimed)}
    pairs |= {
        f"fill of {fill.participant}": (claimed[fill.participant], fill.quantity)
        for fill in result.fills
        if fill.participant in claimed
    }
    for name, (contract, engine) in pairs.items():
        if contract != engine:
            yield f"{name}: contract {contract}, engine {engine}"
