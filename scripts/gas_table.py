"""Write docs/gas.md from the gas snapshots of the contracts' tests.

The snapshots in contracts/snapshots hold one figure for each named operation, in two ages: `first`, on empty storage,
and `steady`, when the ring has gone round and every slot holds an older word. The bounds of `PLEDGES` are asserted by
forge's gas tests, which fail above them; here they stand beside the measured range.

Usage: gas_table.py [--check]
"""

from __future__ import annotations

import json
import re
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

PLEDGES = (
    ("commit", "≤ 45 k", "commit", "auction-zoo 57.6 k; EasyAuction place 176 k; Axis 191 k"),
    ("reveal, 1 segment", "≤ 65 k", "reveal 1", "auction-zoo 46 k (one price); Axis decrypt 96 k a bid"),
    ("reveal, 4 segments", "≤ 105 k", "reveal 4", "the same"),
    ("reveal, 8 segments", "≤ 155 k", "reveal 8", "the same"),
    ("reveal, relayed 32 at once, 4 segments, a bid", "≤ 60 k", "relayed 32", "–"),
    (
        "clear, 10 to 10,000 bids",
        "≤ 450 k at any number",
        "clear N",
        "EasyAuction 2.3 M and Axis 5.2 M at 1,000 bids; lemlab 31.7 M at 100",
    ),
    ("clear, dearest book on the largest grid", "≤ 450 k", "clear worst", "–"),
    ("claim with its ERC-721 right", "≤ 130 k", "claim", "EasyAuction claim 100 k (mints nothing)"),
    (
        "whole life of a bid of 4 segments",
        "≤ 260 k",
        "life",
        "EasyAuction 280 k (unsealed, one-sided); Axis 410 k; CCA 480 k",
    ),
)
"""What was promised: operation, bound, the figures it is about (see `PATTERNS`), what others cost. The others were
built from their public sources and measured once; they are not measured again."""

PATTERNS = {
    "commit": r"commit, (buyer|seller)",
    "reveal 1": r"reveal, (buyer|seller), 1 segment",
    "reveal 4": r"reveal, (buyer|seller), 4 segments",
    "reveal 8": r"reveal, (buyer|seller), 8 segments",
    "relayed 32": r"relayed 32 at once, 4 segments, a bid",
    "clear N": r"clear, 10+ bids",
    "clear worst": r"clear, worst case, .*",
    "claim": r"claim, (buyer|seller), (?!no fill).*",
    "life": r"whole life, .*",
}
"""The names of an operation's figures."""

INTRO = """# What it costs

Gas of whole transactions as a receipt shows them: the intrinsic 21,000, calldata, execution, cold storage, refunds.
This page is written by `scripts/gas_table.py` from `contracts/snapshots`; `make gas` measures anew, and `make forge`
fails when a figure changed, or when an operation of the first table is above its bound. Measured on the code that is
deployed (through the IR, 1,000 optimizer runs, Cancun), in forge's isolated mode, in which every call of a test is a
transaction of its own. Nine of them (deposit, withdraw, open, commit, reveal, claim, by both sides) were sent to anvil
too: the receipts agree to within 25 gas, which is a zero byte more or less in an address or a key.

- *steady*: the ring of windows has gone round once, so that book, slots and balances hold older words. *first*: on
  empty storage, where every word is new, as it is once for each place of the ring. A window's own words (status,
  result, money, rights) are new in both. The dearest first use is a reveal: it makes up to two words a segment.
- The segments of the measured curves are 300 ticks apart, so that no two share a word of the book: the dearest curve.
- A bid whose worst-case deposit exceeds its bond (*beyond the bond*) writes one more word at the reveal, its balance:
  about 5,700 more. The bounds of reveals are for bids within their bond; both are shown.
- A window's first claim makes the window's money word, about 17,000 more than a later one. Of a bid of eight segments
  that is the one claim above the bound, by 1 %.
- The windows with 10 to 10,000 bids all clear at the same price, the last tick of a group. Their openings are real; the
  participants' balances are written into storage. The more bids, the fewer words of the book are left empty; an empty
  word costs a little more to read, hence the last digits.
- The measured market moves devices' records (γ = 10 %), so a seller's settlement writes its account's word: released
  deposit, freed energy and record in one. A right's later part, which moves no record, asks the registry nothing.
- A meter's window costs one voucher, whatever its number of sub-slots; a sealed one adds about 1,900 gas a sub-slot
  (64 bytes of calldata and a point's addition); readings, in one batch, about 17,300 each. A device has a word of its
  own a window, new in both columns; readings also move the device's counter.
- Every transaction is below the limit of 16,777,216 (EIP-7825), and every contract below 24,576 bytes (EIP-170).
"""


def pledges(figures: dict[str, int]) -> list[str]:
    """The table of what was promised: the range of the measured figures in steady state beside the bound."""
    lines = ["| operation | measured | bound | others |", "|---|---:|---:|---|"]
    for operation, bound, key, others in PLEDGES:
        pattern = re.compile(PATTERNS[key] + "/steady")
        found = [value for name, value in figures.items() if pattern.fullmatch(name) and "beyond the bond" not in name]
        if not found:
            raise SystemExit(f"no snapshot of {operation}; run make gas")
        low, high = min(found), max(found)
        cell = f"{low:,}" if low == high else f"{low:,} – {high:,}"
        lines.append(f"| {operation} | {cell} | {bound} | {others} |")
    return lines


def rows(figures: dict[str, int]) -> list[str]:
    """One table of a group: a row an operation."""
    table: dict[str, dict[str, int]] = {}
    for key, value in figures.items():
        name, _, age = key.rpartition("/") if "/" in key else (key, "", "steady")
        table.setdefault(name, {})[age] = value
    lines = ["| operation | steady | first |", "|---|---:|---:|"]
    for name, ages in sorted(table.items(), key=lambda item: natural(item[0])):
        cells = [f"{ages[age]:,}" if age in ages else "–" for age in ("steady", "first")]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
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
    groups = {
        path.stem: {name: int(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}
        for path in SNAPSHOTS.glob("*.json")
    }
    every = {name: value for figures in groups.values() for name, value in figures.items()}
    parts = [INTRO, "\n".join(["## What was promised, and what others cost", "", *pledges(every), ""])]
    for group in [*(name for name in TITLES if name in groups), *sorted(groups.keys() - TITLES.keys())]:
        table = sizes(groups[group]) if group == "sizes" else rows(groups[group])
        parts.append("\n".join([f"## {TITLES.get(group, group)}", "", *table, ""]))
    return "\n".join(parts)


def main() -> None:
    """Write the page, or with --check fail when it is not up to date."""
    if sys.argv[1:] == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != page():
            raise SystemExit("docs/gas.md is not up to date; run scripts/gas_table.py")
    elif sys.argv[1:]:
        raise SystemExit("usage: gas_table.py [--check]")
    else:
        TARGET.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
