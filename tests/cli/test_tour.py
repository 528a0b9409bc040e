"""docs/tour.md, command by command: real processes, a real node, a clock that is moved."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import stowatt
from tests.ports import free_port

TOUR = Path(__file__).resolve().parents[2] / "docs" / "tour.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[str]:
    """The command lines of the page, in order."""
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if line]


@dataclass
class Terminal:
    """A shell in a folder; what it exports stays."""

    folder: Path
    port: int
    environment: dict[str, str]
    node: subprocess.Popen[str] | None = None
    outputs: list[tuple[str, str]] = field(default_factory=list)

    def run(self, line: str) -> str:
        """One command line of the page."""
        line = line.replace(":8545", f":{self.port}")
        if " node " in line:
            self.start_node(line)
            return ""
        if line.startswith("export "):
            script = f"{line}; env -0"
            shown = subprocess.run(["bash", "-c", script], **self._settings(), check=True)  # type: ignore[call-overload]
            self.environment |= dict(item.split("=", 1) for item in shown.stdout.split("\0") if "=" in item)
            return ""
        done = subprocess.run(["bash", "-c", line], **self._settings(), timeout=180, check=False)  # type: ignore[call-overload]
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        self.outputs.append((line, done.stdout))
        return str(done.stdout)

    def start_node(self, line: str) -> None:
        words = f"exec {line[line.index('stowatt node') :]} --port {self.port}"
        self.node = subprocess.Popen(["bash", "-c", words], **self._settings())  # type: ignore[call-overload]
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the node does not listen")

    def ask(self, line: str) -> Any:
        """What a command prints with --json."""
        done = subprocess.run(["bash", "-c", f"{line} --json"], **self._settings(), check=True)  # type: ignore[call-overload]
        return json.loads(done.stdout)

    def _settings(self) -> dict[str, Any]:
        pipe = subprocess.PIPE
        return {"cwd": self.folder, "env": self.environment, "stdout": pipe, "stderr": pipe, "text": True}


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("tour")
    shim = folder / "bin" / "stowatt"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stowatt "$@"\n')
    shim.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STOWATT_")}
    environment |= {"PATH": f"{shim.parent}:{environment['PATH']}", "COLUMNS": "100"}
    environment["PYTHONPATH"] = str(Path(stowatt.__file__).parents[1])
    opened = Terminal(folder, free_port(), environment)
    yield opened
    if opened.node is not None:
        opened.node.terminate()
        opened.node.wait(60)


@pytest.fixture(scope="module")
def tour(terminal: Terminal) -> dict[str, str]:
    """Every command's output."""
    lines = commands(TOUR.read_text(encoding="utf-8"))
    assert len(lines) > 25
    outputs: dict[str, str] = {}
    for line in lines:
        outputs[line if line not in outputs else f"{line} again"] = terminal.run(line)
    return outputs


def test_every_command_of_the_tour_works(tour: dict[str, str]) -> None:
    for line, output in tour.items():
        assert output or line.startswith(("export ", "(umask")) or " node " in line, line


def test_a_repeated_commitment_is_left_alone(tour: dict[str, str]) -> None:
    line = "stowatt bid commit --key buyer --window 0 --side buy --step 0.25:0.8"
    assert "(before)" not in tour[line] and "committed (before)" in tour[f"{line} again"]


def test_the_price_and_the_fulfilment_are_what_the_page_says(tour: dict[str, str], terminal: Terminal) -> None:
    assert "0.8 kWh at 0.18 CEUR/kWh" in tour["stowatt market clear 0 --key buyer"]
    right = terminal.ask("stowatt rights show 0/sell --key seller")
    assert (right["state"], right["quantity_wh"], right["price"]) == ("settled", 800, "0.18")
    fulfilled = 700 * 10**12 // (950_000 * 800)
    assert right["fulfilment"] == f"0.{fulfilled:06}"
    earned = 700 * 10**6 * 1800 * 100 // 1000 // 950_000
    assert right["received"] == f"0.{earned:06}"


def test_the_money_adds_up(tour: dict[str, str], terminal: Terminal) -> None:
    """100 tokens each were minted; all are with the two again, none is left in the window."""
    total = 0
    for name in ("seller", "buyer"):
        balance = terminal.ask(f"stowatt vault balance {name}")
        for place in ("free", "outside"):
            whole, _, fraction = balance[place].partition(".")
            total += int(whole) * 10**6 + int(fraction.ljust(6, "0") or 0)
    assert total == 200 * 10**6
    (window,) = terminal.ask("stowatt market status")["windows"]
    assert (window["pool"], window["escrow"], window["phase"]) == ("0", "0", "settlement")


def test_nothing_happens_twice(tour: dict[str, str], terminal: Terminal) -> None:
    again = [
        "stowatt market open 0 --key seller",
        "stowatt bid reveal --key seller --window 0",
        "stowatt market clear 0 --key buyer",
        "stowatt claim --key buyer --window 0",
        "stowatt meter report --key seller --reading 0:0:0.3 --reading 0:1:0.3 --reading 0:2:0.1",
        "stowatt settle --window 0 --key seller",
        "stowatt rights draw --key seller",
        "stowatt vault withdraw all --key buyer",
    ]
    for line in again:
        steps = terminal.ask(line)["steps"]
        assert not any(step["done"] for step in steps), (line, steps)
