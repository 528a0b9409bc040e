"""The gateway against a Modbus TCP server process that speaks SunSpec: power, counter, faults, death and return."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from stowatt.gateway import Cause, Sample
from stowatt.gateway.sources import sunspec
from stowatt.gateway.sources.sunspec import Measure, NotSunSpec, SunSpecSource
from tests.gateway.market import ENVIRONMENT, market, stop, wait_until
from tests.ports import free_port

pytest.importorskip("pymodbus", reason="needs the extra stowatt[meter]")

SERVER = Path(__file__).with_name("modbus_server.py")
Start = Callable[..., subprocess.Popen[bytes]]


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts server processes, and ends them."""
    running: list[subprocess.Popen[bytes]] = []

    def started(port: int, began: float, watts: int, fault: str = "") -> subprocess.Popen[bytes]:
        words = [sys.executable, str(SERVER), str(port), str(began), str(watts), fault]
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        running.append(process)
        wait_until(lambda: listening(port))
        return process

    yield started
    for process in running:
        process.kill()
        process.wait()


def samples(source: SunSpecSource, count: int) -> list[Sample]:
    found: list[Sample] = []
    end = time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        found += source.poll(1.0)
    return found


def test_power_counter_and_faults_are_read_as_the_registers_say(start: Start) -> None:
    port, began = free_port(), time.time() - 3600
    server = start(port, began, 4000)
    source = SunSpecSource("127.0.0.1", port, period=0.1, timeout=1)
    try:
        one, two = samples(source, 2)
        most = Fraction(4000, 3600) * Fraction(time.time() - began) + Fraction(1, 10)  # Wh until now
        assert source.state == "connected to Stowatt test Battery 5"
        assert one.counter is not None and two.counter is not None
        made = one.counter.energy - Fraction(0xFFFF_0000, 10)
        assert 4000 <= made <= most
        assert (one.counter.step, one.counter.wraps_at) == (Fraction(1, 10), Fraction(2**32, 10))
        assert one.time is not None and one.time == one.received and one.power is None
        assert 0 <= two.counter.energy - one.counter.energy <= most - made
        server.kill()
        server.wait()
        assert source.poll(0.5) == [] or source.poll(0.5) == []
        assert source.state.startswith("no answer")
        start(port, time.time() - 3600, -4000, "power-only")
        (again,) = samples(source, 1)
        assert again.power == -4000 and again.counter is None
    finally:
        source.close()


def test_registers_that_are_not_implemented_are_sentinels(start: Start) -> None:
    port = free_port()
    start(port, time.time(), 4000, "not-implemented")
    for measure in Measure:
        source = SunSpecSource("127.0.0.1", port, period=0.1, measure=measure)
        (sample,) = samples(source, 1)
        source.close()
        assert (sample.fault, sample.power, sample.counter) == (Cause.SENTINEL, None, None)


def test_a_server_that_is_no_sunspec_device_is_one_clear_error(start: Start) -> None:
    port = free_port()
    start(port, time.time(), 4000)
    source = SunSpecSource("127.0.0.1", port, unit=9, period=0.1)
    with pytest.raises(NotSunSpec, match="no SunSpec map"):
        samples(source, 1)
    source.close()


def test_a_model_that_is_too_short_for_its_points_is_not_read(start: Start) -> None:
    port = free_port()
    start(port, time.time(), 4000, "short")
    source = SunSpecSource("127.0.0.1", port, period=0.1)
    with pytest.raises(NotSunSpec, match="one of 701, 103, 102, 101 is needed"):
        samples(source, 1)
    source.close()


def test_the_values_of_registers() -> None:
    assert [sunspec.signed(word) for word in (0, 0x7FFF, 0xFFFF, 0x8001, 0x8000)] == [0, 32767, -1, -32767, None]
    assert [sunspec.scale(word) for word in (0, 2, 0xFFFE, 11, 0x8000)] == [1, 100, Fraction(1, 100), None, None]
    assert sunspec.accumulated([0, 0]) is None
    assert sunspec.accumulated([0xFFFF, 0xFFFF]) is None
    assert sunspec.accumulated([1, 2]) == 65538
    assert sunspec.accumulated([0, 0, 0, 0]) == 0
    assert sunspec.accumulated([0xFFFF] * 4) is None


def test_the_places_of_the_points_are_those_of_the_alliances_own_models() -> None:
    """Against the model files that come with pysunspec2."""
    module = pytest.importorskip("sunspec2")
    folder = Path(module.__file__).parent / "models" / "json"
    names = {
        101: {"W": "power", "W_SF": "power_scale", "WH": "counter", "WH_SF": "counter_scale"},
        701: {"W": "power", "W_SF": "power_scale", "TotWhInj": "counter", "TotWh_SF": "counter_scale"},
        713: {"SoC": "soc", "Pct_SF": "soc_scale"},
        802: {"SoC": "soc", "SoC_SF": "soc_scale"},
    }
    names |= {102: names[101], 103: names[101]}
    assert set(names) == set(sunspec.MODELS)
    for number, points in names.items():
        place = -2  # number and length come first
        found = {}
        for point in json.loads((folder / f"model_{number}.json").read_text())["group"]["points"]:
            if point["name"] in points:
                found[points[point["name"]]] = place
                if points[point["name"]] == "counter":
                    assert point["size"] == sunspec.MODELS[number].counter_words
            place += point["size"]
        assert sunspec.MODELS[number].length <= place
        assert found == {name: getattr(sunspec.MODELS[number], name) for name in found}
        assert len(found) == len(points)


def test_from_a_modbus_device_to_the_chain_with_an_outage(start: Start, tmp_path: Path) -> None:
    """Two seconds a sub-slot; the device dies for longer than a sub-slot and returns."""
    port, began = free_port(), time.time()
    with market(tmp_path, length=4, sub_slot=2, commit_lead=40, reveal_lead=30, payment_lead=5, void_delay=10) as m:
        server = start(port, began, 18_000)  # 5 Wh a second
        gateway = m.start(f"modbus://127.0.0.1:{port}/1", "--poll", "0.25", "--max-gap", "1", "--patience", "1")
        wait_until(lambda: any(e.energy >= 9 for e in m.readings()), 60)
        server.kill()
        server.wait()
        time.sleep(2.2)
        known = len(m.readings())
        start(port, began, 18_000)
        wait_until(lambda: len(m.readings()) >= known + 1, 60)
        summary = stop(gateway)
        chain = m.energies()
    queue = summary["queue"]
    assert queue.keys() <= {"accepted", "sealed", "signed", "empty"}
    assert summary["samples"].keys() == {"used"}
    assert float(summary["unallocated_wh"]) > 10, "what was counted in the outage is known, but not when"
    assert summary["slots"]["incomplete"] >= 1
    assert max(chain.values()) <= 16  # ten, and what a poll on a busy machine may be late by: --max-gap, a second
    assert sum(chain.values()) <= summary["recorded_wh"]
    total = summary["recorded_wh"] + float(summary["pending_wh"]) + float(summary["unallocated_wh"])
    assert abs(total - float(summary["discharged_wh"])) < 1e-5
