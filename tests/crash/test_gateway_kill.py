"""kill -9 of `stowatt meter run` in the middle of a day: every sub-slot is on the chain once, with the right Wh.

`make crash` replays a day of the Belgian file if the shared data are there; else it is an invented one with all faults
of that file. The chain is a process too; its clock is moved through the day while gateways live and die.
"""

from __future__ import annotations

import csv
import os
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from tests.gateway.market import market, outcome, wait_until

FULL = bool(os.environ.get("STOWATT_FULL"))
TRIALS = 20 if FULL else 3
pytestmark = pytest.mark.crash

DATA = Path(os.environ.get("STOWATT_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FILE = DATA / "bess_belgium_15min.parquet"
BEGINNING = datetime(2024, 4, 30, tzinfo=UTC)
ROWS = 96
SUB_SLOT, PER_WINDOW = 300, 3
FIRST_WINDOW = 1000
Row = tuple[str, str, str]


def belgian_day() -> list[Row]:
    """A day of much use, with 27 rows missing."""
    import polars as pl

    table = pl.read_parquet(FILE).filter(
        (pl.col("home") == "belgium_3")
        & pl.col("interval_start_utc").is_between(BEGINNING, BEGINNING + timedelta(days=1), closed="left")
    )
    columns = (table[name].to_list() for name in ("interval_start_utc", "battery_kw", "soc"))
    text = [[("" if cell is None else str(cell)) for cell in column] for column in columns]
    return list(zip(*text, strict=True))


def invented_day() -> list[Row]:
    """A day of discharging and charging, with a hole and the sentinels of power and state of charge."""
    chance = random.Random(3)
    rows = []
    for number in range(ROWS):
        at = (BEGINNING + timedelta(seconds=900 * number)).isoformat()
        kw, soc = f"{chance.uniform(-2, 3.2):.6f}", f"{chance.random():.4f}"
        if 30 <= number < 38:
            kw, soc = "", ""
        elif 38 <= number < 50:
            kw, soc = "65.535004", "6.5535"
        elif 50 <= number < 52:
            soc = "6.5535"
        rows.append((at, kw, soc))
    return rows


def expected(rows: Sequence[Row]) -> dict[tuple[int, int], int]:
    """Wh of each sub-slot, by hand: a good row is three sub-slots of equal energy, and rests are carried."""
    found, rest = {}, Fraction(0)
    for number, (_, kw, soc) in enumerate(rows):
        if not kw or abs(float(kw) - 65.535) < 0.0005 or (soc and float(soc) > 6):
            continue
        energy = max(Fraction(kw), Fraction(0)) * 1000 * SUB_SLOT / 3600
        for sub_slot in range(PER_WINDOW):
            rest += energy
            found[number, sub_slot] = int(rest)
            rest -= int(rest)
    return found


def test_a_gateway_that_is_killed_again_and_again_posts_each_sub_slot_once(tmp_path: Path) -> None:
    belgian = FULL and FILE.is_file()
    rows = belgian_day() if belgian else invented_day()
    assert len(rows) == ROWS
    file = tmp_path / "day.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([("interval_start_utc", "battery_kw", "soc"), *rows])
    wanted, chance = expected(rows), random.Random(2026)
    with market(tmp_path, reading_grace=10**6) as m:
        first = m.client.calendar.origin + FIRST_WINDOW * 900
        m.clock.set_time(first + 900 * (min(wanted)[0] + 2))
        words = [str(file), "--first-window", str(FIRST_WINDOW), "--pace", "chain"]
        life, born = m.start(*words), time.monotonic()
        wait_until(m.readings, 60)
        whole = time.monotonic() - born  # how long a gateway takes to come to work, on this machine
        at_work = 0
        for trial in range(TRIALS):
            known, target = len(m.readings()), first + 86_400 * (trial + 1) // (TRIALS + 1)
            begun = time.monotonic()
            # Every third at work for certain, even if the machine is busier than it was; the others at any moment.
            length, longest = whole * chance.uniform(0.6, 1.8), whole * (10 if trial % 3 == 0 else 0)
            while (spent := time.monotonic() - begun) < length or (spent < longest and len(m.readings()) == known):
                if m.ledger.time() < target:
                    m.clock.advance(900)
                time.sleep(0.1)
            life.kill()
            life.communicate()
            at_work += len(m.readings()) > known
            life = m.start(*words)
        m.clock.set_time(first + 86_400)
        summary = outcome(life, timeout=120)
        chain = {(window - FIRST_WINDOW, sub_slot): energy for (window, sub_slot), energy in m.energies().items()}
        assert chain == wanted
        delivered = sum(m.client.delivered(window + FIRST_WINDOW, m.device) for window in range(ROWS))
    assert delivered == sum(wanted.values()) == summary["recorded_wh"]
    assert summary["received"] == ROWS
    assert summary["queue"] == {"accepted": len(wanted), "empty": 3 * ROWS - len(wanted)}
    faults = {"missing": 27} if belgian else {"missing": 8, "sentinel": 12, "sentinel_soc": 2}
    assert summary["samples"] == {**faults, "used": ROWS - sum(faults.values())}
    assert at_work >= TRIALS // 3
    print(f"{TRIALS} kills, {at_work} of them after something was posted; {len(chain)} sub-slots, {delivered} Wh")
