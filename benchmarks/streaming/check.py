"""Whether what was cleared from a file is right, by the definitions of §3 and a pass over both files."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

GRID = 2**16
"""More ticks than the sample's books have."""
TICK = Decimal("0.0001")


def right(book: Path, fills: Path, told: dict[str, Any]) -> dict[str, bool]:
    """Price in the dual interval, largest volume, sold = bought = volume; `told` is the command's JSON."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    sums = np.zeros((2, GRID), dtype=np.int64)
    for batch in pq.ParquetFile(book).iter_batches(columns=["side", "price", "quantity"]):
        buys = np.asarray(pc.equal(batch.column("side"), "buy"))
        ticks, widths = _units(batch.column("price")), _units(batch.column("quantity"))
        for side in range(2):
            np.add.at(sums[side], ticks[buys == bool(side)], widths[buys == bool(side)])
    asks, bids = sums
    supply, demand = np.cumsum(asks), np.cumsum(bids[::-1])[::-1]
    dual = np.concatenate(([0], np.cumsum(supply[:-1] - demand[1:])))
    best = np.flatnonzero(dual == dual.min())
    volume = int(np.minimum(supply, demand).max())
    found = {"sell": 0, "buy": 0}
    for batch in pq.ParquetFile(fills).iter_batches():
        filled = np.asarray(batch.column("filled_wh"))
        for name in found:
            found[name] += int(filled[np.asarray(pc.equal(batch.column("side"), name))].sum())
    window = told["windows"][0]
    price = Decimal(window["price"]) / TICK
    return {"price": int(best[0]) <= price <= int(best[-1]), "volume": window["volume_wh"] == volume,
            "balance": found["sell"] == found["buy"] == volume}  # fmt: skip


def _units(column: Any) -> Any:
    """A decimal column as integers of its last place: the lower half of 128 bits, little-endian."""
    words = np.frombuffer(column.buffers()[1], dtype=np.int64)[::2]
    return words[column.offset : column.offset + len(column)]
