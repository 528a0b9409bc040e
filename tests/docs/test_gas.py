"""docs/gas.md is written from the gas snapshots."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_gas_page_is_up_to_date() -> None:
    """Every figure of the page is a committed snapshot."""
    command = [sys.executable, str(ROOT / "scripts" / "gas_table.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
