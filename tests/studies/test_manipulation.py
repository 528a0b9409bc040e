"""The study of manipulation at a small scale: repeatable, bounded, and wrong claims stop it."""

import json

import numpy as np
import pytest

from stowatt.clearing import PriceRule
from stowatt.curves import Side
from stowatt.data.homes import HomesError
from stowatt.data.simbench import find_networks
from stowatt.simulation.evening import flat_asks
from stowatt.studies import manipulation
from stowatt.studies.books import random_book
from stowatt.studies.errors import StudyError
from stowatt.studies.manipulation import Settings, run, study_book
from stowatt.studies.manipulation_figures import Tally
from stowatt.studies.pool import read_pool


def simbench_is_missing() -> bool:
    try:
        find_networks()
    except HomesError:
        return True
    return False


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture(scope="module")
def small():
    return run(Settings((4, 16), 12, 3, ("random", "lots")), quiet)


def test_the_same_seed_gives_the_same_document(small):
    again = run(Settings((4, 16), 12, 3, ("random", "lots")), quiet)
    assert json.dumps(again) == json.dumps(small)
    assert json.dumps(run(Settings((4, 16), 12, 4, ("random", "lots")), quiet)) != json.dumps(small)


def test_there_is_a_cell_for_each_family_size_and_rule(small):
    found = {(cell["family"], cell["size"], cell["rule"]) for cell in small["cells"]}
    rules = ("lowest", "midpoint", "seed")
    assert found == {(f, s, r) for f in ("random", "lots") for s in (4, 16) for r in rules}
    assert small["engine_checks"] > 12


def test_gains_are_never_negative_and_shrink_with_the_market(small):
    for cell in small["cells"]:
        for name in ("gain", "relative", "sellers", "buyers", "top", "shading", "holding", "pair"):
            assert 0 <= cell[name]["low"] <= cell[name]["value"] <= cell[name]["high"], (cell, name)
        # What the search can miss is the value of 1 Wh: at most 4,095 ticks of a tenth of a base unit.
        assert cell["missed"] <= 409.5
    by_size = {cell["size"]: cell["relative"]["value"] for cell in small["cells"] if cell["rule"] == "lowest"}
    assert by_size[16] < by_size[4]


def test_simple_misreports_and_withholding_gain_no_more_than_is_possible(small):
    for cell in small["cells"]:
        assert cell["withholding"]["partner"]["q100"]["value"] <= cell["withholding"]["coalition"]["q100"]["value"]
        # The best response of a single bid bounds shading and holding back, participant by participant.
        assert cell["blind"]["sell"]["value"] <= 10


def test_buyers_of_one_lot_cannot_gain_at_the_lowest_price(small):
    for cell in small["cells"]:
        if (cell["family"], cell["rule"]) == ("lots", "lowest"):
            assert cell["buyers"]["value"] == 0


def test_a_claim_that_the_engine_does_not_pay_stops_the_study(monkeypatch):
    truth = manipulation.best_responses

    def boast(view, own=None):
        found = truth(view, own)
        object.__setattr__(found, "utility", found.utility + 10**9)
        return found

    monkeypatch.setattr(manipulation, "best_responses", boast)
    random = np.random.default_rng(1)
    with pytest.raises(StudyError, match="clears as"):
        study_book(random_book(8, random), random, 0, {rule: Tally() for rule in PriceRule})


@pytest.mark.parametrize(
    "bad",
    [
        {"sizes": ()},
        {"sizes": (3,)},
        {"sizes": (4, 5_001)},
        {"books": 3},
        {"seed": -1},
        {"bond": -1},
        {"families": ("dice",)},
        {"families": ()},
    ],
)
def test_settings_that_cannot_be_run_are_refused(bad):
    with pytest.raises(StudyError):
        Settings(**bad)


@pytest.fixture(scope="module")
def pool():
    if simbench_is_missing():
        pytest.skip("simbench is not installed")
    return read_pool(flat_asks, days=1)


@pytest.mark.parametrize("size", [4, 40, 300])
def test_a_market_of_real_evenings_has_its_size_and_at_least_two_sellers(pool, size):
    book = pool.draw(size, np.random.default_rng(size))
    assert len(book.asks.ticks) + len(book.bids.ticks) == size
    assert len(book.asks.ticks) >= 2
    assert book.book(Side.SELL, -1, None).total(Side.SELL) > 0


def test_more_than_the_grids_have_is_refused(pool):
    with pytest.raises(StudyError, match=str(pool.most())):
        pool.draw(5_000, np.random.default_rng(1))
