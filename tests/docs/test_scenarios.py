"""docs/scenarios.md names every key and every choice of a scenario, and its table is that of the stored result."""

import json
from pathlib import Path

import pytest

from stowatt.clearing.rules import PriceRule, Rationing
from stowatt.cli.simulate import MARK, SWEEP_MARK
from stowatt.cli.simulate_show import markdown, sweep_markdown
from stowatt.scenarios.run import plain
from stowatt.scenarios.scenario import SCHEMES, SOURCES, parse_scenario, read_scenario
from stowatt.scenarios.settings import BUYERS, FORECASTS, SELLERS
from stowatt.scenarios.toml_table import Table
from stowatt.studies.documents import marked

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "scenarios.md"
RESULT = ROOT / "benchmarks" / "results" / "studies" / "rural3-year.json"
EXAMPLES = sorted((ROOT / "examples" / "scenarios").glob("*.toml"))


SWEEPS = {
    "sweep": (PAGE, RESULT.with_name("scenario-sweep.json")),
    "grids": (ROOT / "docs" / "studies" / "grids.md", RESULT.with_name("scenario-grids.json")),
}
"""By example: the page that shows it, and the stored result."""


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_key_is_named(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    real = Table.has

    def has(table: Table, key: str) -> bool:
        asked.add(f"{table.name}.{key}".strip("."))
        return real(table, key)

    monkeypatch.setattr(Table, "has", has)
    parse_scenario({"name": "x", "community": {"source": "simbench"}})
    parse_scenario({"name": "x", "community": {"source": "folder", "folder": "homes"}})
    keys = {key for key in asked if "." in key} | {"name", "seed"}
    assert "tariff.levy" in keys and "community.folder" in keys
    missing = [key for key in sorted(keys) if f"`{key}`" not in page and f"`{key.split('.')[-1]}`" not in page]
    assert not missing, missing


def test_every_choice_is_named(page: str) -> None:
    rules = [rule.name.lower() for kind in (PriceRule, Rationing) for rule in kind]
    choices = [*SCHEMES, *SOURCES, *SELLERS, *BUYERS, *FORECASTS, *rules]
    missing = [choice for choice in choices if f"`{choice}`" not in page and f'"{choice}"' not in page]
    assert not missing, missing


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_be_read_and_is_shown(path: Path, page: str) -> None:
    assert read_scenario(path).schemes == SCHEMES
    assert f"examples/scenarios/{path.name}" in page


def test_the_table_is_that_of_the_stored_result(page: str) -> None:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    assert marked(page, MARK) == markdown(found), "stowatt simulate … --page docs/scenarios.md renews the page"


@pytest.mark.parametrize("name", SWEEPS)
def test_the_sweeps_are_those_of_the_stored_results(name: str) -> None:
    page, result = SWEEPS[name]
    found = json.loads(result.read_text(encoding="utf-8"))
    assert marked(page.read_text(encoding="utf-8"), SWEEP_MARK) == sweep_markdown(found), (
        f"stowatt simulate … --page {page.relative_to(ROOT)} renews the page"
    )
    assert found["scenario"] == plain(read_scenario(ROOT / "examples" / "scenarios" / f"{name}.toml").document)


def test_the_stored_result_is_that_of_the_example() -> None:
    """A scenario that was changed since has another digest: run it again."""
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    example = read_scenario(ROOT / "examples" / "scenarios" / "rural3-year.toml")
    assert found["scenario"] == plain(example.document)
    assert found["digest"] == example.digest()
    assert found["community"]["windows"] == 35_040 and found["community"]["homes"] == 145


def test_the_market_captures_a_share_between_nothing_and_all() -> None:
    rows = {row["scheme"]: row for row in json.loads(RESULT.read_text(encoding="utf-8"))["schemes"]}
    assert list(rows) == list(SCHEMES)
    assert 0 < rows["market"]["gain"] <= rows["optimum"]["gain"]
