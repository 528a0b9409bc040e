"""What is installed is locked by hash, names no host, and is named in NOTICE with its licence."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests.frame.tree import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def normal(name: str) -> str:
    """A package name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[str, list[str]]:
    """The packages of a lock file, each with its hashes."""
    packages: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        match = NAME.match(line)
        if match:
            name = normal(match[0])
            packages.setdefault(name, [])
        packages.get(name, []).extend(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line))
    return packages


def test_there_are_locks() -> None:
    ours = {"build", "data", "dev", "extras", "runtime"}
    assert {path.stem for path in LOCKS} == ours | {"blast", "halmos", "oracle", "peers", "slither"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_locked_package_has_hashes_and_no_host(path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "index" not in text.split("\n\n")[0]
    assert all(locked(text).values()), [name for name, hashes in locked(text).items() if not hashes]


def test_npm_lock_has_hashes_and_no_host() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert not [name for name, package in packages.items() if name and not package["integrity"].startswith("sha512-")]


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = locked((ROOT / "requirements" / "runtime.lock").read_text())
    dev = locked((ROOT / "requirements" / "dev.lock").read_text())
    extras = locked((ROOT / "requirements" / "extras.lock").read_text())
    optional = project["project"]["optional-dependencies"]
    always = project["project"]["dependencies"] + optional["plot"]
    declared = [*project["project"]["dependencies"], *(item for extra in optional.values() for item in extra)]
    assert not [item for item in always if normal(NAME.match(item)[0]) not in runtime]  # type: ignore[index]
    assert not [item for item in declared if normal(NAME.match(item)[0]) not in extras]  # type: ignore[index]
    assert not [
        item
        for item in declared + project["dependency-groups"]["dev"]
        if normal(NAME.match(item)[0]) not in dev  # type: ignore[index]
    ]


def test_test_tools_do_not_change_what_runs() -> None:
    runtime = re.findall(r"^[^\s#].*==[^\s\\]+", (ROOT / "requirements" / "runtime.lock").read_text(), re.MULTILINE)
    dev = set(re.findall(r"^[^\s#].*==[^\s\\]+", (ROOT / "requirements" / "dev.lock").read_text(), re.MULTILINE))
    assert not [item for item in runtime if item not in dev]


def test_notice_names_everything_that_runs_with_its_licence() -> None:
    notice = (ROOT / "NOTICE").read_text()
    named = {normal(name) for name in re.findall(r"^- (\S+): ", notice, re.MULTILINE)}
    needed = set(locked((ROOT / "requirements" / "extras.lock").read_text()))
    needed |= set(locked((ROOT / "requirements" / "data.lock").read_text()))
    windows_only = {"colorama", "pywin32"}
    assert not needed - named - windows_only, "run `make notice`"
    assert "OpenZeppelin Contracts" in notice


def test_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert len(text.splitlines()) > 200
