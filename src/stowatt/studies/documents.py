"""A study's results on the disk: JSON documents, Parquet tables, and the generated part of a page of the docs."""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from stowatt.errors import OutputError
from stowatt.studies.errors import StudyError

Document = dict[str, Any]
_ENDINGS: Final = (".json", ".parquet")


class Shown(NamedTuple):
    """A table for the terminal."""

    title: str
    heads: Sequence[str]
    rows: list[list[str]]


def check_out(path: Path) -> None:
    """Refuse what could not be written, before the work is done."""
    if path.suffix.lower() not in _ENDINGS:
        raise OutputError(f"{path} ends neither in .json nor in .parquet", "name a file that does")
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written", "name a file in a folder that exists")


def save(path: Path, document: Document) -> None:
    """Writes the whole document as JSON, a line for each row, or its rows alone as Parquet."""
    if path.suffix.lower() == ".json":
        replace_file(path, as_text(document).encode())
        return
    import io

    import polars as pl

    buffer = io.BytesIO()
    pl.DataFrame([flat(row) for row in document["cells"]], infer_schema_length=None).write_parquet(buffer)
    replace_file(path, buffer.getvalue())


def load(path: Path, study: str) -> Document:
    """A document that `save` wrote as JSON."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} cannot be read: {error}"[:200], "name a .json file that --out wrote") from None
    if not isinstance(document, dict) or document.get("study") != study:
        raise StudyError(f"{path} holds no results of study {study}", "name a .json file that --out wrote")
    return document


def as_text(document: Document) -> str:
    """JSON with the rows of every list on lines of their own, so that a difference can be read."""
    lines = []
    for name, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in value)
            lines.append(f" {json.dumps(name)}: [\n{rows}\n ]")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A row of nested values as columns `outer.inner`."""
    columns: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            columns.update(flat(value, f"{prefix}{name}."))
        else:
            columns[prefix + name] = value
    return columns


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}", "check the folder and its space") from None


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """A Markdown table; the first columns are text, the others figures."""
    lines = [heads, ["---"] * texts + ["---:"] * (len(heads) - texts), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def marked(page: str, name: str) -> str:
    """The generated part of a page: what stands between its markers."""
    found = re.search(f"{re.escape(_begin(name))}\n(.*?)\n{re.escape(_end(name))}", page, re.DOTALL)
    if found is None:
        raise StudyError(f"the page has no lines {_begin(name)} and {_end(name)}", "add them where the tables belong")
    return found[1]


def check_page(path: Path, name: str) -> None:
    """Refuse a page that could not be renewed, before the work is done."""
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written", "name a file in a folder that exists")
    marked(_read_page(path, name), name)


def renew_page(path: Path, name: str, generated: str) -> None:
    """Replaces the generated part of a page, or makes a page of nothing else."""
    page = _read_page(path, name)
    old, new = (f"{_begin(name)}\n{part}\n{_end(name)}" for part in (marked(page, name), generated))
    replace_file(path, page.replace(old, new).encode())


def _read_page(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.exists() else f"{_begin(name)}\n\n{_end(name)}\n"
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be read: {error}"[:200], "name a Markdown file") from None


def _begin(name: str) -> str:
    return f"<!-- {name}: begin -->"


def _end(name: str) -> str:
    return f"<!-- {name}: end -->"
