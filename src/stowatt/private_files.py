"""Files that only their owner may read: keys, bid openings, transactions before they are sent (attack T27)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from stowatt.errors import KeyStoreError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def private_folder(folder: Path) -> None:
    """Makes the folder with mode 0700 if it does not exist."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyStoreError(f"{folder} cannot be made: {error.strerror}", "name another folder") from None


def make_private(path: Path) -> None:
    """Makes an empty file with mode 0600; of an existing one the mode is checked."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        sync_folder(path.parent)
    except FileExistsError:
        require_private(path)
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be written: {error.strerror}", "name another folder") from None


def require_private(path: Path) -> None:
    """Refuses a secret that others can read or replace."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be read: {error.strerror}", "check its name and its owner") from None
    if mode & _OTHERS:
        fit = 0o700 if path.is_dir() else 0o600
        raise KeyStoreError(f"{path} is open to other users (mode {mode:04o})", f"run chmod {fit:o} on it")


def write_private(path: Path, text: str) -> None:
    """Writes a new file with mode 0600, whole or not at all, and waits until it is on the disk; replaces nothing."""
    if not path.name:  # "." and "/": no draft can lie beside them
        raise KeyStoreError(f"{path} is a folder", "name a file in it")
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        raise KeyStoreError(f"{path} exists already", "choose another name; nothing is overwritten") from None
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be written: {error.strerror}", "name another folder") from None
    sync_folder(path.parent)


def replace_private(path: Path, text: str) -> None:
    """Writes a file with mode 0600 in place of an earlier one: after a crash one of the two is there, whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be written: {error.strerror}", "make room and try again") from None
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a new name in the folder survive a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
