"""A demo that is not proved says so and ends with status 1: each of its three judges is listened to."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from stowatt.audit.events import BuyerSettled, Cleared, Event
from stowatt.clearing import WindowResult
from stowatt.demo import day, judge
from stowatt.demo.check import clear_again, differences
from stowatt.demo.run import Outcome, run_demo
from stowatt.demo.screen import Screen
from stowatt.demo.settings import DemoSettings
from stowatt.demo.window import WindowRun
from stowatt.units import Wh
from tests.demo.process import EXAMPLES


def demo(folder: Path) -> tuple[Outcome, str]:
    """One window of the three example homes."""
    console = Console(file=StringIO(), width=100)
    settings = DemoSettings(date(2026, 4, 21), time(17), 1, EXAMPLES, out=folder)
    outcome = run_demo(settings, Screen(console))
    assert isinstance(console.file, StringIO)
    return outcome, console.file.getvalue()


def test_an_honest_day_is_proved(tmp_path: Path) -> None:
    outcome, words = demo(tmp_path / "day")
    assert outcome.good and "NOT PROVED" not in words and "MISMATCH" not in words


def test_a_false_event_is_a_mismatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Callable[[Path], Iterable[Event]] = judge.read_events

    def tampered(path: Path) -> Iterable[Event]:
        for event in read(path):
            yield replace(event, compensation=event.compensation + 1) if isinstance(event, BuyerSettled) else event

    monkeypatch.setattr(judge, "read_events", tampered)
    outcome, words = demo(tmp_path / "day")
    assert not outcome.good and outcome.document["audit"]["verdict"] == "mismatch"
    assert "NOT PROVED" in words and "MISMATCH" in words and "compensation" in words
    assert "The audit found" in (tmp_path / "day" / "report.html").read_text(encoding="utf-8")


def test_an_engine_that_differs_from_the_contract_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def generous(window: WindowRun, calendar: object) -> WindowResult:
        result = clear_again(window, calendar)  # type: ignore[arg-type]
        return replace(result, volume=Wh(result.volume + 1))

    monkeypatch.setattr(day, "clear_again", generous)
    outcome, words = demo(tmp_path / "day")
    assert not outcome.good and "DIFFERS" in words
    assert any("volume" in line for line in outcome.document["engine_differences"])


def test_an_evening_without_a_trade_is_proved_and_says_so(tmp_path: Path) -> None:
    """A battery so poor that its energy is worth less than it costs: bids are opened, nothing is traded."""
    homes = tmp_path / "homes"
    shutil.copytree(EXAMPLES, homes)
    batteries = (homes / "homes.csv").read_text(encoding="utf-8")
    (homes / "homes.csv").write_text(batteries.replace("0.95", "0.57"), encoding="utf-8")
    console = Console(file=StringIO(), width=100)
    outcome = run_demo(DemoSettings(windows=2, homes=homes, out=tmp_path / "day"), Screen(console))
    assert isinstance(console.file, StringIO)
    assert outcome.good and console.file.getvalue().count("no trade") == 2
    assert [window["price_tick"] for window in outcome.document["windows"]] == [None, None]
    assert len(outcome.document["troubles_without_a_place"]) == 6 and not outcome.document["troubles"]
    assert outcome.document["money"]["tokens"] == 0


def test_every_figure_of_an_outcome_is_compared(tmp_path: Path) -> None:
    kept: list[WindowRun] = []
    original = day.Day.settle

    def keep(self: day.Day, window: WindowRun) -> None:
        original(self, window)
        kept.append(window)
        for name in ("tick", "volume", "supply_below", "supply_at", "demand_above", "demand_at", "seed"):
            cleared = next(window.of(Cleared))
            false = replace(cleared, outcome=replace(cleared.outcome, **{name: getattr(cleared.outcome, name) + 1}))
            other = replace(window, events=[false if event is cleared else event for event in window.events])
            assert window.result is not None
            assert not list(differences(window, window.result, self.calendar))
            assert len(list(differences(other, window.result, self.calendar))) == 1, name

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(day.Day, "settle", keep)
        demo(tmp_path / "day")
    assert kept
