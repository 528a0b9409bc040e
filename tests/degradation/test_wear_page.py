"""docs/wear.md says what the models give: every generated table, and the stored results that it compares with."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import compare_blast
import wear_page
from stowatt.degradation.ageing import triangle

PAGE = compare_blast.PAGE.read_text(encoding="utf-8")
DATA = compare_blast.DATA


def in_page(name: str) -> list[str]:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end {name} -->", PAGE, re.DOTALL)
    assert found is not None, f"docs/wear.md has no table {name}"
    return found[1].splitlines()


def test_deviations_from_blast_lite_are_as_stated() -> None:
    for name, lines in compare_blast.blocks(None).items():
        assert in_page(name) == lines, f"docs/wear.md, table {name}: run scripts/compare_blast.py table"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the real data beside the checkout (../shared/data)")
def test_deviations_on_home_profiles_are_as_stated() -> None:
    blocks = compare_blast.blocks(DATA)
    for name in ("profiles-lfp", "profiles-nmc"):
        assert in_page(name) == blocks[name], f"docs/wear.md, table {name}: run scripts/compare_blast.py table"


def test_asks_are_as_stated() -> None:
    assert in_page("asks") == wear_page.asks_table(), "docs/wear.md, table asks: run scripts/wear_page.py"


def test_both_sides_of_the_comparison_run_the_same_duty() -> None:
    for depth in compare_blast.DEPTHS:
        for theirs, ours in zip(compare_blast.triangle(depth), triangle(depth, 0.5), strict=True):
            assert np.array_equal(theirs, ours)


def test_stored_results_are_complete() -> None:
    stored = json.loads(compare_blast.VECTORS.read_text())
    assert set(stored["results"]) == set(compare_blast.MODELS)
    for duties in stored["results"].values():
        assert len(duties) == len(compare_blast.CHARGES) + len(compare_blast.DEPTHS) + len(compare_blast.PROFILES)
        for by_temperature in duties.values():
            assert set(by_temperature) == {str(value) for value in compare_blast.TEMPERATURES}


def test_the_same_cell_agrees_in_size() -> None:
    """The units of the LFP parameters: a hundredth or a hundred times the loss would be far outside."""
    stored = json.loads(compare_blast.VECTORS.read_text())["results"]["lfp_sony"]
    for duty, by_temperature in compare_blast.ours(None)["lfp"].items():
        for temperature, values in by_temperature.items():
            for mine, theirs in zip(values, stored[duty][temperature], strict=True):
                assert 0.9 < (1 - mine) / (1 - theirs) < 2.1


def test_pictures_are_small_and_there() -> None:
    for name in re.findall(r"\]\((img/[^)]+)\)", PAGE):
        assert 1_000 < (compare_blast.PAGE.parent / name).stat().st_size < 150_000
