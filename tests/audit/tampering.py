"""Falsified logs: every value of an event altered in several ways, generated from the records' fields."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from stowatt.audit import AuditReport
from stowatt.audit.events import Event
from stowatt.audit.report import Place

BASE = {field.name for field in fields(Event)}
"""Where an event stands; everything else is a value that a contract put into it."""


def value_fields(kind: type) -> Iterator[tuple[str, ...]]:
    """The path of every value of an event type, those of structs one by one."""
    hints = {field.name: field for field in fields(kind)}
    for name in hints:
        if name in BASE:
            continue
        nested = _struct(kind, name)
        if nested is None:
            yield (name,)
        else:
            yield from ((name, inner.name) for inner in fields(nested))


def _struct(kind: type, name: str) -> type | None:
    from stowatt.audit import events

    structs = {"calendar": events.CalendarValues, "wiring": events.Wiring, "outcome": events.Outcome}
    return {**structs, "certificate": events.Certificate}.get(name)


def get(record: Any, path: Sequence[str]) -> Any:
    for name in path:
        record = getattr(record, name)
    return record


def put(record: Any, path: Sequence[str], value: Any) -> Any:
    """The record with one value replaced."""
    first, *rest = path
    inner = put(getattr(record, first), rest, value) if rest else value
    assert is_dataclass(record) and not isinstance(record, type)
    return replace(record, **{first: inner})


def others(value: Any, addresses: Sequence[str]) -> list[Any]:
    """False values in place of a true one."""
    match value:
        case bool():
            return [not value]
        case int():
            # a seller's terms have their parts at these bits
            parts = [value ^ 1 << bit for bit in (32, 64, 88)] if value >= 1 << 64 else []
            return [value + 1, *([value - 1] if value else []), value ^ 1 << 20, *parts]
        case bytes():
            return [bytes([value[0] ^ 1]) + value[1:], value[:-1] + bytes([value[-1] ^ 0x80])] if value else [b"\0"]
        case str() if value.startswith("0x") and len(value) == 42:
            return [address for address in addresses if address != value]
        case str():
            return [value + "x", value[:-1]]
    raise AssertionError(f"no false value for {value!r}")


def names(report: AuditReport, event: Event) -> bool:
    """Whether some mismatch names the event: as the one that shows it, or as one that it rests on."""
    place = Place.of(event)
    return any(place == mismatch.place or place in mismatch.related for mismatch in report.mismatches)
