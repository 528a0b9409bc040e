"""Results of an invented scenario, as its tables: figures without meaning, of every kind that the page shows."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from stowatt.scenarios.results import FORMAT, Results

SCHEMES = ("none", "market", "shared-battery", "shared-storage", "optimum")
SHARES = ("captured_ppm", "of_everything_ppm")
ENERGIES = ("import_wh", "export_wh", "shared_wh", "charge_wh", "discharge_wh")


def results(days: int = 20, homes: int = 12, schemes: tuple[str, ...] = SCHEMES, *, traded: bool = True) -> Results:
    """`days` days of `homes` homes from 2016-01-01, on Berlin's clock."""
    random = np.random.default_rng(1)
    count = 96 * days
    start = datetime(2016, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    moments = [start + timedelta(minutes=15 * number) for number in range(count)]
    local = [moment.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) for moment in moments]
    hour = np.array([moment.hour + moment.minute / 60 for moment in local])
    season = 1 - np.cos(2 * np.pi * np.arange(count) / 35040)
    load = (homes * (60 + 90 * np.exp(-(((hour - 19) / 3) ** 2))) * random.uniform(0.8, 1.2, count)).astype(np.int64)
    pv = (homes * 250 * (0.3 + season) * np.clip(np.cos((hour - 13) * np.pi / 12), 0, None) ** 2).astype(np.int64)
    volume = ((hour > 17) * (season + 0.2) * homes * 20 * random.uniform(0, 1, count)).astype(np.int64)
    if not traded or "market" not in schemes:
        volume[:] = 0
    price = (180_000 + 40_000 * np.sin(np.arange(count) / 900) + random.uniform(0, 60_000, count)).astype(np.int64)
    columns: dict[str, object] = {
        "window": np.arange(count, dtype=np.int32),
        "start": moments,
        "local": local,
        "retail": np.where((hour >= 17) & (hour < 22), 380_000, 300_000),
        "load_wh": load,
        "pv_wh": pv,
        "price": pl.Series(price, dtype=pl.Int64).set(pl.Series(volume == 0), None),
        "volume_wh": volume,
        "supply_wh": volume * 2,
        "demand_wh": volume * 3,
        "welfare": volume * 100_000,
    }
    for number, name in enumerate(schemes):
        shared = volume if name != "none" else volume * 0
        net = load - pv - shared * (1 + number % 2)
        values = (np.clip(net, 0, None), np.clip(-net, 0, None), shared, np.clip(-net, 0, 500), shared)
        columns |= {f"{name}.{energy}": value for energy, value in zip(ENERGIES, values, strict=True)}
        columns[f"{name}.stored_wh"] = (homes * 4000 * (1 + np.sin(hour / 4 + number))).astype(np.int64)
    windows = pl.DataFrame(columns)
    return Results(_run(homes, days, volume, price), _schemes(schemes), windows, _homes(homes, schemes))


def _run(homes: int, days: int, volume: np.ndarray, price: np.ndarray) -> dict[str, object]:
    total = int(volume.sum())
    return {
        "format": FORMAT,
        "name": "Twelve <homes> & a battery",
        "scenario": {"name": "x", "community": {"source": "folder"}, "strategies": {"sellers": {"reserve": 0.8}}},
        "digest": "ab" * 32,
        "seeds": {"scenario": 1},
        "versions": {"stowatt": "0.1.0"},
        "seconds": {"market": 1.5},
        "assumptions": ["Everybody is at home.", "Nothing <breaks>."],
        "most": {"market": 450 * 10**9, "everything": 700 * 10**9},
        "market": {
            "volume_wh": total,
            "traded": int((volume > 0).sum()),
            "mean_price": int((volume * price).sum()) // total if total else None,
        },
        "community": {
            "homes": homes,
            "batteries": 3,
            "usable_wh": 30_000,
            "pv_homes": 4,
            "windows": 96 * days,
            "first": "2016-01-01 00:00",
            "last": str(date(2016, 1, 1) + timedelta(days=days - 1)),
            "load_wh": 1_234_567,
            "pv_wh": 765_432,
            "credit": "invented",
        },
    }


def _schemes(schemes: tuple[str, ...]) -> pl.DataFrame:
    rows = []
    for number, name in enumerate(schemes):
        gain = number * 150 * 10**9
        captured = None if "optimum" not in schemes or not number else number * 1_000_000 // max(1, len(schemes) - 1)
        energies = {energy: 1_000_000 * (number + 1) for energy in ENERGIES}
        shares: dict[str, int | None] = {
            "self_sufficiency_ppm": 400_000 + number,
            "peak_wh": 12_345,
            "winners": 10,
            "losers": number,
        }
        rows.append(
            {
                "scheme": name,
                "cost": 10**13 - gain,
                "gain": gain,
                **dict.fromkeys(SHARES, captured),
                **energies,
                **shares,
            }
        )
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(SHARES, pl.Int64))


def _homes(homes: int, schemes: tuple[str, ...]) -> pl.DataFrame:
    rows = []
    for scheme, name in enumerate(schemes):
        for home in range(homes):
            gain = scheme * (homes - 2 - home) * 5 * 10**9
            rows.append(
                {
                    "scheme": name,
                    "home": f"home {home}",
                    "is_home": True,
                    "usable_wh": 10_000 if home < 3 else 0,
                    "load_wh": 4_000_000,
                    "pv_wh": 0,
                    "cost": 900 * 10**9 - gain,
                    "gain": gain,
                }
            )
    return pl.DataFrame(rows)
