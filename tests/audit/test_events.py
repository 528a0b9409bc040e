"""The records are the contracts' events: same names, same fields in the same order."""

import pytest

from stowatt.audit.events import EMITTER, EVENT_TYPES, EVENTS, Event, abi_name
from stowatt.chain.abi import contract
from stowatt.chain.events import snake_case
from tests.audit.tampering import BASE, value_fields

ARTEFACTS = {
    "registry": "Registry",
    "market": "Market",
    "delivery": "Delivery",
    "rights": "CapacityRights",
    "token": "CommunityToken",
}
UNUSED = {
    "Approval", "ApprovalForAll", "EIP712DomainChanged", "OwnershipTransferred", "RoleAdminChanged",
}  # fmt: skip
"""What no rule reads."""


def abi(kind: type[Event]) -> list[str]:
    """The event's values in the ABI, as paths."""
    entries = {entry["name"]: entry for entry in contract(ARTEFACTS[EMITTER[kind]]).abi if entry["type"] == "event"}
    paths = []
    for value in entries[abi_name(kind)]["inputs"]:
        inner = [snake_case(part["name"]) for part in value.get("components", [])]
        name = snake_case(value["name"])
        paths += [f"{name}.{part}" for part in inner] or [name]
    return paths


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_a_record_has_the_fields_of_the_abi(kind: type[Event]) -> None:
    if abi_name(kind) != "Transfer":
        assert [".".join(path) for path in value_fields(kind)] == abi(kind)
    else:  # ERC-20 and ERC-721 name the third value differently, nothing else
        assert [path[0] for path in value_fields(kind)] == abi(kind)
    assert {"block", "index", "time", "transaction", "address"} == BASE


@pytest.mark.parametrize("emitter", ARTEFACTS)
def test_every_event_of_a_contract_has_a_record(emitter: str) -> None:
    emitted = {signature.name for signature in contract(ARTEFACTS[emitter]).events}
    assert emitted - UNUSED == {abi_name(kind) for kind in EVENTS[emitter]}
