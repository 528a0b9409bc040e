"""Stored figures, and the generated parts of docs/benchmarks.md between its markers."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"

Figures = dict[str, Any]
"""What a benchmark measured, as JSON values; times in seconds."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    quick: bool = False
    """Little, to try the benchmarks themselves."""
    full: bool = False
    """What takes long, or much memory, too."""
    window_segments: int | None = None
    """The size of each of the 96 windows that are cleared in one call, if not the usual."""
    file_segments: int | None = None
    """The size of the book that is cleared from a file."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark."""

    run: Callable[[Extent], Figures]
    """Measures."""
    tables: Callable[[Figures], str]
    """The figures as Markdown."""
    plot: Callable[[Figures, Path], None]
    """The figures as an SVG file."""


def save_document(name: str, document: dict[str, Any], folder: Path | None = None) -> None:
    """Stores a benchmark's figures, in the checkout or in a folder."""
    results = folder or RESULTS
    results.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (results / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def load_document(name: str) -> dict[str, Any]:
    """The stored figures of a benchmark."""
    document: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return document


def render_page(name: str, document: dict[str, Any], benchmark: Benchmark, folder: Path | None = None) -> None:
    """Renews the plot and the part of the page that is the benchmark's; in a folder, of a copy of the page."""
    results, page, source = RESULTS, PAGE, f"../benchmarks/results/{name}.svg"
    if folder is not None:
        results, page, source = folder, folder / PAGE.name, f"{name}.svg"
    benchmark.plot(document["figures"], results / f"{name}.svg")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    parts = (begin, f"![{name}]({source})", benchmark.tables(document["figures"]), _machine(document), end)
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    text = (page if page.exists() else PAGE).read_text(encoding="utf-8")
    renewed, found = pattern.subn(lambda _: "\n\n".join(parts), text)
    if found != 1:
        raise SystemExit(f"{PAGE.name} needs the markers {begin} and {end} once; it has them {found} times")
    page.write_text(renewed, encoding="utf-8")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """A Markdown table; the first columns are text, the others are figures."""
    lines = [heads, ["---"] * texts + ["---:"] * (len(heads) - texts), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _machine(document: dict[str, Any]) -> str:
    machine = document["machine"]
    busy = max(machine["load_before"], machine["load_after"]) > machine["cores"]
    warning = "**Other programs were running: compare rows, not machines.** " if busy else ""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{warning}<sub>{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}; "
        f"{machine['python']}; {packages}. Load average before and after: {machine['load_before']}, "
        f"{machine['load_after']}. The benchmark took {document['seconds']:.0f} s.</sub>"
    )
