"""What all benchmarks share: timing, the machine's description, stored figures, the page."""

from benchmarks.harness.machine import describe_machine, load
from benchmarks.harness.page import Benchmark, Extent, Figures, load_document, render_page, save_document, table
from benchmarks.harness.plots import PALETTE, figure, save_svg
from benchmarks.harness.timing import Spread, human, human_bytes, rounds, spread, timed

__all__ = [
    "PALETTE",
    "Benchmark",
    "Extent",
    "Figures",
    "Spread",
    "describe_machine",
    "figure",
    "human",
    "human_bytes",
    "load",
    "load_document",
    "render_page",
    "rounds",
    "save_document",
    "save_svg",
    "spread",
    "table",
    "timed",
]
