"""Books for the tests of `stowatt.bulk`: rows, written as Parquet in one of many ways."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stowatt.data.decimals import WH_IN_KWH, DecimalUnit

TICK = DecimalUnit.parse("0.0001")

Row = tuple[str, str, str, int, int]
"""window, participant, side, tick, Wh."""


def table_of(rows: list[Row], kind: str = "decimal", unit: DecimalUnit = TICK) -> pa.Table:
    """The rows as Arrow columns, prices and quantities as `kind`."""
    prices, quantities = [unit.text(row[3]) for row in rows], [WH_IN_KWH.text(row[4]) for row in rows]
    made: list[Any] = []
    for texts, places in ((prices, 4), (quantities, 3)):
        if kind == "decimal":
            made.append(pa.array([Decimal(text) for text in texts], pa.decimal128(24, places)))
        elif kind == "float":
            made.append(pa.array([float(text) for text in texts], pa.float64()))
        else:
            made.append(pa.array(texts, pa.string()))
    names = ("window", "participant", "side")
    columns = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)}
    return pa.table({**columns, "price": made[0], "quantity": made[1]})


def write(path: Path, rows: list[Row], kind: str = "decimal", group: int = 1000, **options: Any) -> Path:
    """A book file with so many rows in a row group."""
    pq.write_table(table_of(rows, kind), path, row_group_size=group, **options)
    return path


def fills_of(path: Path) -> dict[tuple[str, str], int]:
    """Filled Wh by window and participant."""
    table = pq.read_table(path)
    columns = (table[name].to_pylist() for name in ("window", "participant", "filled_wh"))
    found: dict[tuple[str, str], int] = defaultdict(int)
    for window, participant, filled in zip(*columns, strict=True):
        found[str(window).strip(), participant.strip()] += filled
    return found
