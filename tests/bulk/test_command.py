"""`stowatt clear BOOK --out FILLS` as its users meet it."""

from __future__ import annotations

import fcntl
import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stowatt.bulk import clear_large
from stowatt.bulk.memory import Memory, parse_memory
from stowatt.clearing import Rules
from stowatt.cli import app
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import BookFileError, OutputError
from stowatt.parallel import Threads
from tests.bulk.books import Row, table_of, write


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command `stowatt clear`, in this process."""

    def command(*arguments: object, cwd: Path | None = None) -> Done:
        monkeypatch.setattr(sys, "argv", ["stowatt", "clear", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        if cwd is not None:
            monkeypatch.chdir(cwd)
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return command


def rows_of(count: int, windows: int = 3, seed: int = 1) -> list[Row]:
    """Bids of two rows each."""
    draw = random.Random(seed)
    rows: list[Row] = []
    for number in range(count // 2):
        side = ("sell", "buy")[number % 2]
        row = f"w{number * windows // (count // 2)}", f"p{number}", side
        rows += [(*row, draw.randint(5000, 5010), draw.randint(1, 900)) for _ in range(2)]
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With `book.parquet`."""
    path = tmp_path_factory.mktemp("books")
    write(path / "book.parquet", rows_of(600), group=100)
    return path


def test_the_windows_are_those_of_the_plain_command(run: Run, folder: Path) -> None:
    plain = run("book.parquet", "--json", "--price-rule", "seed", "--seed", 7, cwd=folder)
    large = run("book.parquet", "--json", "--price-rule", "seed", "--seed", 7, "--out", "same.parquet", cwd=folder)
    assert large.stderr == ""
    assert json.loads(large.stdout) == json.loads(plain.stdout) | {"fills_file": "same.parquet"}
    notes = json.loads(pq.read_metadata(folder / "same.parquet").metadata[b"stowatt"])
    assert notes["windows"] == json.loads(plain.stdout)["windows"]
    assert (notes["price_rule"], notes["seed"], notes["tick_size"]) == ("seed", "7", "0.0001")
    without = run("book.parquet", "--json", "--price-rule", "seed", "--seed", 7, "--memory", "1GiB", cwd=folder)
    assert without.stdout == plain.stdout
    assert run("book.parquet", "--memory", "1GiB", cwd=folder).stdout == run("book.parquet", cwd=folder).stdout


def test_the_output_is_the_book_and_one_column_more(run: Run, tmp_path: Path) -> None:
    """Also columns that the clearing does not read, of any kind, and what other programs noted."""
    rows = rows_of(50)
    table = table_of(rows).append_column("meter", pa.array([{"id": n, "at": [n, None]} for n in range(50)]))
    table = table.select(["quantity", "meter", "side", "participant", "price", "window"])
    table = table.replace_schema_metadata({"made by": "a test"})
    for compression, version in (("snappy", "2.6"), ("zstd", "1.0"), ("none", "2.4")):
        book, out = tmp_path / f"{compression}.parquet", tmp_path / f"{compression}-out.parquet"
        pq.write_table(table, book, row_group_size=7, compression=compression, version=version, write_page_index=True)
        assert run(book, "--out", out).returncode == 0
        found = pq.read_table(out)
        assert found.drop_columns(["filled_wh"]).equals(pq.read_table(book))
        assert found.schema.metadata[b"made by"] == b"a test"
        assert sum(found["filled_wh"].to_pylist()) > 0


def test_a_folder_is_its_files_in_name_order(run: Run, folder: Path, tmp_path: Path) -> None:
    rows = rows_of(600)
    (tmp_path / "day").mkdir()
    for name, part in (("b.parquet", rows[250:]), ("a.parquet", rows[:250]), ("_notes.parquet", []), (".x.pq", [])):
        write(tmp_path / "day" / name, part, group=100)
    one, many = tmp_path / "one.parquet", tmp_path / "many.parquet"
    assert run(folder / "book.parquet", "--out", one).returncode == 0
    done = run(tmp_path / "day", "--out", many)
    assert (done.returncode, done.stderr) == (0, "")
    assert pq.read_table(many).equals(pq.read_table(one))
    write(tmp_path / "day" / "c.parquet", rows[:2], "float")
    assert "column price: is of type 'double', but 'decimal128(24, 4)' in a.parquet" in run(tmp_path / "day").stderr


def test_errors_are_one_line_with_a_way_out(run: Run, folder: Path, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.parquet", [*rows_of(40), ("w2", "p19", "sell", 5, 5)])
    turned = run(bad, "--out", tmp_path / "x.parquet").stderr
    assert turned.endswith(
        "row 41, column side: 'p19' already has a buy curve in window 'w2'; "
        "an account is on one side of a window only (§2)\n"
    )
    assert turned == run(bad).stderr
    (tmp_path / "book.csv").write_text("window,participant,side,price,quantity\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more PAR1")
    (tmp_path / "empty").mkdir()
    book, out = folder / "book.parquet", tmp_path / "x.parquet"
    cases = {
        (tmp_path / "book.csv", "--out", out): "is not a Parquet file; convert it to Parquet",
        (tmp_path / "broken.parquet", "--out", out): "is not a readable Parquet file",
        (tmp_path / "nothing.parquet", "--out", out): "there is no such file",
        (tmp_path / "empty",): "has no Parquet file",
        (book, "--out", tmp_path / "no" / "x.parquet"): "name a file in a folder that exists",
        (book, "--out", tmp_path): "is a folder; name a file",
        (book, "--out", book): "exists already; choose another name; nothing is overwritten",
        (book, "--out", out, "--fills"): "--fills is for books that fit into memory",
        (book, "--memory", "much"): "'much' is no size of memory",
        (book, "--memory", "10MB"): "10 MiB of memory is too little; give at least 448 MiB",
    }
    for arguments, message in cases.items():
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not [path for path in tmp_path.iterdir() if "stowatt" in path.name], "an error leaves nothing behind"


def test_a_column_of_that_name_is_refused(run: Run, tmp_path: Path) -> None:
    table = table_of(rows_of(4)).append_column("filled_wh", pa.array([1] * 4))
    pq.write_table(table, tmp_path / "book.parquet")
    assert "has a column 'filled_wh' already" in run(tmp_path / "book.parquet", "--out", tmp_path / "x.parquet").stderr


def test_parts_that_would_not_fit_are_refused(folder: Path) -> None:
    few = Memory(2**28 + 96 * 150, 1)
    unit, out = DecimalUnit.parse("0.0001"), folder / "refused.parquet"
    with pytest.raises(OutputError, match="a part of 600 rows is too large for 256 MiB of memory; cut the book into"):
        clear_large(folder / "book.parquet", unit, Rules(), out, Threads(), memory=few)
    few = Memory(2**28 + 96 * 50, 1)
    with pytest.raises(BookFileError, match=r"has a row group of 100 rows, too many .* of at most 50 rows"):
        clear_large(folder / "book.parquet", unit, Rules(), out, Threads(), rows_in_part=1, memory=few)


def test_an_empty_book(run: Run, tmp_path: Path) -> None:
    book, out = write(tmp_path / "book.parquet", []), tmp_path / "x.parquet"
    assert run(book, "--out", out).stdout.startswith("The book has no bids: no window to clear.")
    assert pq.read_table(out).num_rows == 0


def test_another_run_at_work_is_left_alone(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "fills.parquet"
    state = out.with_name(".fills.parquet.stowatt")
    state.mkdir()
    lock = os.open(state, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert "another run is at work on" in run(folder / "book.parquet", "--out", out).stderr
    os.close(lock)


def test_damaged_state_is_said(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "fills.parquet"
    (tmp_path / ".fills.parquet.stowatt").mkdir()
    (tmp_path / ".fills.parquet.stowatt" / "plan.json").write_text("{")
    assert "is not the state of a clearing; remove the folder" in run(folder / "book.parquet", "--out", out).stderr


@pytest.mark.parametrize(
    ("text", "size"), [("2GiB", 2**31), ("1.5 GB", 15 * 10**8), ("800M", 8 * 10**8), ("7", 7), ("1k", 1000)]
)
def test_sizes_of_memory(text: str, size: int) -> None:
    assert parse_memory(text) == size


def test_memory_decides_how_many_work() -> None:
    assert Memory.of(2**31, 2).workers == 2
    assert Memory.of(500 * 2**20, 8).workers == 1
    with pytest.raises(OutputError):
        Memory.of(2**28, 2)
