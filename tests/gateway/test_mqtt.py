"""The gateway as a subscriber: messages of any kind, and a real broker process that loses and keeps them."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from stowatt.gateway import Cause, ClockWatch, Gateway, Normaliser, Rules, SlotQueue
from stowatt.gateway.sources.mqtt import MqttSource, read_message
from tests.gateway.broker import MISSING, Broker, available, broker
from tests.gateway.market import market, stop, wait_until

pytest.importorskip("paho.mqtt.client", reason="needs the extra stowatt[meter]")
needs_broker = pytest.mark.skipif(not available(), reason=MISSING)

TOPIC = "home/5/battery"
SECOND = 1_000_000
NOW = int(time.time()) // 300 * 300 - 3600
"""An hour ago, at a sub-slot's beginning."""
RULES = Rules(NOW // 900 * 900 - 86_400, 300, 3, 3_000_000, 5000)


def message(seconds: float, **values: Any) -> bytes:
    return json.dumps({"timestamp": NOW + seconds, **values}).encode()


def cause(payload: bytes, retained: bool = False) -> Cause:
    """The account of a message after two good ones."""
    normaliser = Normaliser(RULES)
    for good in (message(0, power_w=1000), message(10, power_w=1000)):
        normaliser.feed(read_message(good, NOW * SECOND))
    normaliser.feed(read_message(payload, (NOW + 3600) * SECOND, retained))
    (found,) = (normaliser.accounts.samples - normaliser.accounts.samples.__class__({"used": 2})).keys()
    return Cause(found)


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"null", b"[]", b"{}", b"12", b'"x"', b"{", b"\xff\xfe\x00", b"power_w=12", b"[" * 2000,
        b'{"power_w": 100}',
        b'{"timestamp": 1767225600}',
        b'{"timestamp": null, "power_w": 100}',
        b'{"timestamp": true, "power_w": 100}',
        b'{"timestamp": [1], "power_w": 100}',
        b'{"timestamp": "yesterday", "power_w": 100}',
        b'{"timestamp": -5, "power_w": 100}',
        b'{"timestamp": 1e300, "power_w": 100}',
        b'{"timestamp": NaN, "power_w": 100}',
        message(20, power_w="100"),
        message(20, power_w=True),
        message(20, power_w=[100]),
        message(20, power_w={"value": 100}),
        message(20, power_w=float("nan")),
        message(20, power_w=float("inf")),
        message(20, power_w=100, soc="full"),
        message(20, power_w=100, soc=float("nan")),
        message(20, power_w=100, energy_wh=100),
        b'{"timestamp": 1767225600, "power_w": 1e400}',
        b'{"timestamp": 1767225600, "power_w": 1e-400}',
        b'{"timestamp": 1767225600, "power_w": 1' + b"0" * 60 + b"}",
        b'{"timestamp": 1767225600, "power_w": 1, "power_w": 2}',
        b'{"timestamp": 1767225600, "power_w": 1, "x": "' + b"y" * 5000 + b'"}',
    ],
)  # fmt: skip
def test_what_is_not_of_the_form_is_malformed(payload: bytes) -> None:
    assert cause(payload) is Cause.MALFORMED


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (message(20, power_w=1000.5), Cause.USED),
        (message(20, power_w=-1000, soc=0.5, vendor={"x": [1]}), Cause.USED),
        (message(20, power_w=None), Cause.MISSING),
        (message(20, power_w=65535), Cause.SENTINEL),
        (message(20, power_w=65535.004), Cause.SENTINEL),
        (message(20, power_w=1000, soc=6.5535), Cause.SENTINEL_SOC),
        (message(20, power_w=1e20), Cause.OUT_OF_RANGE),
        (message(20, power_w=5051), Cause.OUT_OF_RANGE),
        (message(10, power_w=1000), Cause.DUPLICATE),
        (message(10, power_w=1000.001), Cause.CONFLICT),
        (message(3, power_w=1000), Cause.LATE),
        (message(3700, power_w=1000), Cause.AHEAD),
        (message(-90_000, power_w=1000), Cause.OUTSIDE),
        (message(20, energy_wh=-1), Cause.OUT_OF_RANGE),
        (b'{"timestamp": "9999-12-31T23:59:59.999999-23:59", "power_w": 100}', Cause.OUTSIDE),
    ],
)
def test_each_message_has_its_account(payload: bytes, expected: Cause) -> None:
    assert cause(payload) is expected


def test_a_retained_message_is_old_news() -> None:
    assert cause(message(10, power_w=1000), retained=True) is Cause.RETAINED
    assert cause(message(20, power_w=1000), retained=True) is Cause.USED
    assert cause(b"{", retained=True) is Cause.MALFORMED


def test_numbers_are_read_exactly() -> None:
    sample = read_message(b'{"timestamp": "2026-01-01T00:00:00.25+01:00", "power_w": 0.1, "soc": 0.3}', 0)
    assert sample.power == Fraction(1, 10) and sample.soc == Fraction(3, 10)
    assert sample.time == (1_767_225_600 - 3600) * SECOND + 250_000


# ---------------------------------------------------------------------- with a broker


class Publisher:
    """A meter with a clock of its own."""

    def __init__(self, port: int) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self._client = Client(CallbackAPIVersion.VERSION2, client_id="meter")
        self._client.username_pw_set("meter", "word")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, *payloads: bytes, retain: bool = False) -> None:
        for payload in payloads:
            self._client.publish(TOPIC, payload, qos=1, retain=retain).wait_for_publish(60)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class SetClock:
    """A wall clock that the test can set."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def running() -> Iterator[Broker]:
    with broker() as made:
        yield made


def connected(port: int, **options: Any) -> MqttSource:
    source = MqttSource("127.0.0.1", port, TOPIC, client_id="gateway", user="gateway", password="word", **options)
    wait_until(lambda: source.state == "connected")
    return source


def take(gateway: Gateway, count: int) -> None:
    """Steps until so many samples were taken since the queue was made."""
    wait_until(lambda: gateway.step(0.2) and gateway.normaliser.accounts.received >= count)


@needs_broker
def test_messages_wait_for_the_gateway_and_none_is_lost_or_counted_twice(running: Broker, tmp_path: Path) -> None:
    meter = Publisher(running.port)
    meter.send(message(-60, power_w=4000), retain=True)
    with SlotQueue(tmp_path / "queue", "x") as queue:
        clock = SetClock()
        gateway = Gateway(connected(running.port), RULES, queue, clock=ClockWatch(wall=clock))
        take(gateway, 1)
        meter.send(
            *(message(second, power_w=3600) for second in range(0, 100, 10)), b"{garbage", message(90, power_w=3600)
        )
        take(gateway, 13)
        assert gateway.normaliser.accounts.samples == {"retained": 1, "used": 10, "malformed": 1, "duplicate": 1}

        meter.send(message(100, power_w=3600), message(110, power_w=3600))
        source = gateway.source
        wait_until(lambda: len(source.poll(0.5)) > 0)  # taken from the broker, and the gateway dies before it stores
        source.close()
        meter.send(*(message(second, power_w=3600) for second in range(120, 310, 10)))

        again = Gateway(connected(running.port), RULES, queue, clock=ClockWatch(wall=clock))
        assert again.normaliser.accounts.received == 13
        wait_until(lambda: again.step(0.2) and again.normaliser.accounts.samples["used"] >= 31)
        samples = dict(again.normaliser.accounts.samples)
        assert samples.pop("retained") == 2
        assert samples == {"used": 31, "malformed": 1, "duplicate": 1}
        (row,) = queue.rows()
        assert (row.energy, row.marks) == (300, ())

        clock.ahead = 7.0
        again.step(0.1)
        assert again.normaliser.accounts.events == {"clock_jump": 1}
        meter.send(message(310, power_w=3600), message(320, power_w=3600), message(600, power_w=0))
        wait_until(lambda: again.step(0.2) and again.normaliser.accounts.samples["used"] >= 34)
        again.source.close()
        row = queue.rows()[-1]
        assert (row.energy, row.marks) == (10, ("clock_jump", "incomplete"))
        assert again.normaliser.balanced
    meter.close()


@needs_broker
def test_a_broker_that_dies_and_returns(running: Broker, tmp_path: Path) -> None:
    meter = Publisher(running.port)
    with SlotQueue(tmp_path / "queue", "x") as queue:
        source = connected(running.port)
        gateway = Gateway(source, RULES, queue)
        meter.send(message(0, power_w=3600), message(10, power_w=3600))
        take(gateway, 2)
        meter.close()
        running.kill()
        wait_until(lambda: not source.state.startswith("connected"))
        gateway.step(0.1)
        running.start()
        wait_until(lambda: source.state == "connected")
        meter = Publisher(running.port)
        meter.send(
            message(200, power_w=3600), message(210, power_w=0), message(260, power_w=0), message(300, power_w=0)
        )
        take(gateway, 6)
        (row,) = queue.rows()
        assert (row.energy, row.marks) == (20, ("incomplete",))
        assert gateway.normaliser.accounts.gap_time == 190 * SECOND
        source.close()
    meter.close()


@needs_broker
def test_a_password_that_the_broker_refuses_is_told_and_not_repeated(running: Broker) -> None:
    source = MqttSource("127.0.0.1", running.port, TOPIC, client_id="x", user="gateway", password="not the word")
    wait_until(lambda: source.state != "connecting")
    assert source.state != "connected" and "not the word" not in source.state
    assert list(source.poll(0.1)) == []
    source.close()


@needs_broker
def test_from_a_broker_to_the_chain_with_a_killed_gateway(running: Broker, tmp_path: Path) -> None:
    """kill -9 of the command; what the meter says meanwhile waits at the broker, and nothing is counted twice."""
    (tmp_path / "mqtt").touch(0o600)
    (tmp_path / "mqtt").write_text("word\n")
    with market(tmp_path, origin=NOW - 900, reading_grace=86_400) as m:
        words = [f"mqtt://127.0.0.1:{running.port}/{TOPIC}", "--mqtt-user", "gateway", "--mqtt-password-file", "mqtt"]
        words += ["--mqtt-session", "gateway"]
        connected(running.port).close()  # the session begins: from now on the broker keeps what the gateway misses
        meter = Publisher(running.port)
        meter.send(*(message(second, power_w=3600) for second in range(0, 400, 10)))
        gateway = m.start(*words)
        wait_until(m.readings, 60)
        meter.send(*(message(second, power_w=3600) for second in range(400, 800, 10)))
        gateway.kill()
        gateway.communicate()
        meter.send(*(message(second, power_w=3600) for second in range(800, 1510, 10)))
        gateway = m.start(*words)
        wait_until(lambda: len(m.readings()) == 5, 60)
        summary = stop(gateway)
        chain = m.energies()
    meter.close()
    assert summary["samples"].keys() <= {"used", "duplicate"}
    assert summary["samples"]["used"] == 151 and summary["gaps"] == 0, "not one message was lost"
    assert list(chain.values()) == [300] * 5
    assert summary["queue"] == {"accepted": 5}


@needs_broker
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_tls_trusts_the_given_certificates_only(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    with broker(key, certificate) as made:
        source = connected(made.port, tls=True, ca_file=certificate)
        source.close()
        stranger = MqttSource("127.0.0.1", made.port, TOPIC, client_id="y", user="gateway", password="word", tls=True)
        time.sleep(1)
        assert stranger.state != "connected"
        stranger.close()
