"""Write docs/gas.md from the gas snapshots of the contracts' tests.

The snapshots in contracts/snapshots hold one figure for each named operation, in two ages: `first`, on empty storage,
and `steady`, when the ring has gone round and every slot holds an older word. Bounds are those of `BOUNDS`, in steady
state; forge's tests fail above them too.

Usage: gas_table.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SNAPSHOTS = ROOT / "contracts" / "snapshots"
TARGET = ROOT / "docs" / "gas.md"

TITLES = {
    "bidding": "Bids",
    "clearing": "Clearing",
    "claims": "Claims, payments, defaults, refunds",
    "rights": "Rights",
    "delivery": "Readings, draws, settlement",
    "vault": "Vault",
    "registry": "Registry",
    "sizes": "Size of the deployed code, bytes",
}
"""The groups in the order of a window's life; a group that is not named here comes last under its own name."""

BOUNDS = {
    "commit,": 45_000,
    "reveal, buyer, 1 segment": 65_000,
    "reveal, seller, 1 segment": 65_000,
    "reveal, buyer, 4 segments": 105_000,
    "reveal, seller, 4 segments": 105_000,
    "reveal, buyer, 8 segments": 155_000,
    "reveal, seller, 8 segments": 155_000,
    "relayed 32 at once, 4 segments": 60_000,
    "clear,": 450_000,
    "claim,": 130_000,
    "whole life": 260_000,
}
"""What an operation may cost in steady state, by the start of its name. A deposit beyond the bond writes one more word,
the balance: those reveals have no bound of their own."""

INTRO = """# What it costs

Gas of whole transactions as a receipt shows them: the intrinsic 21,000, calldata, execution, cold storage, refunds.
This page is written by `scripts/gas_table.py` from `contracts/snapshots`; `make gas` measures anew, and `make forge`
fails when a figure changed. *steady*: the ring of windows has gone round once, so that book, slots and balances hold
older words. *first*: on empty storage, where every word is new. A window's own words (status, result, money, rights)
are new in both. Measured on the code that is deployed (through the IR, 1,000 optimizer runs, Cancun).

`clear` does not depend on the number of bids: it reads the price grid.
"""


def bound_of(name: str) -> int | None:
    """The bound of an operation in steady state, if it has one."""
    if "beyond the bond" in name and not name.startswith("claim"):
        return None
    return next((bound for start, bound in BOUNDS.items() if name.startswith(start)), None)


def rows(figures: dict[str, int]) -> list[str]:
    """One table of a group: a row an operation."""
    table: dict[str, dict[str, int]] = {}
    for key, value in figures.items():
        name, _, age = key.rpartition("/") if "/" in key else (key, "", "steady")
        table.setdefault(name, {})[age] = value
    lines = ["| operation | steady | first | bound |", "|---|---:|---:|---:|"]
    for name, ages in sorted(table.items(), key=lambda item: natural(item[0])):
        bound = bound_of(name)
        cells = [f"{ages[age]:,}" if age in ages else "–" for age in ("steady", "first")]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {f'{bound:,}' if bound else '–'} |")
    return lines


def sizes(figures: dict[str, int]) -> list[str]:
    """The table of code sizes."""
    lines = ["| contract | size | bound |", "|---|---:|---:|"]
    return lines + [f"| {name} | {value:,} | < 24,576 |" for name, value in sorted(figures.items())]


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts numbers in a text by value."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in text.replace(",", " ").split()]


def page() -> str:
    """The whole page."""
    groups = {path.stem: path for path in SNAPSHOTS.glob("*.json")}
    parts = [INTRO]
    for group in [*(name for name in TITLES if name in groups), *sorted(groups.keys() - TITLES.keys())]:
        figures = {name: int(value) for name, value in json.loads(groups[group].read_text()).items()}
        table = sizes(figures) if group == "sizes" else rows(figures)
        parts.append("\n".join([f"## {TITLES.get(group, group)}", "", *table, ""]))
    return "\n".join(parts)


def main() -> None:
    """Write the page, or with --check fail when it is not up to date."""
    if sys.argv[1:] == ["--check"]:
        if not TARGET.exists() or TARGET.read_text() != page():
            raise SystemExit("docs/gas.md is not up to date; run scripts/gas_table.py")
    elif sys.argv[1:]:
        raise SystemExit("usage: gas_table.py [--check]")
    else:
        TARGET.write_text(page())


if __name__ == "__main__":
    main()
