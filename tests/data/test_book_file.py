"""Book files: what is read, and that every ugly file is one error that names the row."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.clearing import Book
from stowatt.curves import Curve, Side
from stowatt.data.book_file import ROWS_PER_REPORT, read_book
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import BookFileError, StowattError

TICK = DecimalUnit.parse("0.0001")
HEADER = "window,participant,side,price,quantity\n"
GOOD = HEADER + "w1,ann,sell,0.0003,0.005\nw1,bob,buy,0.0007,0.010\n"
GOOD_BOOK = Book.of([("ann", Curve.of(Side.SELL, [(3, 5)])), ("bob", Curve.of(Side.BUY, [(7, 10)]))])


def write(folder: Path, data: str | bytes, name: str = "book.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def read(folder: Path, data: str | bytes) -> dict[str, Book]:
    return read_book(write(folder, data), TICK)


class TestCsv:
    """What is read from CSV."""

    @pytest.mark.parametrize(
        "data",
        [
            GOOD,
            GOOD.rstrip("\n"),
            GOOD.replace("\n", "\r\n"),
            GOOD.replace("\n", "\r"),
            "\ufeff" + GOOD,
            "\ufeff" + GOOD.replace("\n", "\r\n"),
            "\n\n" + GOOD.replace("\n", "\n\n") + " \n",
            GOOD.replace(",", " ,\t"),
            GOOD.replace("w1", '"w1"').replace("ann", '"ann"').replace("0.005", '"0.005"'),
            GOOD.replace("0.0003", "3e-4").replace("0.010", "+.01000000"),
            "quantity,note,price,side,participant,window\n0.005,x,0.0003,sell,ann,w1\n0.01,,0.0007,buy,bob,w1\n",
        ],
        ids=[
            "LF",
            "no last LF",
            "CRLF",
            "CR",
            "BOM",
            "BOM CRLF",
            "blank lines",
            "blanks",
            "quotes",
            "exponents",
            "columns",
        ],
    )
    def test_one_book_in_many_clothes(self, tmp_path: Path, data: str) -> None:
        assert read(tmp_path, data) == {"w1": GOOD_BOOK}

    def test_only_a_header_is_no_window(self, tmp_path: Path) -> None:
        assert read(tmp_path, HEADER) == read(tmp_path, HEADER.rstrip()) == {}

    def test_windows_and_participants_keep_the_order_of_first_appearance(self, tmp_path: Path) -> None:
        rows = "b,z,sell,1,1\na,y,buy,1,1\nb,x,buy,1,1\nb,z,sell,2,1\n"
        books = read(tmp_path, HEADER + rows)
        assert [(name, [bid.participant for bid in book.bids]) for name, book in books.items()] == [
            ("b", ["z", "x"]),
            ("a", ["y"]),
        ]

    def test_rows_of_a_curve_come_in_any_order_and_duplicates_are_merged(self, tmp_path: Path) -> None:
        rows = "w,a,sell,0.0009,0.001\nw,a,sell,0.0002,0.002\nw,a,sell,0.0009,0.004\nw,a,sell,0.00090,0.001\n"
        assert read(tmp_path, HEADER + rows)["w"].bids[0].curve.segments == ((2, 2), (9, 6))

    def test_a_participant_may_be_on_another_side_in_another_window(self, tmp_path: Path) -> None:
        assert len(read(tmp_path, HEADER + "w,a,sell,1,1\nv,a,buy,1,1\n")) == 2

    def test_names_in_any_script(self, tmp_path: Path) -> None:
        assert list(read(tmp_path, HEADER + '"17:00, Österreich",安娜,sell,1,1\n')) == ["17:00, Österreich"]

    def test_16_steps_of_the_widest_width(self, tmp_path: Path) -> None:
        rows = "".join(f"w,a,buy,{k},4294967.295\n" for k in range(16))
        assert read(tmp_path, HEADER + rows)["w"].total(Side.BUY) == 16 * (2**32 - 1)

    def test_progress_is_reported_on_long_files(self, tmp_path: Path) -> None:
        path, seen = write(tmp_path, HEADER + "w,a,sell,1,1\n" * (2 * ROWS_PER_REPORT)), []
        read_book(path, TICK, lambda done, total: seen.append((done, total)))
        assert seen == [(done + 1, 2 * ROWS_PER_REPORT + 1) for done in (ROWS_PER_REPORT, 2 * ROWS_PER_REPORT)]


UGLY = {
    "empty file": ("", "line 1: the file is empty"),
    "only a BOM": ("\ufeff", "line 1: the file is empty"),
    "only blank lines": ("\n \n", "line 1: the file is empty"),
    "only commas": (",,,,\n", "column 'window' is missing"),
    "missing column": ("window,participant,price,quantity\nw,a,1,1\n", "line 1: column 'side' is missing"),
    "no header": ("w,a,sell,1,1\n", "line 1: column 'window' is missing"),
    "semicolons": (GOOD.replace(",", ";"), "line 1: column 'window' is missing"),
    "duplicate header": ("window,participant,side,price,price,quantity\n", "line 1: column 'price' is there twice"),
    "text in price": (GOOD + "w1,c,buy,cheap,1\n", "line 4, column price: 'cheap' is not a number"),
    "text in quantity": (GOOD + "w1,c,buy,1,5 kWh\n", "line 4, column quantity: '5 kWh' is not a number"),
    "decimal comma": (
        GOOD + 'w1,c,buy,"0,2",1\n',
        "line 4, column price: '0,2' is not a number; write the decimal mark",
    ),
    "negative price": (GOOD + "w1,c,buy,-0.1,1\n", "line 4, column price: '-0.1' is negative"),
    "negative quantity": (GOOD + "w1,c,buy,0.1,-1\n", "line 4, column quantity: '-1' is negative"),
    "zero quantity": (GOOD + "w1,c,buy,0.1,0.000\n", "line 4, column quantity: '0.000' is zero"),
    "NaN": (GOOD + "w1,c,buy,NaN,1\n", "line 4, column price: 'NaN' is not a finite number"),
    "inf": (GOOD + "w1,c,buy,1,inf\n", "line 4, column quantity: 'inf' is not a finite number"),
    "no number": (GOOD + "w1,c,buy,,1\n", "line 4, column price: is empty"),
    "too fine a price": (
        GOOD + "w1,c,buy,0.12345,1\n",
        "line 4, column price: '0.12345' is not a whole number of ticks",
    ),
    "finer than 1 Wh": (
        GOOD + "w1,c,buy,1,0.0005\n",
        "line 4, column quantity: '0.0005' kWh is not a whole number of Wh",
    ),
    "10^9 kWh": (GOOD + "w1,c,buy,1,1000000000\n", "line 4, column quantity: '1000000000' kWh is too much"),
    "10^9 kWh in rows": (
        HEADER + "w,a,buy,1,4000000\n" * 2,
        "line 3, column quantity: 'a' has 8000000000 Wh at one price",
    ),
    "huge price": (GOOD + "w1,c,buy,1e12,1\n", "line 4, column price: '1e12' is too high"),
    "endless number": (GOOD + f"w1,c,buy,{'9' * 9999},1\n", "line 4, column price: '9999"),
    "unknown side": (GOOD + "w1,c,seller,1,1\n", "line 4, column side: 'seller' is no side; write sell or buy"),
    "header again": (GOOD + HEADER, "line 4, column side: 'side' is no side"),
    "no participant": (GOOD + "w1, ,buy,1,1\n", "line 4, column participant: is empty"),
    "no window": (GOOD + ",c,buy,1,1\n", "line 4, column window: is empty"),
    "too few cells": (GOOD + "w1,c,buy,1\n", "line 4: the row has 4 cells instead of 5: 'w1,c,buy,1'"),
    "too many cells": (GOOD + "w1,c,buy,1,1,1\n", "line 4: the row has 6 cells instead of 5"),
    "both sides": (GOOD + "w1,ann,buy,1,1\n", "line 4, column side: 'ann' already has a sell curve in window 'w1'"),
    "17 steps": (
        HEADER + "".join(f"w,a,sell,{k},1\n" for k in range(17)),
        "line 18, column price: 'a' has more than 16 prices",
    ),
    "Latin-1": (GOOD.encode() + b"w1,J\xfcrg,buy,1,1\n", "line 4: byte 0xfc is not UTF-8; save the file as UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "line 1: the file is UTF-16; save it as UTF-8"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00", "line 1: byte 0x89 is not UTF-8"),
    "NUL in a name": (GOOD + "w1,c\0d,buy,1,1\n", "line 4, column participant: 'c\\x00d' contains"),
    "line break in a name": (GOOD + 'w1,"c\nd",buy,1,1\n', "line 4, column participant: 'c\\nd' contains a line break"),
    "line break in a number": (GOOD + 'w1,c,buy,"1\n",1\n', "line 4, column price: '1\\n' is not a number"),
    "after a line break": (
        "window,participant,side,price,quantity,note\n" + 'w,a,sell,1,1,"one\ntwo"\nw,b,buy,x,1,\n',
        "line 4, column price: 'x' is not a number",
    ),
    "open quote": (GOOD + 'w1,"c,buy,1,1\nw1,d,buy,1,1\n', "line 4: the row is not valid CSV"),
    "text after a quote": (GOOD + 'w1,"c"d,buy,1,1\n', "line 4: the row is not valid CSV"),
    "open quote before a long file": (
        HEADER + 'w1,"c,buy,1,1\n' + "w1,d,buy,1,1\n" * 20_000,
        "line 2: the row is not valid CSV",
    ),
    "CRLF and an error": (GOOD.replace("\n", "\r\n") + "w1,c,buy,x,1\r\n", "line 4, column price: 'x'"),
    "blank lines and an error": (GOOD + "\n\nw1,c,buy,x,1\n", "line 6, column price: 'x'"),
}


@pytest.mark.parametrize("case", UGLY)
def test_an_ugly_file_is_one_error_that_names_the_row(tmp_path: Path, case: str) -> None:
    data, message = UGLY[case]
    path = write(tmp_path, data)
    with pytest.raises(BookFileError) as caught:
        read_book(path, TICK)
    assert message in str(caught.value).replace(f"{path}, ", "").replace(f"{path}: ", ""), str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.way_out
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(path))


class TestFilesThatAreNone:
    """A path that cannot be read."""

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(BookFileError, match="there is no such file"):
            read_book(tmp_path / "none.csv", TICK)

    def test_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(BookFileError, match="is a directory"):
            read_book(tmp_path, TICK)

    def test_a_name_with_nul(self) -> None:
        with pytest.raises(BookFileError, match="cannot be read"):
            read_book(Path("a\0b"), TICK)


def parquet(folder: Path, **columns: Any) -> Path:
    """GOOD as a Parquet file, with some columns changed."""
    rows: dict[str, Any] = {
        "window": ["w1", "w1"],
        "participant": ["ann", "bob"],
        "side": ["sell", "buy"],
        "price": ["0.0003", "0.0007"],
        "quantity": ["0.005", "0.010"],
    }
    path = folder / "book.parquet"
    pq.write_table(pa.table({**rows, **columns}), path)
    return path


class TestParquet:
    """What is read from Parquet, and what is refused with the row's number."""

    @pytest.mark.parametrize(
        "columns",
        [
            {},
            {"price": [Decimal("0.0003"), Decimal("0.0007")], "quantity": [Decimal("0.005"), Decimal("0.010")]},
            {"price": [0.0003, 0.0007], "quantity": [0.005, 0.01]},
            {"price": pa.array([0.0003, 0.0007], pa.float32()), "quantity": pa.array([0.005, 0.01], pa.float32())},
            {
                "side": pa.array(["sell", "buy"]).dictionary_encode(),
                "participant": pa.array(["ann", "bob"], pa.large_string()),
            },
            {"price": pa.array([Decimal("0.0003"), Decimal("0.0007")], pa.decimal256(60, 9))},
        ],
        ids=["text", "decimal", "float", "float32", "dictionary", "decimal256"],
    )
    def test_one_book_in_many_types(self, tmp_path: Path, columns: dict[str, Any]) -> None:
        assert read_book(parquet(tmp_path, **columns), TICK) == {"w1": GOOD_BOOK}

    def test_integers(self, tmp_path: Path) -> None:
        book = read_book(parquet(tmp_path, price=[1, 2], quantity=[3, 4], window=[5, 5]), TICK)["5"]
        assert book.bids[0].curve.segments == ((10_000, 3_000),)

    def test_times_as_windows(self, tmp_path: Path) -> None:
        noon = datetime.datetime(2026, 5, 1, 12, 15)
        (window,) = read_book(parquet(tmp_path, window=[noon, noon]), TICK)
        assert window.startswith("2026-05-01 12:15:00")

    def test_is_recognised_by_its_content_too(self, tmp_path: Path) -> None:
        path = parquet(tmp_path).rename(tmp_path / "book.data")
        assert read_book(path, TICK) == {"w1": GOOD_BOOK}

    def test_no_rows(self, tmp_path: Path) -> None:
        path = parquet(tmp_path, **{name: pa.array([], pa.string()) for name in HEADER.strip().split(",")})
        assert read_book(path, TICK) == {}

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"price": [0.1 + 0.2, 1.0]}, "row 1, column price: '0.30000000000000004' is not a whole number of ticks"),
            ({"price": [1.0, float("nan")]}, "row 2, column price: 'nan' is not a finite number"),
            ({"price": [1.0, None]}, "row 2, column price: is empty"),
            ({"price": ["1", None]}, "row 2, column price: is empty"),
            ({"quantity": [1, -1]}, "row 2, column quantity: '-1' is negative"),
            ({"quantity": [Decimal("1"), Decimal("0.0001")]}, "row 2, column quantity: '0.0001' kWh is not a whole"),
            ({"quantity": [True, False]}, "column quantity: is of type bool"),
            ({"participant": ["a", "a"]}, "row 2, column side: 'a' already has a sell curve"),
        ],
    )
    def test_refused(self, tmp_path: Path, columns: dict[str, Any], message: str) -> None:
        with pytest.raises(BookFileError) as caught:
            read_book(parquet(tmp_path, **columns), TICK)
        assert message in str(caught.value)

    def test_a_missing_column(self, tmp_path: Path) -> None:
        path = tmp_path / "book.parquet"
        pq.write_table(pa.table({"window": ["w"], "side": ["buy"]}), path)
        with pytest.raises(BookFileError, match="column 'participant' is missing"):
            read_book(path, TICK)

    @pytest.mark.parametrize("data", [b"", b"PAR1", b"window,side\n", b"PAR1" + bytes(200) + b"PAR1"])
    def test_not_parquet(self, tmp_path: Path, data: bytes) -> None:
        with pytest.raises(BookFileError, match="not a readable Parquet file"):
            read_book(write(tmp_path, data, "book.parquet"), TICK)


cells = st.text(alphabet='w1a,"\n\r\0 \té.-e9', max_size=8)


@given(st.lists(st.lists(cells, max_size=6).map(",".join), max_size=5).map("\n".join), st.booleans())
def test_no_text_causes_anything_but_a_book_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: str, with_header: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(((HEADER if with_header else "") + text).encode())
    try:
        read_book(path, TICK)
    except StowattError as error:
        assert "\n" not in str(error)
