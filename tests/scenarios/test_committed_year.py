"""The year in docs/scenarios.md is computed anew, but for the optimum: a change of rules or strategies is seen here."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stowatt.scenarios.run import run_scenario
from stowatt.scenarios.scenario import read_scenario
from tests.studies.test_manipulation import simbench_is_missing

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "studies" / "rural3-year.json"
EXAMPLE = ROOT / "examples" / "scenarios" / "rural3-year.toml"


@pytest.mark.skipif(simbench_is_missing(), reason="simbench is not installed")
def test_the_year_is_as_stored() -> None:
    stored = json.loads(RESULT.read_text(encoding="utf-8"))
    year = run_scenario(replace(read_scenario(EXAMPLE), schemes=("none", "market", "shared-battery", "shared-storage")))
    assert year.run["community"] == stored["community"]
    assert year.run["market"] == stored["market"], "run the example again: docs/scenarios.md says how"
    old = {row["scheme"]: row for row in stored["schemes"]}
    left_out = {"captured_ppm", "of_everything_ppm"}
    for row in year.schemes.to_dicts():
        kept = {name: value for name, value in row.items() if name not in left_out}
        assert kept == {name: value for name, value in old[row["scheme"]].items() if name not in left_out}
