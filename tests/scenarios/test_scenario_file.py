"""The scenario file: exact decimals, one clear error for each mistake, one digest for one result."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.clearing.rules import PriceRule
from stowatt.errors import StowattError
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.scenario import SCHEMES, Scenario, parse_scenario, read_scenario
from stowatt.scenarios.settings import MarketSettings

FULL = """
name = "A year"
seed = 7
[community]
source = "simbench"
grid = "1-LV-rural3--1-sw"
start = 2016-02-03
days = 20
[ownership]
pv = "0.4"
pv_kwp = 6.5
battery = 0.2
battery_kwh = 8
battery_kw = 3.3
efficiency = 0.97
[strategies]
sellers = { flat = 0.25, reserve = "0.75" }
buyers = "truthful"
forecast = "perfect"
[tariff]
evening = 0.401
day = 0.29
feed_in = 0.0812
levy = 0.05
evening_from = 16
evening_to = 21
[battery]
replacement = 350.50
cycle_life = 5000
[market]
tick_size = 0.001
ticks = 500
price_rule = "midpoint"
rationing = "seeded_order"
first = 8
last = 22
outages = 0.001
deposit = 0.1
[compare]
schemes = ["market", "none"]
[sweep]
"ownership.battery" = [0.1, 0.3, 0.5]
strategies.forecast = ["perfect", "persistence"]
"""


def read(text: str, folder: Path) -> Scenario:
    file = folder / "year.toml"
    file.write_text(text, encoding="utf-8")
    return read_scenario(file)


def test_everything_is_read_exactly(tmp_path: Path) -> None:
    scenario = read(FULL, tmp_path)
    assert (scenario.name, scenario.seed, scenario.schemes) == ("A year", 7, ("none", "market"))
    assert (scenario.source.start, scenario.source.days) == (date(2016, 2, 3), 20)
    own = scenario.ownership
    assert (own.pv_ppm, own.pv_wp, own.battery_ppm, own.battery_wh) == (400_000, 6_500, 200_000, 8_000)
    assert (own.battery_w, own.efficiency_ppm) == (3_300, 970_000)
    tariff = scenario.tariff
    assert (tariff.evening, tariff.day, tariff.feed_in, tariff.levy) == (401_000, 290_000, 81_200, 50_000)
    assert (scenario.battery.replacement, scenario.battery.cycle_life) == (350_500_000, 5_000)
    market = scenario.settings
    assert (market.grid.tick_size, market.grid.ticks, market.price_rule) == (1_000, 500, PriceRule.MIDPOINT)
    assert (market.outages_ppm, market.deposit_ppm, market.first, market.last) == (1_000, 100_000, 8, 22)
    assert market.sellers == (("reserve", 750_000), ("flat", 250_000))
    assert market.buyers == (("truthful", 1_000_000),)


def test_what_is_left_out_has_the_documented_value(tmp_path: Path) -> None:
    scenario = read('name = "x"', tmp_path)
    assert scenario.settings == MarketSettings()
    assert (scenario.seed, scenario.schemes, scenario.sweep) == (1, SCHEMES, ())
    assert scenario.ownership.pv_ppm is scenario.ownership.battery_ppm is None
    assert (scenario.source.start, scenario.source.days) == (date(2016, 1, 1), 365)


MISTAKES = {
    "": "name is missing; write name =",
    "name = 3": "name = 3 is no text",
    'name = "x"\nsede = 3': "sede is no known key; did you mean seed?",
    'name = "x"\nseed = -1': r"seed = -1 is outside 0 to",
    'name = "x"\nseed = true': "seed = true is not a whole number",
    'name = "x"\nseed = 1.0': "seed = 1.0 is not a whole number",
    'name = "x"\n[makret]': "makret is no known table; did you mean market?",
    'name = "x"\nmarket = 3': r"market = 3 is not a table; write \[market\]",
    'name = "x"\n[market]\ntick = 1': r"market.tick is no known key; did you mean ticks?",
    'name = "x"\n[market]\nticks = 0': "market.ticks = 0 is outside 1 to",
    'name = "x"\n[market]\ntick_size = 0.00000001': "market.tick_size = 1E-8 is not exact; write at most 6 decimals",
    'name = "x"\n[market]\noutages = 1.5': "market.outages = 1.5 is outside 0 to 1",
    'name = "x"\n[market]\noutages = nan': "market.outages = NaN is not a number",
    'name = "x"\n[market]\noutages = 1e-999999999': "market.outages = 1E-999999999 is not a number",
    'name = "x"\n[market]\noutages = "a"': "market.outages = 'a' is not a number",
    'name = "x"\n[market]\nfirst = 20\nlast = 20': "market.last = 20 is outside 21 to 24",
    'name = "x"\n[market]\nprice_rule = "best"': "market.price_rule = 'best' is not known; choose from lowest",
    'name = "x"\n[tariff]\nevening = 0.2': "tariff.evening = 0.2 is below the day price",
    'name = "x"\n[tariff]\nfeed_in = 0.5': "tariff.feed_in = 0.5 is above the day price",
    'name = "x"\n[tariff]\nevening_from = 23': "tariff.evening_from = 23 is after evening_to",
    'name = "x"\n[tariff]\nlevy = [1]': r"tariff.levy = \[1\] is not a number",
    'name = "x"\n[community]\nstart = 2016-01-01T00:00:00': "community.start = 2016-01-01 00:00:00 is not a date",
    'name = "x"\n[community]\ndays = 0': "community.days = 0 is outside 1 to 3660",
    'name = "x"\n[community]\nsource = "folder"': "community.folder is missing",
    'name = "x"\n[community]\nfolder = "homes"': "community.folder is no known key",
    'name = "x"\n[ownership]\npv = 40': "ownership.pv = 40 is outside 0 to 1",
    'name = "x"\n[ownership]\nefficiency = 0': "ownership.efficiency = 0 is outside 0.000001 to 1",
    'name = "x"\n[strategies]\nsellers = { reserve = 0.5 }': "strategies.sellers = .* does not add up to 1",
    'name = "x"\n[strategies]\nsellers = { greedy = 1 }': "strategies.sellers = .* has an unknown 'greedy'",
    'name = "x"\n[strategies]\nbuyers = 3': "strategies.buyers = 3 are no shares",
    'name = "x"\n[compare]\nschemes = ["best"]': r"compare.schemes = \['best'\] is no list of what is known",
    'name = "x"\n[compare]\nschemes = [[1]]': r"compare.schemes = \[\[1\]\] is no list of what is known",
    'name = "x"\n[compare]\nschemes = ["none", "none"]': "compare.schemes .* names something twice",
    'name = "x"\n[sweep]\n"ownership.battery" = 0.3': "sweep.ownership.battery = 0.3 is no list",
    'name = "x"\n[sweep]\n"ownership.batery" = [0.3]': r"ownership.batery is no known key.* \(sweep.ownership.batery\)",
    'name = "x"\n[sweep]\n"market.outages" = [0.3, 3]': r"outages = 3 is outside 0 to 1 \(sweep.market.outages\)",
    'name = "x"\n[sweep]\nname = ["y"]': "sweep.name = .* cannot be swept",
    'name = "x"\n[sweep]\nseed = []': r"sweep.seed = \[\] is no list of values",
    'name = "x"\nseed = 1\n[sweep]\n"seed.a" = [1]': r"seed = 1 is not a table",
    'name = "x"\nname = "y"': "is no TOML",
}


@pytest.mark.parametrize("text", list(MISTAKES))
def test_a_mistake_is_one_line_that_names_file_key_and_way_out(text: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=MISTAKES[text]) as caught:
        read(text, tmp_path)
    assert str(caught.value).startswith("year.toml")
    assert "\n" not in str(caught.value)
    assert caught.value.way_out


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none.toml cannot be read"):
        read_scenario(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioError, match=r"bytes.toml is no UTF-8 text"):
        read_scenario(tmp_path / "bytes.toml")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
TABLES = ("name", "seed", "community", "ownership", "strategies", "tariff", "battery", "market", "compare", "sweep")


@given(st.dictionaries(st.sampled_from(TABLES), JSON, max_size=4))
def test_any_document_is_read_or_refused_in_one_line(document: dict[str, object]) -> None:
    try:
        parse_scenario(document)
    except StowattError as error:
        assert "\n" not in str(error)


class TestDigest:
    def test_the_name_and_the_order_do_not_count(self, tmp_path: Path) -> None:
        one = read('name = "x"\n[market]\noutages = 0.10\nticks = 400', tmp_path)
        two = read('name = "y"\n[market]\nticks = 400\noutages = "0.1"\n[tariff]\nday = 0.3', tmp_path)
        assert one.digest() == two.digest()

    @pytest.mark.parametrize(
        "other",
        ["seed = 2", "[market]\noutages = 0.1", "[tariff]\nlevy = 0.01", '[compare]\nschemes = ["none"]'],
    )
    def test_what_changes_a_result_counts(self, other: str, tmp_path: Path) -> None:
        assert read(f'name = "x"\n{other}', tmp_path).digest() != read('name = "x"', tmp_path).digest()


class TestSweep:
    def test_every_combination_is_a_variant(self, tmp_path: Path) -> None:
        scenario = read(FULL, tmp_path)
        points = list(scenario.points())
        assert len(points) == 6
        variants = [scenario.variant(values) for values in points]
        assert [v.ownership.battery_ppm for v in variants] == [100_000] * 2 + [300_000] * 2 + [500_000] * 2
        assert [v.settings.forecast for v in variants[:2]] == ["perfect", "persistence"]
        assert all(not variant.sweep for variant in variants)
        assert len({variant.digest() for variant in variants}) == 6
        assert scenario.ownership.battery_ppm == 200_000

    def test_without_a_sweep_there_is_one_point(self, tmp_path: Path) -> None:
        scenario = read('name = "x"\nseed = 4', tmp_path)
        assert list(scenario.points()) == [{}]
        assert scenario.variant({}).digest() == scenario.digest()


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[2] / "examples/scenarios").glob("*.toml")), ids=lambda file: file.stem
)
def test_every_example_is_a_scenario(file: Path) -> None:
    scenario = read_scenario(file)
    assert len({scenario.variant(values).digest() for values in scenario.points()}) == len(list(scenario.points()))
