"""The committed ABI and bytecode are what the sources compile to, and the compiler was set as foundry.toml says."""

from __future__ import annotations

import json
import tomllib

import pytest

import build_contracts
from tests.frame.tree import ROOT

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    if not (ROOT / "node_modules" / "solc").is_dir():
        pytest.fail("the npm compiler is not installed: run `make setup`")
    return build_contracts.build()


def test_committed_artefacts_are_what_the_sources_compile_to(built: dict[str, bytes]) -> None:
    changed = build_contracts.differences(built)
    assert not changed, f"not what the sources compile to: {changed}; run `make contracts` and commit the result"


def test_each_contract_fits_a_block_chain_and_was_optimized(built: dict[str, bytes]) -> None:
    runs = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]["optimizer_runs"]
    for name, content in built.items():
        artefact = json.loads(content)
        assert artefact["runtimeSize"] < build_contracts.RUNTIME_LIMIT, name
        assert artefact["compiler"]["optimizer"] == {"enabled": True, "runs": runs}, name
        assert artefact["compiler"]["evmVersion"] == "cancun", name


def test_a_build_is_deterministic(built: dict[str, bytes]) -> None:
    settings = build_contracts.Settings.read()
    sources = build_contracts.collect(settings)
    reordered = dict(reversed(sources.items()))
    output = build_contracts.compile_all(settings, reordered)
    assert build_contracts.artefacts(settings, reordered, output) == built
