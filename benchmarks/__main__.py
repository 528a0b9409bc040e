"""`python -m benchmarks`: run benchmarks, store their figures, renew docs/benchmarks.md."""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import auditing, crypto
from benchmarks.chains import bench as chains
from benchmarks.clearing import bench as clearing
from benchmarks.clearing import report as clearing_report
from benchmarks.harness import Benchmark, describe_machine, load, load_document, render_page, save_document

BENCHMARKS: dict[str, Benchmark] = {
    "clearing": Benchmark(
        clearing.run, clearing_report.tables, clearing_report.plot, partial(clearing.run, False, full=True)
    ),
    "ledger": Benchmark(chains.run, chains.tables, chains.plot),
    "crypto": Benchmark(crypto.run, crypto.tables, crypto.plot),
    "audit": Benchmark(auditing.run, auditing.tables, auditing.plot),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks of Stowatt.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which of: " + ", ".join(BENCHMARKS))
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="small sizes, few repeats; writes nothing without --into")
    extent.add_argument("--full", action="store_true", help="the largest sizes and slowest peers too; takes long")
    extent.add_argument("--render", action="store_true", help="measure nothing; tables and plots from stored figures")
    parser.add_argument("--into", type=Path, metavar="DIR", help="write figures, plots and a copy of the page there")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    document: dict[str, Any]
    for name in options.names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        if not options.render:
            print(f"{name} …", flush=True)
            before, begun = load(), time.perf_counter()
            figures = benchmark.run_full() if options.full and benchmark.run_full else benchmark.run(options.quick)
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


if __name__ == "__main__":
    sys.exit(main())
