"""Writes tests/vectors/books/books.json; README.md beside this file documents the format.

    python -m tests.vectors.generate_books

The same run always writes the same bytes. The differential tests play these books on the embedded ledger, on anvil and
on forge's EVM, through the market's own code (contracts/test/harness/BookHarness.sol).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from stowatt.clearing import Book, PriceRule, Rationing, Rules, WindowResult, clear_readable
from stowatt.clearing.rules import by_name, parse_seed
from stowatt.commitments import final_seed
from stowatt.curves import Curve, Side
from stowatt.settlement import locked, reserve
from stowatt.units import GRID_MAX_TICKS, MAX_WIDTH_WH
from tests.vectors.generate_clearing import BUY, SELL, book, random_book

FOLDER = Path(__file__).parent
FILE = FOLDER / "books" / "books.json"

A_MARKET = 256
"""Windows a market: two rounds of its ring."""
A_ROUND = 128
"""Windows of one round; the second half is cleared early, while it can still be revealed."""
RING = A_ROUND + 2
"""Window i of a market has the number i // A_ROUND · RING + i % A_ROUND."""
LENGTH = 2**20
LEAD = A_ROUND // 2 * LENGTH
MONEY = {
    "tick_size": 1000, "bond": 500_000, "alpha_seller": 200_000, "alpha_buyer": 123_456, "efficiency": 950_000,
    "tolerance": 980_000, "alpha_proven": 100_000, "reliability_gain": 100_000,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One window of a market."""

    name: str
    rules: Rules
    """Its seed is given by a vector, or follows from `accumulator`."""
    book: Book
    window: int
    accumulator: int
    seeded: bool
    unopened: tuple[int, int]
    """Commitments that were never opened, sellers' and buyers'."""
    digest: int

    @property
    def ticks(self) -> int:
        """The grid of its market: the largest that the price rule admits."""
        return grid(self.rules.price_rule)

    def bids(self) -> bytes:
        """Side and number of segments, one byte each, then the curve."""
        return b"".join(bytes((curve.side, len(curve.segments))) + curve.encode() for _, curve in self.book.bids)

    def argument(self) -> tuple[Any, ...]:
        """The struct that the harness takes."""
        seed = self.rules.seed if self.seeded else 0
        return (self.window, self.seeded, seed, self.accumulator, *self.unopened, self.digest, self.bids())

    def logs(self, result: WindowResult) -> tuple[bytes, bytes]:
        """The data of the two events that tell the result: Cleared or NoTrade, and Filled."""
        return self._outcome(result), self._filled(result)

    def _outcome(self, result: WindowResult) -> bytes:
        tail = (self.rules.seed, *self.unopened, self.digest)
        if result.price is None:
            return encode(["uint256"] * 4, tail)
        supply, demand = result.supply, result.demand
        head = (result.price, result.volume, supply.better, supply.size, demand.better, demand.size)
        return encode(["uint256"] * 10, (*head, *tail))

    def _filled(self, result: WindowResult) -> bytes:
        bids, offsets = [], iter(result.offsets)
        for _, curve in self.book.bids:
            held = b"".join(next(offsets).to_bytes(6, "big") for _ in curve.segments)
            bids.append(curve.encode() + held)
        fills = [fill.quantity for fill in result.fills]
        return encode(["bytes[]", "uint256[]", "uint256[]"], (bids, fills, [self.locked(c) for _, c in self.book.bids]))

    def locked(self, curve: Curve) -> int:
        """What an opened bid keeps locked (§6)."""
        alpha = MONEY["alpha_seller"] if curve.side is SELL else MONEY["alpha_buyer"]
        return locked(MONEY["bond"], reserve(curve, self.ticks, MONEY["tick_size"], alpha))

    def packed(self) -> str:
        """As the file has it."""
        seed = self.rules.seed.to_bytes(32, "big") if self.seeded else b""
        want = keccak(b"".join(self.logs(clear_readable(self.book, self.rules))))
        return "0x" + (bytes((self.seeded,)) + seed + bytes(self.unopened) + want + self.bids()).hex()


def grid(rule: PriceRule) -> int:
    """The most ticks that a market with the price rule can have."""
    return GRID_MAX_TICKS if rule is PriceRule.LOWEST else GRID_MAX_TICKS // 2


# ---- themes ----

Theme = Callable[[Random, int], Book]
EDGES = (0, 1, 126, 127, 128, 129, 254, 255, 256, 257, 4095, 4096)
"""Ticks at which words and groups of the price book begin and end."""


def ties(random: Random, _: int) -> Book:
    """2 to 5 ticks: most of the book is at the price."""
    return random_book(random, random.randint(2, 10), random.randint(2, 5), 20, 3)


def even(random: Random, _: int) -> Book:
    """All segments equally wide: sums meet, and intervals are flat."""
    return book(
        *(
            (random.choice((SELL, BUY)), [(tick, 5) for tick in random.sample(range(12), random.randint(1, 3))])
            for _ in range(random.randint(2, 9))
        )
    )


def flat(random: Random, ticks: int) -> Book:
    """Balanced supply and demand with a long interval between, often over many groups of ticks."""
    low, high = sorted(random.sample(range(ticks), 2))
    asks = [(random.randint(0, low), random.randint(1, 30)) for _ in range(random.randint(1, 4))]
    total = sum(width for _, width in asks)
    cuts = sorted(random.sample(range(1, total), min(total - 1, random.randint(0, 3))))
    bids = [(random.randint(high, ticks - 1), b - a) for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
    extra = [(SELL, [(random.randint(high, ticks - 1), 9)]), (BUY, [(random.randint(0, low), 9)])]
    sides = [*((SELL, [ask]) for ask in asks), *((BUY, [bid]) for bid in bids), *extra[: random.randrange(3)]]
    random.shuffle(sides)
    return book(*sides)


def one_marginal_side(random: Random, ticks: int) -> Book:
    """Asks at even ticks, bids at odd ones: only demand or only supply is marginal."""
    start = random.choice((0, 120, 122, 250, ticks - 24))
    return book(
        *(
            (
                side,
                [(start + 2 * random.randrange(12) + side, random.randint(1, 40)) for _ in range(random.randint(1, 3))],
            )
            for side in (random.choice((SELL, BUY)) for _ in range(random.randint(2, 9)))
        )
    )


def single_sided(random: Random, ticks: int) -> Book:
    """Nobody sells, nobody buys, or nobody at all."""
    side = random.choice((SELL, BUY))
    return book(*((side, [(random.randrange(ticks), random.randint(1, 99))]) for _ in range(random.randint(0, 4))))


def extreme(random: Random, ticks: int) -> Book:
    """The widest segments at the ends of words, groups and the grid."""
    edges = sorted({*EDGES, ticks // 2, ticks - 2, ticks - 1})
    return book(
        *(
            (
                random.choice((SELL, BUY)),
                [
                    (tick, random.choice((1, MAX_WIDTH_WH, MAX_WIDTH_WH - 1, random.randint(1, MAX_WIDTH_WH))))
                    for tick in random.sample(edges, random.randint(1, 6))
                ],
            )
            for _ in range(random.randint(2, 8))
        )
    )


def wide_ties(random: Random, ticks: int) -> Book:
    """Large cohorts at one tick or two."""
    at = random.randrange(ticks - 1)
    return book(
        *(
            (random.choice((SELL, BUY)), [(at + random.randrange(2), random.randint(2**31, MAX_WIDTH_WH))])
            for _ in range(random.randint(3, 14))
        )
    )


def sparse(random: Random, ticks: int) -> Book:
    """A few bids anywhere on the grid."""
    return random_book(random, random.randint(2, 7), ticks, 5000, 4)


def long_curves(random: Random, ticks: int) -> Book:
    """Up to 16 segments a bid."""
    return random_book(random, random.randint(2, 5), random.choice((40, 300, ticks)), 900, 16)


def crowd(random: Random, _: int) -> Book:
    """Many bids in a small range."""
    return random_book(random, random.randint(12, 24), 60, 3000, 2)


THEMES: tuple[Theme, ...] = (
    ties, even, flat, one_marginal_side, single_sided, extreme, wide_ties, sparse, long_curves, crowd
)  # fmt: skip
WEIGHTS = (5, 5, 5, 4, 1, 3, 2, 4, 1, 1)


# ---- cases ----


def vector_books() -> Iterator[tuple[str, Rules, Book]]:
    """The vectors of `clearing/` that fit a contract."""
    sides = {side.word: side for side in Side}
    for path in sorted((FOLDER / "clearing").glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            if case["on_chain"]:
                rules = Rules(
                    by_name(PriceRule, case["price_rule"]),
                    by_name(Rationing, case["rationing"]),
                    parse_seed(case["seed"]),
                )
                bids = ((bid["participant"], Curve.of(sides[bid["side"]], bid["segments"])) for bid in case["bids"])
                yield f"{path.stem}: {case['name']}", rules, Book.of(bids)


def market_cases(price_rule: PriceRule, rationing: Rationing, count: int = A_MARKET, salt: int = 0) -> list[Case]:
    """The windows of one market: its vectors first, then random books. `salt` makes other random books."""
    random = Random(f"{price_rule.name} {rationing.name} {salt}")
    vectors = [v for v in vector_books() if (v[1].price_rule, v[1].rationing) == (price_rule, rationing)]
    cases: list[Case] = []
    for index in range(count):
        place = index % A_ROUND
        window = index // A_ROUND * RING + place
        accumulator, digest = (
            int.from_bytes(keccak(f"{word} {salt} {index}".encode()), "big") for word in ("accumulator", "digest")
        )
        if seeded := index < len(vectors) and not salt:
            name, rules, drawn = vectors[index]
        else:
            theme = random.choices(THEMES, WEIGHTS)[0]
            name, drawn = f"{theme.__name__} {index}", theme(random, grid(price_rule))
            rules = Rules(price_rule, rationing, final_seed(window, accumulator))
        early = place >= A_ROUND // 2
        unopened = (0, 0) if early else (random.randrange(3), random.randrange(3))
        cases.append(Case(name, rules, drawn, window, accumulator, seeded, unopened, digest % 2**200))
    return cases


def calendar(price_rule: PriceRule, rationing: Rationing, now: int) -> dict[str, int]:
    """A calendar by which, at `now`, the first half of round 0 is in phase Clearing and the other half in Reveal."""
    return {
        "origin": now + LENGTH // 2, "length": LENGTH, "sub_slot": LENGTH, "commit_lead": 2 * LEAD, "reveal_lead": LEAD,
        "payment_lead": 0, "reading_grace": 0, "void_delay": LEAD, "ring": RING, "ticks": grid(price_rule),
        "price_rule": int(price_rule), "rationing": int(rationing), **MONEY,
    }  # fmt: skip


ALL_RULES = tuple(product(PriceRule, Rationing))


def text() -> str:
    """The file."""
    markets = []
    for price_rule, rationing in ALL_RULES:
        cases = ",\n".join(json.dumps(case.packed()) for case in market_cases(price_rule, rationing))
        head = json.dumps({"price_rule": int(price_rule), "rationing": int(rationing), "ticks": grid(price_rule)})
        markets.append(f'{head[:-1]}, "cases": [\n{cases}\n]}}')
    about = "Books and the digests of what a clearing says of them, for contracts"
    head = json.dumps({"format": "stowatt-books/1", "about": about, "a_round": A_ROUND, "ring": RING, **MONEY})
    return f'{head[:-1]}, "markets": [\n' + ",\n".join(markets) + "\n]}\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8", newline="\n")
