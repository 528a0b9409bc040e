"""A run's results: tables as Parquet, and run.json, in a folder that is there whole or not at all.

    run.json          the scenario as read and its digest, seeds, versions, what was simulated, seconds
    schemes.parquet   one row a scheme: costs, gain, what it captures, energies
    windows.parquet   one row a window: prices, the market's book and trade, the community's energies by scheme
    homes.parquet     one row a home (or further node) and scheme: energies, costs, gain
    flows/NAME.parquet  if asked for: every window and node of a scheme
    report.html       the page for people

Energies are Wh, prices base units per kWh, money base units · Wh (10^-9 of the currency): nothing was divided.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import polars as pl

from stowatt.errors import OutputError
from stowatt.private_files import sync_folder
from stowatt.scenarios.errors import ScenarioError

FORMAT: Final = "stowatt scenario run 1"
RUN_FILE: Final = "run.json"
REPORT_FILE: Final = "report.html"


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a run found."""

    run: dict[str, Any]
    """What was run: run.json."""
    schemes: pl.DataFrame
    """One row a scheme, in the order of the comparison."""
    windows: pl.DataFrame
    """One row a window."""
    homes: pl.DataFrame
    """One row a home and scheme."""

    def tables(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """The tables by name."""
        yield "schemes", self.schemes
        yield "windows", self.windows
        yield "homes", self.homes

    def scheme(self, name: str) -> dict[str, Any] | None:
        """The row of a scheme, None if it was not compared."""
        rows = self.schemes.filter(pl.col("scheme") == name).to_dicts()
        return rows[0] if rows else None


def finished(folder: Path, digest: str) -> bool:
    """Whether the folder holds the whole run of the scenario with this digest; an error if it holds another's."""
    run = read_run(folder)
    if run is not None and run.get("digest") != digest:
        raise ScenarioError(
            f"{folder} holds another scenario or other values ({str(run.get('name'))[:60]})",
            "name a new folder with --out, or remove that one",
        )
    return run is not None


def save(results: Results, draft: Path, pages: Mapping[str, str] | None = None) -> None:
    """The tables, run.json and further text files into a draft folder; run.json last."""
    for name, table in results.tables():
        table.write_parquet(draft / f"{name}.parquet", compression="zstd", statistics=True)
    for name, text in (pages or {}).items():
        (draft / name).write_text(text, encoding="utf-8")
    (draft / RUN_FILE).write_text(json.dumps(results.run, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(folder: Path) -> Results:
    """The results in a folder."""
    run = read_run(folder)
    if run is None:
        raise ScenarioError(f"{folder} holds no {RUN_FILE}", "name a folder that stowatt simulate wrote")
    try:
        tables = [pl.read_parquet(folder / f"{name}.parquet") for name in ("schemes", "windows", "homes")]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ScenarioError(f"{folder} cannot be read: {error}"[:200], "remove the folder and run it again") from None
    return Results(run, *tables)


def read_run(folder: Path) -> dict[str, Any] | None:
    """run.json of a folder; None if there is none."""
    try:
        run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{folder / RUN_FILE} cannot be read: {error}"[:200], "name another folder") from None
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise ScenarioError(f"{folder / RUN_FILE} is no {FORMAT!r}", "name another folder with --out")
    return run


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write to, which gets its name when the block ends well. What exists is never replaced.

    Until then it is a hidden draft beside it, ending in `.new`: all that a killed run can leave behind. An empty folder
    of the name is filled.
    """
    check_folder(path)
    draft = path.with_name(f".{path.name}.{token_hex(6)}.new")
    try:
        draft.mkdir(parents=True)
        try:
            yield draft
            for file in sorted(draft.rglob("*")):
                _sync(file)
            os.rename(draft, path)  # takes the place of an empty folder; refuses any other
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {reason}", "check the folder and its space") from None


def check_folder(path: Path) -> None:
    """Refuse what could not be written, before the work is done."""
    if not path.name:
        raise OutputError(f"{path} is no name for a new folder", "name one with --out")
    try:
        if path.is_dir() and not path.is_symlink():
            used = next(path.iterdir(), None)
            if used is not None:
                raise OutputError(
                    f"{path} is not empty (it holds {used.name})", "name a new folder; nothing is overwritten"
                )
        elif os.path.lexists(path):
            raise OutputError(f"{path} is not a folder", "name a new one with --out")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be used ({error.strerror})", "name another folder with --out") from None


def _sync(path: Path) -> None:
    """Everything written is on the disk before the folder gets its name."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
