"""The tests of large books do not wait for the disk: what a crash of the machine leaves is not their subject."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_waiting() -> Iterator[None]:
    """Many small files are synced otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield
