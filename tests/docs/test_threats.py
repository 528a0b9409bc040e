"""docs/threats.md: every attack on what exists has tests that carry it out, and the page names them as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "threats.md"
WITHOUT_TEST = {
    "T26": "advice to those who read prices",
    "T28": "there is no web service yet",
}
"""Rows that concern nothing that exists, and why."""


def table() -> dict[str, list[str]]:
    """The tests that each row names, by its number."""
    rows = re.findall(r"^\| (T\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    numbers = [number for number, _ in rows]
    assert len(numbers) == len(set(numbers)), "a number stands twice"
    return {number: re.findall(r"`(\w+)`", tests) for number, tests in rows}


def existing() -> set[str]:
    """Every test function of forge and of pytest."""
    names: set[str] = set()
    for path in (ROOT / "contracts" / "test").rglob("*.sol"):
        names |= set(re.findall(r"^\s*function (test\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))
    for path in (ROOT / "tests").rglob("test_*.py"):
        names |= set(re.findall(r"^\s*def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))
    return names


def number_of(test: str) -> str | None:
    """The threat that a test's name carries: T07 and t07 are T7."""
    found = re.match(r"test(?:Fuzz)?_[Tt](\d{2})_", test)
    return f"T{int(found[1])}" if found else None


ROWS = table()
EXISTING = existing()


def test_the_rows_are_numbered_without_a_gap() -> None:
    assert list(ROWS) == [f"T{number}" for number in range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 28, "the known classes of attack"


@pytest.mark.parametrize("number", ROWS)
def test_every_attack_on_what_exists_is_carried_out(number: str) -> None:
    tests = ROWS[number]
    if number in WITHOUT_TEST:
        assert not tests, f"{number} has tests: take it off the list of rows without ({WITHOUT_TEST[number]})"
        return
    assert tests, f"{number} names no test"
    missing = [name for name in tests if name not in EXISTING]
    assert not missing, f"{number} names tests that do not exist: {missing}"
    strangers = [name for name in tests if number_of(name) != number]
    assert not strangers, f"{number} names tests of other rows: {strangers}"


def test_every_attack_test_is_named() -> None:
    named = {name for tests in ROWS.values() for name in tests}
    forgotten = sorted(name for name in EXISTING if number_of(name) and name not in named)
    assert not forgotten, f"docs/threats.md does not name {forgotten}"
