"""A large book cleared from beginning to end: the passes in their order, over whatever workers there are."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa

from stowatt import __version__
from stowatt.bulk.apart import collect, ranges, repeated, settle
from stowatt.bulk.crossings import Windows, cross_windows, table_of
from stowatt.bulk.faults import fault_error, known_error, too_far_apart
from stowatt.bulk.filling import fill_part
from stowatt.bulk.job import Job
from stowatt.bulk.memory import BYTES_A_HASH, BYTES_A_RECORD, DEFAULT, Memory
from stowatt.bulk.ordering import order_moved
from stowatt.bulk.outcome import Outcome, prove
from stowatt.bulk.runs import Run, Runs
from stowatt.bulk.source import ROWS_IN_PART, LargeBook, Part, check_parts, open_book
from stowatt.bulk.state import WHOLE, discard, finish, passing_folder, working_folder
from stowatt.bulk.summing import sum_part
from stowatt.bulk.whole import check_joinable, write_whole
from stowatt.clearing.rules import Rules
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import BookError, BookFileError
from stowatt.parallel import Workers

_Item = TypeVar("_Item")

Progress = Callable[[str, int, int], None]
"""Called with the pass, the rows done and the rows there are."""

FORMAT: Final = 1
"""Of the state: raised when a pass leaves something else behind."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """One run: the job, the book's parts, who works, and who is told."""

    job: Job
    book: LargeBook
    parts: list[Part]
    workers: Workers
    progress: Progress

    def run(self) -> dict[str, Outcome]:
        """Every window's result, proved, in order of first appearance; the fills are in `whole.parquet` of the folder
        if the job asks for them."""
        self._each("reading", sum_part, self.parts)
        windows, runs, error = self._gather()
        if error is None:
            found = cross_windows(self.job, windows)
            table = table_of(self.job, found)
            self.job.save("table", 0, rows=table)
        self._look_at_bids(runs, windows, len(windows.numbers))
        if error is not None:
            raise error
        if not self.job.fills:
            return prove(windows.names, found, None)
        held = order_moved(self.job, windows, table, self.parts, self.workers)
        for part, before in enumerate(held):
            self.job.save("held", part, rows=before)
        self._each("filling", fill_part, self.parts)
        outcomes = prove(windows.names, found, self._proof(windows))
        self._write(outcomes)
        return outcomes

    def _each(self, name: str, work: Callable[[Job, Part], int], parts: Sequence[Part]) -> None:
        done, total = 0, sum(part.rows for part in parts)
        for _, rows in self.workers.each(partial(work, self.job), parts):
            done += rows
            self.progress(name, done, total)

    def _gather(self) -> tuple[Windows, Runs, BookFileError | None]:
        """What pass 1 found, up to the first bad row."""
        windows, runs = Windows(), Runs()
        for part in self.parts:
            found = self.job.value("part", part.number)
            numbers = windows.add_part(found["windows"])
            self.job.save("windows", part.number, rows=numbers)
            head, tail = (found[end] and Run.from_json(found[end]) for end in ("head", "tail"))
            runs.join(Runs(head, tail, [], found["suspects"]))
            if found["error"]:
                return windows, runs, known_error(found["error"])
        return windows, runs, None

    def _look_at_bids(self, runs: Runs, windows: Windows, parts: int) -> None:
        """The rules for whole bids, if any bid's rows lie apart or look wrong; raises the first fault."""
        runs.close()
        ends = np.sort(np.concatenate([np.zeros(0, np.uint64), *runs.hashes]))
        self.job.save("ends", 0, rows=ends)
        count = sum(len(self.job.load("part", part, "hashes")) for part in range(parts)) + len(self.job.load("ends"))
        pieces = ranges(count, self.job.memory.room // BYTES_A_HASH, parts)
        bids = sum(found for _, found in self.workers.each(partial(repeated, self.job), pieces))
        if bids * BYTES_A_HASH > self.job.memory.all_room:
            raise too_far_apart(self.job, f"the rows of {bids} bids lie apart")
        twice = [self.job.load("twice", piece.number) for piece in pieces]
        wanted = np.sort(np.concatenate([*twice, np.array(runs.suspects, np.uint64)]))
        self.job.save("apart", 0, rows=wanted)
        pieces = []
        if len(wanted):
            rows = 0
            for _, found in self.workers.each(partial(collect, self.job), self.parts[:parts]):
                rows += found
            pieces = ranges(rows, self.job.memory.room // BYTES_A_RECORD, parts)
            faults = [fault for _, fault in self.workers.each(partial(settle, self.job), pieces) if fault]
            if faults:
                raise fault_error(self.parts, min(faults))
        self.job.save("pieces", 0, len(pieces))

    def _proof(self, windows: Windows) -> Any:
        """What the fills add up to, by window and side, in numbers of any size."""
        sums = np.zeros((2 * len(windows.names), 3), dtype=object)
        for part, numbers in enumerate(windows.numbers):
            rows = (2 * numbers[:, np.newaxis] + np.arange(2)).ravel()
            sums[rows] += self.job.load("proof", part, "sums").astype(object)
        return sums

    def _write(self, outcomes: dict[str, Outcome]) -> None:
        """All parts as one file, with the windows' results in its notes."""
        notes = {"stowatt": json.dumps({"version": __version__, **self._rules(), "windows": _notes(outcomes, self)})}
        fills = [
            (self.job.path("fills", n, "bin"), self.job.load("proof", n, "chunks")) for n in range(len(self.parts))
        ]
        with self.job.appearing(Path(self.job.folder) / WHOLE) as draft, draft.open("wb") as file:
            write_whole(file, [Path(path) for path, _ in self.book.groups], fills, notes)

    def _rules(self) -> dict[str, str]:
        rules = self.job.rules
        return {
            "tick_size": self.job.unit.text(1),
            "price_rule": rules.price_rule.name.lower(),
            "rationing": rules.rationing.name.lower(),
            "seed": str(rules.seed),
        }


def _notes(outcomes: dict[str, Outcome], clearing: Clearing) -> list[dict[str, Any]]:
    return [outcome.as_json(name, clearing.job.unit) for name, outcome in outcomes.items()]


def clear_large(
    path: Path,
    unit: DecimalUnit,
    rules: Rules,
    out: Path | None,
    workers: Workers,
    progress: Progress = lambda name, done, total: None,
    rows_in_part: int = ROWS_IN_PART,
    memory: Memory | None = None,
) -> dict[str, Outcome]:
    """Clear a Parquet file or a folder of them.

    With `out`, write the fills there, going on where a run that was stopped has come to; without, only price, volume
    and values.
    """
    memory = memory or Memory.of(DEFAULT, workers.count)
    book = open_book(path)
    if out is not None:
        check_joinable([Path(one) for one, _ in book.groups])
    parts = book.parts(rows_in_part)
    check_parts(parts, memory)
    options = {
        "tick size": unit.text(1),
        "price rule": rules.price_rule.name,
        "rationing": rules.rationing.name,
        "seed": str(rules.seed),
        "cut": str(rows_in_part),
    }
    with passing_folder() if out is None else working_folder(out, plan_of(book, options)) as (folder, key):
        job = Job(str(path), str(folder), unit, rules, key, memory, out is not None)
        try:
            outcomes = Clearing(job, book, parts, workers, progress).run()
        except BookError:
            if out is not None:  # the book has to be changed, and then nothing of this is of use
                discard(folder)
            raise
        if out is not None:
            finish(folder, out)
    return outcomes


def plan_of(book: LargeBook, options: dict[str, str]) -> dict[str, Any]:
    """What a run that goes on must have in common with the one that was stopped."""
    return {
        "book": [list(file) for file in book.files],
        **options,
        "version of stowatt": f"{__version__} ({FORMAT})",
        "version of pyarrow": pa.__version__,
    }
