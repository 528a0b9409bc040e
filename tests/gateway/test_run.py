"""`stowatt meter run` as people start it: a chain that goes away and returns, clean stops, one-line errors."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stowatt.cli import app
from tests.gateway.market import Market, market, outcome, start_node, stop, wait_until

FIRST = 1000


@pytest.fixture(scope="module")
def m(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with market(tmp_path_factory.mktemp("gateway"), reading_grace=3600) as made:
        yield made


def day(m: Market, name: str, rows: int) -> str:
    """Quarter hours of 1.2 kW: 100 Wh in each sub-slot."""
    lines = [f"2024-01-01T{n // 4:02}:{n % 4 * 15:02}:00Z,1200" for n in range(rows)]
    (m.folder / name).write_text("interval_start,power_w\n" + "\n".join(lines) + "\n")
    return name


def failed(process: subprocess.Popen[str]) -> str:
    """The one line of a process that fails."""
    output, errors = process.communicate(timeout=180)
    assert process.returncode in (1, 2) and output == ""
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "Traceback" not in errors, errors
    assert "word" not in errors.split()
    return lines[0]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nothing.csv"], "nothing.csv cannot be read"),
        (["mqtt://me:word@host/topic"], "user or a password"),
        (["short.csv", "--device", "7"], "device 7 is not registered"),
        (["short.csv", "--max-gap", "301"], "longest gap of 301 s"),
        (["short.csv", "--patience", "3600"], "readings close 3600 s after a window"),
        (["short.csv", "--as", "vouchers"], "vouchers"),
        (["mqtt://host/topic", "--mqtt-user", "x", "--mqtt-password-file", "open"], "chmod 600"),
        (["short.csv", "--rpc", "http://127.0.0.1:1"], "no answer from http://127.0.0.1:1 "),
        (
            ["short.csv", "--rpc", "http://127.0.0.1:1", "--device", "1", "--queue", "q"],
            "no answer from http://127.0.0.1:1 ",
        ),
    ],
)
def test_wrong_uses_are_one_line(
    m: Market, words: list[str], error: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    day(m, "short.csv", 1)
    (m.folder / "open").write_text("word")
    (m.folder / "open").chmod(0o644)
    monkeypatch.chdir(m.folder)
    for name, value in m.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("stowatt.chain.jsonrpc._PAUSES", ())
    monkeypatch.setattr(sys, "argv", ["stowatt", "meter", "run", *words, "--key", "owner", "--meter-key", "meter"])
    with pytest.raises(SystemExit) as end:
        app.main()
    assert end.value.code in (1, 2)
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith("error: ") and error in line
    assert shown.out == "" and "word" not in line.split()
    assert not list(m.folder.glob("q*")), "a queue that knows no market is of no use, so there is none"


def test_the_chain_goes_away_and_returns(m: Market) -> None:
    """Measured and queued before; started again without a chain; all of it is posted once when the chain is back."""
    words = [day(m, "day.csv", 4), "--first-window", str(FIRST), "--device", str(m.device)]
    first = m.client.calendar.origin + FIRST * 900
    gateway = m.start(*words)
    queue = next(iter(wait_for_queue(m)))
    wait_until(lambda: sealed(queue) == 12, 60)
    second = m.start(*words)
    assert "another gateway works" in failed(second)
    assert stop(gateway)["queue"] == {"sealed": 12}

    port = urlsplit(m.url).port or 0
    m.node.kill()
    m.node.communicate()
    gateway = m.start(*words)
    assert gateway.stderr is not None
    assert "the chain is away" in gateway.stderr.readline()
    m.node, url = start_node(m.folder, port)
    assert url == m.url
    m.clock.set_time(first + 1800)
    wait_until(lambda: len(m.readings()) == 6, 60)
    m.clock.set_time(first + 3600)
    summary = outcome(gateway)
    assert summary["queue"] == {"accepted": 12}
    assert m.energies() == {(FIRST + n // 3, n % 3): 100 for n in range(12)}

    assert m.finish(*words)["queue"] == {"accepted": 12}, "started again, it finds everything done"
    assert len(m.readings()) == 12


def wait_for_queue(m: Market) -> list[Path]:
    wait_until(lambda: list((m.folder / "home" / "meters").glob("*.queue")), 60)
    return list((m.folder / "home" / "meters").glob("*.queue"))


def sealed(queue: Path) -> int:
    """How many records are in a queue that another process has."""
    try:
        with sqlite3.connect(f"file:{queue}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM slots").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
