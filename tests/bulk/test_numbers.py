"""Columns of prices and quantities are counted as `DecimalUnit.count` counts each of their texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.bulk.names import Names
from stowatt.bulk.numbers import Counter
from stowatt.data.book_parquet import exact_texts
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit
from stowatt.errors import StowattError
from stowatt.units import MAX_TICK

UNITS = st.sampled_from(["0.0001", "0.01", "1", "0.0025", "3", "10", "1e-18", "0.5", "1e18"]).map(DecimalUnit.parse)


def expected(column: Any, unit: DecimalUnit, least: int) -> list[int] | None:
    """What each text counts, or None if one of them has no count in range."""
    try:
        counts = [unit.count(text.strip()) for text in exact_texts("book", "price", column)]
    except StowattError:
        return None
    return (
        [c for c in counts if c is not None] if all(c is not None and least <= c <= MAX_TICK for c in counts) else None
    )


def check(column: Any, unit: DecimalUnit) -> None:
    for least in (0, 1):
        found = Counter(unit, least).counts(column)
        assert (None if found is None else found.tolist()) == expected(column, unit, least)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-3, 2**34), max_size=4), st.integers(0, 20), UNITS)
def test_decimals(mantissas: list[int], scale: int, unit: DecimalUnit) -> None:
    check(pa.array([Decimal(m).scaleb(-scale) for m in mantissas], pa.decimal128(38, scale)), unit)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 30_000), max_size=4), UNITS)
def test_integers(values: list[int], unit: DecimalUnit) -> None:
    check(pa.array(values, pa.int64()), unit)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats() | st.integers(0, 10**6).map(lambda n: n / 10_000), max_size=4), UNITS)
def test_floats(values: list[float], unit: DecimalUnit) -> None:
    check(pa.array(values, pa.float64()), unit)


@pytest.mark.parametrize(
    "kind", [pa.float32(), pa.float16(), pa.uint64(), pa.decimal256(50, 4), pa.string(), pa.int8()]
)
def test_other_types(kind: Any) -> None:
    text = pa.types.is_string(kind)
    values: list[Any] = ["0.25", " 2.5e-1", "7"] if text else [Decimal(1), Decimal(7)] if "256" in str(kind) else [1, 7]
    check(pa.array(values).cast(kind) if not text else pa.array(values), DecimalUnit.parse("0.0001"))
    check(pa.array([*values, None], kind), WH_IN_KWH)


@pytest.mark.parametrize("value", [2**64, 2**64 - 1, -1, 10**37])
def test_decimals_beyond_64_bits_are_refused(value: int) -> None:
    column = pa.array([Decimal(value)], pa.decimal128(38, 0))
    assert Counter(DecimalUnit.parse("1"), 0).counts(column) is None


def test_a_slice_of_a_column_counts_its_own_rows() -> None:
    column = pa.array([Decimal(n) for n in range(10)], pa.decimal128(9, 0))
    assert Counter(DecimalUnit.parse("1"), 0).counts(column.slice(3, 4)).tolist() == [3, 4, 5, 6]  # type: ignore[union-attr]


NAMES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1), max_size=6)


@settings(max_examples=200, deadline=None)
@given(NAMES, st.integers(0, 2**64 - 1))
def test_hashes_are_of_the_names_without_blanks(names: list[str], key: int) -> None:
    wanted = [name.strip(" \t") for name in names]
    found = Names.of(pa.array([f"\t {name} " for name in names], pa.string()))
    if not all(wanted):
        assert found is None
        return
    assert found is not None
    assert [found[place] for place in range(len(found))] == wanted
    hashes = found.hashes(key).tolist()
    assert len(set(hashes)) == len(set(wanted))
    for name, hash_ in zip(wanted, hashes, strict=True):
        alone = Names.of(pa.array([name], pa.string()))
        assert alone is not None
        assert alone.hashes(key).tolist() == [hash_]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x7f", "a\u2028b", "\x85", None])
def test_what_is_no_name(name: str | None) -> None:
    assert Names.of(pa.array(["ann", name], pa.string())) is None
