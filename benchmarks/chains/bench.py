"""A market's transactions on the embedded ledger and on its peers; then the search of logs."""

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.chains.backends import BACKENDS, Chain, Opener, embedded, present, serve
from benchmarks.chains.tape import OPERATIONS, SET_UP, Step, Tape, record_market, record_transfers
from benchmarks.harness import PALETTE, Figures, figure, human, rounds, save_svg, spread, table
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.ledger import Ledger

PEOPLE, WINDOWS, ROUNDS, BLOCKS = 16, 2, 3, 10_000
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
QUERIES = {
    "rare": "10 events by topic, all blocks",
    "recent": "100 blocks, one contract",
    "all": "every event of a contract",
}


def run(quick: bool) -> Figures:
    """Everything; each chain plays the same tape in a folder of its own."""
    people, windows, turns, blocks = (4, 1, 1, 200) if quick else (PEOPLE, WINDOWS, ROUNDS, BLOCKS)
    with tempfile.TemporaryDirectory(prefix="stowatt-bench-") as name:
        folder = Path(name)
        tape = record_market(folder / "recorded", people, windows)
        plays: dict[str, list[Play]] = defaultdict(list)
        for turn in range(turns):
            for key, backend in present().items():
                plays[key].append(_play(folder / f"{key} {turn}", backend.open, tape))
            plays["batch"].append(_play_batches(folder / f"batch {turn}", tape, people))
        chains = {key: _summary(of_chain) for key, of_chain in plays.items()}
        batch = chains.pop("batch") | {"size": people}
        queries = _logs(folder, blocks)
        flush = _flush(folder)
    counts = {operation: sum(step.label == operation for step in tape.steps) for operation in OPERATIONS}
    gas = {o: round(statistics.median(s.gas for s in tape.steps if s.label == o)) for o in OPERATIONS}
    return {
        "people": people, "windows": windows, "rounds": turns, "transactions": counts, "gas": gas, "chains": chains,
        "batch": batch, "log_blocks": blocks, "logs": queries, "flush": flush,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Play:
    """One chain's way through the tape, set-up left out."""

    samples: dict[str, list[float]]
    """Seconds of each transaction by operation; empty for batches."""
    seconds: float
    count: int
    gas: int
    same: bool
    """Status and gas are those of the recording."""


def _summary(plays: list[Play]) -> dict[str, Any]:
    """Operations over all plays; rates as the median of the plays."""
    return {
        "operations": {
            label: spread([seconds for play in plays for seconds in play.samples[label]]).to_json()
            for label in OPERATIONS
            if plays[0].samples
        },
        "transactions_a_second": statistics.median(play.count / play.seconds for play in plays),
        "mgas_a_second": statistics.median(play.gas / play.seconds / 1e6 for play in plays),
        "rates": sorted(round(play.count / play.seconds, 1) for play in plays),
        "same_status_and_gas": all(play.same for play in plays),
    }


def _play(folder: Path, opener: Opener, tape: Tape) -> Play:
    samples: dict[str, list[float]] = defaultdict(list)
    gas, right = 0, True
    folder.mkdir()
    with opener(folder, tape) as chain:
        moment = 0
        for step in tape.steps:
            moment = _move(chain, step, moment)
            begun = time.perf_counter()
            status, used = chain.send(step.raw)
            samples[step.label].append(time.perf_counter() - begun)
            right = right and (status, used) == (step.status, step.gas)
            gas += used if step.label != SET_UP else 0
    del samples[SET_UP]
    measured = [seconds for of_one in samples.values() for seconds in of_one]
    return Play(samples, sum(measured), len(measured), gas, right)


def _move(chain: Chain, step: Step, moment: int) -> int:
    if step.time > moment:
        chain.set_time(step.time)
    return max(step.time, moment)


def _play_batches(folder: Path, tape: Tape, size: int) -> Play:
    """The same with `send_batch`: one flush for what a relay or an operator has at hand."""
    seconds, moment, right, waiting = 0.0, 0, True, list[Step]()
    folder.mkdir()
    with embedded(folder, tape) as chain:
        assert chain.batch is not None and chain.ledger is not None
        for step, following in zip(tape.steps, [*tape.steps[1:], None], strict=True):
            if not waiting:
                moment = _move(chain, step, moment)
            waiting.append(step)
            together = following is not None and following.label == step.label and following.time <= moment
            if together and len(waiting) < size:
                continue
            begun = time.perf_counter()
            sent = chain.batch([s.raw for s in waiting])
            if step.label != SET_UP:
                seconds += time.perf_counter() - begun
            receipts = [chain.ledger.receipt(transaction) for transaction in sent]
            right = right and [(r.status, r.gas_used) for r in receipts if r] == [(s.status, s.gas) for s in waiting]
            waiting = []
    measured = [step.gas for step in tape.steps if step.label != SET_UP]
    return Play({}, seconds, len(measured), sum(measured), right)


def _logs(folder: Path, blocks: int) -> dict[str, Any]:
    """The same blocks on each chain, then the same questions."""
    tape, token, receivers = record_transfers(folder / "transfers", blocks)
    rare = bytes(12) + bytes.fromhex(receivers[9][2:])
    answers = {}
    with EmbeddedLedger.open(folder / "transfers") as ledger:
        answers["embedded"] = _ask(ledger, token, rare)
    with serve(folder / "transfers") as (remote, _):
        answers["node"] = _ask(remote, token, rare)
    if "anvil" in present():
        with BACKENDS["anvil"].open(folder / "anvil", tape) as chain:
            for step in tape.steps:
                chain.send(step.raw)
            assert chain.ledger is not None
            answers["anvil"] = _ask(chain.ledger, token, rare)
    return answers


def _ask(ledger: Ledger, token: str, rare: bytes) -> dict[str, Any]:
    calls, found = _questions(ledger, token, rare)
    spreads = rounds(calls, budget=1.5, most=15)
    return {"found": found, "seconds": {query: s.to_json() for query, s in spreads.items()}}


def _flush(folder: Path) -> float:
    """The median of one small write that is flushed to this disk: what each durable block must wait for."""
    samples = []
    with (folder / "flush").open("wb") as file:
        for _ in range(50):
            file.write(bytes(4096))
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            samples.append(time.perf_counter() - begun)
    return statistics.median(samples)


def _questions(ledger: Ledger, token: str, rare: bytes) -> tuple[dict[str, Callable[[], Any]], dict[str, int]]:
    head = ledger.head().number
    calls: dict[str, Callable[[], Any]] = {
        "rare": lambda: ledger.logs(0, head, [token], [TRANSFER, None, rare]),
        "recent": lambda: ledger.logs(head - 99, head, [token]),
        "all": lambda: ledger.logs(0, head, [token]),
    }
    return calls, {name: len(call()) for name, call in calls.items()}


def tables(figures: Figures) -> str:
    """Throughput and single operations; then logs."""
    rows = []
    for name, row in figures["chains"].items():
        times = [_time(row["operations"][operation]) for operation in OPERATIONS]
        low, high = row["rates"][0], row["rates"][-1]
        rate = [f"{row['transactions_a_second']:,.0f} ({low:,.0f} – {high:,.0f})", f"{row['mgas_a_second']:,.1f}"]
        same = "yes" if row["same_status_and_gas"] else "**no**"
        rows.append([BACKENDS[name].label, *times, *rate, same, BACKENDS[name].survives])
    batch = figures["batch"]
    rows.insert(
        1,
        [
            f"**Stowatt** embedded, `send_batch` of {batch['size']}", "–", "–", "–", "–",
            f"{batch['transactions_a_second']:,.0f} ({batch['rates'][0]:,.0f} – {batch['rates'][-1]:,.0f})",
            f"{batch['mgas_a_second']:,.1f}",
            "yes" if batch["same_status_and_gas"] else "**no**", "loss of power",
        ],
    )  # fmt: skip
    gas = [f"{o} ({figures['gas'][o] / 1000:.0f} k gas)" for o in OPERATIONS]
    heads = ["chain", *gas, "tx/s", "Mgas/s", "same status and gas", "an acknowledged transaction survives"]
    logs = [
        [BACKENDS[name].label, *(_time(answer["seconds"][query]) for query in QUERIES)]
        for name, answer in figures["logs"].items()
    ]
    counts = {tuple(answer["found"].values()) for answer in figures["logs"].values()}
    agreement = "All find the same number of events." if len(counts) == 1 else "**They find different events.**"
    return (
        table(heads, rows)
        + "\n\nMedian (first to third quartile) of one transaction, sent and answered with its receipt; "
        + f"tx/s and Mgas/s: median (range) of {figures['rounds']} plays of the tape. One flush of "
        + f"this disk took {human(figures['flush'])} then.\n\n"
        + f"Searching {figures['log_blocks']:,} blocks with one event each. {agreement}\n\n"
        + table(["chain", *QUERIES.values()], logs)
    )


def _time(row: dict[str, Any]) -> str:
    return f"{human(row['median'])} ({human(row['lower'])} – {human(row['upper'])})"


def plot(figures: Figures, path: Path) -> None:
    """Transactions a second and gas a second."""
    names = {
        "embedded": "embedded", "batch": "embedded, batches", "unflushed": "embedded, unflushed", "node": "node, HTTP",
        "py_evm": "py-evm", "anvil": "anvil, HTTP", "anvil_saving": "anvil, HTTP, saving",
    }  # fmt: skip
    rows = {**figures["chains"], "batch": figures["batch"]}
    shown = [name for name in reversed(names) if name in rows]
    made, axes = figure(2, width=9, height=3.2)
    for one, key, title in zip(
        axes, ("transactions_a_second", "mgas_a_second"), ("transactions a second", "million gas a second"), strict=True
    ):
        ours = [PALETTE[0] if "embedded" in names[name] or name == "node" else PALETTE[5] for name in shown]
        bars = one.barh([names[name] for name in shown], [rows[name][key] for name in shown], color=ours)
        one.bar_label(bars, fmt="%.3g", padding=3, fontsize=9)
        one.set_title(title)
        one.margins(x=0.15)
    axes[1].set_yticklabels([])
    save_svg(made, path)
