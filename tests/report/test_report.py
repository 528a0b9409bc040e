"""The report's page: complete, self-contained, exact in its tables, safe with any text, readable by everyone."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stowatt.clearing import Book, Rules, clear_readable
from stowatt.curves import Curve, Side
from stowatt.data.folder import read_folder
from stowatt.errors import OutputError
from stowatt.report import Currency, DayReport, Verdict, WindowReport, render, write
from stowatt.report import text as words
from stowatt.report.model import fulfilment_ppm
from stowatt.report.svg import Scale, mark_text
from stowatt.simulation.evening import build_evening
from tests.report.sample import day_report

ROOT = Path(__file__).resolve().parents[2]
VOID = {"meta", "link", "br"}


@pytest.fixture(scope="module")
def report() -> DayReport:
    homes = read_folder(ROOT / "examples" / "homes")
    return day_report(build_evening(homes, datetime(2026, 4, 21).date()), "examples/homes, invented")


@pytest.fixture(scope="module")
def page(report: DayReport) -> str:
    return render(report)


class Outline(HTMLParser):
    """Checks that elements close in order and collects what the tests look at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert not self.stack, f"left open: {self.stack}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.append((tag, values))
        if identity := values.get("id"):
            self.ids.append(identity)
        for name in ("href", "src"):
            if link := values.get(name):
                self.links.append(link)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-3:]}"
        self.stack.pop()


class TestPage:
    def test_it_is_well_formed_and_ids_are_unique(self, page: str) -> None:
        outline = Outline(page)
        assert len(outline.ids) == len(set(outline.ids))

    def test_it_loads_nothing(self, page: str) -> None:
        outline = Outline(page)
        assert all(link.startswith("#") or link == "data:," for link in outline.links)
        assert not {"script", "iframe", "img", "object"} & {tag for tag, _ in outline.elements}
        assert "url(" not in page and "@import" not in page
        assert "default-src 'none'" in page

    def test_every_link_leads_somewhere(self, page: str) -> None:
        outline = Outline(page)
        assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)

    def test_every_plot_has_a_title_and_a_description(self, page: str, report: DayReport) -> None:
        outline = Outline(page)
        plots = [values for tag, values in outline.elements if tag == "svg"]
        assert len(plots) == len(report.windows) + 4
        for values in plots:
            assert values["role"] == "img"
            assert set((values["aria-labelledby"] or "").split()) <= set(outline.ids)

    def test_every_figure_has_a_table_beside_it(self, page: str) -> None:
        figures = [match.end() for match in re.finditer("</figure>", page)]
        for number, end in enumerate(figures):
            until = figures[number + 1] if number + 1 < len(figures) else len(page)
            assert "<table" in page[end:until]

    def test_every_header_cell_has_a_scope(self, page: str) -> None:
        assert all("scope" in values for tag, values in Outline(page).elements if tag == "th")

    def test_scrolling_tables_can_be_reached_by_keyboard(self, page: str) -> None:
        regions = [v for tag, v in Outline(page).elements if "scroll" in (v.get("class") or "").split()]
        assert regions and all(v.get("tabindex") == "0" and v.get("aria-label") for v in regions)

    def test_the_figures_are_exact(self, page: str, report: DayReport) -> None:
        for window in report.windows:
            assert words.price(window.price, report.currency) in page
            assert f"<td>{words.kwh(window.volume)}</td>" in page
        for flow in report.flows:
            assert flow.participant in page
            assert words.money(flow.net, report.currency) in page
        assert report.balance == 0 and "no money appeared or vanished" in page

    def test_troubles_are_told(self, page: str, report: DayReport) -> None:
        told = [sentence for window in report.windows for sentence in window.troubles]
        assert told and all(sentence in page for sentence in told)


class TestVerdicts:
    def test_agreement(self, page: str, report: DayReport) -> None:
        assert "The audit agrees" in page and page.count("audit: agrees") == len(report.windows)

    def test_a_mismatch_is_named_at_the_top_and_at_its_window(self, report: DayReport) -> None:
        line = "window 3: the price is 2471, recomputed 2470"
        bad = Verdict(40, (line,))
        windows = (replace(report.windows[0], verdict=bad), *report.windows[1:])
        page = render(replace(report, windows=windows, audit=bad))
        assert "The audit found 1 difference." in page and "audit: differs" in page
        assert "The audit agrees" not in page
        assert page.count(line) == 3  # summary, window, table of the audit

    def test_money_that_does_not_add_up_is_not_called_conserved(self, report: DayReport) -> None:
        page = render(replace(report, flows=report.flows[:-2]))
        assert "no money appeared" not in page


class TestUglyDays:
    def test_hostile_names_are_text(self, report: DayReport) -> None:
        evil = "<script>alert(1)</script>\"'&"
        flows = (replace(report.flows[0], participant=evil), *report.flows[1:])
        deliveries = (replace(report.deliveries[0], participant=evil), *report.deliveries[1:])
        windows = (replace(report.windows[0], troubles=(evil,)), *report.windows[1:])
        page = render(replace(report, community=evil, flows=flows, deliveries=deliveries, windows=windows, source=evil))
        assert "<script" not in page
        Outline(page)

    def test_a_day_without_anything(self, report: DayReport) -> None:
        page = render(replace(report, windows=(), deliveries=(), flows=(), gas=()))
        Outline(page)
        assert "Nothing was sold" in page and "computed off chain" in page

    @pytest.mark.parametrize("bids", [[], [("s", Side.SELL)], [("b", Side.BUY)]])
    def test_a_window_without_a_trade(self, report: DayReport, bids: list[tuple[str, Side]]) -> None:
        book = Book.of((name, Curve.of(side, [(3_000, 500)])) for name, side in bids)
        start = datetime(2026, 4, 21, 17, tzinfo=UTC)
        window = WindowReport.of(
            0, start, start + timedelta(minutes=15), book, clear_readable(book, Rules()), Currency(), Verdict(3)
        )
        assert window.price is None and window.volume == 0
        page = render(replace(report, windows=(window,), deliveries=()))
        Outline(page)
        assert "no trade" in page

    def test_ninety_six_windows(self, report: DayReport) -> None:
        windows = tuple(replace(report.windows[0], number=number) for number in range(96))
        Outline(render(replace(report, windows=windows)))


class TestFile:
    def test_it_is_written_whole(self, report: DayReport, page: str, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        file.write_text("old")
        write(report, file)
        assert file.read_text(encoding="utf-8") == page
        assert list(tmp_path.iterdir()) == [file]

    def test_a_place_that_cannot_be_written(self, report: DayReport, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="choose another place"):
            write(report, tmp_path / "missing" / "report.html")
        (tmp_path / "folder").mkdir()
        with pytest.raises(OutputError, match="choose another place"):
            write(report, tmp_path / "folder")
        assert [path.name for path in tmp_path.iterdir()] == ["folder"]


class TestWords:
    @pytest.mark.parametrize(
        ("number", "decimals", "shown", "expected"),
        [
            (1_234_567, 6, 4, "1.2346"),
            (-1_234_549, 6, 4, "\u22121.2345"),
            (-49, 6, 4, "0.0000"),
            (1_234_567_890, 3, 0, "1\u202f234\u202f568"),
            (5, 0, 2, "5.00"),
            (0, 6, 2, "0.00"),
        ],
    )
    def test_fixed(self, number: int, decimals: int, shown: int, expected: str) -> None:
        assert words.fixed(number, decimals, shown) == expected

    @pytest.mark.parametrize(
        ("tick", "currency", "expected"),
        [
            (2_859, Currency(), "0.2859"),
            (None, Currency(), "\u2013"),
            (1, Currency(tick_size=1), "0.000001"),
            (3, Currency(tick_size=10_000), "0.03"),
            (3, Currency(tick_size=2_500), "0.0075"),
            (7, Currency(name="token", decimals=0, tick_size=5), "35"),
        ],
    )
    def test_price(self, tick: int | None, currency: Currency, expected: str) -> None:
        assert words.price(tick, currency) == expected

    def test_shares(self) -> None:
        assert words.share(999, 1_000) == "99\u202f%"
        assert words.share(0, 0) == "\u2013"
        assert fulfilment_ppm(1, 3) == 333_333 and fulfilment_ppm(5, 0) == fulfilment_ppm(9, 3) == 1_000_000

    def test_marks_are_round_and_inside(self) -> None:
        marks = Scale(0.156, 0.385, 0, 100).marks(5)
        assert [mark_text(mark, marks) for mark in marks] == ["0.20", "0.25", "0.30", "0.35"]
        assert Scale(0.0, 0.0, 0, 1).marks(3)
