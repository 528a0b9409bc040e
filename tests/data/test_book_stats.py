"""The figures of a book file agree with its clearing and with plain counting."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stowatt.clearing import Book, Rules, clear
from stowatt.curves import Side
from stowatt.data.book_file import read_book
from stowatt.data.book_sample import Sample, write_sample
from stowatt.data.book_stats import BookStats, SideStats, WindowStats, book_stats, infer_tick_size
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import BookFileError, StowattError
from tests.data.test_book_file import HEADER, UGLY, write

TICK = DecimalUnit.parse("0.0001")
WHOLE = DecimalUnit.parse("1")


def stats(folder: Path, rows: str, unit: DecimalUnit = WHOLE) -> BookStats:
    return book_stats(write(folder, HEADER + rows), unit)


def plain_side(book: Book, side: Side) -> SideStats:
    """The same by counting every Wh."""
    curves = [curve for _, curve in book.bids if curve.side is side]
    segments = sorted(segment for curve in curves for segment in curve.segments)
    wh = [tick for tick, width in segments for _ in range(width)]
    prices = tuple(wh[max(1, -(-quarter * len(wh) // 4)) - 1] for quarter in range(5)) if wh else None
    return SideStats(len(curves), len(segments), len(wh), prices)  # type: ignore[arg-type]


def assert_agrees(window: WindowStats, book: Book) -> None:
    """With the clearing of the same window."""
    result = clear(book, Rules())
    assert (window.price, window.lowest, window.highest) == (result.price, result.lowest, result.highest)
    assert window.volume == result.volume
    assert (window.sell_at_price.cohort, window.buy_at_price.cohort) == (result.supply, result.demand)
    for side, at in (Side.SELL, window.sell_at_price), (Side.BUY, window.buy_at_price):
        held = (
            [curve.at(result.price) for _, curve in book.bids if curve.side is side] if result.price is not None else []
        )
        assert at.segments == sum(width > 0 for width in held)


CURVE = st.tuples(
    st.sampled_from(["sell", "buy"]),
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9)), min_size=1, max_size=4),
)
BOOKS = st.dictionaries(st.sampled_from("vw"), st.dictionaries(st.sampled_from("abcde"), CURVE, min_size=1), min_size=1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=BOOKS)
def test_small_books_with_ties_agree_with_clearing_and_counting(
    tmp_path: Path, drawn: dict[str, dict[str, tuple[str, list[tuple[int, int]]]]]
) -> None:
    rows = "".join(
        f"{window},{participant},{side},{tick},0.00{width}\n"
        for window, bids in drawn.items()
        for participant, (side, steps) in bids.items()
        for tick, width in steps
    )
    found = stats(tmp_path, rows)
    books = read_book(tmp_path / "book.csv", WHOLE)
    assert [window.name for window in found.windows] == list(books)
    for window, book in zip(found.windows, books.values(), strict=True):
        assert (window.sell, window.buy) == (plain_side(book, Side.SELL), plain_side(book, Side.BUY))
        assert_agrees(window, book)
    assert found.participants == len({name for bids in drawn.values() for name in bids})
    assert found.rows == rows.count("\n")


@pytest.mark.parametrize("name", ["sample.csv", "sample.parquet"])
def test_a_sample_agrees_with_its_clearing(tmp_path: Path, name: str) -> None:
    write_sample(tmp_path / name, Sample(3_001, 4, 8))
    found = book_stats(tmp_path / name, TICK)
    books = read_book(tmp_path / name, TICK)
    assert (found.rows, len(found.windows)) == (3_001, 4)
    for window, book in zip(found.windows, books.values(), strict=True):
        assert_agrees(window, book)
    assert found.sell.wh == sum(book.total(Side.SELL) for book in books.values())
    assert found.sell.segments + found.buy.segments == 3_001


def test_ties_and_who_shares(tmp_path: Path) -> None:
    window = stats(tmp_path, "w,a,sell,3,1\nw,b,sell,3,1\nw,c,buy,5,1.5\nw,d,buy,3,0.1\n").windows[0]
    assert (window.sell_at_price.segments, window.sell_at_price.shares) == (2, True)
    assert (window.buy_at_price.segments, window.buy_at_price.shares) == (1, False)
    assert window.tied


@pytest.mark.parametrize(
    ("rows", "ask", "bid", "price"),
    [
        ("w,a,sell,2,1\nw,b,buy,2,1\n", 2, 2, 2),
        ("w,a,sell,3,1\nw,b,buy,2,1\n", 3, 2, None),
        ("w,a,sell,3,1\n", 3, None, None),
        ("w,b,buy,2,1\n", None, 2, None),
        ("w,a,sell,0,1\nw,b,buy,0,1\n", 0, 0, 0),
    ],
)
def test_overlap(tmp_path: Path, rows: str, ask: int | None, bid: int | None, price: int | None) -> None:
    window = stats(tmp_path, rows).windows[0]
    assert (window.best_ask, window.best_bid, window.price) == (ask, bid, price)


def test_a_book_without_rows(tmp_path: Path) -> None:
    empty = SideStats(0, 0, 0, None)
    assert stats(tmp_path, "") == BookStats(0, 0, empty, empty, [])


def test_huge_numbers(tmp_path: Path) -> None:
    rows = "".join(f"w,p{n},{'buy' if n % 2 else 'sell'},4294967295,4294967.295\n" for n in range(200))
    found = stats(tmp_path, rows)
    assert found.sell.wh == 100 * (2**32 - 1)
    assert found.windows[0].price == 2**32 - 1
    assert_agrees(found.windows[0], read_book(tmp_path / "book.csv", WHOLE)["w"])


@pytest.mark.parametrize("data", [case[0] for case in UGLY.values()], ids=list(UGLY))
def test_a_bad_file_is_the_error_of_clear(tmp_path: Path, data: str | bytes) -> None:
    path = write(tmp_path, data)
    with pytest.raises(StowattError) as clearing:
        read_book(path, TICK)
    with pytest.raises(BookFileError) as here:
        book_stats(path, TICK)
    assert str(here.value) == str(clearing.value)


class TestTickSize:
    """The tick size that the prices suggest."""

    @pytest.mark.parametrize(
        ("prices", "size"),
        [
            ((), "1"),
            (("0",), "1"),
            (("0.000",), "1"),
            (("5", "10"), "1"),
            (("0.30", "0.1000"), "0.1"),
            (("0.3", " 0.125 ", "x", "", "nan"), "0.001"),
            (("3e-4",), "0.0001"),
            (("1e3",), "1"),
            (("1e-30",), "0.000000000000000001"),
        ],
    )
    def test_is_the_coarsest_power_of_ten(self, tmp_path: Path, prices: tuple[str, ...], size: str) -> None:
        path = write(tmp_path, HEADER + "".join(f"w,p{n},sell,{price},1\n" for n, price in enumerate(prices)))
        assert infer_tick_size(path).text(1) == size

    def test_is_that_of_a_sample(self, tmp_path: Path) -> None:
        write_sample(tmp_path / "sample.parquet", Sample(500, 1, 0))
        assert infer_tick_size(tmp_path / "sample.parquet") == TICK
