"""ARCHITECTURE.md's rule table is generated and has no holes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_rule_table_is_up_to_date_and_has_no_hole() -> None:
    """Every rule has a module, a contract where it runs on chain, and a test."""
    command = [sys.executable, str(ROOT / "scripts" / "rule_table.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
