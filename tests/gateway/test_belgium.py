"""The Belgian file as it is: its sentinels, holes and energies against counts made without the gateway.

The file is not part of the project (GPL); it is read from the shared data where it is there.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from stowatt.gateway import Gateway, Rules, SlotQueue
from stowatt.gateway.sources.replay import Replay, read_samples
from tests.gateway.makers import ORIGIN

DATA = Path(os.environ.get("STOWATT_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FILE = DATA / "bess_belgium_15min.parquet"
EXPORT_W = {"belgium_1": 3200, "belgium_2": 2500, "belgium_3": 4000, "belgium_5": 2500}
"""Discharge power of bess_belgium_devices.csv."""

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason=f"no {FILE.name}: put it into shared/data or set STOWATT_SHARED_DATA"
)


@pytest.mark.parametrize("home", sorted(EXPORT_W))
def test_every_row_and_every_watt_hour_is_accounted_for(home: str, tmp_path: Path) -> None:
    rules = Rules(ORIGIN, 900, 1, 1_000_000, EXPORT_W[home])
    with SlotQueue(tmp_path / "queue", home) as queue:
        gateway = Gateway(Replay(FILE, home=home), rules, queue)
        while not gateway.source.ended:
            gateway.step()
        gateway.finish()
        assert gateway.normaliser.balanced
        accounts = gateway.normaliser.accounts
        rows = queue.rows()

    table = pl.read_parquet(FILE).filter(pl.col("home") == home)
    kw, soc = pl.col("battery_kw"), pl.col("soc")
    sentinel = kw.is_not_null() & ((kw - 65.535).abs() < 0.0005)
    sentinel_soc = kw.is_not_null() & ~sentinel & (soc > 6).fill_null(False)
    above = kw.is_not_null() & ~sentinel & ~sentinel_soc & (kw > EXPORT_W[home] * 1.01 / 1000)
    valid = table.filter(kw.is_not_null() & ~sentinel & ~sentinel_soc & ~above)
    expected = {
        "missing": table.filter(kw.is_null()).height,
        "sentinel": table.filter(sentinel).height,
        "sentinel_soc": table.filter(sentinel_soc).height,
        "out_of_range": table.filter(above).height,
        "used": valid.height,
    }
    assert accounts.received == table.height == 15_458
    assert dict(accounts.samples) == {cause: count for cause, count in expected.items() if count}
    assert 139 <= accounts.samples["missing"] <= 480
    if home == "belgium_1":
        assert (accounts.fields["power_sentinel"], accounts.fields["soc_sentinel"]) == (12, 13)
        assert (accounts.samples["sentinel"], accounts.samples["sentinel_soc"]) == (12, 2)

    powers = [Fraction(value) * 1000 for value in valid["battery_kw"].to_list()]
    discharged = sum((value for value in powers if value > 0), Fraction(0)) / 4
    charged = sum((-value for value in powers if value < 0), Fraction(0)) / 4
    assert accounts.discharged == discharged
    assert accounts.charged == charged
    assert sum(row.energy for row in rows) == accounts.recorded
    assert accounts.recorded + accounts.capped + gateway.normaliser.slots.carry == discharged
    assert gateway.normaliser.slots.carry < 1

    assert sum(row.state == "sealed" for row in rows) == valid.height
    span = (table["interval_start_utc"].max() - table["interval_start_utc"].min()).total_seconds() / 900 + 1  # type: ignore[operator,union-attr]
    assert accounts.slots["empty"] == span - valid.height
    hole = 7 * 86_400 + 15 * 3600 - 900
    assert accounts.gap_time == ((table.height - valid.height) * 900 + hole) * 1_000_000
    print(f"{home}: {dict(accounts.samples)}, {accounts.recorded} Wh, capped {accounts.capped}")


def test_shorter_sub_slots_change_nothing_in_the_sum() -> None:
    """Five minutes instead of fifteen: the same energy, three records for each row."""
    from stowatt.gateway import Normaliser

    normaliser = Normaliser(Rules(ORIGIN, 300, 3, 3_000_000, 3200))
    samples = read_samples(FILE, home="belgium_1")
    records = [record for sample in samples for record in normaliser.feed(sample)]
    assert normaliser.balanced
    sealed = [record for record in records if not record.empty]
    assert len(sealed) == 3 * normaliser.accounts.samples["used"]
    assert all(record.measured == 300_000_000 for record in sealed)


def test_a_home_must_be_named() -> None:
    from stowatt.gateway import SourceError

    with pytest.raises(SourceError, match="belgium_5"):
        Replay(FILE)
    with pytest.raises(SourceError, match="no home 'belgium_4'"):
        Replay(FILE, home="belgium_4")
