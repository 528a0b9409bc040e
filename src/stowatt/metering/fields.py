"""The range check that all signed evidence of a meter shares."""

from collections.abc import Collection, Sequence

from stowatt.errors import MeterError

Fields = Sequence[tuple[str, str]]
"""(type, name) pairs of an EIP-712 struct whose values are unsigned integers."""


def require_fields(what: str, fields: Fields, values: Sequence[object], from_one: Collection[str] = ()) -> None:
    """Refuses a value that its Solidity type cannot hold; the fields in `from_one` cannot be 0 either."""
    for (kind, name), value in zip(fields, values, strict=True):
        lowest, bits = int(name in from_one), int(kind.removeprefix("uint"))
        if type(value) is not int or not lowest <= value < 1 << bits:
            raise MeterError(f"a {what}'s {name} is {value!r}", f"use a whole number from {lowest} to 2^{bits}-1")
