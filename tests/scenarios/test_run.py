"""One run: its tables agree with each other and with what they were summed up from, and say what was run."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stowatt.scenarios.results import Results
from stowatt.scenarios.run import plain, run_scenario
from stowatt.scenarios.scenario import Scenario, read_scenario
from stowatt.scenarios.settings import BUYERS, SELLERS
from stowatt.scenarios.tables import Bounds, schemes_table
from tests.scenarios.folder_of_homes import write_scenario

ENERGIES = ("import_wh", "export_wh", "charge_wh", "discharge_wh")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return read_scenario(write_scenario(tmp_path_factory.mktemp("scenario")))


@pytest.fixture(scope="module")
def run(scenario: Scenario) -> Results:
    return run_scenario(scenario)


def test_the_schemes_asked_for_and_no_others(run: Results, scenario: Scenario) -> None:
    assert run.schemes["scheme"].to_list() == ["none", "market", "shared-battery"]
    alone = run_scenario(replace(scenario, schemes=("market",)))
    assert alone.schemes["scheme"].to_list() == ["none", "market"]


def test_windows_homes_and_schemes_add_up(run: Results) -> None:
    assert len(run.windows) == run.run["community"]["windows"] == 192
    for row in run.schemes.to_dicts():
        name = row["scheme"]
        homes = run.homes.filter(pl.col("scheme") == name)
        assert homes["cost"].sum() == row["cost"] and homes["gain"].sum() == row["gain"]
        assert homes["paid"].sum() == 0
        for energy in ENERGIES:
            assert run.windows[f"{name}.{energy}"].sum() == homes[energy].sum() == row[energy], (name, energy)
        assert run.windows[f"{name}.shared_wh"].sum() == row["shared_wh"]
        net = (run.windows[f"{name}.import_wh"] - run.windows[f"{name}.export_wh"]).max()
        assert net == row["peak_wh"]


def test_gains_are_against_no_sharing(run: Results) -> None:
    costs = {row["scheme"]: row["cost"] for row in run.schemes.to_dicts()}
    assert [row["gain"] for row in run.schemes.to_dicts()] == [costs["none"] - cost for cost in costs.values()]
    market = run.scheme("market")
    assert market is not None and market["gain"] > 0 and market["winners"] + market["losers"] <= 3


def test_the_market_is_the_sum_of_its_windows(run: Results) -> None:
    market, windows = run.run["market"], run.windows
    assert market["volume_wh"] == windows["volume_wh"].sum() > 0
    assert market["traded"] == windows["price"].count() == (windows["volume_wh"] > 0).sum()
    assert market["mean_price"] == market["turnover"] // market["volume_wh"]
    assert windows["market.shared_wh"].sum() == market["volume_wh"] - market["missing_wh"]
    least, most = windows["price"].drop_nulls().min(), windows["price"].drop_nulls().max()
    assert isinstance(least, int) and isinstance(most, int) and 80_000 <= least <= most <= 380_000


def test_homes_say_what_they_did_in_the_market(run: Results) -> None:
    homes = {row["home"]: row for row in run.homes.filter(pl.col("scheme") == "market").to_dicts()}
    assert homes["anna"]["seller"] in SELLERS and homes["cleo"]["seller"] is None
    assert homes["cleo"]["buyer"] in BUYERS and homes["cleo"]["bought_wh"] > 0 == homes["cleo"]["sold_wh"]
    assert sum(row["sold_wh"] for row in homes.values()) == run.run["market"]["volume_wh"]
    assert run.homes.filter(pl.col("scheme") == "none")["sold_wh"].null_count() == 3


def test_the_clock(run: Results) -> None:
    assert run.windows["local"][0] == datetime(2026, 5, 4)
    assert run.windows["start"][0].isoformat() == "2026-05-03T22:00:00+00:00"
    assert np.diff(run.windows["start"].dt.epoch("s").to_numpy()).tolist() == [900] * 191
    assert run.run["community"]["first"] == "2026-05-04 00:00"


def test_it_says_what_was_run(run: Results, scenario: Scenario) -> None:
    about = json.loads(json.dumps(run.run))
    assert about["digest"] == scenario.digest() and about["seeds"] == {"scenario": 1}
    assert about["scenario"]["strategies"] == {"forecast": "perfect"}
    assert about["settings"]["tariff"]["evening"] == 380_000
    assert set(about["seconds"]) == {"profiles", "none", "market", "shared-battery"}
    assert {"stowatt", "Python", "numpy", "polars"} == set(about["versions"])
    assert not any(note.startswith("Perfect foresight") for note in about["assumptions"])


def test_a_run_can_be_repeated(run: Results, scenario: Scenario) -> None:
    again = run_scenario(scenario)
    for (name, old), (_, new) in zip(run.tables(), again.tables(), strict=True):
        assert old.equals(new), name
    assert {**again.run, "seconds": 0} == {**run.run, "seconds": 0}


def test_flows_are_kept_if_asked_for(tmp_path: Path, scenario: Scenario, run: Results) -> None:
    told: list[tuple[str, int, int]] = []
    run_scenario(scenario, lambda *stage: told.append(stage), tmp_path / "flows")
    market = pl.read_parquet(tmp_path / "flows" / "market.parquet")
    assert len(market) == 192 * 3
    assert market["home"].cast(pl.String).unique().sort().to_list() == ["anna", "birk", "cleo"]
    assert market["import_wh"].sum() == run.windows["market.import_wh"].sum()
    last = market.filter(pl.col("window") == 191)["stored_wh"].sum()
    assert last == run.windows["market.stored_wh"][-1]
    finished = dict.fromkeys(stage for stage, done, total in told if done == total)
    assert list(finished) == ["profiles", "none", "market", "shared-battery"]
    assert all(0 <= done <= total for _, done, total in told)


def test_a_scenario_with_the_optimum_bounds_the_market(scenario: Scenario) -> None:
    pytest.importorskip("highspy")
    found = run_scenario(replace(scenario, schemes=("market", "shared-battery", "optimum")))
    rows = {row["scheme"]: row for row in found.schemes.to_dicts()}
    assert 0 < rows["market"]["captured_ppm"] <= rows["optimum"]["captured_ppm"] <= 1_000_000
    assert rows["shared-battery"]["captured_ppm"] is None
    assert all(0 < rows[name]["of_everything_ppm"] <= 1_000_000 for name in rows if name != "none")
    assert found.run["most"]["everything"] >= found.run["most"]["market"] >= rows["optimum"]["gain"]
    assert "highspy" in found.run["versions"]


def test_shares_are_rounded_down_and_absent_without_a_bound(run: Results) -> None:
    costs = {"none": 100, "market": 98, "shared-battery": 101}
    rows = [{"scheme": name, "cost": cost} for name, cost in costs.items()]
    found = schemes_table(rows, run.homes, Bounds(97, 93))
    assert found["captured_ppm"].to_list() == [None, 666_666, None]
    assert found["of_everything_ppm"].to_list() == [None, 285_714, -142_858]
    none = schemes_table(rows, run.homes, Bounds(100, 100))
    assert none["captured_ppm"].to_list() == none["of_everything_ppm"].to_list() == [None] * 3


def test_toml_values_become_json() -> None:
    from datetime import date
    from decimal import Decimal

    tables = {"a": Decimal("0.10"), "b": [date(2016, 1, 1), True, 3], "c": {"d": "x"}}
    assert plain(tables) == {"a": "0.10", "b": ["2016-01-01", True, 3], "c": {"d": "x"}}
