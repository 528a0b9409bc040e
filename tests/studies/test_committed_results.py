"""Samples of the committed results are computed anew: a change of the rules or models that moves them is seen here."""

from pathlib import Path
from typing import Any

import pytest

from stowatt.degradation.cells import CELLS
from stowatt.studies import bands, manipulation, reliability, wear
from stowatt.studies.documents import load
from stowatt.studies.evenings import read_day
from stowatt.studies.policies import RECOMMENDED
from stowatt.studies.reliability import simulate
from stowatt.studies.sellers import KINDS
from tests.studies.test_manipulation import simbench_is_missing

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "studies"


def committed(study: str) -> dict[str, Any]:
    return load(RESULTS / f"{study}.json", study)


def cell(document: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    return next(one for one in document["cells"] if all(one[name] == value for name, value in wanted.items()))


def test_manipulation_of_the_smallest_lot_books():
    stored = committed("manipulation")
    p = stored["parameters"]
    settings = manipulation.Settings((4,), p["books"], p["seed"], ("lots",), p["bond"])
    again = manipulation.run(settings, lambda done, total: None)
    for rule in ("lowest", "midpoint", "seed"):
        old, new = (cell(document, family="lots", size=4, rule=rule) for document in (stored, again))
        for name in ("gain", "relative", "sellers", "buyers", "top", "shading", "holding", "pair", "lost"):
            assert new[name]["value"] == old[name]["value"], (rule, name)
        for way, figures in old["withholding"].items():
            assert new["withholding"][way]["q99"]["value"] == figures["q99"]["value"], way


@pytest.mark.parametrize("kind", KINDS)
def test_reliability_under_the_recommended_policy(kind):
    stored = committed("reliability")
    p = stored["parameters"]
    settings = reliability.Settings(p["sellers"], p["windows"], p["seed"])
    found = [simulate(KINDS[kind], RECOMMENDED, luck)[0] for luck in reliability.luck_of(settings, kind)]
    new = reliability.figures(found, p["windows"], bands.weights(p["sellers"], p["seed"]))
    old = cell(stored, kind=kind, policy=RECOMMENDED.name)
    for name in ("loss", "uncovered", "forfeits", "missing", "alpha", "locked", "default_alpha"):
        assert new[name] == old[name], name


@pytest.mark.skipif(simbench_is_missing(), reason="simbench is not installed")
@pytest.mark.parametrize("asks", ["flat", "wear-aware", wear.NO_MARKET])
def test_wear_of_lfp_at_25_degrees(asks, wear_days):
    """To 2 %: the wear models may be refined; run `stowatt study wear` again when they move more than that."""
    stored = committed("wear")
    rows = [wear.evening(day, asks, CELLS["lfp"], 25.0) for day in wear_days]
    new = wear.summary(rows, CELLS["lfp"], bands.weights(len(rows), 1))
    old = cell(stored, cell="lfp", temperature=25.0, asks=asks)
    for name in ("traded_kwh", "price", "cycles", "welfare"):
        assert new[name]["value"] == pytest.approx(old[name]["value"], rel=0.02), name
    assert new["soh"] == pytest.approx(old["soh"], rel=0.02)


@pytest.fixture(scope="module")
def wear_days():
    return [read_day(wear.FIRST_DAY + number * wear.APART) for number in range(12)]
