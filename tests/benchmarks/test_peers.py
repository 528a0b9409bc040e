"""The peers' runner and its caller: a tiny environment of this interpreter, wrong answers, no environment."""

import json
import shlex
import sys
import time
from pathlib import Path

import pytest

from benchmarks.clearing.books import Segments, make_book, tied_books
from benchmarks.clearing.judge import judge, truth
from benchmarks.peers import caller, runner, solvers
from benchmarks.peers.caller import Environment, ask, find_environment, write_books

HERE = Path(sys.executable)
LIMIT = 60.0


@pytest.fixture
def books(tmp_path: Path) -> tuple[list[Segments], Path]:
    """A larger book and some with ties, and their file."""
    made, path = [make_book(400), *tied_books(20)], tmp_path / "books.npz"
    write_books(made, path)
    return made, path


def fake(folder: Path, text: str) -> Path:
    """An interpreter that is a shell script."""
    path = folder / "bin" / "python"
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n" + text + "\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def of_code(folder: Path, code: str) -> Path:
    """An interpreter that runs this before the runner."""
    whole = f"import sys; from benchmarks.peers import runner, solvers\n{code}\nsys.exit(runner.main(sys.argv[3:]))"
    return fake(folder, f'exec {shlex.quote(str(HERE))} -c {shlex.quote(whole)} "$@"')


# --- the protocol ----------------------------------------------------------------------------------------------------


def test_every_book_comes_back_right_with_its_fills(books: tuple[list[Segments], Path]) -> None:
    made, path = books
    reply = ask("plain", path, limit=LIMIT, interpreter=HERE)
    assert (reply.trouble, reply.seconds, len(reply.outcomes)) == ("", [], len(made))
    for book, outcome in zip(made, reply.outcomes, strict=True):
        assert outcome.fills is not None and len(outcome.fills) == len(book.ticks)
        assert judge(book, truth(book), outcome).good


def test_stowatt_runs_in_a_process_of_its_own(books: tuple[list[Segments], Path]) -> None:
    made, path = books
    for engine in "own:stowatt", "own:bincount_fills":
        reply = ask(engine, path, limit=LIMIT)
        verdicts = [judge(book, truth(book), told) for book, told in zip(made, reply.outcomes, strict=True)]
        assert all(verdict.good and verdict.balance for verdict in verdicts)


def test_samples_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "book.npz"
    write_books([make_book(100_000)], path)
    reply = ask("plain", path, limit=LIMIT, budget=0.0, interpreter=HERE)
    assert len(reply.seconds) == runner.FEWEST and min(reply.seconds) > 0
    # integers and flags of 100,000 rows, and less than all that numpy holds
    assert 100_000 * 8 <= reply.added < reply.peak
    assert reply.peak > 10_000_000


def test_memory_does_not_count_what_the_parent_holds(tmp_path: Path) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of one program is known on Linux only")
    path, ballast = tmp_path / "book.npz", bytearray(b"x") * 300_000_000
    write_books([make_book(400)], path)
    reply = ask("plain", path, limit=LIMIT, interpreter=HERE)
    assert 0 < reply.peak < len(ballast)


def test_one_failed_book_does_not_end_the_others(
    books: tuple[list[Segments], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def prepare(ticks: solvers.Array, widths: solvers.Array, buys: solvers.Array) -> object:
        return solvers.plain(ticks, widths, buys) if len(ticks) == 400 else lambda: 1 / 0  # the tiny one fails too

    monkeypatch.setitem(runner.TRIAL, "plain", solvers.Solver("", "", prepare, ()))  # type: ignore[arg-type]
    told = runner.answer("plain", books[1], None, fills=tmp_path / "fills.npy")
    assert told["outcomes"][0]["rows"] == 400
    assert told["outcomes"][1] == {"error": "ZeroDivisionError: division by zero", "rows": 0}
    outcomes = caller._reply(told, solvers.np.load(tmp_path / "fills.npy")).outcomes
    verdicts = [judge(book, truth(book), outcome) for book, outcome in zip(books[0], outcomes, strict=True)]
    assert verdicts[0].good and not any(verdict.volume for verdict in verdicts[1:])


def test_what_a_library_prints_is_no_answer(books: tuple[list[Segments], Path], tmp_path: Path) -> None:
    noisy = (
        "import os\nquiet = solvers.plain\n"
        "def plain(*columns):\n    print('{}'); os.system('echo chatter')\n    return quiet(*columns)\n"
        "runner.TRIAL['plain'] = solvers.Solver('', '', plain, ())"
    )
    reply = ask("plain", books[1], limit=LIMIT, interpreter=of_code(tmp_path, noisy))
    assert (reply.trouble, len(reply.outcomes)) == ("", 21)


def test_what_the_first_call_loads_is_not_the_clearings(books: tuple[list[Segments], Path], tmp_path: Path) -> None:
    """scipy loads HiGHS when it is called for the first time; others compile then."""
    loading = (
        "quiet, loaded = solvers.plain, []\n"
        "def plain(*columns):\n    loaded or loaded.append(bytearray(b'x') * 50_000_000); return quiet(*columns)\n"
        "runner.TRIAL['plain'] = solvers.Solver('', '', plain, ())"
    )
    reply = ask("plain", books[1], limit=LIMIT, interpreter=of_code(tmp_path, loading))
    assert reply.added < 20_000_000 < 50_000_000 < reply.peak


def test_an_unknown_engine(books: tuple[list[Segments], Path]) -> None:
    assert "no engine 'none'" in ask("none", books[1], limit=LIMIT, interpreter=HERE).trouble


def test_the_memory_limit_holds(tmp_path: Path) -> None:
    path = tmp_path / "book.npz"
    write_books([make_book(1_000_000)], path)
    reply = ask("plain", path, limit=LIMIT, memory=2**20, interpreter=HERE)
    assert "Unable to allocate" in reply.trouble and not reply.outcomes


# --- answers that cannot be trusted ----------------------------------------------------------------------------------


def test_a_slow_engine_is_killed_with_what_it_started(books: tuple[list[Segments], Path], tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    begun = time.perf_counter()
    script = f"(sleep 2; touch {shlex.quote(str(mark))}) & sleep 30"
    reply = ask("plain", books[1], limit=0.5, interpreter=fake(tmp_path, script))
    assert reply.stopped and reply.trouble.startswith("stopped after")
    assert time.perf_counter() - begun < 10
    time.sleep(2.2)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ("echo no JSON", "cannot be read"),
        ("echo '{}'", "cannot be read"),
        ("echo '[1]'", "cannot be read"),
        ("echo out of luck >&2; exit 3", "out of luck"),
        ("kill -9 $$", "signal 9"),
        ("exit 1", "no reason"),
    ],
)
def test_a_broken_environment_is_told(
    script: str, trouble: str, books: tuple[list[Segments], Path], tmp_path: Path
) -> None:
    reply = ask("plain", books[1], limit=LIMIT, interpreter=fake(tmp_path, script))
    assert trouble in reply.trouble and not reply.outcomes and not reply.stopped


def test_altered_or_missing_fills_are_refused(books: tuple[list[Segments], Path], tmp_path: Path) -> None:
    saved = "import numpy as np\nsave = np.save\nnp.save = lambda path, rows: save(path, rows + 1)"
    assert "checksum" in ask("plain", books[1], limit=LIMIT, interpreter=of_code(tmp_path, saved)).trouble
    unsaved = "import numpy as np\nnp.save = lambda path, rows: None"
    assert "missing" in ask("plain", books[1], limit=LIMIT, interpreter=of_code(tmp_path, unsaved)).trouble


# --- the environment -------------------------------------------------------------------------------------------------


def test_without_an_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(caller.VARIABLE, raising=False)
    monkeypatch.setattr(caller, "USUAL", tmp_path / "none")
    assert find_environment() is None


def test_an_environment_is_a_folder_or_an_interpreter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listing = {"python": "CPython 3", "engines": {"highspy": {"highspy": "1"}}}
    python = fake(tmp_path, f"echo {shlex.quote(json.dumps(listing))}")
    expected = Environment(python, "CPython 3", {"highspy": {"highspy": "1"}})
    for named in tmp_path, python:
        monkeypatch.setenv(caller.VARIABLE, str(named))
        assert find_environment() == expected
    monkeypatch.delenv(caller.VARIABLE)
    monkeypatch.setattr(caller, "USUAL", tmp_path)
    assert find_environment() == expected


def test_this_interpreter_lists_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(caller.VARIABLE, str(HERE))
    found = find_environment()
    assert found is not None and found.python.endswith(".".join(map(str, sys.version_info[:3])))
    assert found.engines == {name: has for name, solver in solvers.SOLVERS.items() if (has := solver.versions())}


@pytest.mark.parametrize("script", [None, "echo broken >&2; exit 1", "echo not JSON"])
def test_a_wrong_setting_is_an_error_of_one_line(
    script: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "nothing" if script is None else fake(tmp_path, script)
    monkeypatch.setenv(caller.VARIABLE, str(python))
    with pytest.raises(SystemExit) as refused:
        find_environment()
    assert "\n" not in str(refused.value) and str(python) in str(refused.value)


@pytest.mark.parametrize("name", solvers.SOLVERS)
def test_a_peer_that_is_installed_clears_a_plain_book(name: str) -> None:
    solver = solvers.SOLVERS[name]
    if solver.versions() is None:
        pytest.skip(f"{', '.join(solver.packages)} not installed here")
    numbers = solvers.np.array
    ticks, widths = numbers([2, 4, 9, 8, 5, 1]), numbers([5, 5, 5, 6, 6, 6])
    price, volume, fills = solver.prepare(ticks, widths, numbers([0, 0, 0, 1, 1, 1]).astype(bool))()
    if name == "huang":  # leaves the marginal bids out
        assert price is None and volume is not None and volume < 10
        return
    assert price == pytest.approx(5, abs=1e-5) and volume == pytest.approx(10, abs=1e-5)
    assert fills is None or list(fills) == pytest.approx([5, 5, 0, 6, 4, 0], abs=1e-5)
