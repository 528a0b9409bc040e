"""What `clear --out` writes is read by Arrow and by Polars, however the book was written."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stowatt.bulk import clear_large
from stowatt.bulk.thrift import Reader
from stowatt.bulk.whole import footer_of
from stowatt.clearing import Rules, clear
from stowatt.data.book_file import COLUMNS, read_book
from stowatt.parallel import Threads
from tests.bulk.books import TICK, table_of

BY_ARROW: dict[str, dict[str, Any]] = {
    "as Arrow writes": {},
    "no compression": {"compression": "none"},
    "zstd, pages of version 2": {"compression": "zstd", "data_page_version": "2.0"},
    "gzip, no dictionaries": {"compression": "gzip", "use_dictionary": False},
    "page index": {"write_page_index": True},
    "checksums": {"write_page_checksum": True},
    "no Arrow schema": {"store_schema": False},
    "no statistics, format 1.0": {"write_statistics": False, "version": "1.0"},
    "tiny pages": {"data_page_size": 64, "dictionary_pagesize_limit": 64},
    "no names in lists": {"use_compliant_nested_type": False},
}
BY_POLARS: dict[str, dict[str, Any]] = {
    "as Polars writes": {},
    "Polars, lz4, tiny pages": {"compression": "lz4", "data_page_size": 64, "statistics": "full"},
}


def book_table(count: int = 300) -> pa.Table:
    """Bids, between columns of the user's own: nested, with nulls, times, dictionaries."""
    draw = random.Random(4)
    rows = [
        (f"w{number // 100}", f"p{number}", ("sell", "buy")[number % 2], draw.randint(5000, 5010), draw.randint(1, 900))
        for number in range(count)
    ]
    table = table_of(rows)
    own: list[tuple[str, Any]] = [
        ("tags", pa.array([None if n % 5 == 0 else [str(n)] * (n % 3) for n in range(count)], pa.list_(pa.string()))),
        ("place", pa.array([{"x": n, "y": None if n % 2 else n / 7} for n in range(count)])),
        ("at", pa.array(np.arange(count), pa.timestamp("us", tz="UTC"))),
        ("zone", pa.array([None if n % 9 == 0 else "ab"[n % 2] for n in range(count)]).dictionary_encode()),
    ]
    for place, (name, column) in enumerate(own):
        table = table.add_column(place * 2, name, column)
    return table


@pytest.mark.parametrize("way", [*BY_ARROW, *BY_POLARS])
def test_two_readers_find_the_book_and_its_fills(way: str, tmp_path: Path) -> None:
    table = book_table()
    book, fills = tmp_path / "book.parquet", tmp_path / "fills.parquet"
    if way in BY_ARROW:
        pq.write_table(table, book, row_group_size=70, **BY_ARROW[way])
    else:
        frame: Any = pl.from_arrow(table)
        frame.write_parquet(book, row_group_size=70, **BY_POLARS[way])

    rules = Rules()
    clear_large(book, TICK, rules, fills, Threads(1), rows_in_part=70)

    with_arrow, of_book = pq.read_table(fills), pq.read_table(book)
    assert with_arrow.drop_columns("filled_wh").equals(of_book)
    with_polars = pl.read_parquet(fills)
    assert with_polars.drop("filled_wh").equals(pl.read_parquet(book))
    assert with_polars["filled_wh"].to_list() == with_arrow["filled_wh"].to_pylist() == expected(book, of_book, rules)


@pytest.mark.parametrize("way", BY_ARROW)
def test_the_files_of_a_folder_follow_one_another(way: str, tmp_path: Path) -> None:
    table = book_table()
    book, fills = tmp_path / "book", tmp_path / "fills.parquet"
    book.mkdir()
    for name, start in (("a", 0), ("b", 110)):
        part = table.slice(start, 110 if start == 0 else None)
        pq.write_table(part, book / f"{name}.parquet", row_group_size=70, **BY_ARROW[way])

    clear_large(book, TICK, Rules(), fills, Threads(1), rows_in_part=70)

    of_book = pa.concat_tables([pq.read_table(book / "a.parquet"), pq.read_table(book / "b.parquet")])
    assert pq.read_table(fills).drop_columns("filled_wh").to_pylist() == of_book.to_pylist()
    assert pl.read_parquet(fills).drop("filled_wh").equals(pl.read_parquet([book / "a.parquet", book / "b.parquet"]))


def test_page_indexes_still_point_to_their_pages(tmp_path: Path) -> None:
    """No reader here looks at them, but others find pages by them."""
    table = book_table()
    book, fills = tmp_path / "book", tmp_path / "fills.parquet"
    book.mkdir()
    for name in "ab":
        own = table.set_column(table.schema.get_field_index("window"), "window", pa.array([name] * len(table)))
        pq.write_table(own, book / f"{name}.parquet", row_group_size=70, write_page_index=True)

    clear_large(book, TICK, Rules(), fills, Threads(1), rows_in_part=70)

    footer, _ = footer_of(fills)
    data, looked_at = fills.read_bytes(), 0
    for group in footer[4][1][1]:
        for column in group[1][1][1]:
            if 4 not in column:  # the fills and the second file have none
                continue
            offset_index = Reader(data[column[4][1] :]).struct()
            first_page = offset_index[1][1][1][0]
            assert first_page[1][1] == column[3][1][9][1], "its first page is the chunk's first data page"
            looked_at += 1
    columns, groups = len(table.column_names), -(-len(table) // 70)
    assert looked_at == columns * groups + groups, "every leaf of the first file: a place has two"


def expected(book: Path, table: pa.Table, rules: Rules) -> list[int]:
    """Each bid's fill, by the clearing that holds the whole book; bids of one row each."""
    found = {
        (window, fill.participant): int(fill.quantity)
        for window, held in read_book(book, TICK).items()
        for fill in clear(held, rules).fills
    }
    windows, people = (table[name].to_pylist() for name in COLUMNS[:2])
    return [found[str(window), person] for window, person in zip(windows, people, strict=True)]
