"""A scheme's flows, brought down to what is kept: a column for each window, a row for each node, one row for all.

The whole flows of a year are gigabytes for all schemes; so each scheme is summed up and let go before the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from stowatt.data.homes import WINDOW
from stowatt.scenarios.accounts import Accounts
from stowatt.scenarios.community import Community, Int64s, Prices
from stowatt.scenarios.flows import TABLES, Flows
from stowatt.scenarios.market import MarketRecord
from stowatt.units import PPM

MONEY: Final = ("imported", "exported", "levy", "wear", "stored", "paid", "cost")
"""Parts of a node's cost, as `Accounts` names them."""
ALONE: Final = "none"
"""The scheme that gains are counted against."""
BOUNDED: Final = ("market", "optimum")
"""Schemes that have the freedoms of the optimum, and no others."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What is kept of a scheme."""

    columns: Mapping[str, Int64s]
    """By window, all nodes together: energy in Wh, `stored_wh` at the window's end."""
    homes: pl.DataFrame
    """By node."""

    @property
    def peak_wh(self) -> int:
        """The most that the community as a whole drew from the grid in one window."""
        return int((self.columns["import_wh"] - self.columns["export_wh"]).max())


def sums_of(name: str, community: Community, flows: Flows, accounts: Accounts) -> Sums:
    """Sums by window and by node."""
    homes = len(community.homes)
    columns = {kind: getattr(flows, kind).sum(axis=1) for kind in TABLES if kind not in ("given_wh", "taken_wh")}
    columns["shared_wh"] = flows.taken_wh[:, :homes].sum(axis=1)
    columns["stored_wh"] = flows.stored_wh[1:].sum(axis=1)
    more = np.zeros(len(flows.extra), np.int64)
    table = pl.DataFrame(
        {
            "scheme": [name] * flows.nodes,
            "home": [*community.homes, *flows.extra],
            "is_home": [True] * homes + [False] * len(flows.extra),
            "usable_wh": flows.storage(community).usable_wh,
            "load_wh": np.concatenate([community.load_wh.sum(axis=0), more]),
            "pv_wh": np.concatenate([community.pv_wh.sum(axis=0), more]),
            **{kind: getattr(flows, kind).sum(axis=0) for kind in TABLES},
            **{part: getattr(accounts, part) for part in MONEY},
        }
    )
    return Sums(columns, table)


def windows_table(
    community: Community, prices: Prices, record: MarketRecord | None, sums: Mapping[str, Sums]
) -> pl.DataFrame:
    """One row a window: prices, the market's book and trade, the community's energies by scheme."""
    count = community.windows
    start = pl.datetime_range(community.start, community.start + (count - 1) * WINDOW, WINDOW, eager=True)
    start = start.dt.cast_time_unit("us")
    if start.dtype.time_zone is None:  # type: ignore[attr-defined]
        start = start.dt.replace_time_zone("UTC")
    local = start.dt.convert_time_zone(ZoneInfo(community.zone).key).dt.replace_time_zone(None)
    nothing = np.zeros(count, np.int64)
    price = pl.Series("price", record.price if record else nothing, dtype=pl.Int64)
    table = pl.DataFrame(
        {
            "window": np.arange(count, dtype=np.int32),
            "start": start.dt.convert_time_zone(str(UTC)),
            "local": local,
            "retail": prices.retail,
            "load_wh": community.load_wh.sum(axis=1),
            "pv_wh": community.pv_wh.sum(axis=1),
            "price": price.set(price < 0, None) if record else price.set(price == 0, None),
            "volume_wh": record.volume if record else nothing,
            "supply_wh": record.offered if record else nothing,
            "demand_wh": record.asked if record else nothing,
            "missing_wh": record.missing if record else nothing,
            "welfare": record.welfare if record else nothing,
        }
    )
    columns = {f"{name}.{energy}": values for name, kept in sums.items() for energy, values in kept.columns.items()}
    return table.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def homes_table(community: Community, sums: Mapping[str, Sums], record: MarketRecord | None) -> pl.DataFrame:
    """One row a node and scheme, with its gain against no sharing and, of the market, what it did there."""
    table = pl.concat([kept.homes for kept in sums.values()])
    alone = sums[ALONE].homes.select("home", pl.col("cost").alias("alone"))
    table = (
        table.join(alone, on="home", how="left", maintain_order="left")
        .with_columns((pl.col("alone").fill_null(0) - pl.col("cost")).alias("gain"))
        .drop("alone")
    )
    if record is None:
        return table
    traded = pl.DataFrame(
        {
            "scheme": ["market"] * len(community.homes),
            "home": community.homes,
            "sold_wh": record.sold,
            "bought_wh": record.bought,
            "seller": [name or None for name in record.sellers],
            "buyer": [name or None for name in record.buyers],
        },
        schema_overrides={"seller": pl.String, "buyer": pl.String},
    )
    return table.join(traded, on=["scheme", "home"], how="left", maintain_order="left")


def row_of(name: str, accounts: Accounts, sums: Sums) -> dict[str, Any]:
    """A scheme's row, but for what takes the other schemes to know."""
    return {
        "scheme": name,
        "cost": accounts.total,
        **{part: int(getattr(accounts, part).sum()) for part in MONEY if part not in ("paid", "cost")},
        "import_wh": accounts.import_wh,
        "export_wh": accounts.export_wh,
        "shared_wh": accounts.shared_wh,
        "charge_wh": int(sums.columns["charge_wh"].sum()),
        "discharge_wh": accounts.discharge_wh,
        "cycles_milli": accounts.cycles_milli,
        "self_sufficiency_ppm": accounts.self_sufficiency_ppm,
        "self_consumption_ppm": accounts.self_consumption_ppm,
        "peak_wh": sums.peak_wh,
    }


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least that the community could cost, base units · Wh; None where it was not computed."""

    optimum: int | None = None
    """Under any scheme with the market's freedoms."""
    everything: int | None = None
    """Under any scheme at all."""


def schemes_table(rows: Sequence[dict[str, Any]], homes: pl.DataFrame, bounds: Bounds) -> pl.DataFrame:
    """One row a scheme, with its gain against no sharing, its share of what could be gained, and who gains and loses.

    `captured_ppm` is the share of the most that could be gained with the market's freedoms, for schemes that have no
    others; `of_everything_ppm` that of the most that any sharing could gain. Both are rounded down; none for no
    sharing, where nothing could be gained, or without the optimum.
    """
    costs = {row["scheme"]: row["cost"] for row in rows}
    found = []
    for row in rows:
        name, gain = row["scheme"], costs[ALONE] - row["cost"]
        own = homes.filter((pl.col("scheme") == name) & pl.col("is_home"))
        found.append(
            {
                **row,
                "gain": gain,
                "captured_ppm": _share(gain, costs[ALONE], bounds.optimum) if name in BOUNDED else None,
                "of_everything_ppm": None if name == ALONE else _share(gain, costs[ALONE], bounds.everything),
                "winners": int((own["gain"] > 0).sum()),
                "losers": int((own["gain"] < 0).sum()),
            }
        )
    return pl.DataFrame(found, schema_overrides=dict.fromkeys(("captured_ppm", "of_everything_ppm"), pl.Int64))


def _share(gain: int, alone: int, bound: int | None) -> int | None:
    return None if bound is None or bound >= alone else gain * PPM // (alone - bound)


def write_flows(path: Path, community: Community, flows: Flows) -> None:
    """Every window and node of a scheme, one row each, window by window."""
    names = [*community.homes, *flows.extra]
    parts: Sequence[tuple[str, Int64s]] = [(name, getattr(flows, name)) for name in TABLES]
    table = pl.DataFrame(
        {
            "window": np.repeat(np.arange(community.windows, dtype=np.int32), flows.nodes),
            "home": pl.Series(names, dtype=pl.Enum(names)).gather(np.tile(np.arange(flows.nodes), community.windows)),
            **{name: values.ravel() for name, values in parts},
            "stored_wh": flows.stored_wh[1:].ravel(),
        }
    )
    table.write_parquet(path, compression="zstd")
