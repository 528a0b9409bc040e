"""A fortnight of the real grid: every scheme beside the bounds."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from stowatt.scenarios.accounts import keep_accounts
from stowatt.scenarios.alone import run_alone
from stowatt.scenarios.build import build
from stowatt.scenarios.everything import bound_everything
from stowatt.scenarios.market import run_market
from stowatt.scenarios.optimum import run_optimum
from stowatt.scenarios.scenario import read_scenario
from stowatt.scenarios.shared_battery import run_shared_battery

pytest.importorskip("highspy", reason="the optimum needs HiGHS: install stowatt[study]")
needs_simbench = pytest.mark.skipif(
    importlib.util.find_spec("simbench") is None,
    reason="the package simbench is not installed: pip install --no-deps simbench==1.6.3",
)

FORTNIGHT = """
name = "A fortnight in June"
seed = 1
[community]
source = "simbench"
start = 2016-06-06
days = 16
"""
EURO = 10**9


@needs_simbench
@pytest.mark.parametrize("levy", [0, 50_000])
def test_every_scheme_beside_the_bounds(tmp_path: Path, levy: int) -> None:
    file = tmp_path / "fortnight.toml"
    file.write_text(FORTNIGHT)
    scenario = read_scenario(file)
    homes, prices = build(scenario)
    prices = replace(prices, levy=levy)
    done: list[int] = []
    optimum, everything = run_optimum(homes, prices, done.append), bound_everything(homes, prices)
    assert done == [14 * 96, 16 * 96]
    costs = {
        flows.name: keep_accounts(homes, prices, flows).total
        for flows in (
            run_alone(homes),
            run_market(homes, prices, scenario.settings, scenario.seed)[0],
            run_shared_battery(homes, prices),
            run_shared_battery(homes, prices, direct=False),
        )
        if flows.check(homes) is None
    }
    alone, gain = costs["none"], costs["none"] - optimum.bound
    assert gain > 100 * EURO
    assert optimum.relaxed - optimum.bound < gain // 10_000  # proved: nothing can be more than 0.01 % better
    assert alone - optimum.accounts.total > gain * 98 // 100  # whole Wh cost the rest
    assert optimum.bound < costs["market"] < alone
    assert everything < min(optimum.bound, *costs.values())
    assert int((optimum.accounts.cost > keep_accounts(homes, prices, run_alone(homes)).cost).sum()) == 0


@needs_simbench
def test_the_pieces_do_not_matter(tmp_path: Path) -> None:
    """Whether a fortnight is solved in pieces of two days or whole, cost and bound are the same but for a little."""
    from stowatt.scenarios.programme import Programme

    file = tmp_path / "fortnight.toml"
    file.write_text(FORTNIGHT)
    homes, prices = build(read_scenario(file))
    staircase = Programme.of(homes, prices).staircase
    whole, pieces = staircase.solve(homes.windows, 0), staircase.solve(3 * 96, 2 * 96)
    assert whole.value == pytest.approx(whole.bound, rel=1e-9)
    assert pieces.bound - pieces.slack <= whole.value * (1 - 1e-9)
    assert pieces.value == pytest.approx(whole.value, rel=2e-3)
    assert pieces.bound == pytest.approx(whole.value, rel=1e-2)
