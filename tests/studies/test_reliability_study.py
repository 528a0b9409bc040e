"""The study of dynamic α: its arithmetic by hand, its sellers, and what it must not get wrong."""

import json

import pytest

from stowatt.studies import sellers
from stowatt.studies.errors import StudyError
from stowatt.studies.policies import FIXED, Policy
from stowatt.studies.reliability import Outcome, Settings, luck_of, reached, run, settle, simulate
from stowatt.studies.sellers import COMMUNITY, KINDS, Act, Chance
from stowatt.units import PPM

SURE = Chance(500_000, 0, 500_000)


def luck(windows: int, price: int = 2_500) -> list[tuple[int, Chance]]:
    return [(price, SURE)] * windows


def test_a_window_by_hand():
    # 1,000 Wh at 0.25 EUR/kWh with α 20 %: deposit 0.05 EUR. Half is delivered: half the deposit is forfeited.
    # 500 Wh at 0.38 instead of 0.25 EUR/kWh are a loss of 0.065 EUR; 0.025 EUR are covered.
    outcome = Outcome()
    assert settle(outcome, Act(PPM, PPM // 2), 2_500, 200_000) == 500_000
    assert (outcome.loss, outcome.forfeits, outcome.uncovered) == (65_000, 25_000, 40_000)
    assert (outcome.sold, outcome.missing, outcome.defaults) == (1_000, 500, 0)
    assert outcome.locked == 81_900  # 20 % of 1 kWh at 0.4095 EUR


def test_within_the_tolerance_nothing_is_forfeited_but_the_loss_counts():
    outcome = Outcome()
    settle(outcome, Act(PPM, 985_000), 2_500, 200_000)
    assert outcome.forfeits == 0
    assert outcome.uncovered == outcome.loss > 0


def test_a_fixed_alpha_never_moves():
    for kind in KINDS.values():
        assert set(simulate(kind, Policy(200_000, 200_000), luck(60))[1]) == {200_000}


def test_a_seller_who_delivers_comes_down_to_the_proven_alpha():
    alphas = simulate(sellers.reliable, Policy(400_000, 100_000, 200_000), luck(200))[1]
    assert alphas[:5] == [400_000] * 5  # bids are committed before the first settlement is known
    assert alphas == sorted(alphas, reverse=True)
    assert 100_000 <= alphas[-1] <= 100_010


def test_a_new_device_starts_at_the_top_again():
    policy = Policy(400_000, 100_000, 200_000)
    alphas = simulate(sellers.whitewasher, policy, luck(40))[1]
    assert alphas[9] < 400_000
    assert alphas[10:15] == [400_000] * 5
    assert alphas[20:25] == [400_000] * 5


def test_farming_small_sales_buys_little_trust():
    policy = Policy(400_000, 100_000, 100_000)
    farmed = simulate(sellers.farmer, policy, luck(50))[1][49]
    honest = simulate(sellers.reliable, policy, luck(50))[1][49]
    assert farmed > 330_000
    assert honest < 130_000


def test_trust_is_lost_while_a_device_is_broken():
    policy = Policy(400_000, 100_000, 200_000)
    alphas = simulate(sellers.failing, policy, luck(200))[1]
    assert alphas[80] < 101_000
    assert reached(alphas, 80, lambda alpha: alpha >= 370_000) > 0
    assert alphas[199] < 110_000


def test_kinds_and_community_are_the_same_and_whole():
    assert list(KINDS) == list(COMMUNITY)
    assert sum(COMMUNITY.values()) == 100


def test_chance_is_the_same_under_every_policy():
    settings = Settings(2, 20, 1)
    assert luck_of(settings, "flaky") == luck_of(settings, "flaky")
    assert luck_of(settings, "flaky") != luck_of(settings, "reliable")


def test_the_document_is_repeatable_and_its_parts_agree():
    settings = Settings(3, 150, 2)
    document = run(settings, lambda done, total: None)
    assert json.dumps(document) == json.dumps(run(settings, lambda done, total: None))
    for cell in document["cells"]:
        # Whatever is covered was forfeited; a forfeit can exceed the loss of its window.
        assert cell["uncovered"]["value"] <= cell["loss"]["value"]
        covered = cell["loss"]["value"] - cell["uncovered"]["value"]
        assert covered <= cell["forfeits"]["value"] + 1e-4 * cell["loss"]["value"]  # figures have five digits
        assert cell["proven"] / PPM - 1e-6 <= cell["alpha"]["value"] <= cell["new"] / PPM + 1e-6
    losses = [c["uncovered"]["value"] for c in document["cells"] if c["kind"] == "community" and not c["gain"]]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == len(FIXED)


@pytest.mark.parametrize("bad", [(1, 10, 0), (10, 0, 0), (10, 10, -1), (10**6, 10, 0)])
def test_settings_that_cannot_be_run_are_refused(bad):
    with pytest.raises(StudyError):
        Settings(*bad)
