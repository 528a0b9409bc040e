"""Files that are replayed, addresses, values and the clock: what is refused, and with which words."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stowatt.gateway import Cause, ClockWatch, Gateway, QueueError, SlotQueue, SourceError
from stowatt.gateway.address import Address, parse_address
from stowatt.gateway.sources.replay import Replay, read_samples
from stowatt.gateway.values import parse_time, parse_value
from tests.gateway.makers import ORIGIN, RULES, at


def write(folder: Path, text: str) -> Path:
    file = folder / "day.csv"
    file.write_text(text)
    return file


def test_rows_of_a_csv_file_are_taken_as_they_are(tmp_path: Path) -> None:
    rows = [
        "timestamp,power_w,soc",
        "2024-01-01T00:00:00Z,1000.5,0.5",
        "2024-01-01 00:00:10,-3,",
        f"{ORIGIN + 20},,0.5",
        "soon,1,0.5",
        "2024-01-01T00:00:30Z,many,0.5",
        "2024-01-01T00:00:40Z,nan,0.5",
        "2024-01-01T00:00:50Z,1e400,0.5",
        "2024-01-01T01:01:00+01:00",
    ]
    samples = read_samples(write(tmp_path, "\n".join(rows)))
    assert [sample.power for sample in samples[:2]] == [Fraction(2001, 2), -3]
    assert [sample.time for sample in samples[:3]] == [at(0), at(10), at(20)]
    assert [sample.fault for sample in samples] == [None, None, Cause.MISSING, *[Cause.MALFORMED] * 5]
    assert samples[0].length is None
    assert read_samples(write(tmp_path, rows[0] + "\n" + rows[1]), charge_positive=True)[0].power == -Fraction(2001, 2)


def test_a_column_of_intervals_makes_means_and_counters_are_counters(tmp_path: Path) -> None:
    rows = "interval_start,power_kw\n2024-01-01T00:00Z,1\n2024-01-01T00:15Z,2\n2024-01-01T02:00Z,3\n"
    samples = read_samples(write(tmp_path, rows))
    assert {sample.length for sample in samples} == {900_000_000}
    assert {sample.length for sample in read_samples(write(tmp_path, rows), interval=60)} == {60_000_000}
    assert {sample.length for sample in read_samples(write(tmp_path, rows), interval=0)} == {None}
    (sample,) = read_samples(write(tmp_path, "interval_start,energy_wh\n2024-01-01T00:00Z,12.5\n"))
    assert sample.counter is not None and sample.counter.energy == Fraction(25, 2) and sample.length is None


def test_a_parquet_file_without_zones_means_utc(tmp_path: Path) -> None:
    table = pl.DataFrame({"timestamp": [datetime(2024, 1, 1), None], "power_w": [1.5, 2.5], "home": ["a", "a"]})
    table.write_parquet(tmp_path / "day.parquet")
    samples = read_samples(tmp_path / "day.parquet", home="a")
    assert samples[0].time == at(0) and samples[0].power == Fraction(3, 2)
    assert samples[1].fault is Cause.MALFORMED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("timestamp\n1\n", "lacks a column"),
        ("power_w\n1\n", "lacks a column"),
        ("timestamp,power_w,power_kw\n", "has power_w and power_kw"),
        ("timestamp,timestamp,power_w\n", "has timestamp"),
        ('timestamp,power_w\n"1,2\n', "no CSV file"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_samples(write(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_samples(tmp_path / "none.csv")
    with pytest.raises(SourceError, match="cannot be read"):
        read_samples(tmp_path / "none.parquet")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SourceError, match="no Parquet file"):
        read_samples(tmp_path / "x.parquet")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="UTF-8"):
        read_samples(tmp_path / "x.csv")
    with pytest.raises(SourceError, match="no column home"):
        read_samples(write(tmp_path, "timestamp,power_w\n"), home="a")


def test_a_replay_goes_on_where_it_was_and_only_with_the_same_rows(tmp_path: Path) -> None:
    rows = "timestamp,power_w\n" + "".join(f"{ORIGIN + 10 * n},3600\n" for n in range(61))
    file = write(tmp_path, rows)
    with SlotQueue(tmp_path / "queue", "x") as queue:
        gateway = Gateway(Replay(file), RULES, queue)
        gateway.step()
        assert gateway.normaliser.accounts.received == 32
        again = Gateway(Replay(file), RULES, queue)
        while not again.source.ended:
            again.step()
        again.finish()
        assert [row.energy for row in queue.rows()] == [300, 300]
        assert again.normaliser.accounts.samples == {"used": 61}
        with pytest.raises(SourceError, match="another file"):
            Gateway(Replay(file, start=ORIGIN + 900), RULES, queue)
        file.write_text(rows.replace("3600", "3601"))
        with pytest.raises(SourceError, match="another file"):
            Gateway(Replay(file), RULES, queue)


def test_a_queue_of_a_live_meter_takes_no_replay(tmp_path: Path) -> None:
    file = write(tmp_path, f"timestamp,power_w\n{ORIGIN},1\n")
    with SlotQueue(tmp_path / "queue", "x") as queue:
        queue.commit([], state=Gateway(Replay(file), RULES, queue).normaliser.encode(), cursor="")
        with pytest.raises(QueueError, match="live meter"):
            Gateway(Replay(file), RULES, queue)
        queue.set(state="{}", cursor="1 x")
        with pytest.raises(QueueError, match="state cannot be read"):
            Gateway(Replay(file), RULES, queue)


def test_a_paced_replay_waits_for_the_clock(tmp_path: Path) -> None:
    file = write(tmp_path, "interval_start,power_w\n2024-01-01T00:00Z,1\n2024-01-01T00:15Z,2\n")
    now = [ORIGIN + 899]
    replay = Replay(file, now=lambda: now[0])
    assert list(replay.poll(0.01)) == []
    now[0] = ORIGIN + 900
    assert len(replay.poll(0.01)) == 1 and not replay.ended
    now[0] = ORIGIN + 5000
    assert len(replay.poll(0.01)) == 1 and replay.ended


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("modbus://10.0.0.5", Address("modbus", "10.0.0.5", 502, "", 1)),
        ("modbus://[::1]:1502/17", Address("modbus", "::1", 1502, "", 17)),
        ("mqtt://broker/home/5/battery", Address("mqtt", "broker", 1883, "home/5/battery")),
        ("mqtts://broker:8884/a%20b", Address("mqtts", "broker", 8884, "a b")),
        ("day.csv", Address("file", path="day.csv")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://x", "no source"),
        ("modbus://", "no source"),
        ("modbus://x/256", "no Modbus unit"),
        ("modbus://x/one", "no Modbus unit"),
        ("modbus://x:99999", "no valid port"),
        ("mqtt://x", "not the topic"),
        ("mqtt://x/", "not the topic"),
        ("mqtt://x/home/+/battery", "not the topic"),
        ("mqtt://x/home/#", "not the topic"),
        ("mqtt://me:secretword@x/topic", "user or a password"),
    ],
)
def test_addresses_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(SourceError, match=words) as error:
        parse_address(text)
    assert "secretword" not in str(error.value)


@pytest.mark.parametrize("value", [True, "x", "1e31", "9" * 41, float("inf"), Decimal("NaN"), [], object(), "1,5"])
def test_numbers_that_are_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        parse_value(value)


def test_numbers_and_times_are_exact() -> None:
    assert parse_value(" ") is None and parse_value(None) is None
    assert parse_value("0.1") == Fraction(1, 10) and parse_value(0.1) == Fraction(0.1) != Fraction(1, 10)
    assert parse_time("2024-01-01T00:00:00.000001Z") == ORIGIN * 1_000_000 + 1
    assert parse_time(Decimal("1704067200.5")) == ORIGIN * 1_000_000 + 500_000
    assert parse_time(datetime(2024, 1, 1, tzinfo=UTC)) == ORIGIN * 1_000_000
    for wrong in ("", None, True, -1, "24-1-1", "1969-12-31T00:00:00Z", 2**41, "x" * 50):
        with pytest.raises(ValueError):
            parse_time(wrong)


def test_the_clock_watch_sees_steps_and_not_drift() -> None:
    wall, steady = [1000.0], [0.0]
    watch = ClockWatch(lambda: wall[0], lambda: steady[0])
    for wall_step, steady_step, jumped in ((5, 5, False), (6.9, 5, False), (5, 5, False), (65, 5, True), (5, 5, False)):
        wall[0] += wall_step
        steady[0] += steady_step
        assert watch.jumped() is jumped
    wall[0] -= 3600
    assert watch.jumped() and watch.last_jump == -3600
    assert watch.now() == round(wall[0] * 1_000_000)


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from stowatt.gateway.sources.mqtt import MqttSource
    from stowatt.gateway.sources.sunspec import SunSpecSource

    monkeypatch.setitem(sys.modules, "pymodbus.client", None)
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(SourceError, match=r"pymodbus is not installed; run pip install 'stowatt\[meter\]'"):
        SunSpecSource("127.0.0.1")
    with pytest.raises(SourceError, match="paho-mqtt is not installed"):
        MqttSource("127.0.0.1", 1883, "x", client_id="x")
