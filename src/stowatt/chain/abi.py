"""The contracts' ABI from the committed artefacts: calls, results and reverts as bytes and back, with eth_abi."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from stowatt.chain.errors import ConnectionFailed
from stowatt.errors import LedgerError

CONTRACTS = ("Market", "Registry", "CapacityRights", "Delivery", "RightMetadata", "CommunityToken")


@dataclass(frozen=True, slots=True)
class Signature:
    """A function, event or error: its name and what it takes."""

    name: str
    names: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def text(self) -> str:
        """Such as `open(uint256,uint256)`."""
        return f"{self.name}({','.join(self.types)})"

    @property
    def topic(self) -> bytes:
        """keccak256 of the text; its first four bytes select a function or an error."""
        return keccak(self.text.encode())


@dataclass(frozen=True, slots=True)
class Function:
    """A function with what it returns."""

    signature: Signature
    selector: bytes
    returns: tuple[str, ...]


class Contract:
    """One artefact."""

    def __init__(self, artefact: dict[str, Any]) -> None:
        self.name: str = artefact["contract"]
        self.abi: list[dict[str, Any]] = artefact["abi"]
        self.creation = bytes.fromhex(artefact["bytecode"].removeprefix("0x"))
        self._inputs: tuple[str, ...] = ()
        self._functions: dict[str, Function] = {}
        self.errors: list[Signature] = []
        self.events: list[Signature] = []
        for entry in self.abi:
            signature = _signature(entry)
            if entry["type"] == "function":
                returns = tuple(_type(output) for output in entry["outputs"])
                self._functions.setdefault(signature.name, Function(signature, signature.topic[:4], returns))
            elif entry["type"] == "constructor":
                self._inputs = signature.types
            elif entry["type"] == "error":
                self.errors.append(signature)
            elif entry["type"] == "event":
                self.events.append(signature)

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions; of an overloaded one the first."""
        return tuple(self._functions.values())

    def call(self, function: str, *values: Any) -> bytes:
        """The data of a call."""
        known = self._functions[function]
        return known.selector + _encoded(known.signature, values)

    def deployment(self, *values: Any) -> bytes:
        """The data of the transaction that deploys the contract."""
        return self.creation + _encoded(Signature(f"new {self.name}", (), self._inputs), values)

    def result(self, function: str, data: bytes) -> tuple[Any, ...]:
        """What a call returned; addresses in EIP-55 spelling."""
        returns = self._functions[function].returns
        try:
            return decoded(returns, data)
        except DecodingError:
            raise ConnectionFailed(
                f"{self.name}.{function} answered with {len(data)} bytes that are not {', '.join(returns)}",
                "check that the market file belongs to this chain",
            ) from None


@cache
def contract(name: str) -> Contract:
    """The contract of that name, from the package."""
    return Contract(json.loads(files("stowatt.chain").joinpath("artefacts", f"{name}.json").read_text("utf-8")))


@cache
def errors_by_selector() -> dict[bytes, Signature]:
    """Every custom error that any of the contracts can raise; one bubbles up through the others unchanged."""
    return {error.topic[:4]: error for name in CONTRACTS for error in contract(name).errors}


def decoded(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """ABI-decoded values, with addresses in EIP-55 spelling."""
    return tuple(_spelled(kind, value) for kind, value in zip(types, decode(types, data), strict=True))


def components(kind: str) -> list[str]:
    """The types inside a tuple type such as `(uint8,(address,bytes))`."""
    parts, depth, start = [], 0, 1
    for position, letter in enumerate(kind):
        depth += (letter == "(") - (letter == ")")
        if (letter == "," and depth == 1) or (letter == ")" and depth == 0):
            parts.append(kind[start:position])
            start = position + 1
    return parts


def _spelled(kind: str, value: Any) -> Any:
    if kind == "address":
        return str(to_checksum_address(value))
    if kind.startswith("(") and kind.endswith(")"):
        return tuple(_spelled(part, item) for part, item in zip(components(kind), value, strict=True))
    return value


def _encoded(signature: Signature, values: Sequence[Any]) -> bytes:
    try:
        return bytes(encode(signature.types, values))
    except (EncodingError, ValueError, TypeError) as error:
        # eth_abi names the value and the type
        raise LedgerError(f"{signature.name}: {str(error).splitlines()[0]}", f"it takes {signature.text}") from None


def _signature(entry: dict[str, Any]) -> Signature:
    inputs = entry.get("inputs", [])
    names = tuple(item["name"] for item in inputs)
    return Signature(entry.get("name", ""), names, tuple(_type(item) for item in inputs))


def _type(item: dict[str, Any]) -> str:
    """The canonical type: structs as tuples."""
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(_type(part) for part in item["components"]) + ")" + kind.removeprefix("tuple")
