"""The demo as a process of its own, as a newcomer runs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "homes"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "80", "PYTHONUNBUFFERED": "1"}


def command(*arguments: str | Path) -> list[str]:
    """`stowatt` with arguments."""
    return [sys.executable, "-m", "stowatt", *map(str, arguments)]


def stowatt(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=300
    )


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`stowatt demo`."""
    return stowatt("demo", *arguments, cwd=cwd)
