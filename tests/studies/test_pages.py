"""The pages in docs/studies say what the committed results say."""

from pathlib import Path

import pytest

from stowatt.studies import manipulation_page, reliability_page, wear_page
from stowatt.studies.documents import load, marked
from stowatt.studies.policies import RECOMMENDED

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "manipulation": manipulation_page.markdown,
    "reliability": reliability_page.markdown,
    "wear": wear_page.markdown,
}
MOST_BYTES = 150_000


@pytest.mark.parametrize("study", PAGES)
def test_the_tables_are_those_of_the_results(study: str) -> None:
    document = load(ROOT / "benchmarks" / "results" / "studies" / f"{study}.json", study)
    page = (ROOT / "docs" / "studies" / f"{study}.md").read_text(encoding="utf-8")
    assert marked(page, study) == PAGES[study](document), f"stowatt study {study} --from … --page … renews the page"


@pytest.mark.parametrize("study", PAGES)
def test_the_figure_is_there_and_small(study: str) -> None:
    figure = ROOT / "docs" / "studies" / f"{study}.svg"
    assert 1_000 < figure.stat().st_size < MOST_BYTES
    assert f"]({study}.svg)" in (ROOT / "docs" / "studies" / f"{study}.md").read_text(encoding="utf-8")


def test_the_recommended_alpha_is_the_best_by_its_own_rule() -> None:
    document = load(ROOT / "benchmarks" / "results" / "studies" / "reliability.json", "reliability")
    cells = {cell["policy"]: cell for cell in document["cells"] if cell["kind"] == "community"}
    capital = cells["20 %"]["locked"]["value"]
    fit = [cell for cell in cells.values() if cell["locked"]["value"] <= capital]
    assert min(fit, key=lambda cell: cell["uncovered"]["value"])["policy"] == RECOMMENDED.name


def test_every_book_with_a_gain_was_checked_by_the_engine() -> None:
    document = load(ROOT / "benchmarks" / "results" / "studies" / "manipulation.json", "manipulation")
    p = document["parameters"]
    books = p["books"] * len(p["sizes"]) * len(p["families"])
    assert books / 2 < document["engine_checks"] <= books
