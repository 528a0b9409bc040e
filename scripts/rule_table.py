"""Writes the table section → module → contract → test into ARCHITECTURE.md, from the citations in the sources.

A Python module or test, or a Solidity file, belongs to a row when its docstrings or comments cite the row's section or
one of its equations, such as §3 or (19). `--check` exits with 1 if the table in the file is not the generated one, or
if a row has a hole.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- rule table: begin -->", "<!-- rule table: end -->"


@dataclass(frozen=True)
class Row:
    """One rule of the market: its section, name and equations, and whether a contract carries it out."""

    section: str
    name: str
    equations: tuple[int, ...] = ()
    on_chain: bool = True


ROWS = (
    Row("§1", "units and rounding"),
    Row("§2", "windows, devices, Q_max", (1,)),
    Row("§2", "curves", (2, 3, 4, 5)),
    Row("§5", "sealed bids", (6, 7)),
    Row("§3", "dual and certificate", (8, 9, 10, 11), on_chain=False),
    Row("§3", "supply, demand, price", (17, 18, 19)),
    Row("§3", "marginal cohort, rationing", (20, 21, 22)),
    Row("§4", "price book on chain"),
    Row("§6", "deposits", (23, 24)),
    Row("§6", "capacity rights", (25,)),
    Row("§6", "release of deposits", (26,)),
    Row("§6", "final settlement token", (27,)),
    Row("§6", "fulfilment, stream", (30, 31, 32)),
    Row("§2", "asks from wear", (28, 29), on_chain=False),
)

SECTION = re.compile(r"§(\d)")
EQUATION = re.compile(r"\((\d{1,2})\)(?:\s*[–-]\s*\((\d{1,2})\))?")


def prose_of(path: Path) -> str:
    """The comments and docstrings of a source file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sol":
        return "\n".join(re.findall(r"//[^\n]*|/\*.*?\*/", text, re.DOTALL))
    comments = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    strings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    return "\n".join([*comments, *strings])


def cited(path: Path) -> tuple[set[str], set[int]]:
    """Sections and equations that a file's prose cites."""
    prose = prose_of(path)
    equations: set[int] = set()
    for first, last in EQUATION.findall(prose):
        equations.update(range(int(first), int(last or first) + 1))
    return {f"§{n}" for n in SECTION.findall(prose)}, equations


def sources() -> Iterator[tuple[str, Path]]:
    """(column, path) of everything that can carry out or test a rule."""
    for column, folder, pattern in (
        ("module", "src/stowatt", "*.py"),
        ("contract", "contracts/src", "*.sol"),
        ("test", "tests", "test_*.py"),
        ("test", "contracts/test", "*.t.sol"),
    ):
        for path in sorted((ROOT / folder).rglob(pattern)):
            yield column, path


def table() -> tuple[list[str], list[str]]:
    """The lines of the table, and the holes in it."""
    columns: dict[str, dict[int, list[str]]] = {
        c: {i: [] for i in range(len(ROWS))} for c in ("module", "contract", "test")
    }
    for column, path in sources():
        sections, equations = cited(path)
        for i, row in enumerate(ROWS):
            belongs = bool(equations & set(row.equations)) if row.equations else row.section in sections
            if belongs:
                columns[column][i].append(f"`{path.relative_to(ROOT)}`")
    lines = ["| rule | equations | module | contract | test |", "|---|---|---|---|---|"]
    holes = []
    for i, row in enumerate(ROWS):
        cells = [columns[c][i] for c in ("module", "contract", "test")]
        for name, cell in zip(("module", "contract", "test"), cells, strict=True):
            if not cell and (row.on_chain or name != "contract"):
                holes.append(f"{row.section} {row.name}: no {name} cites it")
        numbers = ", ".join(f"({n})" for n in row.equations) or "–"
        shown = ["<br>".join(_short(cell)) or "–" for cell in cells]
        lines.append(f"| {row.section} {row.name} | {numbers} | " + " | ".join(shown) + " |")
    return lines, holes


def _short(cell: list[str], most: int = 8) -> list[str]:
    """The first entries of a long cell, and how many more there are."""
    return cell if len(cell) <= most else [*cell[:most], f"and {len(cell) - most} more"]


def main() -> int:
    """Command line: write the table, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, and report holes")
    options = parser.parse_args()
    lines, holes = table()
    text = TARGET.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    wanted = head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1]
    for hole in holes:
        print(f"hole: {hole}", file=sys.stderr)
    if options.check:
        if wanted != text:
            print("ARCHITECTURE.md: the rule table is not up to date; run scripts/rule_table.py", file=sys.stderr)
        return int(wanted != text or bool(holes))
    TARGET.write_text(wanted, encoding="utf-8")
    return int(bool(holes))


if __name__ == "__main__":
    raise SystemExit(main())
