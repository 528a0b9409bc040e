"""The audit of a real evening: the demo's events, from the file to the verdict, beside running its transactions again.

What one would otherwise do to check a market is to run a node: every transaction again, in blocks. That proves that the
contracts ran, not that prices and fills are those of the rules.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.harness import PALETTE, Figures, figure, human, rounds, save_svg, spread, table, timed
from stowatt.audit import Subject, Verdict
from stowatt.audit.records import read_events
from stowatt.audit.replay import audit
from stowatt.chain.client import Deployment
from stowatt.chain.embedded import EmbeddedLedger

RICH = 10**30


def run(quick: bool) -> Figures:
    """Makes the evening with `stowatt demo`, then audits its file."""
    with tempfile.TemporaryDirectory(prefix="stowatt-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "stowatt", "demo", "--out", str(folder / "demo"), "--json"]
        subprocess.run([*command, "--windows", "1" if quick else "12"], check=True, stdout=subprocess.DEVNULL)
        path = folder / "demo" / "events.jsonl"
        d = Deployment.read(folder / "demo" / "market.json")
        subject = Subject(d.chain_id, d.market, None, d.token, d.registry, d.rights, d.delivery)
        events = list(read_events(path))
        report = audit(events, subject)
        spreads = rounds(
            {"read": lambda: list(read_events(path)), "audit": lambda: audit(events, subject)},
            budget=0.0 if quick else 12.0, fewest=2, most=7,
        )  # fmt: skip
        again, transactions, same = _run_again(folder)
        size = path.stat().st_size
    kinds = Counter(type(event).__name__ for event in events)
    return {
        "events": len(events), "kinds": dict(kinds.most_common()), "bytes": size,
        "windows": len(report.windows), "proved": report.verdict is Verdict.PROVED,
        "mismatches": len(report.mismatches), "seconds": {name: s.to_json() for name, s in spreads.items()},
        "transactions": transactions, "again": spread([again]).to_json(), "again_same": same,
    }  # fmt: skip


def _run_again(folder: Path) -> tuple[float, int, bool]:
    """Every transaction of the evening on a new embedded ledger, unflushed; whether all gas is the same."""
    with EmbeddedLedger.open(folder / "demo" / "ledger") as old:
        blocks = []
        senders: set[bytes] = set()
        for number in range(1, old.head().number + 1):
            found = [old.transaction(sent) for sent in old.transaction_hashes(number)]
            mined = [transaction[0] for transaction in found if transaction is not None]
            blocks.append((old.block(number), [transaction.raw for transaction in mined]))
            senders.update(transaction.sender for transaction in mined)
        genesis, chain_id = old.block(0), old.chain_id
    balances = {"0x" + sender.hex(): RICH for sender in senders}
    with EmbeddedLedger.create(
        folder / "again", chain_id=chain_id, balances=balances, timestamp=genesis.timestamp, fixed_clock=True,
        gas_limit=genesis.gas_limit, base_fee=genesis.base_fee, flush=False,
    ) as new:  # fmt: skip

        def play() -> bool:
            same = True
            for block, raws in blocks:
                new.set_time(block.timestamp)
                new.send_batch(raws)
                same = same and new.head().gas_used == block.gas_used
            return same

        seconds, same = timed(play)
    return seconds, sum(len(raws) for _, raws in blocks), same


def tables(figures: Figures) -> str:
    """Seconds and events a second."""
    events = figures["events"]
    both = figures["seconds"]["read"]["median"] + figures["seconds"]["audit"]["median"]

    def line(label: str, row: dict[str, Any]) -> list[str]:
        quartiles = f" ({human(row['lower'])} – {human(row['upper'])})" if row["count"] > 1 else ""
        return [label, human(row["median"]) + quartiles, f"{events / row['median']:,.0f}"]

    rows = [
        line("**Stowatt** reading the file", figures["seconds"]["read"]),
        line("**Stowatt** auditing them", figures["seconds"]["audit"]),
        ["both", human(both), f"{events / both:,.0f}"],
        line("running the transactions again, embedded, unflushed (once)", figures["again"]),
    ]
    verdict = "proved" if figures["proved"] else f"{figures['mismatches']} mismatches"
    same = "the same gas in every block" if figures["again_same"] else "**other gas**"
    return (
        table(["", "median (quartiles)", "events a second"], rows)
        + f"\n\n{events:,} events of {figures['windows']} windows, {figures['transactions']:,} transactions; verdict: "
        + f"{verdict}; run again: {same}."
    )


def plot(figures: Figures, path: Path) -> None:
    """Seconds for the evening."""
    seconds = figures["seconds"]
    rows = {
        "run transactions again": (figures["again"]["median"], PALETTE[5]),
        "audit": (seconds["audit"]["median"], PALETTE[0]),
        "read the events": (seconds["read"]["median"], PALETTE[0]),
    }
    made, (axes,) = figure(height=2.2)
    bars = axes.barh(list(rows), [value for value, _ in rows.values()], color=[color for _, color in rows.values()])
    axes.bar_label(bars, fmt="%.3g s", padding=3, fontsize=9)
    axes.set(xlabel="seconds for the evening")
    axes.margins(x=0.15)
    save_svg(made, path)
