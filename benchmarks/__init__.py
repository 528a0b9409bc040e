"""Benchmarks of Stowatt beside what one would otherwise use; docs/benchmarks.md has the results of `make bench`.

    python -m benchmarks                      everything
    python -m benchmarks clearing             one of clearing, ledger, crypto, audit
    python -m benchmarks clearing --quick     small sizes, a few repeats; writes nothing
    python -m benchmarks clearing --full      to 10^8 segments, and peers that take minutes
    python -m benchmarks --render             pages and plots again from benchmarks/results
    python -m benchmarks … --into DIR         written to a folder instead, with a copy of the page

A benchmark is a module with `run`, `tables` and `plot` (see `benchmarks.harness.Benchmark`), listed in
`benchmarks.__main__`. Nothing here asserts a time; wrong results are shown in the tables.
"""
