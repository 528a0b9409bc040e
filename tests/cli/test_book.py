"""`stowatt book`: its JSON to the letter, its status, its tables, its pictures and its errors."""

import json
import os
import threading
from pathlib import Path

import pytest

from tests.cli.test_clear import BOOK, HEADER, Run, book, run

__all__ = ["book", "run"]

BAD = HEADER + "w,a,sell,0.00001,1\nw,b,hold,1,0\nw,c,buy,1,1\n"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.csv"
    path.write_text(BAD, encoding="utf-8")
    return path


class TestValidate:
    """Every problem, and status 1 if there is one."""

    def test_a_good_file(self, run: Run, book: Path) -> None:
        outcome = run("book", "validate", book)
        assert (outcome.status, outcome.err) == (0, "")
        assert outcome.out == f"{book}: no problem; good rows: 9, curves: 9, windows: 4\n"

    def test_all_problems_are_listed(self, run: Run, bad: Path) -> None:
        outcome = run("book", "validate", bad)
        assert (outcome.status, outcome.err) == (1, "")
        assert outcome.out.splitlines() == [
            f"{bad}, line 2, column price: '0.00001' is not a whole number of ticks of 0.0001; "
            "round the price or choose a finer tick size (§1)",
            f"{bad}, line 3, column side: 'hold' is no side; write sell or buy",
            f"{bad}, line 3, column quantity: '0' is zero; leave the row out (§2)",
            f"{bad}: 3 problems; good rows: 1, curves: 1, windows: 1",
        ]

    def test_tick_size(self, run: Run, bad: Path) -> None:
        assert len(run("book", "validate", bad, "--tick-size", "0.00001").out.splitlines()) == 3

    def test_json(self, run: Run, bad: Path, book: Path) -> None:
        outcome = run("book", "validate", book, bad, "--json", "--max-errors", 1)
        assert (outcome.status, outcome.err) == (1, "")
        assert json.loads(outcome.out) == {
            "problems": 3,
            "listed": 1,
            "files": [
                {"file": str(book), "good_rows": 9, "curves": 9, "windows": 4, "problems": 0, "listed": []},
                {
                    "file": str(bad),
                    "good_rows": 1,
                    "curves": 1,
                    "windows": 1,
                    "problems": 3,
                    "listed": [
                        {
                            "file": str(bad),
                            "line": 2,
                            "column": "price",
                            "value": "0.00001",
                            "problem": "'0.00001' is not a whole number of ticks of 0.0001",
                            "way_out": "round the price or choose a finer tick size (§1)",
                        }
                    ],
                },
            ],
        }

    def test_the_rest_is_stated(self, run: Run, bad: Path) -> None:
        outcome = run("book", "validate", bad, bad, "--max-errors", 4)
        assert sum("column" in line for line in outcome.out.splitlines()) == 4
        assert outcome.out.splitlines()[-1] == "2 more not listed; raise --max-errors to see them"

    def test_one_missing_file_does_not_hide_the_others(self, run: Run, bad: Path, tmp_path: Path) -> None:
        outcome = run("book", "validate", tmp_path / "none.csv", bad, tmp_path)
        lines = outcome.out.splitlines()
        assert outcome.status == 1
        assert lines[0] == f"{tmp_path}/none.csv: there is no such file; check the path"
        assert lines[-2] == f"{tmp_path}: is a directory; name a CSV or Parquet file"
        assert sum("column" in line for line in lines) == 3

    @pytest.mark.parametrize("wrong", [("--max-errors", -1), ("--max-errors", "x"), ("--colour",)])
    def test_a_wrong_command_line(self, run: Run, bad: Path, wrong: tuple[object, ...]) -> None:
        outcome = run("book", "validate", bad, *wrong)
        assert (outcome.status, outcome.err.count("\n")) == (2, 1)

    def test_no_file(self, run: Run) -> None:
        assert run("book", "validate").status == 2


class TestStats:
    """The figures of a book."""

    def test_json(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        rows = "w,a,sell,0.3,1\nw,b,sell,0.3,1\nw,b,sell,0.30,1\nw,c,buy,0.45,2.001\nv,c,buy,0.1,1\n"
        path.write_text(HEADER + rows, encoding="utf-8")
        prices = {name: "0.3" for name in ("lowest", "quartile_1", "median", "quartile_3", "highest")}
        bid = {**dict.fromkeys(prices, "0.45"), "lowest": "0.1", "quartile_1": "0.1"}
        nothing = {"segments": 0, "wh": 0, "filled_wh": 0}
        nobody = {"participants": 0, "segments": 0, "wh": 0, "prices": None}
        outcome = run("book", "stats", path, "--json")
        assert (outcome.status, outcome.err) == (0, "")
        assert json.loads(outcome.out) == {
            "file": str(path),
            "rows": 5,
            "tick_size": "0.01",
            "tick_size_inferred": True,
            "participants": 3,
            "segments": 4,
            "sell": {"participants": 2, "segments": 2, "wh": 3000, "prices": prices},
            "buy": {"participants": 1, "segments": 2, "wh": 3001, "prices": bid},
            "windows_with_trade": 1,
            "volume_wh": 2001,
            "windows": [
                {
                    "window": "w",
                    "participants": 3,
                    "segments": 3,
                    "sell": {"participants": 2, "segments": 2, "wh": 3000, "prices": prices},
                    "buy": {"participants": 1, "segments": 1, "wh": 2001, "prices": dict.fromkeys(prices, "0.45")},
                    "overlap": True,
                    "best_ask": "0.3",
                    "best_bid": "0.45",
                    "price": "0.3",
                    "price_interval": ["0.3", "0.3"],
                    "volume_wh": 2001,
                    "at_price": {"sell": {"segments": 2, "wh": 3000, "filled_wh": 2001}, "buy": nothing},
                    "tied": True,
                },
                {
                    "window": "v",
                    "participants": 1,
                    "segments": 1,
                    "sell": nobody,
                    "buy": {"participants": 1, "segments": 1, "wh": 1000, "prices": dict.fromkeys(prices, "0.1")},
                    "overlap": False,
                    "best_ask": None,
                    "best_bid": "0.1",
                    "price": None,
                    "price_interval": ["0.1", None],
                    "volume_wh": 0,
                    "at_price": {"sell": nothing, "buy": nothing},
                    "tied": False,
                },
            ],
        }

    def test_agrees_with_clear(self, run: Run, book: Path) -> None:
        cleared = json.loads(run("clear", book, "--json").out)["windows"]
        found = json.loads(run("book", "stats", book, "--json", "--tick-size", "0.0001").out)
        assert (found["tick_size"], found["tick_size_inferred"]) == ("0.0001", False)
        names = ("window", "price", "price_interval", "volume_wh")
        assert [[w[name] for name in names] for w in found["windows"]] == [[w[name] for name in names] for w in cleared]

    def test_tables(self, run: Run, book: Path) -> None:
        out = run("book", "stats", book).out
        assert "9 rows, 4 windows, 5 participants; tick size 0.0001 (inferred from the prices)" in out
        for text in ("17:45", "no trade", "2 sell", "quartile 3", "0.2001"):
            assert text in out
        assert max(map(len, out.splitlines())) <= 90

    def test_of_many_windows_the_first_are_shown(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        path.write_text(HEADER + "".join(f"w{n},a,sell,1,1\n" for n in range(43)), encoding="utf-8")
        assert run("book", "stats", path).out.splitlines()[-1] == "3 more windows: --json has all"

    def test_an_empty_book(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        path.write_text(HEADER, encoding="utf-8")
        assert (
            run("book", "stats", path).out
            == "0 rows, 0 windows, 0 participants; tick size 1 (inferred from the prices)\n"
        )

    def test_a_bad_file_is_one_error(self, run: Run, bad: Path) -> None:
        outcome = run("book", "stats", bad)
        assert (outcome.status, outcome.out) == (1, "")
        assert outcome.err == f"error: {bad}, line 3, column side: 'hold' is no side; write sell or buy\n"

    def test_a_pipe_is_read_once(self, run: Run, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        refused = f"error: {pipe}: can be read only once; give --tick-size, or a plain file\n"
        assert run("book", "stats", pipe).err == refused
        writer = threading.Thread(target=lambda: pipe.write_text(BOOK, encoding="utf-8"))
        writer.start()
        assert "9 rows, 4 windows" in run("book", "stats", pipe, "--tick-size", "0.0001").out
        writer.join()


class TestSample:
    """A synthetic book as a file."""

    @pytest.mark.parametrize("name", ["sample.csv", "sample.parquet"])
    def test_is_valid_and_clears(self, run: Run, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        outcome = run("book", "sample", "--segments", 500, "--windows", 3, "--seed", "0x10", "--out", path)
        assert (outcome.status, outcome.out) == (0, f"{path}: 500 rows, 3 windows, seed 16\n")
        assert run("book", "validate", path).status == 0
        cleared = json.loads(run("clear", path, "--json").out)["windows"]
        assert [window["window"] for window in cleared] == ["w1", "w2", "w3"]
        found = json.loads(run("book", "stats", path, "--json").out)
        assert [window["volume_wh"] for window in found["windows"]] == [window["volume_wh"] for window in cleared]
        assert found["tick_size"] == "0.0001"

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--segments", 0), "0 segments; choose 1 to"),
            (("--windows", 0), "0 windows for 1000 segments"),
            (("--windows", 1001), "1001 windows for 1000 segments; give each window a segment"),
            (("--seed", "x"), "seed 'x' is not a number"),
            (("--seed", "-1"), "a seed outside"),
        ],
    )
    def test_impossible_samples(self, run: Run, tmp_path: Path, options: tuple[object, ...], message: str) -> None:
        outcome = run("book", "sample", "--out", tmp_path / "sample.csv", *options)
        assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
        assert outcome.err.startswith(f"error: {message}")
        assert os.listdir(tmp_path) == []

    def test_nothing_is_overwritten(self, run: Run, book: Path) -> None:
        outcome = run("book", "sample", "--out", book)
        assert (outcome.status, outcome.err.count("exists already")) == (1, 1)
        assert book.read_text(encoding="utf-8") == BOOK

    def test_a_name_without_a_format(self, run: Run, tmp_path: Path) -> None:
        assert "neither .csv nor .parquet" in run("book", "sample", "--out", tmp_path / "sample").err


class TestPlot:
    """The picture of some windows."""

    @pytest.fixture(autouse=True)
    def matplotlib(self) -> None:
        pytest.importorskip("matplotlib", reason="matplotlib draws the pictures")

    def test_all_windows(self, run: Run, book: Path, tmp_path: Path) -> None:
        out = tmp_path / "plot.svg"
        outcome = run("book", "plot", book, "--out", out)
        assert (outcome.status, outcome.out, outcome.err) == (0, f"{out}: 4 windows\n", "")
        run("clear", book, "--plot", tmp_path / "clear.svg")
        assert out.read_text().count("<path") == (tmp_path / "clear.svg").read_text().count("<path")
        assert sorted(os.listdir(tmp_path)) == ["book.csv", "clear.svg", "plot.svg"]

    def test_one_window_whatever_is_in_the_others(self, run: Run, bad: Path, tmp_path: Path) -> None:
        bad.write_text(BAD + "v,a,sell,0.1,1\n v ,b,buy,0.2,1\n", encoding="utf-8")
        out = tmp_path / "plot.png"
        outcome = run("book", "plot", bad, "--window", "v", "--out", out)
        assert (outcome.out, outcome.err) == (f"{out}: 1 window\n", "")
        assert out.read_bytes().startswith(b"\x89PNG")

    def test_of_many_windows_the_first_are_drawn(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        path.write_text(HEADER + "".join(f"w{n},a,sell,1,1\n" for n in range(26)), encoding="utf-8")
        out = tmp_path / "plot.svg"
        assert run("book", "plot", path, "--out", out).out == f"{out}: 24 windows; the first of 26\n"
        named = [part for n in range(25) for part in ("--window", f"w{n}")]
        assert "25 windows do not fit" in run("book", "plot", path, "--out", out, *named).err

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--window", "x"), "there is no window 'x'; stowatt book stats lists them"),
            (("--tick-size", "0"), "a tick size of '0' is out of range"),
            (("--tick-size", "0.1"), "line 2, column price: '0.03' is not a whole number of ticks"),
        ],
    )
    def test_errors(self, run: Run, book: Path, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
        outcome = run("book", "plot", book, "--out", tmp_path / "plot.svg", *options)
        assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
        assert message in outcome.err
        assert os.listdir(tmp_path) == ["book.csv"]

    @pytest.mark.parametrize("name", ["plot.pdf", "plot", "missing/plot.svg"])
    def test_names_that_cannot_be(self, run: Run, book: Path, tmp_path: Path, name: str) -> None:
        assert run("book", "plot", book, "--out", tmp_path / name).status == 1

    def test_an_empty_book(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        path.write_text(HEADER, encoding="utf-8")
        assert "the book has no bids" in run("book", "plot", path, "--out", tmp_path / "plot.svg").err


@pytest.mark.parametrize("command", ["validate", "stats"])
@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"PAR1", b"\0", b'"', b"\xef\xbb\xbf", b"a,b\n1", bytes(range(256))]
)
def test_no_file_gives_a_traceback(run: Run, tmp_path: Path, command: str, data: bytes) -> None:
    path = tmp_path / "book.csv"
    path.write_bytes(data)
    outcome = run("book", command, path)
    assert outcome.status == 1
    assert str(path) in outcome.out + outcome.err
