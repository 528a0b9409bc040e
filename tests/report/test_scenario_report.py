"""A scenario's page and a sweep's: self-contained, safe with any text, light, and honest when something is missing."""

import itertools
import re
from typing import Any

import numpy as np
import polars as pl
import pytest

from stowatt.report.pixels import LEVELS, levels_of, palette, picture
from stowatt.report.scenario_charts import ct, euros, homes_chart, per_cent
from stowatt.report.scenario_data import MOST_COLUMNS, busiest_week, duration, heat_map, kinds, periods
from stowatt.report.scenario_page import headline, parameters, render_scenario
from stowatt.report.sweep_page import render_sweep
from stowatt.scenarios.results import Results
from tests.report.scenario_sample import results
from tests.report.test_report import Outline

MOST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def year() -> Results:
    return results(366, 145)


@pytest.fixture(scope="module")
def page(year: Results) -> str:
    return render_scenario(year)


class TestPage:
    def test_it_is_well_formed_light_and_loads_nothing(self, page: str) -> None:
        outline = Outline(page)
        assert len(outline.ids) == len(set(outline.ids))
        assert len(page.encode()) < MOST_BYTES
        allowed = ("#", "data:,", "data:image/png;base64,")
        assert all(link.startswith(allowed) for link in outline.links)
        assert not {"script", "iframe", "img", "object"} & {tag for tag, _ in outline.elements}
        assert "url(" not in page and "@import" not in page and "default-src 'none'" in page

    def test_links_lead_somewhere_and_plots_are_named(self, page: str) -> None:
        outline = Outline(page)
        assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)
        plots = [values for tag, values in outline.elements if tag == "svg"]
        assert len(plots) == 9
        for values in plots:
            assert values["role"] == "img"
            assert set((values["aria-labelledby"] or "").split()) <= set(outline.ids)
        assert all("scope" in values for tag, values in outline.elements if tag == "th")

    def test_text_cannot_become_markup(self, page: str) -> None:
        assert "Twelve &lt;homes&gt; &amp; a battery" in page and "Nothing &lt;breaks&gt;." in page

    def test_every_scheme_and_home_is_in_a_table(self, page: str, year: Results) -> None:
        for row in year.schemes.to_dicts():
            assert euros(row["cost"]) in page and euros(row["gain"]) in page
        assert "home 144" in page

    def test_the_headline_says_what_the_market_captures(self, page: str, year: Results) -> None:
        sentence = headline(year)
        assert sentence in page
        assert "the market gains the community 150 EUR" in sentence
        assert "25.0\u202f% of the 450 EUR" in sentence

    @pytest.mark.parametrize(
        "schemes", [("none",), ("none", "shared-battery"), ("none", "market"), ("none", "optimum")]
    )
    def test_schemes_that_were_not_run_are_not_shown(self, schemes: tuple[str, ...]) -> None:
        found = Outline(render_scenario(results(3, 4, schemes)))
        assert ("prices" in found.ids) == ("market" in schemes)
        assert ("homes" in found.ids) == (len(schemes) > 1)

    def test_a_market_without_a_trade(self) -> None:
        found = render_scenario(results(3, 4, traded=False))
        assert 'id="prices"' not in found and "nan" not in found

    def test_a_great_community_is_cut_in_the_page_only(self) -> None:
        found = render_scenario(results(2, 1500))
        assert len(found.encode()) < MOST_BYTES
        assert "The 400 homes that gain and lose most" in found


class TestHeadline:
    def test_a_loss_is_called_a_cost(self) -> None:
        run = results(3, 4, ("none", "market"))
        lost = run.schemes.with_columns(
            pl.when(pl.col("scheme") == "market").then(-5 * 10**9).otherwise(0).alias("gain")
        )
        assert "the market costs the community 5 EUR" in headline(Results(run.run, lost, run.windows, run.homes))

    @pytest.mark.parametrize(("days", "words"), [(1, "Over a day, "), (2, "Over 2 days, "), (365, "Over the year, ")])
    def test_the_time(self, days: int, words: str) -> None:
        run = results(1, 2, ("none", "optimum"))
        run.run["community"]["windows"] = 96 * days - 4  # the clock was put forward
        assert headline(run).startswith(words + "perfect foresight gains")

    def test_nothing_to_gain(self) -> None:
        run = results(3, 4)
        flat = run.schemes.with_columns(pl.lit(0).alias("gain"), pl.lit(None, pl.Int64).alias("captured_ppm"))
        assert "there is nothing to gain" in headline(Results(run.run, flat, run.windows, run.homes))


class TestReductions:
    def test_the_heat_map_has_a_column_a_day_and_four_rows_an_hour(self, year: Results) -> None:
        heat = heat_map(year.windows)
        assert heat is not None and heat.values.shape == (96, 366)
        first = year.windows.filter(pl.col("price").is_not_null()).row(0, named=True)
        row = first["local"].hour * 4 + first["local"].minute // 15
        assert heat.values[row, 0] == first["price"]
        assert np.isnan(heat.values[0, :]).all()

    def test_a_long_scenario_shows_means_of_days(self) -> None:
        heat = heat_map(results(900, 2).windows)
        assert heat is not None and heat.values.shape[1] <= MOST_COLUMNS and heat.days_in_column == 3

    def test_months_add_up_to_the_year(self, year: Results) -> None:
        found = periods(year.windows)
        assert len(found) == 12 and found[0].label == "2016-01"
        assert sum(period.volume for period in found) == year.windows["volume_wh"].sum()
        assert sum(period.windows for period in found) == len(year.windows)

    def test_a_short_scenario_is_shown_by_day(self) -> None:
        assert [period.short for period in periods(results(3, 4).windows)] == ["1", "2", "3"]

    def test_duration_keeps_the_extremes(self) -> None:
        values = np.random.default_rng(1).normal(size=5000)
        share, ordered = duration(values)
        assert len(share) <= 200 and (ordered[0], ordered[-1]) == (values.max(), values.min())
        assert (share[0], share[-1]) == (0.0, 100.0) and (np.diff(ordered) <= 0).all()
        assert duration([3.0])[1].tolist() == [3.0]

    def test_the_week_is_the_busiest(self, year: Results) -> None:
        week = busiest_week(year.windows)
        assert week["local"].dt.date().n_unique() == 7
        assert week["volume_wh"].sum() >= year.windows.head(7 * 96)["volume_wh"].sum()
        assert week["local"][0].hour == 0

    def test_kinds_of_homes(self) -> None:
        found = kinds(results(1, 12).homes)
        assert [(kind["kind"], kind["count"]) for kind in found] == [("battery", 3), ("neither", 9)]
        gains = [5 * 10**9 * (12 - 2 - home) for home in range(3)]
        assert found[0]["schemes"]["market"] == (sum(gains) // 3, 0)
        assert found[1]["schemes"]["market"][1] == 1 and "none" not in found[0]["schemes"]

    def test_a_great_community_draws_a_fixed_number_of_bars(self) -> None:
        chart = homes_chart([(f"h{number}", number - 700) for number in range(5000)], "market")
        assert chart.count("<rect") < 260 and "700 lose" in chart


class TestPixels:
    def test_levels(self) -> None:
        found = levels_of(np.array([[np.nan, -1.0, 0.0, 1.0, 9.0]]), 0.0, 1.0)
        assert found.tolist() == [[0, 1, 1, LEVELS, LEVELS]]
        assert levels_of(np.array([[5.0]]), 5.0, 5.0).tolist() == [[1]]

    def test_the_picture_is_a_png_with_its_palette(self) -> None:
        address = picture(np.zeros((3, 5), np.uint8))
        assert re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+", address)
        assert len(palette()) == LEVELS == len(set(palette()))


def test_figures_for_people() -> None:
    assert (ct(215_049), ct(None), per_cent(781_234), per_cent(None)) == ("21.50", "–", "78.1\u202f%", "–")
    assert euros(-1_234_567_890_123) == "\u22121\u202f234.57"


def test_parameters_are_named_as_in_the_file() -> None:
    tables = {"name": "x", "tariff": {"day": "0.30"}, "strategies": {"sellers": {"reserve": 0.8, "flat": 0.2}}}
    assert parameters({**tables, "compare": {"schemes": ["none"]}, "none": None}) == [
        ("name", "x"),
        ("tariff.day", "0.30"),
        ("strategies.sellers", "reserve 0.8, flat 0.2"),
        ("compare.schemes", "none"),
        ("none", "–"),
    ]


def sweep(**keys: tuple[str, ...]) -> tuple[dict[str, Any], pl.DataFrame]:
    rows = []
    for number, values in enumerate(itertools.product(*keys.values())):
        table = results(1, 4).schemes.with_columns(
            pl.lit(f"run-{number}").alias("run"),
            pl.when(pl.col("scheme") == "market").then(200_000 + number).alias("mean_price"),
            *(pl.lit(value).alias(key) for key, value in zip(keys, values, strict=True)),
        )
        rows.append(table)
    about = {
        "name": "A <sweep>",
        "keys": list(keys),
        "runs": [{"run": f"run-{number}"} for number in range(len(rows))],
        "scenario": {"name": "x"},
        "versions": {"stowatt": "0.1.0"},
        "credit": "invented",
        "assumptions": ["None."],
    }
    return about, pl.concat(rows)


class TestSweep:
    def test_one_key_draws_the_schemes(self) -> None:
        page = render_sweep(*sweep(**{"ownership.battery": ("0.1", "0.3", "0.5")}))
        outline = Outline(page)
        assert len(outline.ids) == len(set(outline.ids)) and "A &lt;sweep&gt;" in page
        assert page.count("<svg") == 4 and "community battery" in page

    def test_more_keys_draw_the_market_for_each_combination(self) -> None:
        page = render_sweep(
            *sweep(**{"strategies.forecast": ("perfect", "persistence"), "market.outages": ("0", "0.1")})
        )
        assert "against market.outages" in page and "forecast perfect" in page

    def test_words_have_places_and_too_many_lines_are_said(self) -> None:
        words = tuple(f"rule{number}" for number in range(9))
        page = render_sweep(*sweep(**{"market.price_rule": ("a", "b"), "market.rationing": words}))
        Outline(page)
        assert "3 more are in the table" in page

    def test_a_single_run(self) -> None:
        Outline(render_sweep(*sweep(seed=("1",))))
