"""`python -m benchmarks`: run benchmarks, store their figures, renew docs/benchmarks.md."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import auditing, crypto
from benchmarks.chains import bench as chains
from benchmarks.clearing import bench as clearing
from benchmarks.clearing import report as clearing_report
from benchmarks.growth import bench as growth
from benchmarks.growth import report as growth_report
from benchmarks.harness import (
    Benchmark,
    Extent,
    Figures,
    describe_machine,
    load,
    load_document,
    render_page,
    save_document,
)
from benchmarks.streaming import bench as streaming
from benchmarks.streaming import report as streaming_report


def _small(run: Callable[[bool], Figures]) -> Callable[[Extent], Figures]:
    """A benchmark that knows quick or not only."""
    return lambda extent: run(extent.quick)


BENCHMARKS: dict[str, Benchmark] = {
    "clearing": Benchmark(clearing.run, clearing_report.tables, clearing_report.plot),
    "growth": Benchmark(growth.run, growth_report.tables, growth_report.plot),
    "streaming": Benchmark(streaming.run, streaming_report.tables, streaming_report.plot),
    "ledger": Benchmark(_small(chains.run), chains.tables, chains.plot),
    "crypto": Benchmark(_small(crypto.run), crypto.tables, crypto.plot),
    "audit": Benchmark(_small(auditing.run), auditing.tables, auditing.plot),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks of Stowatt.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which of: " + ", ".join(BENCHMARKS))
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--quick", action="store_true", help="small sizes, few repeats; writes nothing without --into")
    much.add_argument("--full", action="store_true", help="the largest sizes and slowest peers too; takes long")
    much.add_argument("--render", action="store_true", help="measure nothing; tables and plots from stored figures")
    parser.add_argument("--into", type=Path, metavar="DIR", help="write figures, plots and a copy of the page there")
    parser.add_argument("--window-segments", type=_size, metavar="N", help="of each of the 96 windows of one call")
    parser.add_argument("--file-segments", type=_size, metavar="N", help="of the book that is cleared from a file")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    extent = Extent(options.quick, options.full, options.window_segments, options.file_segments)
    document: dict[str, Any]
    for name in options.names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        if not options.render:
            print(f"{name} …", flush=True)
            before, begun = load(), time.perf_counter()
            figures = benchmark.run(extent)
            machine = describe_machine() | {"load_before": before, "load_after": load()}
            seconds = round(time.perf_counter() - begun, 1)
            document = {"benchmark": name, "machine": machine, "seconds": seconds, "figures": figures}
        else:
            document = load_document(name)
        print(benchmark.tables(document["figures"]), flush=True)
        if options.into or not options.quick:
            save_document(name, document, options.into)
            render_page(name, document, benchmark, options.into)
    return 0


def _size(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 4:
        raise argparse.ArgumentTypeError("give at least 4 segments")
    return number


if __name__ == "__main__":
    sys.exit(main())
