"""Errors go between processes: each class comes back as itself, with its line and its values."""

import importlib
import pickle
import pkgutil

import pytest

import stowatt
from stowatt.errors import BookFileError, StowattError


def every_class() -> list[type[StowattError]]:
    """All error classes of the package."""
    for module in pkgutil.walk_packages(stowatt.__path__, "stowatt."):
        if module.name.rpartition(".")[2] == "errors":
            importlib.import_module(module.name)
    found, waiting = [], [StowattError]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(found[-1].__subclasses__())
    return sorted(set(found), key=lambda kind: kind.__qualname__)


def test_an_error_with_values_comes_back_as_itself() -> None:
    error = BookFileError("book.csv", "a width of -3 Wh", "correct it", line=7, column="quantity")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is BookFileError
    assert str(back) == str(error) == "book.csv, line 7, column quantity: a width of -3 Wh; correct it"
    assert vars(back) == vars(error)


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
def test_every_class_can_be_sent(kind: type[StowattError]) -> None:
    """Whatever its constructor takes."""
    error = kind.__new__(kind)
    StowattError.__init__(error, "what", "way out")
    error.detail = (1, "two")  # type: ignore[attr-defined]
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (kind, "what; way out", vars(error))
