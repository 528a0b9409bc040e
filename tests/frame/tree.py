"""The Python sources of the package as the frame's tests see them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "stowatt"


@dataclass(frozen=True)
class Module:
    """One source file of the package."""

    path: Path
    name: str
    """Dotted, such as ``stowatt.clearing.fast``."""

    @property
    def part(self) -> str:
        """The first name below ``stowatt``: a module or a package of the top level."""
        pieces = self.name.split(".")
        return pieces[1] if len(pieces) > 1 else ""

    @property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, str(self.path))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of everything that the module imports, wherever in the file it does so."""
        is_package = self.path.name == "__init__.py"
        for node in ast.walk(self.tree()):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    pieces = self.name.split(".")
                    kept = pieces[: len(pieces) - node.level + is_package]
                    base = ".".join([*kept, *([base] if base else [])])
                for alias in node.names:
                    yield node.lineno, f"{base}.{alias.name}"


def modules() -> list[Module]:
    """Every module of the package, in the order of its path."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        pieces = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(pieces[:-1] if pieces[-1] == "__init__" else pieces)
        found.append(Module(path, name))
    return found
