"""A meter that publishes to an MQTT broker.

One message is one sample, a JSON object:

| key                      | value                                                                            |
|--------------------------|----------------------------------------------------------------------------------|
| `timestamp`              | the meter's clock: RFC 3339 text, or unix seconds as a number                     |
| `power_w` or `energy_wh` | the power of the instant, W, positive = discharge; or a counter of discharged Wh  |
| `soc`                    | optional: state of charge, 0 … 1                                                  |

Other keys are ignored. QoS 1 and a persistent session: while the gateway is away the broker keeps the messages. A
message is acknowledged when its effect is on the disk, so none is lost; one that comes twice is a duplicate.
"""

from __future__ import annotations

import json
import queue
import ssl
import threading
import time
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stowatt.data.decimals import shown
from stowatt.gateway.errors import SourceError, extra_missing
from stowatt.gateway.samples import MICROSECONDS, Cause, Counter, Sample
from stowatt.gateway.values import parse_time, parse_value

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

MOST_BYTES: Final = 4096
BATCH: Final = 256
WAITING: Final = 10_000
"""Messages between the network and the disk; when they are full the network waits."""


class MqttSource:
    """Subscribed to one topic."""

    live = True
    ended = False

    def __init__(
        self,
        host: str,
        port: int,
        topic: str,
        *,
        client_id: str,
        user: str | None = None,
        password: str | None = None,
        tls: bool = False,
        ca_file: Path | None = None,
        wraps_at: Fraction | None = None,
        charge_positive: bool = False,
        keepalive: int = 30,
    ) -> None:
        """`client_id` names the persistent session: the same one after every restart, and no other client's."""
        try:
            from paho.mqtt.client import Client, MQTTv311
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise extra_missing("paho-mqtt") from None
        self._topic, self._wraps_at, self._sign = topic, wraps_at, -1 if charge_positive else 1
        self._arrived: queue.Queue[tuple[int, int, MQTTMessage]] = queue.Queue(WAITING)
        self._taken: list[tuple[int, MQTTMessage]] = []
        self._closing = threading.Event()
        self._connection = 0
        """Numbers of messages are good for one connection: after another one they may name others."""
        self.state = "connecting"
        self._client: Client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, protocol=MQTTv311, manual_ack=True
        )
        if user is not None:
            self._client.username_pw_set(user, password)
        if tls:
            self._client.tls_set_context(_tls_context(ca_file))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 30)
        self._client.connect_async(host, port, keepalive)
        self._client.loop_start()

    def poll(self, wait: float) -> Sequence[Sample]:
        """What has arrived."""
        batch: list[Sample] = []
        try:
            received, connection, message = self._arrived.get(timeout=wait)
            while True:
                self._taken.append((connection, message))
                batch.append(
                    read_message(
                        bytes(message.payload), received, message.retain, sign=self._sign, wraps_at=self._wraps_at
                    )
                )
                if len(batch) == BATCH:
                    break
                received, connection, message = self._arrived.get_nowait()
        except queue.Empty:
            pass
        return batch

    def acknowledge(self) -> None:
        """Tells the broker that it may forget the messages."""
        for connection, message in self._taken:
            if message.qos and connection == self._connection:
                self._client.ack(message.mid, message.qos)
        self._taken.clear()

    def cursor(self) -> str:
        """The broker keeps the place."""
        return ""

    def resume(self, cursor: str) -> None:
        """The broker sends what was not acknowledged."""

    def close(self) -> None:
        """Disconnects; the session stays at the broker."""
        self._closing.set()
        self._client.disconnect()
        self._client.loop_stop()

    # ------------------------------------------------------------------ callbacks of the network thread

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self.state = f"refused by the broker ({reason})"
            return
        self.state = "subscribing"
        self._connection += 1
        client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, client: Client, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self.state = "the broker refuses the subscription"
        else:
            self.state = "connected"

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self.state = f"no connection ({reason})"

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        arrived = (int(time.time() * MICROSECONDS), self._connection, message)
        while not self._closing.is_set():
            try:
                self._arrived.put(arrived, timeout=0.5)
                return
            except queue.Full:
                continue


def read_message(
    payload: bytes, received: int, retained: bool = False, *, sign: int = 1, wraps_at: Fraction | None = None
) -> Sample:
    """The sample of a message; a fault says what is wrong with it."""
    try:
        if len(payload) > MOST_BYTES:
            raise ValueError("too long")
        value = json.loads(
            payload, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse, object_pairs_hook=_distinct
        )
        if not isinstance(value, dict) or ("power_w" in value) == ("energy_wh" in value):
            raise ValueError("not one reading")
        at = parse_time(value.get("timestamp"))
        reading = _number(value["power_w"] if "power_w" in value else value["energy_wh"])
        soc = _number(value.get("soc"))
    except (ValueError, RecursionError):
        return Sample(None, received, fault=Cause.MALFORMED)
    if reading is None:
        return Sample(at, received, soc=soc, fault=Cause.MISSING, retained=retained)
    if "power_w" in value:
        return Sample(at, received, power=sign * reading, soc=soc, retained=retained)
    return Sample(at, received, counter=Counter(reading, wraps_at=wraps_at), soc=soc, retained=retained)


def _number(value: Any) -> Fraction | None:
    """A JSON number or null; text is refused even if it looks like a number."""
    if value is not None and not isinstance(value, Decimal):
        raise ValueError("no number")
    return parse_value(value)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is there twice")
    return value


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise SourceError(
            f"the certificates {shown(str(ca_file))} cannot be read: {error}", "give a PEM file"
        ) from None
