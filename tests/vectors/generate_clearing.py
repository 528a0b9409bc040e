"""Writes tests/vectors/clearing/*.json; README.md beside this file documents the format.

    python tests/vectors/generate_clearing.py

The same run always writes the same bytes. The results come from the readable engine; the tests compare them with brute
force, with the fast engine and with the contract.
"""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from stowatt.clearing import Book, PriceRule, Rationing, Rules, clear_readable, require_proof
from stowatt.curves import Curve, Side
from stowatt.units import GRID_MAX_TICKS, MAX_SIDE_WH_ON_CHAIN, MAX_WIDTH_WH

FOLDER = Path(__file__).parent / "clearing"
SELL, BUY = Side.SELL, Side.BUY
Case = tuple[str, Book, Rules]
WIDEST = MAX_WIDTH_WH


def book(*bids: tuple[Side, list[tuple[int, int]]]) -> Book:
    return Book.of((f"p{number}", Curve.of(side, pairs)) for number, (side, pairs) in enumerate(bids))


def all_rules(random: Random) -> Iterator[Rules]:
    for price_rule, rationing in product(PriceRule, Rationing):
        yield Rules(price_rule, rationing, random.getrandbits(256))


def examples() -> Iterator[Case]:
    """Small books whose result can be seen by eye."""
    small = {
        "only demand is marginal: 5 @ 3 against 10 @ 7 clears at 7, not 8": ((SELL, [(3, 5)]), (BUY, [(7, 10)])),
        "only supply is marginal: 10 @ 3 against 5 @ 7": ((SELL, [(3, 10)]), (BUY, [(7, 5)])),
        "supply equals demand: every price of the interval is optimal": ((SELL, [(3, 5)]), (BUY, [(7, 5)])),
        "ask and bid at one price": ((SELL, [(4, 5)]), (BUY, [(4, 9)])),
        "no overlap": ((SELL, [(7, 5)]), (BUY, [(3, 5)])),
        "neighbouring ticks without overlap": ((SELL, [(4, 5)]), (BUY, [(3, 5)])),
        "nobody buys": ((SELL, [(3, 5)]), (SELL, [(4, 1)])),
        "nobody sells": ((BUY, [(3, 5)]), (BUY, [(4, 1)])),
        "nobody at all": (),
        "a free ask": ((SELL, [(0, 5)]), (BUY, [(2, 3)])),
        "a bid at price 0": ((SELL, [(1, 5)]), (BUY, [(0, 3)])),
        "everything at price 0": ((SELL, [(0, 5)]), (BUY, [(0, 3)])),
        "one watt-hour": ((SELL, [(1, 1)]), (BUY, [(1, 1)])),
        "a gap in supply": ((SELL, [(2, 5), (9, 5)]), (BUY, [(7, 5), (5, 5)])),
        "both curves in steps": ((SELL, [(2, 5), (4, 5), (6, 5)]), (BUY, [(8, 4), (5, 4), (3, 4)])),
        "tied sellers share one Wh less than they offer": ((SELL, [(3, 5)]), (SELL, [(3, 5)]), (BUY, [(5, 9)])),
        "tied buyers, one with a better segment too": (
            (SELL, [(2, 10)]),
            (BUY, [(6, 4), (4, 6)]),
            (BUY, [(4, 6)]),
        ),
        "the highest tick on chain": ((SELL, [(8190, 5)]), (BUY, [(8191, 5)])),
        "16 segments on each side": (
            (SELL, [(10 * k, 7) for k in range(16)]),
            (BUY, [(150 - 9 * k, 5) for k in range(16)]),
        ),
    }
    for name, bids in small.items():
        for rules in (Rules(), Rules(PriceRule.MIDPOINT, seed=7), Rules(PriceRule.SEED, Rationing.SEEDED_ORDER, 12)):
            yield name, book(*bids), rules


def price_rules() -> Iterator[Case]:
    """One flat interval [30, 40] and each way to pick a price of it."""
    flat = book((SELL, [(20, 100), (50, 100)]), (BUY, [(40, 60)]), (SELL, [(30, 50)]), (BUY, [(70, 90), (10, 30)]))
    for rule in PriceRule:
        for seed in (0, 1, 5, 10, 11, 2**255, 2**256 - 1):
            yield f"{rule.name.lower()} with seed {seed:#x}", flat, Rules(rule, seed=seed)


def rationing() -> Iterator[Case]:
    """Seven tied sellers, then seven tied buyers, for seeds all around the circle of the cohort."""
    widths = (5, 1, 8, 3, 13, 2, 9)
    tied_sellers = book(*((SELL, [(6, width)]) for width in widths), (SELL, [(5, 4)]), (BUY, [(9, 21)]))
    tied_buyers = book(*((BUY, [(6, width)]) for width in widths), (BUY, [(7, 4)]), (SELL, [(2, 21)]))
    for rule in Rationing:
        for seed in (0, 1, 17, 24, 25, 40, 41, 2**256 - 1):
            yield f"tied sellers, {rule.name.lower()}, seed {seed:#x}", tied_sellers, Rules(rationing=rule, seed=seed)
            yield f"tied buyers, {rule.name.lower()}, seed {seed:#x}", tied_buyers, Rules(rationing=rule, seed=seed)


def random_curve(random: Random, ticks: int, widest: int, most_segments: int) -> list[tuple[int, int]]:
    count = random.randint(1, most_segments)
    return list({random.randrange(ticks): random.randint(1, widest) for _ in range(count)}.items())


def random_book(random: Random, bids: int, ticks: int, widest: int, most_segments: int = 4) -> Book:
    return book(
        *((random.choice((SELL, BUY)), random_curve(random, ticks, widest, most_segments)) for _ in range(bids))
    )


def ties() -> Iterator[Case]:
    """Random books on 2 to 6 ticks: most of the book is at the price."""
    random = Random(3)
    for number in range(60):
        for_rules = list(all_rules(random))
        yield f"ties {number}", random_book(random, 3 + number % 10, random.randint(2, 6), 20), for_rules[number % 6]


def flat() -> Iterator[Case]:
    """Supply below the interval equals demand above it, so that more than one price is optimal."""
    random = Random(4)
    for number in range(48):
        low = random.randrange(50)
        high = low + random.randint(1, 60)
        asks = [(random.randint(0, low), random.randint(1, 30)) for _ in range(random.randint(1, 4))]
        total = sum(width for _, width in asks)
        cuts = sorted(random.sample(range(1, total), min(total - 1, random.randint(0, 3))))
        bids = [(random.randint(high, 120), b - a) for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
        extra = [(SELL, [(random.randint(high, 130), 9)]), (BUY, [(random.randint(0, low), 9)])]
        sides = [*((SELL, [ask]) for ask in asks), *((BUY, [bid]) for bid in bids), *extra[: number % 3]]
        random.shuffle(sides)
        yield f"flat {number}", book(*sides), list(all_rules(random))[number % 6]


def one_sided_marginal() -> Iterator[Case]:
    """Asks at even ticks and bids at odd ones: never are both cohorts at the price."""
    random = Random(5)
    for number in range(48):
        sides = []
        for _ in range(random.randint(2, 9)):
            side = random.choice((SELL, BUY))
            pairs = [(2 * random.randrange(12) + side, random.randint(1, 40)) for _ in range(random.randint(1, 3))]
            sides.append((side, pairs))
        yield f"one marginal side {number}", book(*sides), list(all_rules(random))[number % 6]


def large() -> Iterator[Case]:
    """The widest segments, 16 of them, and the highest ticks."""
    random = Random(6)
    widest = [(8191 - k, WIDEST) for k in range(16)]
    for rules in all_rules(random):
        yield "all segments widest", book((SELL, widest), (BUY, widest), (BUY, widest), (SELL, [(0, WIDEST)])), rules
        tied = [(side, [(8000, WIDEST - k)]) for k in range(12) for side in (SELL, BUY, BUY)]
        yield "wide ties", book(*tied), rules
    for number in range(24):
        ticks = (GRID_MAX_TICKS // 2, 16, 2**32)[number % 3]
        yield f"large {number}", random_book(random, 12, ticks, WIDEST, 16), list(all_rules(random))[number % 6]


def mixed() -> Iterator[Case]:
    """Random books of every size."""
    random = Random(7)
    for number in range(72):
        bids, ticks = random.choice((0, 1, 2, 5, 10, 30)), random.choice((5, 60, 1000, 8192))
        yield f"mixed {number}", random_book(random, bids, ticks, 5000, 8), list(all_rules(random))[number % 6]


THEMES = (examples, price_rules, rationing, ties, flat, one_sided_marginal, large, mixed)


def fits_on_chain(book: Book, rules: Rules) -> bool:
    """Whether a contract with the largest grid for its price rule can hold the book."""
    ticks = GRID_MAX_TICKS if rules.price_rule is PriceRule.LOWEST else GRID_MAX_TICKS // 2
    highest = max((tick for _, curve in book.bids for tick, _ in curve.segments), default=0)
    return highest < ticks and all(book.total(side) <= MAX_SIDE_WH_ON_CHAIN for side in Side)


def as_json(name: str, book: Book, rules: Rules) -> dict[str, Any]:
    result = clear_readable(book, rules)
    require_proof(book, rules, result)
    return {
        "name": name,
        "on_chain": fits_on_chain(book, rules),
        "price_rule": rules.price_rule.name.lower(),
        "rationing": rules.rationing.name.lower(),
        "seed": f"0x{rules.seed:064x}",
        "bids": [
            {"participant": participant, "side": curve.side.word, "segments": [list(pair) for pair in curve.segments]}
            for participant, curve in book.bids
        ],
        "price": result.price,
        "price_interval": [result.lowest, result.highest],
        "volume": result.volume,
        "supply": result.supply._asdict(),
        "demand": result.demand._asdict(),
        "offsets": list(result.offsets),
        "fills": [fill.quantity for fill in result.fills],
        "welfare": str(result.welfare),
        "dual": str(result.dual),
    }


def files() -> dict[Path, str]:
    """Every vector file and its text, one case a line."""
    texts = {}
    for theme in THEMES:
        head = json.dumps({"format": "stowatt-clearing/1", "theme": theme.__name__, "about": theme.__doc__})
        cases = ",\n".join(json.dumps(as_json(*case)) for case in theme())
        texts[FOLDER / f"{theme.__name__}.json"] = f'{head[:-1]}, "cases": [\n{cases}\n]}}\n'
    return texts


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
