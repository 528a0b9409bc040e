"""Events as JSON lines: one event a line, for an auditor without a chain, or for the archive.

    {"event": "Deposited", "block": 7, "index": 1, "time": 1800000000, "transaction": "0x…", "address": "0x…",
     "values": {"account": "0x…", "amount": 5000000, "balance": 5000000}}

Whole numbers from 2^53 on are decimal strings, because many readers of JSON keep 53 bits; bytes are 0x and hex digits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_type_hints

from eth_utils.address import is_address, to_checksum_address

from stowatt.audit.events import EVENT_TYPES, Event
from stowatt.errors import OutputError, StowattError

_PLACE: Final = ("block", "index", "time", "transaction", "address")
_SAFE: Final = 2**53
_WORD: Final = 2**256


class EventFileError(StowattError):
    """A line of an event file that holds no event."""


def write_events(path: Path, events: Iterable[Event]) -> int:
    """Writes a file, and says how many events it holds."""
    count = 0
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for event in events:
                file.write(json.dumps(to_json(event)) + "\n")
                count += 1
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", "name another file") from None
    return count


def read_events(path: Path) -> Iterator[Event]:
    """The events of a file; an EventFileError names the line that holds none."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _event(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise EventFileError(f"{path} cannot be read: {error}", "name a file that `audit --export` wrote") from None


def to_json(event: Event) -> dict[str, Any]:
    """One event as JSON values."""
    values = {field.name: _plain(getattr(event, field.name)) for field in fields(event) if field.name not in _PLACE}
    return {"event": type(event).__name__, **{name: getattr(event, name) for name in _PLACE}, "values": values}


def from_json(content: Any) -> Event:
    """The event; a ValueError tells what is wrong with its JSON."""
    if not isinstance(content, dict) or set(content) != {"event", *_PLACE, "values"}:
        raise ValueError(f"it needs exactly event, {', '.join(_PLACE)} and values")
    kind = EVENT_TYPES.get(str(content["event"]))
    if kind is None:
        raise ValueError(f"there is no event {content['event']!r}")
    values = content["values"]
    if not isinstance(values, dict):
        raise ValueError("values must be an object")
    event: Event = _made(kind, {**{name: content[name] for name in _PLACE}, **values})
    return event


def _event(path: Path, number: int, line: str) -> Event:
    try:
        return from_json(json.loads(line))
    except ValueError as error:  # also what is no JSON at all
        raise EventFileError(f"{path}, line {number}: {error}", "export the events again") from None


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= _SAFE else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _made(kind: Any, values: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(values, dict) or set(values) != set(hints):
        raise ValueError(f"{kind.__name__} needs exactly {', '.join(hints)}")
    return kind(**{name: _value(name, hint, values[name]) for name, hint in hints.items()})


def _value(name: str, hint: Any, value: Any) -> Any:
    """The value as the record has it: whole numbers of one word, EIP-55 addresses, bytes, text, or a struct."""
    if hint is int:
        return _number(name, value)
    if hint is bytes:
        return _bytes(name, value)
    if hint is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, not true or false")
        return value
    if hint is str:
        if not isinstance(value, str):
            raise ValueError(f"{name} is {value!r}, not text")
        return value if name in ("did", "transaction") else _address(name, value)
    return _made(hint, value)


def _number(name: str, value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 78:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _WORD:
        raise ValueError(f"{name} is {value!r}, not a whole number of 32 bytes")
    return value


def _bytes(name: str, value: Any) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError(f"{name} is {value!r}, not 0x and hexadecimal digits")
    return bytes.fromhex(value[2:])


def _address(name: str, value: str) -> str:
    if not is_address(value):
        raise ValueError(f"{name} is {value!r}, not an address")
    return str(to_checksum_address(value))
