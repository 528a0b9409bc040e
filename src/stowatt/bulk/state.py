"""The folder in which a clearing keeps what it has done, beside its output, so that a run that was stopped goes on.

`.NAME.stowatt/` belongs to one book and one set of options: `plan.json` says which. A lock, which ends with its process
however that ends, keeps two runs apart.
"""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from stowatt.data.new_file import give_name, refuse_existing
from stowatt.errors import OutputError
from stowatt.private_files import sync_folder

PLAN: Final = "plan.json"
WHOLE: Final = "whole.parquet"


def state_folder(target: Path) -> Path:
    """Where the state of an output is kept."""
    return target.with_name(f".{target.name}.stowatt")


@contextmanager
def working_folder(target: Path, plan: dict[str, Any]) -> Iterator[tuple[Path, int]]:
    """The output's folder, made or found, and the key of its hashes. It stays if the block ends badly."""
    folder = state_folder(target)
    if os.path.lexists(target):
        _clean_finished(folder, target)
    refuse_existing(target)
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}", "check the folder") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"another run is at work on {target}", "wait for it, or choose another --out") from None
        key = _key(folder, target, plan)
        for draft in folder.glob(".*"):  # of a run that was killed
            draft.unlink()
        yield folder, key
    finally:
        os.close(lock)


@contextmanager
def passing_folder() -> Iterator[tuple[Path, int]]:
    """A folder for a run without an output, which keeps nothing."""
    with tempfile.TemporaryDirectory(prefix="stowatt-clear-") as folder:
        yield Path(folder), secrets.randbits(64)


def finish(folder: Path, target: Path) -> None:
    """Give the whole output its name, which no other file has, and remove the folder."""
    try:
        give_name(folder / WHOLE, target)
        sync_folder(target.parent)
    except FileExistsError:
        refuse_existing(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}", "check the folder") from None
    discard(folder)


def discard(folder: Path) -> None:
    """Remove the folder and all in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _key(folder: Path, target: Path, plan: dict[str, Any]) -> int:
    path = folder / PLAN
    if not path.exists():
        key = secrets.randbits(64)
        draft = path.with_suffix(".new")
        try:
            draft.write_text(json.dumps({"plan": plan, "key": key}), encoding="utf-8")
            os.replace(draft, path)
            sync_folder(folder)
        except OSError as error:
            raise OutputError(f"{folder} cannot be written to: {error.strerror}", "make room") from None
        return key
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        key, before = int(held["key"]), dict(held["plan"])
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(f"{folder} is not the state of a clearing", "remove the folder") from None
    other = [name for name in plan if before.get(name) != json.loads(json.dumps(plan[name]))]
    if other:
        what = f"{folder} holds a run on {target.name} with another {' and '.join(other)}"
        raise OutputError(what, "give the same again to go on with it, choose another --out, or remove the folder")
    return key


def _clean_finished(folder: Path, target: Path) -> None:
    """A run that was killed after its output was there has left its folder."""
    whole = folder / WHOLE
    if whole.exists() and os.path.samefile(whole, target):
        discard(folder)
