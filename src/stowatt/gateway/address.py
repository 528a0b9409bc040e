"""What a source's address means: `modbus://host:502/1`, `mqtt://host:1883/topic`, `mqtts://…`, or a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from stowatt.data.decimals import shown
from stowatt.gateway.errors import SourceError

PORTS: Final = {"modbus": 502, "mqtt": 1883, "mqtts": 8883}
_LONGEST_TOPIC: Final = 1024


@dataclass(frozen=True, slots=True)
class Address:
    """Where samples come from."""

    kind: str
    """modbus, mqtt, mqtts or file."""
    host: str = ""
    port: int = 0
    path: str = ""
    """The topic, or the file."""
    unit: int = 1
    """The Modbus unit."""

    @property
    def file(self) -> Path:
        """The file of a replay."""
        return Path(self.path)


def parse_address(text: str) -> Address:
    """The address that a text means. One with a password is refused and not repeated."""
    if "://" not in text:
        return Address("file", path=text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise SourceError("the source's address has no valid port", "write modbus://HOST:502/1") from None
    if parts.username is not None or parts.password is not None:
        raise SourceError(
            "the source's address has a user or a password in it, where other programs can read it",
            "give --mqtt-user and --mqtt-password-file",
        )
    if parts.scheme not in PORTS or not parts.hostname or parts.query:
        raise SourceError(
            f"{shown(text)} is no source", "write modbus://HOST[:PORT][/UNIT], mqtt[s]://HOST[:PORT]/TOPIC, or a file"
        )
    rest = unquote(parts.path.removeprefix("/"))
    address = Address(parts.scheme, parts.hostname, port or PORTS[parts.scheme], rest)
    if parts.scheme != "modbus":
        if not rest or "#" in text or "+" in rest or len(rest) > _LONGEST_TOPIC:
            raise SourceError(
                f"{shown(rest)} is not the topic of one device", "name one topic without wildcards: mqtt://HOST/TOPIC"
            )
        return address
    unit = rest or "1"
    if not unit.isdecimal() or not 0 <= int(unit[:4]) <= 255 or len(unit) > 3:
        raise SourceError(f"{shown(unit)} is no Modbus unit", "write a number from 0 to 255: modbus://HOST/1")
    return Address("modbus", address.host, address.port, "", int(unit))
