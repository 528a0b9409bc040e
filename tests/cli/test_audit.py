"""`stowatt audit`: the same verdict from a ledger, a node and a file; status 1 for anything false."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.node.server import BackgroundNode, Node
from stowatt.cli import app
from tests.audit.day import play


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the ledger of the day, closed, and its market file."""
    folder = tmp_path_factory.mktemp("audit")
    day = play(folder / "ledger")
    day.deployment.save(folder / "market.json")
    day.ledger.close()
    yield folder


@pytest.fixture(autouse=True)
def _here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    for name in ("STOWATT_MARKET", "STOWATT_RPC", "STOWATT_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "140")


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of `stowatt audit`."""
    monkeypatch.setattr("sys.argv", ["stowatt", "audit", *arguments])
    with pytest.raises(SystemExit) as end:
        app.main()
    out, err = capsys.readouterr()
    code = end.value.code
    return (code if isinstance(code, int) else 0), out, err


def test_a_ledger_is_audited_and_exported(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = run(capsys, monkeypatch, "--ledger", "ledger", "--export", "events.jsonl")
    assert status == 0
    assert "PROVED: all 6 windows. " in out and "no trade" in out and "still to come" not in out
    lines = (place / "events.jsonl").read_text().splitlines()
    assert f"{len(lines)} events" in out
    again, out, _ = run(capsys, monkeypatch, "--events", "events.jsonl", "--json")
    report = json.loads(out)
    assert again == 0 and report["verdict"] == "proved" and report["totals"]["events"] == len(lines)
    assert [window["window"] for window in report["windows"]] == [0, 1, 2, 3, 4, 16]
    assert {window["gap"] for window in report["windows"]} == {0}


def test_a_node_gives_the_same_verdict(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedLedger.open(place / "ledger") as ledger, BackgroundNode(Node(ledger, port=0)) as node:
        status, out, _ = run(capsys, monkeypatch, "--rpc", node.url, "--json")
    remote = json.loads(out)
    _, out, _ = run(capsys, monkeypatch, "--ledger", "ledger", "--json")
    assert status == 0 and remote == json.loads(out)


def test_a_false_value_is_named_and_ends_with_status_1(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(capsys, monkeypatch, "--ledger", "ledger", "--export", "events.jsonl")
    rows = [json.loads(line) for line in (place / "events.jsonl").read_text().splitlines()]
    row = next(row for row in rows if row["event"] == "Claimed" and row["values"]["deposit"])
    row["values"]["deposit"] += 1
    (place / "false.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, _ = run(capsys, monkeypatch, "--events", "false.jsonl")
    assert status == 1
    assert f"block {row['block']}, log {row['index']}, Claimed.deposit: found {row['values']['deposit']}" in out
    assert "MISMATCH: 1 values" in out and "it rests on" in out
    status, out, _ = run(capsys, monkeypatch, "--events", "false.jsonl", "--json")
    assert status == 1 and json.loads(out)["mismatches"][0]["field"] == "deposit"


def test_what_is_not_over_is_proved_so_far(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(capsys, monkeypatch, "--ledger", "ledger", "--export", "events.jsonl")
    lines = (place / "events.jsonl").read_text().splitlines(keepends=True)
    cut = next(number for number, line in enumerate(lines) if '"SellerSettled"' in line)
    (place / "part.jsonl").write_text("".join(lines[:cut]))
    status, out, _ = run(capsys, monkeypatch, "--events", "part.jsonl")
    assert status == 0
    assert "still to come" in out and "sellers' rights are to be settled" in out and "not over, and right so far" in out


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ((), "no events are named"),
        (("--ledger", "ledger", "--rpc", "http://127.0.0.1:1"), "two chains are named"),
        (("--events", "nothing.jsonl"), "nothing.jsonl cannot be read"),
        (("--ledger", "nowhere"), "nowhere holds no ledger"),
        (("--market", "nothing.json", "--ledger", "ledger"), "nothing.json cannot be read"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: tuple[str, ...], wrong: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, err = run(capsys, monkeypatch, *arguments)
    assert status == 1 and out == ""
    assert wrong in err and err.count("\n") == 1 and err.startswith("error: ")
