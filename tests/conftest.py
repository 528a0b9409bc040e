"""Settings of all tests: how long random tests look, and that they repeat themselves under continuous integration."""

from __future__ import annotations

import os

from hypothesis import settings

FULL = bool(os.environ.get("STOWATT_FULL"))
"""`make crash` and `make soak` run every trial; `make test` runs as many as a coffee break allows."""

settings.register_profile(
    "stowatt",
    deadline=None,  # a slow machine is no error
    derandomize=bool(os.environ.get("CI")),
    max_examples=2000 if FULL else 100,
    print_blob=True,
)
settings.load_profile("stowatt")
