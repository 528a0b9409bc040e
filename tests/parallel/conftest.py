"""Clusters that tests share, since starting one takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stowatt.parallel import Workers
from stowatt.parallel.cluster import cluster


@pytest.fixture(scope="module")
def processes() -> Iterator[Workers]:
    """Two processes of this machine."""
    pytest.importorskip("distributed", reason="needs the extra cluster")
    with cluster(workers=2) as workers:
        yield workers
