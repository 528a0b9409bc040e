"""Print the coverage of contracts/src from an lcov file and enforce its thresholds.

Lines and branches are counted as forge reports them, over all of contracts/src together. A branch whose line never ran
counts as missed. The uncovered lines and branches are named, so that a failure says what to test.

Usage: check_coverage.py LCOV_FILE
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

LINE_THRESHOLD = 98.0
"""Percent of the lines that the tests must run."""

BRANCH_THRESHOLD = 95.0
"""Percent of the branches that the tests must take."""

MEASURED = "contracts/src/"
"""Only sources below this folder count; tests and libraries do not."""


@dataclass
class FileCoverage:
    """What the tests ran of one source file."""

    path: str
    lines: dict[int, int] = field(default_factory=dict)
    """Line number to number of hits."""
    branches: dict[tuple[int, str, str], int] = field(default_factory=dict)
    """(line, block, branch) to number of hits."""

    def missed_lines(self) -> list[int]:
        """The lines that never ran."""
        return sorted(line for line, hits in self.lines.items() if hits == 0)

    def missed_branches(self) -> list[int]:
        """The lines of the branches that were never taken, one entry a branch."""
        return sorted(key[0] for key, hits in self.branches.items() if hits == 0)


def parse(text: str) -> list[FileCoverage]:
    """Read an lcov report; records of the same file are added up, and only contracts/src is kept."""
    files: dict[str, FileCoverage] = {}
    current = FileCoverage("")
    for row in text.splitlines():
        tag, _, value = row.partition(":")
        if tag == "SF":
            current = files.setdefault(value, FileCoverage(value))
        elif tag == "DA":
            line, hits = value.split(",")[:2]
            current.lines[int(line)] = current.lines.get(int(line), 0) + int(hits)
        elif tag == "BRDA":
            line, block, branch, taken = value.split(",")
            key = (int(line), block, branch)
            current.branches[key] = current.branches.get(key, 0) + (0 if taken == "-" else int(taken))
    return [file for path, file in sorted(files.items()) if path.startswith(MEASURED)]


def percent(missed: int, total: int) -> float:
    """The covered part in percent; nothing to cover is wholly covered."""
    return 100.0 if total == 0 else 100.0 * (total - missed) / total


def totals(files: Iterable[FileCoverage]) -> tuple[float, float]:
    """Line and branch coverage of all files together, in percent."""
    kept = list(files)
    missed_lines = sum(len(file.missed_lines()) for file in kept)
    missed_branches = sum(len(file.missed_branches()) for file in kept)
    return (
        percent(missed_lines, sum(len(file.lines) for file in kept)),
        percent(missed_branches, sum(len(file.branches) for file in kept)),
    )


def ranges(numbers: Iterable[int]) -> str:
    """Line numbers as a short list, neighbours joined: 3-5 9."""
    groups: list[list[int]] = []
    for number in sorted(set(numbers)):
        if groups and number == groups[-1][-1] + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return " ".join(f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0]) for group in groups)


def table(files: Iterable[FileCoverage]) -> str:
    """One row a file, with what is missing."""
    rows = [f"{'source':<32} {'lines':>14} {'branches':>14}"]
    for file in files:
        lines, branches = file.missed_lines(), file.missed_branches()
        rows.append(
            f"{file.path.removeprefix(MEASURED):<32}"
            f" {percent(len(lines), len(file.lines)):7.2f} % {len(file.lines):>4}"
            f" {percent(len(branches), len(file.branches)):7.2f} % {len(file.branches):>4}"
        )
        if lines:
            rows.append(f"    lines never run: {ranges(lines)}")
        if branches:
            rows.append(f"    branches never taken, in lines: {ranges(branches)}")
    return "\n".join(rows)


def main() -> None:
    """Print the table and exit with status 1 below a threshold."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: check_coverage.py LCOV_FILE")
    files = parse(Path(sys.argv[1]).read_text())
    if not any(file.lines for file in files):
        raise SystemExit(f"{sys.argv[1]} has no line of {MEASURED}")
    lines, branches = totals(files)
    print(table(files))
    print(f"contracts: {lines:.2f} % of lines (at least {LINE_THRESHOLD:g}), ", end="")
    print(f"{branches:.2f} % of branches (at least {BRANCH_THRESHOLD:g})")
    if lines < LINE_THRESHOLD or branches < BRANCH_THRESHOLD:
        raise SystemExit("the contracts' coverage is below its threshold; the table names what was missed")


if __name__ == "__main__":
    main()
