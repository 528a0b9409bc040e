"""`stowatt clear`: its JSON to the letter, its tables, its pictures and its errors."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stowatt
from stowatt import __version__
from stowatt.cli import app

HEADER = "window,participant,side,price,quantity\n"
BOOK = (
    HEADER
    + "17:15,ann,sell,0.03,0.005\n"
    + "17:00,ann,sell,0.1,1\n"
    + "17:15,bob,buy,0.07,0.010\n"
    + "17:00,bob,buy,0.2001,1\n"
    + "17:00,cat,buy,0.05,2.5\n"
    + "17:30,dan,buy,0.05,2\n"
    + "17:45,dan,sell,0.3,1\n17:45,eve,sell,0.3,1\n17:45,bob,buy,0.4,1.001\n"
)


# A process of its own finds the package where this one found it, installed or not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(stowatt.__file__).parents[1])}


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process, as the installed command does."""

    def run_command(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["stowatt", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        status = ended.value.code
        return Outcome(status if isinstance(status, int) else 0, captured.out, captured.err)

    return run_command


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.csv"
    path.write_text(BOOK, encoding="utf-8")
    return path


def windows(outcome: Outcome) -> list[dict[str, object]]:
    assert (outcome.status, outcome.err) == (0, "")
    found: list[dict[str, object]] = json.loads(outcome.out)["windows"]
    return found


class TestJson:
    """The JSON is exactly as documented."""

    def test_every_field(self, run: Run, book: Path) -> None:
        assert json.loads(run("clear", book, "--json").out) == {
            "windows": [
                {
                    "window": "17:15",
                    "price": "0.07",
                    "price_interval": ["0.07", "0.07"],
                    "volume_wh": 5,
                    "welfare": "0.0002",
                    "dual": "0.0002",
                    "gap": "0",
                },
                {
                    "window": "17:00",
                    "price": "0.1",
                    "price_interval": ["0.1", "0.2001"],
                    "volume_wh": 1000,
                    "welfare": "0.1001",
                    "dual": "0.1001",
                    "gap": "0",
                },
                {
                    "window": "17:30",
                    "price": None,
                    "price_interval": ["0.05", None],
                    "volume_wh": 0,
                    "welfare": "0",
                    "dual": "0",
                    "gap": "0",
                },
                {
                    "window": "17:45",
                    "price": "0.3",
                    "price_interval": ["0.3", "0.3"],
                    "volume_wh": 1001,
                    "welfare": "0.1001",
                    "dual": "0.1001",
                    "gap": "0",
                },
            ]
        }

    def test_fills_are_of_every_participant_in_order_of_first_appearance(self, run: Run, book: Path) -> None:
        found = windows(run("clear", book, "--json", "--fills"))
        assert [window["fills"] for window in found] == [
            [
                {"participant": "ann", "side": "sell", "quantity_wh": 5},
                {"participant": "bob", "side": "buy", "quantity_wh": 5},
            ],
            [
                {"participant": "ann", "side": "sell", "quantity_wh": 1000},
                {"participant": "bob", "side": "buy", "quantity_wh": 1000},
                {"participant": "cat", "side": "buy", "quantity_wh": 0},
            ],
            [{"participant": "dan", "side": "buy", "quantity_wh": 0}],
            [
                {"participant": "dan", "side": "sell", "quantity_wh": 500},
                {"participant": "eve", "side": "sell", "quantity_wh": 501},
                {"participant": "bob", "side": "buy", "quantity_wh": 1001},
            ],
        ]

    @pytest.mark.parametrize(
        ("options", "price"),
        [
            ((), "0.1"),
            (("--price-rule", "midpoint"), "0.15"),
            (("--price-rule", "seed"), "0.1"),
            (("--price-rule", "seed", "--seed", "0x3e8"), "0.2"),
            (("--price-rule", "seed", "--seed", "1002"), "0.1"),
            (("--tick-size", "0.00001", "--price-rule", "midpoint"), "0.15005"),
        ],
    )
    def test_price_rules_and_seeds(self, run: Run, book: Path, options: tuple[str, ...], price: str) -> None:
        assert windows(run("clear", book, "--json", *options))[1]["price"] == price

    @pytest.mark.parametrize(
        ("options", "sold"),
        [
            (("--seed", "0x7d0"), [500, 501]),
            (("--seed", "0x7cf"), [501, 500]),
            (("--rationing", "seeded_order"), [1000, 1]),
            (("--rationing", "seeded_order", "--seed", "1000"), [1, 1000]),
        ],
    )
    def test_rationing(self, run: Run, book: Path, options: tuple[str, ...], sold: list[int]) -> None:
        fills = windows(run("clear", book, "--json", "--fills", *options))[3]["fills"]
        assert isinstance(fills, list)
        assert [fill["quantity_wh"] for fill in fills] == [*sold, 1001]

    def test_only_a_header(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        path.write_text(HEADER, encoding="utf-8")
        assert json.loads(run("clear", path, "--json").out) == {"windows": []}
        assert "no bids" in run("clear", path).out

    def test_large_values_have_no_exponent(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        rows = [
            f"w,{side}{n},{side},{price},4294967.295\n"
            for n in range(9)
            for side, price in (("sell", 0), ("buy", 4294967295))
        ]
        path.write_text(HEADER + "".join(rows), encoding="utf-8")
        (window,) = windows(run("clear", path, "--json", "--tick-size", "1"))
        whole, thousandths = divmod(9 * 4294967295 * 4294967295, 1000)
        assert window["welfare"] == window["dual"] == f"{whole}.{thousandths:03d}"
        assert window["price_interval"] == ["0", "4294967295"]

    def test_parquet(self, run: Run, book: Path, tmp_path: Path) -> None:
        rows = [line.split(",") for line in BOOK.splitlines()]
        path = tmp_path / "book.parquet"
        pq.write_table(pa.table({name: [row[k] for row in rows[1:]] for k, name in enumerate(rows[0])}), path)
        assert run("clear", path, "--json", "--fills").out == run("clear", book, "--json", "--fills").out


class TestTable:
    """For people."""

    def test_summary_and_fills(self, run: Run, book: Path) -> None:
        outcome = run("clear", book, "--fills")
        assert (outcome.status, outcome.err) == (0, "")
        for text in ("17:30", "no trade", "0.05 … ∞", "0.1 … 0.2001", "0.1001", "Fills of 17:45", "0.501"):
            assert text in outcome.out

    def test_names_are_not_markup(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        path.write_text(HEADER + "[red]w[/],[bold]a,sell,1,1\n", encoding="utf-8")
        assert "[red]w[/]" in (out := run("clear", path, "--fills").out)
        assert "[bold]a" in out


class TestPlot:
    """`--plot` draws every window, or the first of many."""

    @pytest.mark.parametrize(("name", "magic"), [("book.svg", b"<?xml"), ("book.PNG", b"\x89PNG")])
    def test_picture(self, run: Run, book: Path, tmp_path: Path, name: str, magic: bytes) -> None:
        pytest.importorskip("matplotlib")
        outcome = run("clear", book, "--plot", tmp_path / name, "--json")
        assert (outcome.status, outcome.err) == (0, "")
        assert (tmp_path / name).read_bytes().startswith(magic)

    def test_odd_books(self, run: Run, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        path, picture = tmp_path / "book.csv", tmp_path / "book.png"
        rows = "".join(f"$w_{{{n}安,a,{side},0,1\n" for n, side in enumerate(["sell", "buy"] * 14))
        for text in (HEADER, HEADER + rows):
            path.write_text(text, encoding="utf-8")
            assert run("clear", path, "--plot", picture).err == ""
            picture.unlink()

    @pytest.mark.parametrize(
        ("name", "message"),
        [("book.pdf", "neither .svg nor .png"), ("none/book.svg", "cannot be written"), (".", "neither")],
    )
    def test_a_picture_that_cannot_be_written(
        self, run: Run, book: Path, tmp_path: Path, name: str, message: str
    ) -> None:
        outcome = run("clear", book, "--plot", tmp_path / name)
        assert (outcome.status, outcome.out) == (1, "")
        assert message in outcome.err

    def test_without_matplotlib(self, run: Run, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        outcome = run("clear", book, "--plot", tmp_path / "book.svg")
        assert outcome.status == 1
        assert "stowatt[plot]" in outcome.err


class TestErrors:
    """One line on stderr, nothing on stdout, status 1; 2 for a wrong command line."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "line 1: the file is empty"),
            ("window,participant,price,quantity\n", "line 1: column 'side' is missing"),
            (BOOK + "w,a,sell,cheap,1\n", "line 11, column price: 'cheap' is not a number"),
            (BOOK + "w,a,sell,-1,1\n", "line 11, column price: '-1' is negative"),
            (BOOK + "w,a,sell,NaN,1\n", "line 11, column price: 'NaN' is not a finite number"),
            (
                BOOK + "w,a,sell,0.00001,1\n",
                "line 11, column price: '0.00001' is not a whole number of ticks of 0.0001",
            ),
            (BOOK + "w,a,sell,1,1e9\n", "line 11, column quantity: '1e9' kWh is too much"),
            (BOOK + "17:00,ann,buy,1,1\n", "line 11, column side: 'ann' already has a sell curve"),
            ("\ufeff" + BOOK.replace("\n", "\r\n") + "w,a,?,1,1\r\n", "line 11, column side: '?' is no side"),
        ],
    )
    @pytest.mark.parametrize("options", [(), ("--json", "--fills")])
    def test_ugly_books(self, run: Run, tmp_path: Path, text: str, message: str, options: tuple[str, ...]) -> None:
        path = tmp_path / "book.csv"
        path.write_text(text, encoding="utf-8", newline="")
        outcome = run("clear", path, *options)
        assert (outcome.status, outcome.out) == (1, "")
        assert outcome.err.startswith(f"error: {path}, {message}")
        assert outcome.err.count("\n") == 1

    @pytest.mark.parametrize(
        ("options", "status", "message"),
        [
            (("--tick-size", "0"), 1, "tick size of '0' is out of range"),
            (("--tick-size", "fine"), 1, "'fine' is not a number"),
            (("--seed", "0xzz"), 1, "seed '0xzz' is not a number"),
            (("--seed", "-1"), 1, "a seed outside 0 … 2^256 - 1"),
            (("--price-rule", "highest"), 2, "'highest' is not one of 'lowest', 'midpoint', 'seed'"),
            (("--rationing", "fair"), 2, "'fair' is not one of 'pro_rata', 'seeded_order'"),
            (("--unknown",), 2, "--unknown"),
            (("another.csv",), 2, "another.csv"),
        ],
    )
    def test_wrong_options(self, run: Run, book: Path, options: tuple[str, ...], status: int, message: str) -> None:
        outcome = run("clear", book, *options)
        assert (outcome.status, outcome.out) == (status, "")
        assert message in outcome.err
        assert outcome.err.count("\n") == 1

    def test_no_book(self, run: Run) -> None:
        outcome = run("clear")
        assert (outcome.status, outcome.out) == (2, "")
        assert outcome.err == "error: Missing argument 'BOOK'; see stowatt clear --help\n"


class TestApp:
    """The command itself."""

    def test_version(self, run: Run) -> None:
        assert run("--version") == Outcome(0, f"stowatt {__version__}\n", "")

    def test_help_lists_every_command(self, run: Run) -> None:
        for outcome in (run(), run("--help")):
            assert outcome.status == 0
            assert all(name in outcome.out for name in app.COMMANDS)

    def test_a_group_without_a_command_shows_its_help(self, run: Run) -> None:
        outcome = run("keys")
        assert (outcome.status, outcome.err) == (2, "")
        assert "list" in outcome.out

    def test_an_unknown_command(self, run: Run) -> None:
        outcome = run("trade")
        assert outcome.status == 2
        assert "trade" in outcome.err

    def test_as_a_process(self, book: Path) -> None:
        command = [sys.executable, "-m", "stowatt", "clear", str(book), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(json.loads(done.stdout)["windows"]) == 4
        book.write_text(BOOK + "w,a,sell\n", encoding="utf-8")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)

    def test_a_reader_that_leaves_early_causes_no_traceback(self, tmp_path: Path) -> None:
        path = tmp_path / "book.csv"
        path.write_text(HEADER + "".join(f"w{n},a,sell,1,1\n" for n in range(5000)), encoding="utf-8")
        command = [sys.executable, "-m", "stowatt", "clear", str(path), "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait() == 1
