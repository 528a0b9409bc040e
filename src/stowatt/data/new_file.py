"""A new file, there whole or not at all: for files that take long to write."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from stowatt.errors import OutputError
from stowatt.private_files import sync_folder


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
                give_name(draft, path)
            finally:
                draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError:
        refuse_existing(path)
        raise OutputError(f"{draft} is in the way", "remove it") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {reason}", "check the folder and its space") from None


def give_name(draft: Path, path: Path) -> None:
    """Gives the draft its name; a link, unlike a rename, fails if the name is taken meanwhile."""
    try:
        os.link(draft, path)
    except OSError as error:
        # Some file systems, such as FAT, have no links.
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        refuse_existing(path)
        os.rename(draft, path)


def refuse_existing(path: Path) -> None:
    """Refuse what could not be written, before the work is done."""
    if os.path.lexists(path):
        raise OutputError(f"{path} exists already", "choose another name; nothing is overwritten")
    if not os.path.isdir(path.parent):
        raise OutputError(f"{path} cannot be written", "name a file in a folder that exists")
