"""Synthetic books of any size: the same numbers for the same seed, on every machine and with every version of numpy.

As many sellers as buyers (one more of either if the number is odd), each with a curve of four segments; the last one of
a window has fewer if the rows do not come out even. On ticks of 0.0001 per kWh:

- a seller's curve starts from 7 000 and a buyer's from 9 000 ticks, plus 1 800 × the sum of twelve uniform numbers less
  6 (nearly normal: mean 0, variance 1, never beyond ±6), held between 1 000 and 15 000;
- each segment is 1 … 249 ticks further from there, up for sellers and down for buyers, uniform;
- each segment is 1 … 5 000 Wh wide, uniform.

Every number is a hash (SplitMix64) of the seed and of what it is for, so a part of a book needs no other part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stowatt.data.book_file import COLUMNS, PARQUET_ENDS, Progress
from stowatt.data.new_file import new_file
from stowatt.errors import BookError, OutputError

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

PER_CURVE: Final = 4
ASKS_AROUND: Final = 7_000
BIDS_AROUND: Final = 9_000
SPREAD: Final = 1_800
BASES: Final = (1_000, 15_000)
STEPS: Final = 249
WIDTHS: Final = 5_000
MOST_ROWS: Final = 2**31 - 1
ROWS_AT_ONCE: Final = 2**17
"""Rows in memory at one time, and in one row group of a Parquet file."""

_SIDE, _BASE, _STEP, _WIDTH = range(4)
"""What a hash is for."""
_GOLDEN: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Sample:
    """A book of `rows` segments, spread evenly over `windows`; the first windows have one more if that is not whole."""

    rows: int
    windows: int
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= MOST_ROWS:
            raise BookError(f"{self.rows} segments", f"choose 1 to {MOST_ROWS}")
        if not 1 <= self.windows <= self.rows:
            raise BookError(f"{self.windows} windows for {self.rows} segments", "give each window a segment")

    def batch(self, start: int, stop: int) -> pa.RecordBatch:
        """The rows from `start` up to `stop`, with the columns of a book file."""
        rows = np.arange(start, stop, dtype=np.int64)
        each, longer = divmod(self.rows, self.windows)
        in_longer = longer * (each + 1)
        window = np.where(
            rows < in_longer, rows // (each + 1), longer + np.maximum(rows - in_longer, 0) // max(1, each)
        )
        offset = rows - window * each - np.minimum(window, longer)
        person, segment = np.divmod(offset, PER_CURVE)
        most_people = each // PER_CURVE + 1
        people = window * most_people + person
        buys = self._buys(window * most_people + person // 2 * 2, person)
        steps = self._steps(people, segment)
        ticks: Ints = self._bases(people, buys) + np.where(buys, -steps, steps)
        widths = 1 + self._uniform(_WIDTH, rows, WIDTHS)
        columns = (
            _names("w", window + 1, len(str(self.windows))),
            _names("p", person + 1, 1),
            pa.array(np.where(buys, "buy", "sell"), pa.string()),
            _decimals(ticks, 4),
            _decimals(widths, 3),
        )
        return pa.RecordBatch.from_arrays(list(columns), list(COLUMNS))

    def batches(self) -> Iterator[Any]:
        """The whole book, a part at a time."""
        for start in range(0, self.rows, ROWS_AT_ONCE):
            yield self.batch(start, min(start + ROWS_AT_ONCE, self.rows))

    def _buys(self, pairs: Ints, person: Ints) -> NDArray[np.bool_]:
        """Of each two people, a seller and a buyer, whichever comes first."""
        first = self._uniform(_SIDE, pairs, 2)
        buys: NDArray[np.bool_] = (first + person) % 2 == 1
        return buys

    def _bases(self, people: Ints, buys: NDArray[np.bool_]) -> Ints:
        total = np.zeros(len(people), dtype=np.int64)
        for third in range(3):
            word = self._words(_BASE, people * 3 + third)
            for lane in range(4):
                total += _lane(word, lane)
        centre = np.where(buys, BIDS_AROUND, ASKS_AROUND)
        bases: Ints = np.clip(centre + ((total - (6 << 16)) * SPREAD >> 16), *BASES)
        return bases

    def _steps(self, people: Ints, segment: Ints) -> Ints:
        word = self._words(_STEP, people)
        total = np.zeros(len(people), dtype=np.int64)
        for lane in range(PER_CURVE):
            total += np.where(lane <= segment, 1 + (_lane(word, lane) * STEPS >> 16), 0)
        return total

    def _uniform(self, purpose: int, number: Ints, below: int) -> Ints:
        """Uniform from 0 to `below` - 1, from the upper 32 bits; the bias is less than one in 2^19."""
        found: Ints = (self._words(purpose, number) >> np.uint64(32)).astype(np.int64) * below >> 32
        return found

    def _words(self, purpose: int, number: Ints) -> Words:
        """SplitMix64 at place `number` of the stream that belongs to the seed and the purpose."""
        key = int.from_bytes(sha256(f"stowatt book sample {self.seed} {purpose}".encode()).digest()[:8])
        x = (number.astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN) + np.uint64(key)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def _lane(words: Words, lane: int) -> Ints:
    """One of the four 16-bit parts."""
    return ((words >> np.uint64(16 * lane)) & np.uint64(0xFFFF)).astype(np.int64)


def _names(letter: str, numbers: Ints, digits: int) -> Any:
    """Names such as w007, which sort as their numbers do."""
    import pyarrow.compute as pc

    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(letter, padded, "")


def _decimals(counts: Ints, places: int) -> Any:
    """Whole numbers of 10^-places, exactly, as Arrow's decimals: 128-bit integers, here all positive."""
    limbs = np.zeros((len(counts), 2), dtype=np.int64)
    limbs[:, 0] = counts
    return pa.Array.from_buffers(pa.decimal128(9, places), len(counts), [None, pa.py_buffer(limbs)])


def check_name(path: Path) -> None:
    """Refuse a name that says no format."""
    if path.suffix.lower() not in (".csv", *PARQUET_ENDS):
        raise OutputError(f"{path} is neither .csv nor .parquet", "name a file that ends in one of them")


def write_sample(path: Path, sample: Sample, progress: Progress | None = None) -> None:
    """Write a sample to a new CSV or Parquet file, a row group at a time."""
    import pyarrow.csv
    import pyarrow.parquet

    check_name(path)
    schema = sample.batch(0, 1).schema
    with new_file(path) as file:
        if path.suffix.lower() == ".csv":
            file.write(f"{','.join(COLUMNS)}\n".encode())
            options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
            writer = pyarrow.csv.CSVWriter(file, schema, write_options=options)
        else:
            writer = pyarrow.parquet.ParquetWriter(file, schema)
        done = 0
        with writer:
            for batch in sample.batches():
                writer.write_batch(batch)
                done += batch.num_rows
                if progress:
                    progress(done, sample.rows)
