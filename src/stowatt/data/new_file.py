"""A new file, there whole or not at all: for files that take long to write."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stowatt.errors import OutputError


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which gets its name when the block ends well. An existing file is never replaced.

    Until then it is a hidden draft beside it, ending in `.new`: all that a killed run can leave behind.
    """
    refuse_existing(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with draft.open("xb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.link(draft, path)
            finally:
                draft.unlink()
    except FileExistsError:
        refuse_existing(path)
        raise OutputError(f"{draft} is in the way", "remove it") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {reason}", "check the folder and its space") from None


def refuse_existing(path: Path) -> None:
    """Refuse what could not be written, before the work is done."""
    if os.path.lexists(path):
        raise OutputError(f"{path} exists already", "choose another name; nothing is overwritten")
    if not os.path.isdir(path.parent):
        raise OutputError(f"{path} cannot be written", "name a file in a folder that exists")
