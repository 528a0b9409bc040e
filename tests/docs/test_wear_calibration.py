"""docs/wear-calibration.md: its commands run on the example that it names, and find the law that made it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from stowatt.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "wear-calibration.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "wear" / "operating.csv"
COMMANDS = re.findall(r"^\$ stowatt (wear .*)$", PAGE, re.MULTILINE)


def test_the_commands_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    shutil.copytree(EXAMPLE.parent, tmp_path / "examples" / "wear")
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        # fewer draws than the page has: each is a fit of its own
        words = shlex.split(command.replace("--bootstrap 500", "--bootstrap 20"))
        monkeypatch.setattr(sys, "argv", ["stowatt", *words])
        with pytest.raises(SystemExit) as ended:
            app.main()
        assert (ended.value.code or 0, capsys.readouterr().err) == (0, ""), command
    written = json.loads((tmp_path / "theta.json").read_text(encoding="utf-8"))
    truth = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \| [\d.]+ % \|", PAGE, re.MULTILINE))
    assert len(truth) == 8
    for name, value in truth.items():
        found = written["parameters"][name]
        assert found["low"] <= float(value) <= found["high"], name


def test_the_rows_shown_are_the_first_of_the_example() -> None:
    shown = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)[0]
    assert EXAMPLE.read_text(encoding="utf-8").startswith(shown)
