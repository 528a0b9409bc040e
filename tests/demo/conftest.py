"""One small demo for all tests of its outcome: six windows of the built-in grid, 14 batteries and eight buyers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stowatt.audit.events import Event
from stowatt.audit.records import read_events
from tests.demo import process

E = TypeVar("E", bound=Event)

WINDOWS = 6


@dataclass(frozen=True)
class SmallDay:
    """What the demo left behind."""

    folder: Path
    document: dict[str, Any]
    events: list[Event]

    def trouble(self, kind: str) -> dict[str, Any]:
        """The one trouble of a kind."""
        (found,) = [trouble for trouble in self.document["troubles"] if trouble["kind"] == kind]
        return found

    def of(self, kind: type[E], window: int | None = None) -> list[E]:
        """Events of a kind."""
        return [e for e in self.events if isinstance(e, kind) and window in (None, getattr(e, "window", None))]


@pytest.fixture(scope="session")
def small_day(tmp_path_factory: pytest.TempPathFactory) -> SmallDay:
    """The demo, run once."""
    cwd = tmp_path_factory.mktemp("demo")
    done = process.run("--windows", str(WINDOWS), "--max-buyers", "8", "--json", "--out", "day", cwd=cwd)
    assert done.returncode == 0, done.stderr
    folder = cwd / "day"
    return SmallDay(folder, json.loads(done.stdout), list(read_events(folder / "events.jsonl")))
