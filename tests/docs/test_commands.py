"""docs/commands.md names every command and option as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_reference_is_up_to_date() -> None:
    """The page is generated from the commands, and must be generated anew when they change."""
    command = [sys.executable, str(ROOT / "scripts" / "command_reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
