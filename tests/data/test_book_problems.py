"""Every problem of a book file: the first is the one that `read_book` stops at, and none hides another."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stowatt.data import book_rules
from stowatt.data.book_file import COLUMNS, ROWS_PER_REPORT, read_book
from stowatt.data.book_problems import Findings, find_problems
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import StowattError
from tests.data.test_book_file import GOOD, HEADER, UGLY, write

TICK = DecimalUnit.parse("0.0001")
WIDEST = "4294967.295"


def check(folder: Path, data: str | bytes, most: int = 20) -> Findings:
    return find_problems(write(folder, data), TICK, most)


def first_error(path: Path) -> str | None:
    try:
        read_book(path, TICK)
    except StowattError as error:
        return str(error)
    return None


def places(found: Findings) -> list[tuple[int | None, str | None, str | None]]:
    return [(problem.error.line, problem.error.column, problem.value) for problem in found.problems]


@pytest.mark.parametrize("data", [case[0] for case in UGLY.values()], ids=list(UGLY))
def test_the_first_problem_is_the_error_of_clear(tmp_path: Path, data: str | bytes) -> None:
    found = check(tmp_path, data)
    assert found.count >= 1
    said = first_error(tmp_path / "book.csv")
    assert said is not None
    assert str(found.problems[0].error) == said


@pytest.mark.parametrize(
    "data", [GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r"), "\ufeff" + GOOD, "\n" + GOOD]
)
def test_a_good_file_has_none(tmp_path: Path, data: str) -> None:
    found = check(tmp_path, data)
    assert (found.count, found.rows, found.curves, found.windows) == (0, 2, 2, 1)


def test_only_a_header_is_no_problem(tmp_path: Path) -> None:
    found = check(tmp_path, HEADER)
    assert (found.count, found.rows, found.curves, found.windows) == (0, 0, 0, 0)


class TestEvery:
    """Problems of every kind are found side by side."""

    def test_every_cell_of_a_row(self, tmp_path: Path) -> None:
        found = check(tmp_path, HEADER + ",\x01,hold,-1,0.0001\nw,a,sell,1e99,99999999\n")
        assert places(found) == [
            (2, "window", ""),
            (2, "participant", "\x01"),
            (2, "side", "hold"),
            (2, "price", "-1"),
            (2, "quantity", "0.0001"),
            (3, "price", "1e99"),
            (3, "quantity", "99999999"),
        ]

    def test_rows_of_a_wrong_form_do_not_end_the_check(self, tmp_path: Path) -> None:
        rows = 'w,a,sell,1\nw,b,sell,x,1\n"w"w,a,sell,1,1\nw,c,sell,1,1,1\nw,d,buy,1,0\nw,e,buy,1,"1\nw,f,buy,1,1\n'
        found = check(tmp_path, HEADER + rows)
        assert [(line, column) for line, column, _ in places(found)] == [
            (2, None),
            (3, "price"),
            (4, None),
            (5, None),
            (6, "quantity"),
            (7, None),
        ]

    def test_bytes_that_are_not_utf8(self, tmp_path: Path) -> None:
        found = check(tmp_path, HEADER.encode() + b"w,J\xfcrg,sell,1,0\nw,b,buy,1,1\nw,\xff,buy,1,1\n")
        assert [str(problem.error).partition(": ")[2] for problem in found.problems] == [
            "byte 0xfc is not UTF-8; save the file as UTF-8",
            "'0' is zero; leave the row out (§2)",
            "byte 0xff is not UTF-8; save the file as UTF-8",
        ]

    def test_every_curve_that_breaks_a_rule(self, tmp_path: Path) -> None:
        many = "".join(f"w,a,sell,{price},1\n" for price in range(20))
        wide = f"w,b,buy,1,{WIDEST}\nw,b,buy,1,0.001\nw,b,buy,1,0.001\n"
        found = check(tmp_path, HEADER + many + wide + "w,c,sell,1,1\nw,c,buy,1,1\nw,c,buy,2,1\nv,c,buy,1,1\n")
        assert places(found) == [
            (18, "price", "16"),
            (23, "quantity", "4294967.296"),
            (26, "side", "buy"),
            (27, "side", "buy"),
        ]

    def test_a_side_of_a_window_too_large_to_clear(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(book_rules, "MAX_SIDE_WH", 3000)
        found = check(tmp_path, HEADER + "v,a,buy,1,3\nw,a,buy,1,2\nw,b,buy,1,1.001\nw,c,sell,1,3\n")
        assert [problem.error.reason for problem in found.problems] == ["buy bids of window 'w' add up to 3001 Wh"]

    def test_the_others_are_counted(self, tmp_path: Path) -> None:
        found = check(tmp_path, HEADER + "w,a,sell,1,1\nw,a,buy,1,1\n" + "w,b,sell,x,1\n" * 50, most=3)
        assert (found.count, places(found)) == (51, [(3, "side", "buy"), (4, "price", "x"), (5, "price", "x")])

    def test_most_may_be_none(self, tmp_path: Path) -> None:
        found = check(tmp_path, HEADER + "w,a,sell,x,1\n", most=0)
        assert (found.count, found.problems) == (1, [])

    def test_a_long_cell_is_cut(self, tmp_path: Path) -> None:
        assert len(check(tmp_path, HEADER + f"w,a,sell,{'9' * 9999},1\n").problems[0].value or "") == 200


CELLS = (
    st.sampled_from(["v", "w", " w", "v ", ""]),
    st.sampled_from("abc"),
    st.sampled_from(["sell"] * 8 + ["buy", " sell", "hold"]),
    st.one_of(st.integers(0, 24).map(str), st.sampled_from(["-1", "0.00001", "nan"])),
    st.sampled_from(["1", "0.001", "4294967", "0", "5000000"]),
)
ROWS = st.lists(
    st.one_of(st.tuples(*CELLS).map(",".join), st.sampled_from(["w,a", '"x"y,a,sell,1,1', ""])), max_size=80
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_agrees_with_clear_on_any_rows(tmp_path: Path, rows: list[str]) -> None:
    path = write(tmp_path, HEADER + "".join(row + "\n" for row in rows))
    found = find_problems(path, TICK, 1)
    assert (str(found.problems[0].error) if found.count else None) == first_error(path)


class TestParquet:
    """The same in Parquet files."""

    def write(self, folder: Path, cells: dict[str, Any]) -> Path:
        path = folder / "book.parquet"
        pq.write_table(pa.table(cells), path)
        return path

    def test_rows_are_counted_from_1(self, tmp_path: Path) -> None:
        cells = {"window": ["w"] * 3, "participant": ["a", None, "b"], "side": ["sell", "buy", "up"]}
        path = self.write(tmp_path, {**cells, "price": [0.1, 0.00001, 0.2], "quantity": [1, 1, -1]})
        found = find_problems(path, TICK, 20)
        assert [(p.error.counts, p.error.line, p.error.column) for p in found.problems] == [
            ("row", 2, "participant"),
            ("row", 2, "price"),
            ("row", 3, "side"),
            ("row", 3, "quantity"),
        ]

    def test_rows_of_many_batches(self, tmp_path: Path) -> None:
        number = 40_000
        cells: dict[str, Any] = {name: ["w"] * number for name in COLUMNS[:2]}
        quantity = [1] * (number - 1) + [0]
        found = find_problems(
            self.write(tmp_path, {**cells, "side": ["buy"] * number, "price": [1] * number, "quantity": quantity}),
            TICK,
            20,
        )
        assert (found.rows, places(found)) == (number - 1, [(number, "quantity", "0")])

    @pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(99) + b"PAR1"])
    def test_a_broken_file(self, tmp_path: Path, data: bytes) -> None:
        found = find_problems(write(tmp_path, data, "book.parquet"), TICK, 20)
        assert found.count == 1
        assert "is not a readable Parquet file" in found.problems[0].error.reason

    def test_a_page_that_is_damaged(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, {name: [f"{name}{n}" for n in range(2000)] for name in COLUMNS})
        data = bytearray(path.read_bytes())
        data[10:4000] = bytes(3990)
        found = find_problems(write(tmp_path, bytes(data), "book.parquet"), TICK, 20)
        assert found.count >= 1
        assert "is not a readable Parquet file" in found.problems[-1].error.reason

    def test_text_that_is_not_utf8(self, tmp_path: Path) -> None:
        names = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
        cells = {"window": ["w"], "participant": names, "side": ["buy"], "price": [1], "quantity": [1]}
        path = self.write(tmp_path, cells)
        found = find_problems(path, TICK, 20)
        assert [problem.error.column for problem in found.problems] == ["participant"]
        assert str(found.problems[0].error) == first_error(path)

    def test_a_column_of_a_wrong_type_in_a_file_without_rows(self, tmp_path: Path) -> None:
        cells: dict[str, Any] = {name: pa.array([], pa.list_(pa.int64())) for name in COLUMNS}
        path = self.write(tmp_path, cells)
        assert [str(p.error) for p in find_problems(path, TICK, 20).problems] == [first_error(path)]


@pytest.mark.parametrize("name", ["", "missing.csv", "missing/book.csv", "a" * 300])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert [str(problem.error) for problem in find_problems(path, TICK, 20).problems] == [first_error(path)]


def test_progress_is_reported(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = write(tmp_path, HEADER + "w,a,sell,1,0.001\n" * ROWS_PER_REPORT)
    find_problems(path, TICK, 20, lambda done, total: seen.append((done, total)))
    assert seen == [(ROWS_PER_REPORT + 1, ROWS_PER_REPORT + 1)]
