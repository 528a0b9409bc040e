"""§3: engine and contract agree bit for bit on random windows, on the embedded ledger and on anvil.

`contracts/test/differential/Books.t.sol` plays the same windows on forge's EVM. Each market has other rules; its
windows run through the market's own price book, clearing and fills, in phase Clearing or early in phase Reveal, and in
a second round of the ring over the first one's words. What must agree: price, volume, S(λ-), asks at λ, D(λ+), bids at
λ, seed, unopened bids, digest; each bid's offsets, fill and lock; and, between ledgers, gas and every log.
"""

from random import Random

import pytest

from stowatt.chain.ledger import Log
from stowatt.clearing import PriceRule, Rationing, clear_fast, clear_readable, marginal_fill
from tests.chain.backends import ALICE, Backend
from tests.conftest import FULL
from tests.differential.harness import Harness, topic
from tests.differential.ledgers import LEDGERS, START, Signer, Trace, soak
from tests.vectors import generate_books
from tests.vectors.generate_books import A_MARKET, A_ROUND, ALL_RULES, LENGTH, RING, Case, calendar, market_cases

pytestmark = [pytest.mark.toolchain, *soak]
WINDOWS = A_MARKET * (8 if FULL else 1)

rules = pytest.mark.parametrize(("price_rule", "rationing"), ALL_RULES, ids=lambda rule: rule.name.lower())


def test_the_committed_books_are_what_the_generator_writes() -> None:
    assert generate_books.FILE.read_text(encoding="utf-8") == generate_books.text()


@pytest.mark.anvil
@rules
def test_engines_and_contract_agree(price_rule: PriceRule, rationing: Rationing) -> None:
    """The committed books; under STOWATT_FULL eight times as many, the others new ones."""
    rounds = cases_by_round(price_rule, rationing)
    traces = {}
    for name, opened in LEDGERS.items():
        with opened() as backend:
            traces[name] = play(backend, rounds, price_rule, rationing)
    assert traces["embedded"] == traces["anvil"]


def cases_by_round(price_rule: PriceRule, rationing: Rationing) -> list[list[Case]]:
    cases = market_cases(price_rule, rationing)
    if WINDOWS > A_MARKET:
        cases += market_cases(price_rule, rationing, WINDOWS, salt=1)[A_MARKET:]
    return [cases[first : first + A_ROUND] for first in range(0, len(cases), A_ROUND)]


def play(backend: Backend, rounds: list[list[Case]], price_rule: PriceRule, rationing: Rationing) -> list[Trace]:
    """Plays all windows and compares each with both engines; what the transactions did."""
    harness = Harness(Signer(backend.ledger, ALICE), calendar(price_rule, rationing, START))
    traded = topic(harness.contract, "Cleared")
    for number, cases in enumerate(rounds):
        if number:
            backend.clock.set_time(START + number * RING * LENGTH)
        for case, events in zip(cases, harness.play(cases).values(), strict=True):
            compare(case, events, traded)
    return harness.traces


def compare(case: Case, events: tuple[Log, Log], traded: bytes) -> None:
    result = clear_readable(case.book, case.rules)
    assert clear_fast(case.book, case.rules) == result, case.name
    outcome, filled = events
    assert (outcome.topics[0] == traded) == (result.price is not None), case.name
    assert [int.from_bytes(log.topics[1], "big") for log in events] == [case.window] * 2
    assert (outcome.data, filled.data) == case.logs(result), f"{case.name}: {case.book}, {case.rules}"


def test_shares_agree_up_to_the_widest_lanes() -> None:
    """Rationing at the bounds of the lanes, which no affordable book reaches."""
    random = Random(11)
    rows = []
    for _ in range(20_000 if FULL else 2_000):
        total = random.choice((random.randint(1, 40), random.randint(1, 2**48 - 1), 2**48 - 1))
        residual = random.choice((0, 1, total - 1, total, random.randint(0, total)))
        offset = random.choice((0, total - 1, random.randrange(total)))
        width = random.choice((1, total - offset, random.randint(1, total - offset)))
        rows.append(
            (
                random.randrange(2),
                offset,
                width,
                residual,
                total,
                random.choice((0, total - 1, random.randrange(total))),
            )
        )
    want = [marginal_fill(Rationing(rule), a, w, size=t, residual=r, seed=phase) for rule, a, w, r, t, phase in rows]
    with LEDGERS["embedded"]() as backend:
        harness = Harness(Signer(backend.ledger, ALICE), calendar(PriceRule.LOWEST, Rationing.PRO_RATA, START))
        found = [share for first in range(0, len(rows), 500) for share in harness.shares(rows[first : first + 500])]
    assert found == want
