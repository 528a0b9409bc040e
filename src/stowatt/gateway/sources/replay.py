"""Replay of a CSV or Parquet file as it is, faults included.

Columns: a time (`timestamp`, `interval_start_utc` or `interval_start`; UTC unless it has an offset), one of `power_w`,
`power_kw`, `battery_kw` (positive = discharge) or `energy_wh` (a counter), and if they are there `soc` (0 … 1) and
`home`. A time column named after intervals makes every power the mean over the file's smallest step.
"""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from stowatt.data.decimals import shown
from stowatt.gateway.errors import SourceError
from stowatt.gateway.samples import MICROSECONDS, Cause, Counter, Sample
from stowatt.gateway.values import parse_time, parse_value

TIMES: Final = ("timestamp", "interval_start_utc", "interval_start")
POWERS: Final = {"power_w": 1, "power_kw": 1000, "battery_kw": 1000}
COUNTER: Final = "energy_wh"
MOST_ROWS: Final = 10_000_000
BATCH: Final = 32
"""Samples that are stored together."""


class Replay:
    """The rows of one home, shifted in time, at the chain's pace if that is wished."""

    live = False

    def __init__(
        self,
        path: Path,
        *,
        home: str | None = None,
        interval: int | None = None,
        start: int | None = None,
        charge_positive: bool = False,
        now: Callable[[], int] | None = None,
    ) -> None:
        """`interval` in seconds (0: powers are of the instant); `start`: where the first row is shifted to, unix
        seconds; `now`: rows wait until this clock has passed them, unix seconds."""
        samples = read_samples(path, home=home, interval=interval, charge_positive=charge_positive)
        first = next((sample.time for sample in samples if sample.time is not None), None)
        shift = 0 if start is None or first is None else start * MICROSECONDS - first
        self._samples = [s if s.time is None else replace(s, time=s.time + shift) for s in samples]
        self._next, self._now = 0, now
        self._name = hashlib.sha256(repr(self._samples).encode()).hexdigest()[:16]
        self.ended = not self._samples

    @property
    def state(self) -> str:
        """How far it is."""
        return f"row {self._next} of {len(self._samples)}"

    def poll(self, wait: float) -> Sequence[Sample]:
        """The next rows that are due."""
        batch = self._samples[self._next : self._next + BATCH]
        if self._now is not None:
            now = self._now() * MICROSECONDS
            due = next((n for n, s in enumerate(batch) if (s.time or 0) + (s.length or 0) > now), len(batch))
            if not due and batch:
                time.sleep(min(wait, 0.2))
            batch = batch[:due]
        self._next += len(batch)
        self.ended = self._next == len(self._samples)
        return batch

    def acknowledge(self) -> None:
        """Nothing has to be told to a file."""

    def cursor(self) -> str:
        """The number of rows taken, and which rows they are."""
        return f"{self._next} {self._name}"

    def resume(self, cursor: str) -> None:
        """Goes on after so many rows of the same file at the same times."""
        taken, _, name = cursor.partition(" ")
        if name != self._name:
            raise SourceError(
                "the queue has begun with another file, home or start", "replay the same again, or name another --queue"
            )
        self._next = int(taken)
        self.ended = self._next == len(self._samples)

    def close(self) -> None:
        """The file is closed already."""


def read_samples(
    path: Path, *, home: str | None = None, interval: int | None = None, charge_positive: bool = False
) -> list[Sample]:
    """The samples of a file in the order of its rows."""
    header, rows = _parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _csv(path)
    when, what = _one(path, header, TIMES), _one(path, header, (*POWERS, COUNTER))
    soc = header.index("soc") if "soc" in header else None
    homes = header.index("home") if "home" in header else None
    found: list[Sample] = []
    seen: set[str] = set()
    sign = -1 if charge_positive else 1
    for row in rows:
        if homes is not None:
            seen.add(str(row[homes]))
            if str(row[homes]) != home:
                continue
        found.append(_sample(row, header, when, what, soc, sign))
        if len(found) > MOST_ROWS:
            raise SourceError(f"{path} has more than {MOST_ROWS} rows", "split it")
    if homes is None and home is not None:
        raise SourceError(f"{path} has no column home", "leave --home out")
    if homes is not None and home not in seen:
        some = ", ".join(sorted(seen)[:8])
        raise SourceError(
            f"{path} has no home {shown(home or '')}" if home else f"{path} has homes", f"--home of {some}"
        )
    if interval is None and header[when].startswith("interval_start"):
        interval = _smallest_step(found)
    if interval and header[what] != COUNTER:
        return [replace(s, length=interval * MICROSECONDS) if s.time is not None else s for s in found]
    return found


def _sample(row: Sequence[Any], header: list[str], when: int, what: int, soc: int | None, sign: int) -> Sample:
    try:
        at = parse_time(row[when])
        value = parse_value(row[what])
        charge = parse_value(row[soc]) if soc is not None else None
    except (ValueError, IndexError):
        return Sample(None, fault=Cause.MALFORMED)
    if value is None:
        return Sample(at, soc=charge, fault=Cause.MISSING)
    if header[what] == COUNTER:
        return Sample(at, counter=Counter(value), soc=charge)
    return Sample(at, power=sign * value * POWERS[header[what]], soc=charge)


def _smallest_step(samples: Sequence[Sample]) -> int:
    """The smallest positive step between two rows, whole seconds; 0 if there is none."""
    times = [sample.time for sample in samples if sample.time is not None]
    steps = [b - a for a, b in pairwise(times) if b > a]
    return min(steps, default=0) // MICROSECONDS


def _one(path: Path, header: list[str], names: Sequence[str]) -> int:
    """The place of the one column of these names."""
    there = [name for name in names if name in header]
    if len(there) != 1 or header.count(there[0]) != 1:
        problem = f"has {' and '.join(there)}" if there else "lacks a column"
        raise SourceError(f"{path} {problem}", f"give exactly one of {', '.join(names)}")
    return header.index(there[0])


def _csv(path: Path) -> tuple[list[str], Iterator[Sequence[Any]]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", "check its name") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not UTF-8", "save it as UTF-8, or as Parquet") from None
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise SourceError(f"{path} is no CSV file: {error}", "repair it") from None
    if not rows:
        raise SourceError(f"{path} is empty", "give a file with a header and rows")
    header = [cell.strip() for cell in rows[0]]
    return header, (row for row in rows[1:] if any(cell.strip() for cell in row))


def _parquet(path: Path) -> tuple[list[str], Iterator[Sequence[Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        header = list(table.column_names)
        kept = [name for name in header if name in (*TIMES, *POWERS, COUNTER, "soc", "home")]
        columns = [table.column(name).to_pylist() for name in kept]
    except FileNotFoundError:
        raise SourceError(f"{path} cannot be read: no such file", "check its name") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:120]
        raise SourceError(f"{path} is no Parquet file that can be read: {reason}", "repair it") from None
    return kept, ([_plain(cell) for cell in row] for row in zip(*columns, strict=True))


def _plain(cell: Any) -> Any:
    """A timestamp without a zone means UTC."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime(cell.year, cell.month, cell.day)
    return cell.replace(tzinfo=UTC) if isinstance(cell, datetime) and cell.tzinfo is None else cell
