"""`stowatt dispatch`: tables, files and pictures from a file of events; one line for whatever is wrong."""

import json
from pathlib import Path

import pytest

from stowatt.audit.records import write_events
from stowatt.cli import app
from stowatt.dispatch import document
from tests.dispatch.markets import ORIGIN, Log, address, evening

W5 = ORIGIN + 5 * 900


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    write_events(Path("events.jsonl"), evening().events)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """Status, stdout and stderr."""

    def runner(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["stowatt", "dispatch", *arguments])
        with pytest.raises(SystemExit) as end:
            app.main()
        out, err = capsys.readouterr()
        return (end.value.code if isinstance(end.value.code, int) else 0), out, err

    return runner


def files(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def test_tables_and_all_files(run) -> None:  # type: ignore[no-untyped-def]
    status, out, err = run("events.jsonl", "--out", "plan")
    assert (status, err) == (0, "")
    assert "device 1: deliverable (assumed full" in out
    assert "buyers can still pay in window 4, 5" in out and "taken as they are" in out
    events = [f"openadr/event-{name}.json" for name in ("device-1", "device-2")]
    buyers = [f"openadr/event-{address(name)}.json" for name in ("b1", "b2", "b3")]
    csv = ["batteries.csv", "buyers.csv", "pairs.csv"]
    assert files("plan") == sorted([*csv, "dispatch.json", *events, *buyers, "openadr/program.json"])
    assert [path.name for path in Path().iterdir() if path.name.endswith(".part")] == []
    status, out, _ = run("events.jsonl", "--json")
    assert document.from_json(json.loads(out)) == document.read_plan(Path("plan/dispatch.json"))


def test_the_table_fits_80_columns(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("events.jsonl", "--json")
    rows = [row for battery in json.loads(out)["batteries"] for row in battery["rows"]]
    _, out, _ = run("events.jsonl")
    table = [line for line in out.splitlines() if line[:6].strip().isdigit()]
    assert len(table) == len(rows) and all("Z " in line for line in table), "a row is a line"
    assert "…" not in out and all(len(line) <= 80 for line in table)


def test_a_battery_that_cannot_deliver_ends_with_status_1(run) -> None:  # type: ignore[no-untyped-def]
    Path("states.csv").write_text("device,stored_kwh\n2,1.5\n")
    status, out, err = run("events.jsonl", "--batteries", "states.csv", "--out", "plan", "--format", "json")
    assert (status, err) == (1, "")
    assert "device 2: window 5 needs 950 Wh, but stored energy reaches for 665 Wh: 285 Wh are missing" in out
    assert files("plan") == ["dispatch.json"], "the plan is written all the same"
    assert run("events.jsonl", "--batteries", "states.csv", "--at", str(W5))[0] == 0


def test_windows_formats_and_program(run) -> None:  # type: ignore[no-untyped-def]
    Path("load.csv").write_text("device,window,net_load_kwh\n1,4,0.2\n")
    status, _, _ = run(
        "events.jsonl", "--window", "4", "--format", "openadr", "--format", "csv", "--out", "a", "--program-id", "p7",
        "--forecast", "load.csv",
    )  # fmt: skip
    assert status == 0 and "dispatch.json" not in files("a")
    event = json.loads(Path("a/openadr/event-device-1.json").read_text())
    assert event["programID"] == "p7" and len(event["intervals"]) == 1


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_picture(run, suffix: str) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("matplotlib")
    Path("states.csv").write_text("device,stored_kwh\n2,1.5\n")
    assert run("events.jsonl", "--batteries", "states.csv", "--plot", f"p.{suffix}")[0] == 1
    assert Path(f"p.{suffix}").stat().st_size > 5_000
    write_events(Path("none.jsonl"), Log.start().events)
    status, out, _ = run("none.jsonl", "--plot", f"q.{suffix}")
    assert status == 0 and "nothing to dispatch" in out and Path(f"q.{suffix}").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jsonl"], "cannot be read"),
        (["events.jsonl", "--out", "full"], "not an empty folder"),
        (["events.jsonl", "--out", "events.jsonl"], "not an empty folder"),
        (["events.jsonl", "--out", "."], "the folder that you are in"),
        (["events.jsonl", "--format", "csv"], "--format without --out"),
        (["events.jsonl", "--format", "xml", "--out", "a"], "xml"),
        (["events.jsonl", "--window", "9"], "window 9 has no trade"),
        (["events.jsonl", "--window", "x"], "is no window"),
        (["events.jsonl", "--at", "noon"], "--at"),
        (["events.jsonl", "--batteries", "none.csv"], "cannot be read"),
        (["events.jsonl", "--forecast", "events.jsonl"], "has the columns"),
        (["events.jsonl", "--program-id", "a b"], "no OpenADR program id"),
        (["events.jsonl", "--plot", "p.gif"], "neither .svg nor .png"),
        (["events.jsonl", "--market", "none.json"], "none.json"),
        (["broken.jsonl"], "line 1"),
        (["half.jsonl"], "do not begin with MarketDeployed"),
        (["empty.jsonl"], "no MarketDeployed"),
    ],
)
def test_errors_are_one_line(run, arguments: list[str], message: str) -> None:  # type: ignore[no-untyped-def]
    Path("full").mkdir()
    Path("full/old.csv").touch()
    Path("broken.jsonl").write_text("no event\n")
    Path("empty.jsonl").touch()
    write_events(Path("half.jsonl"), evening().events[1:])
    status, _, err = run(*arguments)
    assert status in (1, 2) and message in err
    assert err.startswith("error: ") and err.count("\n") == 1 and "Traceback" not in err
    assert not Path("a").exists()
