"""The growth benchmark: what is fitted, the grids' books, a quick run's page."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.clearing.books import make_book
from benchmarks.clearing.judge import truth
from benchmarks.growth import bench, report
from benchmarks.harness import Extent, load_document


def test_exponents() -> None:
    assert bench.exponent([(x, 3e-9 * x) for x in (10, 100, 5_000)]) == pytest.approx(1)
    assert bench.exponent([(x, 0.25) for x in (2, 4, 2**30)]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("bits", [8, 14, 30])
def test_the_same_curves_on_any_grid(bits: int) -> None:
    book = make_book(4_000)
    there = bench.on_grid(book, bits)
    assert there.ticks.min() >= 0 and there.ticks.max() < 2**bits
    assert there.widths is book.widths and np.array_equal(there.buys, book.buys)
    scale = 2.0 ** (bits - bench.BOOK_BITS)
    assert (
        truth(there).lowest == pytest.approx(truth(book).lowest * scale, abs=2 * max(scale, 1)) if bits < 20 else True
    )
    assert np.abs(there.ticks - book.ticks * scale).max() <= max(scale, 1)


def test_a_quick_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench, "SEGMENTS", (400, 800, 1_600))
    monkeypatch.setattr(bench, "BITS", (8, 10, 12, 14, 30))
    monkeypatch.setattr(bench, "COUNTS", (1, 16))
    figures = json.loads(json.dumps(bench.run(Extent(quick=True))))
    text = report.tables(figures)
    assert text.count("numpy only |") == 4 and "Too few segments" in text and "| ticks that are used |" in text
    assert max(figures["grids"]["allocated"].values()) < 10_000_000  # and not a cell for each of 2^30 ticks
    report.plot(figures, tmp_path / "growth.svg")
    assert (tmp_path / "growth.svg").stat().st_size > 1_000


def test_stored_figures_still_make_their_page() -> None:
    figures = load_document("growth")["figures"]
    assert "ticks^" in report.tables(figures) and set(figures["grids"]["seconds"]) >= {"numpy"}
