"""Write the branch tree of every contract function beside its test file, from the sentences above the tests.

A test says which branch it takes in its comment, `/// when … > given … > it …`; a second branch of the same test
follows after a semicolon. The tree of `commit.t.sol` is `commit.tree`. Trees are committed, so that a reader sees what
is tested without reading code, and a test compares them with the sentences.

Usage: build_trees.py [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "contracts" / "test"

FOLDERS = ("calendar", "clearing", "delivery", "lib", "market", "registry", "rights", "token", "vault")
"""The folders whose files test functions one by one; attacks, gas and invariants have sentences of their own."""

TEST = re.compile(r"(?P<comment>(?:^ +///.*\n)+) +function (?P<name>test\w+)", re.MULTILINE)
BARE = re.compile(r"^(?! +///).*\n +function (?P<name>test\w+)", re.MULTILINE)
NEXT = re.compile(r"; (?=[^;>]*> it )")

Node = dict[str, "Node"]


def sentences(text: str) -> Iterator[list[str]]:
    """The branches of one test file in order: each a list of conditions that ends with what happens."""
    for match in TEST.finditer(text):
        comment = " ".join(line.strip().removeprefix("///").strip() for line in match["comment"].splitlines())
        first, *others = NEXT.split(comment)
        path = first.split(" > ")
        yield path
        for other in others:
            yield path[:-2] + other.split(" > ")


def without_sentence(text: str) -> list[str]:
    """The tests that do not say which branch they take."""
    return [match["name"] for match in BARE.finditer(text)]


def merged(paths: Iterable[list[str]]) -> Node:
    """The branches as one tree; equal conditions on one level are one node."""
    root: Node = {}
    for path in paths:
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def drawn(node: Node, indent: str = "") -> Iterator[str]:
    """The tree's lines."""
    for i, (text, children) in enumerate(node.items()):
        last = i == len(node) - 1
        yield f"{indent}{'└── ' if last else '├── '}{text}"
        yield from drawn(children, indent + ("    " if last else "│   "))


def subject(source: Path) -> str:
    """What a test file tests: its name without the endings."""
    return source.name.removesuffix(".sol").removesuffix(".t").removesuffix("Fixture")


def tree(source: Path) -> str:
    """The text of a test file's tree."""
    return "\n".join([subject(source), *drawn(merged(sentences(source.read_text())))]) + "\n"


def main() -> None:
    """Write all trees, or with --check name those that are not up to date."""
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        raise SystemExit("usage: build_trees.py [--check]")
    stale: list[str] = []
    for source in sorted(path for folder in FOLDERS for path in (TESTS / folder).glob("*.sol")):
        for name in without_sentence(source.read_text()):
            raise SystemExit(f"{source.name}: {name} has no sentence above it")
        if not TEST.search(source.read_text()):
            continue
        target = source.with_name(f"{subject(source)}.tree")
        text = tree(source)
        if check and (not target.exists() or target.read_text() != text):
            stale.append(target.name)
        if not check:
            target.write_text(text)
    if stale:
        raise SystemExit(f"not up to date: {', '.join(stale)}; run scripts/build_trees.py")


if __name__ == "__main__":
    main()
