"""The branch trees beside the contracts' tests are those that the tests' sentences say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import build_trees

TEXT = """
    /// when the window is closed > it reverts; when it is open > it commits
    function test_Commit() external {
    }

    /// when the window is closed > given nobody asks > it waits
    function testFuzz_Wait(uint256 x) external {
    }
"""


def test_sentences_become_a_tree() -> None:
    assert list(build_trees.drawn(build_trees.merged(build_trees.sentences(TEXT)))) == [
        "├── when the window is closed",
        "│   ├── it reverts",
        "│   └── given nobody asks",
        "│       └── it waits",
        "└── when it is open",
        "    └── it commits",
    ]


def test_a_test_without_a_sentence_is_named() -> None:
    assert build_trees.without_sentence("    int x;\n    function test_Bare() external {") == ["test_Bare"]


def test_the_trees_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["build_trees.py", "--check"])
    build_trees.main()


def test_every_function_has_its_tree() -> None:
    """A file of tests without a tree, or a tree without tests, is a hole."""
    for folder in build_trees.FOLDERS:
        trees = {path.name for path in (build_trees.TESTS / folder).glob("*.tree")}
        sources: set[Path] = {
            path for path in (build_trees.TESTS / folder).glob("*.sol") if build_trees.TEST.search(path.read_text())
        }
        assert trees == {f"{build_trees.subject(path)}.tree" for path in sources}
