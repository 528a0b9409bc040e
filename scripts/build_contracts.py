"""Compile contracts/src and write one JSON artefact per deployable contract into the package.

Running a market needs neither compiler nor Node: ABI and bytecode are committed, and a test rebuilds them and compares
byte for byte. The compiler is the pinned npm solc (tools/solc-wrapper) and the settings are those of foundry.toml, so
that forge tests the very bytecode that is shipped. The optimizer is seen to be on in each contract's metadata, not just
asked for, and a runtime of 24,576 bytes or more (EIP-170) is refused.

Usage: build_contracts.py [--check] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import posixpath
import re
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ARTEFACTS = ROOT / "src" / "stowatt" / "chain" / "artefacts"
SOURCES = ROOT / "contracts" / "src"

RUNTIME_LIMIT = 24_576
"""Bytes of runtime code at which a chain refuses a contract (EIP-170)."""

IMPORT = re.compile(r"""^\s*import\s[^;"']*["'](?P<path>[^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class Settings:
    """The compiler settings of foundry.toml's default profile."""

    evm_version: str
    optimizer: bool
    optimizer_runs: int
    via_ir: bool
    bytecode_hash: str
    cbor_metadata: bool
    remappings: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path = ROOT / "foundry.toml") -> Settings:
        """Read them from the file."""
        profile = tomllib.loads(path.read_text())["profile"]["default"]
        return cls(
            evm_version=profile["evm_version"],
            optimizer=profile["optimizer"],
            optimizer_runs=profile["optimizer_runs"],
            via_ir=profile["via_ir"],
            bytecode_hash=profile["bytecode_hash"],
            cbor_metadata=profile["cbor_metadata"],
            remappings=tuple((left, right) for left, right in (item.split("=") for item in profile["remappings"])),
        )

    def standard_json(self) -> dict[str, Any]:
        """The settings as solc's standard-json input has them."""
        return {
            "evmVersion": self.evm_version,
            "optimizer": {"enabled": self.optimizer, "runs": self.optimizer_runs},
            "viaIR": self.via_ir,
            "metadata": {"bytecodeHash": self.bytecode_hash, "appendCBOR": self.cbor_metadata},
            "remappings": [f"{left}={right}" for left, right in self.remappings],
            "outputSelection": {
                "*": {
                    "": ["ast"],
                    "*": ["abi", "metadata", "evm.bytecode", "evm.deployedBytecode.object", "evm.methodIdentifiers"],
                }
            },
        }


def collect(settings: Settings, sources: Path = SOURCES, root: Path = ROOT) -> dict[str, str]:
    """Every source that the contracts need, by its name relative to the project, sorted by name."""
    waiting = sorted(path.relative_to(root).as_posix() for path in sources.rglob("*.sol"))
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = root / name
        if not path.exists():
            raise SystemExit(f"{name} is imported but missing; `make setup` installs the libraries")
        found[name] = path.read_text()
        waiting += [_resolved(settings, name, match["path"]) for match in IMPORT.finditer(found[name])]
    return dict(sorted(found.items()))


def _resolved(settings: Settings, importer: str, target: str) -> str:
    """The source name that an import in `importer` means: relative to it, remapped, or as it stands."""
    if target.startswith("."):
        return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))
    for left, right in settings.remappings:
        if target.startswith(left):
            return right + target.removeprefix(left)
    return target


def compile_all(settings: Settings, sources: Mapping[str, str], solc: Path | None = None) -> dict[str, Any]:
    """Run solc and return its output; warnings of our own sources and all errors stop the build."""
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": settings.standard_json(),
    }
    command = [str(solc or ROOT / "tools" / "solc-wrapper"), "--standard-json"]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the compiler failed: {done.stderr.strip()}")
    output: dict[str, Any] = json.loads(done.stdout)
    messages = [
        item["formattedMessage"]
        for item in output.get("errors", [])
        if item["severity"] == "error"
        or (item["severity"] == "warning" and item.get("sourceLocation", {}).get("file", "").startswith("contracts/"))
    ]
    if messages:
        raise SystemExit("\n".join(messages))
    return output


def source_hash(sources: Mapping[str, str]) -> str:
    """SHA-256 over the names and texts of all sources, in the order of their names."""
    digest = hashlib.sha256()
    for name, text in sorted(sources.items()):
        for part in (name, text):
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _check_metadata(name: str, settings: Settings, metadata: Mapping[str, Any]) -> None:
    """Refuse a contract that was not compiled as asked."""
    used = metadata["settings"]
    seen = (used["optimizer"]["enabled"], used["optimizer"]["runs"], used["evmVersion"], used.get("viaIR", False))
    asked = (True, settings.optimizer_runs, settings.evm_version, settings.via_ir)
    if seen != asked:
        raise SystemExit(f"{name}: compiled with (optimizer, runs, EVM, IR) = {seen}, asked for {asked}")


def _deployable(ast: Mapping[str, Any]) -> dict[str, str]:
    """Name and kind of the contracts and libraries of one source that can be deployed."""
    return {
        node["name"]: node["contractKind"]
        for node in ast["nodes"]
        if node["nodeType"] == "ContractDefinition" and node["contractKind"] != "interface" and not node["abstract"]
    }


def artefacts(settings: Settings, sources: Mapping[str, str], output: Mapping[str, Any]) -> dict[str, bytes]:
    """File name to content, for each deployable contract of contracts/src (libraries only if they are linked)."""
    files: dict[str, bytes] = {}
    for source, contracts in output["contracts"].items():
        if not source.startswith("contracts/src/"):
            continue
        kinds = _deployable(output["sources"][source]["ast"])
        for name, contract in contracts.items():
            if name not in kinds or (kinds[name] == "library" and not contract["evm"]["methodIdentifiers"]):
                continue
            if f"{name}.json" in files:
                raise SystemExit(f"two contracts are called {name}; artefacts are named after their contract")
            files[f"{name}.json"] = _artefact(settings, sources, source, name, contract)
    return dict(sorted(files.items()))


def _artefact(
    settings: Settings, sources: Mapping[str, str], source: str, name: str, contract: Mapping[str, Any]
) -> bytes:
    """The bytes of one artefact."""
    metadata = json.loads(contract["metadata"])
    _check_metadata(name, settings, metadata)
    runtime = len(contract["evm"]["deployedBytecode"]["object"]) // 2
    if runtime >= RUNTIME_LIMIT:
        raise SystemExit(f"{name}: {runtime} bytes of runtime code; a chain takes fewer than {RUNTIME_LIMIT} (EIP-170)")
    used = {key: sources[key] for key in metadata["sources"]}
    content = {
        "contract": name,
        "source": source,
        "sourceHash": source_hash(used),
        "compiler": {
            "version": metadata["compiler"]["version"],
            "evmVersion": metadata["settings"]["evmVersion"],
            "optimizer": metadata["settings"]["optimizer"],
            "viaIR": metadata["settings"].get("viaIR", False),
        },
        "runtimeSize": runtime,
        "abi": contract["abi"],
        "linkReferences": contract["evm"]["bytecode"].get("linkReferences", {}),
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
    }
    return _lines(content).encode()


def _lines(content: Mapping[str, Any]) -> str:
    """JSON with one line for each key, and for each entry of the ABI, so that a change is a readable diff."""
    rows = []
    for key, value in content.items():
        if key == "abi":
            entries = ",\n".join("  " + json.dumps(entry) for entry in value)
            rows.append(f' "abi": [\n{entries}\n ]')
        else:
            rows.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


def build() -> dict[str, bytes]:
    """Compile contracts/src and return the artefacts by file name."""
    settings = Settings.read()
    sources = collect(settings)
    return artefacts(settings, sources, compile_all(settings, sources))


def differences(built: Mapping[str, bytes], folder: Path = ARTEFACTS) -> list[str]:
    """Names of the files in `folder` that are missing, left over or not byte for byte what was built."""
    present = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    return sorted(name for name in built.keys() | present.keys() if built.get(name) != present.get(name))


def write(built: Mapping[str, bytes], folder: Path = ARTEFACTS) -> None:
    """Write what differs and remove what is left over."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in differences(built, folder):
        if name in built:
            (folder / name).write_bytes(built[name])
        else:
            (folder / name).unlink()


def main() -> None:
    """Write the artefacts, or with --check only compare them; print the size of each contract."""
    parser = argparse.ArgumentParser(description="compile the contracts into the package")
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 if an artefact differs")
    parser.add_argument("--out", type=Path, default=ARTEFACTS, help="folder of the artefacts")
    arguments = parser.parse_args()
    built = build()
    for name, content in built.items():
        print(f"{name.removesuffix('.json'):<24} {json.loads(content)['runtimeSize']:>6} bytes")
    changed = differences(built, arguments.out)
    if arguments.check and changed:
        raise SystemExit(f"not what the sources compile to: {', '.join(changed)}; run `make contracts`")
    if not arguments.check:
        write(built, arguments.out)
        print(f"{len(built)} artefacts, changed or removed: {', '.join(changed) or 'none'}")


if __name__ == "__main__":
    main()
