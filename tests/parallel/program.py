"""A program with workers, started as a process of its own: prints what it did, and how it ended."""

import sys
from functools import partial

from stowatt.parallel.cluster import cluster
from tests.parallel.work import slow_square


def main(seconds: float) -> int:
    """Squares of some numbers, one after another, each taking so long."""
    try:
        with cluster(workers=2) as workers:
            print("begun", workers.count, flush=True)
            for number, square in workers.each(partial(slow_square, seconds=seconds), range(8)):
                print(number, square, flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
