"""The shape of the package: who imports whom, how long a module is, and that every public name says what it is."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator

import pytest

from tests.frame.tree import Module, modules

FOUNDATION = frozenset({"units", "errors"})
RULES = frozenset(
    [
        "bn254",
        "calendar",
        "clearing",
        "commitments",
        "credentials",
        "curves",
        "devices",
        "metering",
        "rights",
        "settlement",
        "typed_data",
    ]
)
"""§1-§6 as pure functions: no chain, no files."""
MODELS = frozenset(
    {"audit", "bulk", "data", "degradation", "dispatch", "parallel", "scenarios", "simulation", "studies"}
)
CUSTODY = frozenset({"keys", "openings", "private_files"})
"""What a participant keeps on the own disk: keys and the openings of sealed bids."""
CHAIN = frozenset({"chain"})
APPLICATIONS = frozenset({"agent", "cli", "demo", "gateway", "operator", "report", "service"})

LAYERS = (FOUNDATION, RULES, MODELS | CUSTODY, CHAIN, APPLICATIONS)
"""The parts of the package from the inside out: a part imports its own layer and earlier ones, never a later one."""

CHAIN_LIBRARIES = frozenset({"web3", "eth"})
"""Only `stowatt.chain` talks to a chain, so only it imports these."""

LONGEST_MODULE = 600

ENTRY_POINTS = frozenset({"", "__main__"})
"""`stowatt` itself and ``python -m stowatt`` stand outside the layers."""

PACKAGE_MODULES = modules()


def layer(part: str) -> int:
    """Where a part of the package stands; an unknown part has to be placed in LAYERS first."""
    for number, parts in enumerate(LAYERS):
        if part in parts:
            return number
    raise AssertionError(f"stowatt.{part} has no place in LAYERS: put it into the layer that it belongs to")


@pytest.mark.parametrize("module", PACKAGE_MODULES, ids=lambda module: module.name)
def test_imports_go_inwards_only(module: Module) -> None:
    if module.part in ENTRY_POINTS:
        return
    own = layer(module.part)
    outward = [
        f"{module.path.name}:{line} imports {name}"
        for line, name in module.imports()
        if name.startswith("stowatt.") and name.split(".")[1] not in {"__version__"} and layer(name.split(".")[1]) > own
    ]
    assert not outward, outward


@pytest.mark.parametrize("module", PACKAGE_MODULES, ids=lambda module: module.name)
def test_only_chain_imports_chain_libraries(module: Module) -> None:
    if module.part == "chain":
        return
    found = [f"line {line}: {name}" for line, name in module.imports() if name.split(".")[0] in CHAIN_LIBRARIES]
    assert not found, f"{module.name} talks to a chain past stowatt.chain: {found}"


def test_no_module_is_longer_than_a_sitting() -> None:
    lengths = {module.name: len(module.text.splitlines()) for module in PACKAGE_MODULES}
    written = [length for length in lengths.values() if length > 0]
    print(f"{len(written)} modules, median {statistics.median(written):g} lines, longest {max(written)}")
    too_long = {name: length for name, length in lengths.items() if length > LONGEST_MODULE}
    assert not too_long, f"split what is longer than {LONGEST_MODULE} lines: {too_long}"


PLAIN_BASES = frozenset({"Enum", "Exception", "Generic", "IntEnum", "NamedTuple", "Protocol", "StrEnum", "TypedDict"})
"""A class with another base inherits the docstrings of the methods that it overrides."""


def inherits(node: ast.ClassDef) -> bool:
    """Whether the class has a base that may document its methods."""
    return any(ast.unparse(base).split("[")[0].split(".")[-1] not in PLAIN_BASES for base in node.bases)


def undocumented(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    """Public classes, functions and methods without a docstring; what lies inside functions is not public."""
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        decorators = {ast.unparse(decorator).split("(")[0].split(".")[-1] for decorator in node.decorator_list}
        if decorators & {"overload", "setter", "deleter", "override"}:
            continue
        if ast.get_docstring(node) is None:
            yield f"{prefix}.{node.name} (line {node.lineno})"
        if isinstance(node, ast.ClassDef) and not inherits(node):
            yield from undocumented(node.body, f"{prefix}.{node.name}")


@pytest.mark.parametrize("module", PACKAGE_MODULES, ids=lambda module: module.name)
def test_every_public_name_has_a_docstring(module: Module) -> None:
    tree = module.tree()
    missing = list(undocumented(tree.body, module.name))
    if tree.body and ast.get_docstring(tree) is None:
        missing.insert(0, module.name)
    assert not missing, missing
