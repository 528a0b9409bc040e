"""Events to a file and back, and the lines that hold none."""

import json
from pathlib import Path
from typing import Any

import pytest

from stowatt.audit.records import EventFileError, from_json, read_events, to_json, write_events
from stowatt.errors import OutputError
from tests.audit.conftest import Log


def test_a_file_gives_back_the_very_events(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert write_events(path, log.events) == len(log.events)
    assert list(read_events(path)) == log.events
    lines = path.read_text().splitlines()
    assert len(lines) == len(log.events)
    # whole numbers that a reader with 53 bits would spoil are strings
    numbers = [value for line in lines for value in _numbers(json.loads(line)["values"])]
    assert numbers and max(numbers) < 2**53


def _numbers(values: dict[str, Any]) -> list[int]:
    inner = [number for value in values.values() if isinstance(value, dict) for number in _numbers(value)]
    return inner + [value for value in values.values() if isinstance(value, int)]


def test_a_byte_order_mark_and_empty_lines_do_no_harm(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = [json.dumps(to_json(event)) for event in log.events[:3]]
    path.write_text("\ufeff" + "\r\n\r\n".join(lines) + "\r\n", encoding="utf-8")
    assert list(read_events(path)) == log.events[:3]


GOOD = {
    "event": "Deposited", "block": 7, "index": 1, "time": 1_800_000_000, "transaction": "0x" + "ab" * 32,
    "address": "0x" + "11" * 20, "values": {"account": "0x" + "22" * 20, "amount": 5, "balance": "9007199254740993"},
}  # fmt: skip


def test_the_documented_form_is_read() -> None:
    event = from_json(GOOD)
    assert event.balance == 2**53 + 1  # type: ignore[attr-defined]
    assert to_json(event) == GOOD


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"event": "Nothing"}, "there is no event 'Nothing'"),
        ({"block": -1}, "block is -1"),
        ({"time": 1.5}, "time is 1.5"),
        ({"address": "0x12"}, "address is '0x12', not an address"),
        ({"values": []}, "values must be an object"),
        ({"values": {"account": "0x" + "22" * 20, "amount": 5}}, "needs exactly"),
        ({"values": {"account": 5, "amount": 5, "balance": 5}}, "account is 5, not text"),
        ({"values": {"account": "0x" + "22" * 20, "amount": True, "balance": 5}}, "amount is True"),
        ({"values": {"account": "0x" + "22" * 20, "amount": "1e9", "balance": 5}}, "amount is '1e9'"),
        ({"values": {"account": "0x" + "22" * 20, "amount": str(2**256), "balance": 5}}, "not a whole number of 32"),
        ({"more": 1}, "it needs exactly event"),
    ],
)
def test_a_line_without_an_event_is_named(tmp_path: Path, change: dict[str, Any], wrong: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + json.dumps({**GOOD, **change}) + "\n")
    with pytest.raises(EventFileError, match="line 2: ") as error:
        list(read_events(path))
    assert wrong in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["{", "[]", "5", '{"event": "RoleGranted"}'])
def test_a_line_of_something_else_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(text)
    with pytest.raises(EventFileError, match="line 1: "):
        list(read_events(path))


def test_other_kinds_of_values_are_refused(log: Log) -> None:
    by_name = {type(event).__name__: to_json(event) for event in log.events}
    for name, field, value in (
        ("MarketDeployed", "open_mode", 1),
        ("MarketDeployed", "wiring", {}),
        ("MarketDeployed", "digest", "12"),
        ("MarketDeployed", "digest", "0xzz"),
        ("Cleared", "outcome", None),
    ):
        row = by_name[name]
        with pytest.raises(ValueError):
            from_json({**row, "values": {**row["values"], field: value}})


def test_unreadable_and_unwritable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match="cannot be read"):
        list(read_events(tmp_path / "nothing"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EventFileError, match="cannot be read"):
        list(read_events(tmp_path / "binary"))
    with pytest.raises(OutputError, match="cannot be written"):
        write_events(tmp_path / "no" / "folder", [])
