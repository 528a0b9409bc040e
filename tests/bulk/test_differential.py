"""A large clearing is `read_book` and `clear`, to the last Wh and the last word of an error, however it is cut."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.bulk import clear_large
from stowatt.clearing import PriceRule, Rationing, Rules, clear
from stowatt.data.book_file import read_book
from stowatt.errors import StowattError
from stowatt.parallel import Threads
from tests.bulk.books import TICK, Row, fills_of, write

SIDES = st.sampled_from(["sell", "buy"])
TICKS = st.one_of(st.integers(3, 6), st.integers(0, 2**32 - 1), st.integers(65_530, 65_545))
WIDTHS = st.one_of(st.integers(1, 9), st.integers(1, 2**32 - 1))
RULES = st.builds(Rules, st.sampled_from(list(PriceRule)), st.sampled_from(list(Rationing)), st.integers(0, 2**256 - 1))
OPTIONS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["decimal", "float", "text"]),
        "group": st.sampled_from([1, 3, 20, 1000]),
        "use_dictionary": st.booleans(),
    }
)


@st.composite
def books(draw: st.DrawFn) -> list[Row]:
    """Bids of a few participants in a few windows, mostly on one side each, in order or shuffled row by row."""
    rows: list[Row] = []
    for number in range(draw(st.integers(1, 12))):
        window, name = f"w{draw(st.integers(0, 2))}", f"p{draw(st.integers(0, 7))}"
        side = "sell" if int(name[1:]) % 2 else "buy"
        if draw(st.integers(0, 60)) == 0:
            side = draw(SIDES)
        ticks = draw(st.lists(TICKS, min_size=1, max_size=4 if number else 18))
        rows += [(window, name, side, tick, draw(WIDTHS)) for tick in ticks]
    return draw(st.permutations(rows)) if draw(st.booleans()) else rows


def outcome(action: Any) -> Any:
    """What an action gives, or the error that it raises."""
    try:
        return action()
    except StowattError as error:
        return str(error)


@settings(max_examples=100, deadline=None)
@given(books(), RULES, OPTIONS, st.sampled_from([1, 4, 10_000]), st.sampled_from([1, 2]))
def test_a_large_book_is_cleared_as_any_other(
    rows: list[Row], rules: Rules, options: dict[str, Any], in_part: int, workers: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, out = write(Path(folder) / "book.parquet", rows, **options), Path(folder) / "fills.parquet"
        wanted = outcome(lambda: {name: clear(book, rules) for name, book in read_book(path, TICK).items()})
        found = outcome(lambda: clear_large(path, TICK, rules, out, Threads(workers), rows_in_part=in_part))
        if isinstance(wanted, str):
            assert found == wanted
            assert [one.name for one in Path(folder).iterdir()] == ["book.parquet"]
            return
        assert list(found) == list(wanted)
        fills = fills_of(out)
        for name, result in wanted.items():
            for field in ("price", "lowest", "highest", "volume", "welfare", "dual", "gap"):
                assert getattr(found[name], field) == getattr(result, field), field
            assert {fill.participant: fill.quantity for fill in result.fills} == {
                participant: quantity for (window, participant), quantity in fills.items() if window == name
            }


@settings(max_examples=15, deadline=None)
@given(books(), RULES)
def test_no_byte_hangs_on_parts_or_workers(rows: list[Row], rules: Rules) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "book.parquet", rows, group=3)
        found = set()
        for in_part, workers in ((1, 2), (7, 1), (10_000, 1)):
            out = Path(folder) / f"{in_part}.parquet"
            error = outcome(partial(clear_large, path, TICK, rules, out, Threads(workers), rows_in_part=in_part))
            found.add(out.read_bytes() if out.exists() else error)
        assert len(found) == 1
