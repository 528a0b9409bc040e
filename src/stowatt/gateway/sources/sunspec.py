"""A SunSpec device over Modbus TCP: an inverter or battery system that describes its own registers.

The device's map begins with "SunS" at 40000, 50000 or 0, followed by models: number, length, points. Read are

| model       | point                  | as                                                             |
|-------------|------------------------|----------------------------------------------------------------|
| 1           | Mn, Md, SN             | the device's name in the status line                            |
| 701         | TotWhInj, else W       | counter of injected energy, or power                            |
| 101 102 103 | WH, else W             | counter of injected energy, or power                            |
| 713, 802    | SoC                    | state of charge                                                 |

A register that is not implemented (0x8000 int16, 0xFFFF uint16, all ones of a longer one, 0 of a 32-bit accumulator, a
scale factor out of -10 … 10) is no value. Times are the gateway's: SunSpec's inverter models have no clock.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from stowatt.gateway.errors import SourceError, extra_missing
from stowatt.gateway.samples import MICROSECONDS, Cause, Counter, Sample

if TYPE_CHECKING:
    from pymodbus.client import ModbusTcpClient

BASES: Final = (40_000, 0, 50_000)
MARKER: Final = [0x5375, 0x6E53]
"""SunS"""
END: Final = 0xFFFF
MOST_MODELS: Final = 200


class Measure(StrEnum):
    """What is read as the energy."""

    AUTO = "auto"
    """The counter if the device has one, else the power."""
    POWER = "power"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class _Model:
    """Where a model's points are, in registers after its number and length."""

    power: int | None = None
    power_scale: int = 0
    counter: int | None = None
    counter_words: int = 2
    counter_scale: int = 0
    soc: int | None = None
    soc_scale: int = 0

    @property
    def length(self) -> int:
        """Registers that the model must have for these points."""
        return 1 + max(self.power_scale, self.counter_scale, self.soc_scale)


_INVERTER: Final = _Model(power=12, power_scale=13, counter=22, counter_words=2, counter_scale=24)
MODELS: Final = {
    101: _INVERTER,
    102: _INVERTER,
    103: _INVERTER,
    701: _Model(power=8, power_scale=114, counter=17, counter_words=4, counter_scale=118),
    713: _Model(soc=2, soc_scale=6),
    802: _Model(soc=9, soc_scale=54),
}


class NotSunSpec(SourceError):
    """The device answers, but not as a SunSpec device with the wanted models."""


class NoAnswer(Exception):
    """The device did not answer this time; not an error of the user's."""


class SunSpecSource:
    """Polls a device at whole multiples of the period by the gateway's clock, so that polls fall on sub-slots' ends."""

    live = True
    ended = False

    def __init__(
        self,
        host: str,
        port: int = 502,
        unit: int = 1,
        *,
        period: float = 5.0,
        timeout: float = 3.0,
        measure: Measure = Measure.AUTO,
        charge_positive: bool = False,
    ) -> None:
        try:
            from pymodbus.client import ModbusTcpClient
        except ImportError:
            raise extra_missing("pymodbus") from None
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # an outage is told in the status line, once
        self._host, self._port, self._unit, self._period = host, port, unit, period
        self._measure, self._sign = measure, -1 if charge_positive else 1
        self._client: ModbusTcpClient = ModbusTcpClient(host, port=port, timeout=timeout, retries=0)
        self._models: dict[int, int] | None = None
        self._main: int | None = None
        self._counts = self._found = False
        self.state = "connecting"
        self.device = ""

    def poll(self, wait: float) -> Sequence[Sample]:
        """One sample at the next multiple of the period; none if the device does not answer."""
        now = time.time()
        pause = self._period - now % self._period
        if pause > wait:
            time.sleep(wait)
            return []
        time.sleep(pause)
        try:
            if self._models is None:
                self._scan()
            before = time.time()
            sample = self._read()
            # the device took the values between request and answer: the middle is wrong by half of that at most
            now = (before + time.time()) / 2
        except NotSunSpec as error:
            if not self._found:
                raise  # never was one: the address is wrong
            self._models, self.state = None, f"no SunSpec map ({error.what})"
            return []
        except NoAnswer as silence:
            self._client.close()  # type: ignore[no-untyped-call]
            self._models = None  # what comes back may be another device, or the same with another map
            self.state = f"no answer ({silence})"
            return []
        self.state = f"connected to {self.device}"
        at = int(now * MICROSECONDS)
        return [Sample(at, at, sample.power, None, sample.counter, sample.soc, sample.fault)]

    def acknowledge(self) -> None:
        """A register is not asked for twice."""

    def cursor(self) -> str:
        """A device has no place to go back to."""
        return ""

    def resume(self, cursor: str) -> None:
        """Nothing to resume; a counter goes on where it was."""

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()  # type: ignore[no-untyped-call]

    # ------------------------------------------------------------------ reading

    def _read(self) -> Sample:
        assert self._models is not None and self._main is not None
        model, base = MODELS[self._main], self._models[self._main]
        soc = self._soc()
        if self._counts:
            assert model.counter is not None
            words = self._registers(base + model.counter, model.counter_scale - model.counter + 1)
            raw, factor = accumulated(words[: model.counter_words]), scale(words[-1])
            if raw is None or factor is None:
                return Sample(None, soc=soc, fault=Cause.SENTINEL)
            wraps_at = factor * 2 ** (16 * model.counter_words)
            return Sample(None, counter=Counter(raw * factor, factor, wraps_at), soc=soc)
        assert model.power is not None
        words = self._registers(base + model.power, model.power_scale - model.power + 1)
        value, factor = signed(words[0]), scale(words[-1])
        if value is None or factor is None:
            return Sample(None, soc=soc, fault=Cause.SENTINEL)
        return Sample(None, power=self._sign * value * factor, soc=soc)

    def _soc(self) -> Fraction | None:
        """The first state of charge that is implemented, 0 … 1; a sentinel is given as what it is."""
        assert self._models is not None
        for number in (713, 802):
            if number in self._models:
                model, base = MODELS[number], self._models[number]
                assert model.soc is not None
                raw = self._registers(base + model.soc, 1)[0]
                factor = scale(self._registers(base + model.soc_scale, 1)[0])
                if raw != 0xFFFF and factor is not None:
                    return raw * factor / 100
        return None

    def _scan(self) -> None:
        """Finds the map and its models."""
        for base in BASES:
            try:
                if self._registers(base, 2) == MARKER:
                    break
            except _Refused:
                continue
        else:
            raise NotSunSpec(
                f"{self._host}:{self._port}, unit {self._unit}, has no SunSpec map", "check the device and its unit"
            )
        place = base + 2
        models: dict[int, int] = {}
        for _ in range(MOST_MODELS):
            number, length = self._registers(place, 2)
            if number == END:
                break
            if number not in MODELS or length >= MODELS[number].length:
                models.setdefault(number, place + 2)
            if number == 1:
                self.device = self._name(place + 2)
            place += 2 + length
            if place > 0xFFFF - 2:
                break
        self._main = next((number for number in (701, 103, 102, 101) if number in models), None)
        if self._main is None:
            known = ", ".join(map(str, sorted(models))) or "none"
            raise NotSunSpec(
                f"the device at {self._host} has the SunSpec models {known}", "one of 701, 103, 102, 101 is needed"
            )
        self._models, self._found = models, True
        self.device = self.device or "a device without a name"
        self._counts = self._measure is Measure.COUNTER or (self._measure is Measure.AUTO and self._has_counter())

    def _has_counter(self) -> bool:
        assert self._models is not None and self._main is not None
        model, base = MODELS[self._main], self._models[self._main]
        assert model.counter is not None
        words = self._registers(base + model.counter, model.counter_words)
        return accumulated(words) is not None and scale(self._registers(base + model.counter_scale, 1)[0]) is not None

    def _name(self, place: int) -> str:
        """Manufacturer and model, printable."""
        words = self._registers(place, 32)
        raw = b"".join(word.to_bytes(2) for word in words)
        parts = [raw[:32], raw[32:64]]
        texts = [part.split(b"\0")[0].decode("ascii", "replace").strip() for part in parts]
        return "".join(c if c.isprintable() else "?" for c in " ".join(texts))[:60] or "a device without a name"

    def _registers(self, address: int, count: int) -> list[int]:
        """Holding registers; NoAnswer if the device is silent, _Refused if it has none there."""
        from pymodbus.exceptions import ModbusException

        answer: Any = None
        with contextlib.suppress(ModbusException, OSError):
            if self._client.connected or self._client.connect():  # type: ignore[no-untyped-call]
                answer = self._client.read_holding_registers(address, count=count, device_id=self._unit)
        if answer is None:
            raise NoAnswer(f"{self._host}:{self._port}")
        if answer.isError():
            raise _Refused(f"registers {address} … {address + count - 1} refused")
        if len(answer.registers) != count:
            raise NoAnswer("a short answer")
        return [int(word) for word in answer.registers]


class _Refused(NoAnswer):
    """The device has no such registers, or is busy."""


def signed(word: int) -> Fraction | None:
    """An int16; None if it is not implemented."""
    return None if word == 0x8000 else Fraction(word - 0x10000 if word >= 0x8000 else word)


def scale(word: int) -> Fraction | None:
    """The factor of a scale factor register; None if it is not implemented."""
    exponent = signed(word)
    if exponent is None or not -10 <= exponent <= 10:
        return None
    return Fraction(10) ** int(exponent)


def accumulated(words: Sequence[int]) -> int | None:
    """An energy counter, most significant register first; None if it is not implemented: all ones, or a 32-bit 0."""
    value = int.from_bytes(b"".join(word.to_bytes(2) for word in words))
    if all(word == 0xFFFF for word in words) or (len(words) == 2 and value == 0):
        return None
    return value
