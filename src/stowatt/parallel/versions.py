"""Who works together must be the same program: else results could differ, or nothing could be understood."""

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from stowatt import __version__
from stowatt.parallel.errors import ClusterError

PACKAGES: Final = ("distributed", "numpy", "pyarrow")
"""What items, results and files are made with."""
Versions = dict[str, str]


@cache
def _found() -> tuple[tuple[str, str], ...]:
    python = ".".join(map(str, sys.version_info[:2]))
    return (("stowatt", __version__), ("python", python), *((name, _version(name)) for name in PACKAGES))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def versions() -> Versions:
    """Of this process."""
    return dict(_found())


def check(expected: Versions, found: Versions, where: str) -> None:
    """Raise if a process is not of the versions that are expected."""
    differ = [
        f"{name} {found.get(name)} instead of {mine}" for name, mine in expected.items() if found.get(name) != mine
    ]
    if differ:
        raise ClusterError(f"worker {where} has {', '.join(differ)}", "install the same versions everywhere")


def require_same(client: Any) -> Versions:
    """The versions here, which every worker of a Dask client has too."""
    expected = versions()
    for where, found in client.run(versions, on_error="return").items():
        if isinstance(found, Exception) and not isinstance(found, OSError):
            raise ClusterError(
                f"worker {where} cannot load stowatt ({found})", f"install stowatt {__version__} where the worker runs"
            )
        if isinstance(found, dict):  # else the worker is lost; another one checks itself
            check(expected, found, where)
    return expected
