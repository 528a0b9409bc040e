"""Where samples come from: a SunSpec device over Modbus TCP, a broker over MQTT, a file that is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stowatt.gateway.samples import Sample


class Source(Protocol):
    """A stream of samples. `acknowledge` is called when those of the last `poll` are safe on the disk."""

    @property
    def live(self) -> bool:
        """Whether the samples are of now; else they are a replay."""

    @property
    def ended(self) -> bool:
        """Whether no more will come."""

    @property
    def state(self) -> str:
        """In a few words, for the status line; a live one begins with "connected" while it is."""

    def poll(self, wait: float) -> Sequence[Sample]:
        """The next samples; none after `wait` seconds without any."""

    def acknowledge(self) -> None:
        """The samples of the last `poll` are stored."""

    def cursor(self) -> str:
        """Where the source stands after the last `poll`, to be stored with its samples."""

    def resume(self, cursor: str) -> None:
        """Goes on where a stored cursor stands."""

    def close(self) -> None:
        """Ends connections."""


__all__ = ["Source"]
