"""docs/callers.md: the table is the contracts' ABI, and whoever it shuts out is refused (T20)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_hash.auto import keccak

from stowatt.chain.abi import contract, errors_by_selector
from stowatt.chain.errors import ChainRevert
from stowatt.chain.ledger import Call
from stowatt.credentials import Role
from stowatt.curves import Side
from tests.audit.day import BUY, SELL, Day

PAGE = Path(__file__).resolve().parents[2] / "docs" / "callers.md"
CONTRACTS = ("Market", "CapacityRights", "Delivery", "Registry", "CommunityToken")
STRANGER = Account.create().address
OPEN_TO_ALL = "anybody"
REFUSALS = {
    "registry": {"NotRegistry"},
    "delivery": {"NotDelivery"},
    "market": {"NotMarket"},
    "admitted accounts, for themselves": {"NotAdmitted"},
    "holder, or approved by it": {"NotHolder", "ERC721InsufficientApproval"},
    "holder, or its operator": {"ERC721InvalidApprover"},
    "issuer": {"AccessControlUnauthorizedAccount"},
    "issuer; in the open mode the owner too": {"NotDeviceAuthority"},
    "the role's admin": {"AccessControlUnauthorizedAccount"},
    "the token's owner": {"OwnableUnauthorizedAccount"},
}
"""What a stranger is told, by the words of the table's third column."""


def rows() -> list[tuple[str, str, str]]:
    """(contract, function, who) of every row."""
    found = re.findall(r"^\| (\w+) \| `(\w+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, function, who.strip()) for name, function, who in found]


RESTRICTED = [row for row in rows() if row[2] in REFUSALS]


def test_the_table_has_every_function_that_changes_state() -> None:
    written = {
        (name, entry["name"])
        for name in CONTRACTS
        for entry in contract(name).abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    listed = [(name, function) for name, function, _ in rows()]
    assert len(listed) == len(set(listed))
    assert set(listed) == written


def test_every_row_is_open_to_all_or_tried_below() -> None:
    for _, function, who in rows():
        assert who in REFUSALS or who.startswith((OPEN_TO_ALL, "the same")), f"{function}: who is {who!r}?"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """A market with a right of a seller, another window open for commitments, and nobody the stranger knows."""
    day = Day.start(tmp_path_factory.mktemp("callers") / "ledger")
    day.admit("s1", Role.SELL, 10**9)
    day.admit("b1", Role.BUY, 10**9)
    day.device("s1", 5000, 20_000)
    admin = day["admin"]
    admin.execute(admin.calls.open_windows(0, 5))
    day.bid("s1", 0, SELL, (100, 1000))
    day.bid("b1", 0, BUY, (300, 1000))
    day.to(0, "commit")
    day.reveal(0, "s1", "b1")
    admin.execute(admin.calls.clear(0))
    day.claim(0, "s1", "b1")
    return day


def sample(kind: str, entry: dict[str, Any], values: dict[str, Any]) -> Any:
    """A well-formed argument: the named one if the test knows it, else a small one of its type."""
    if entry["name"] in values:
        return values[entry["name"]]
    if kind == "tuple":
        return tuple(sample(part["type"], part, values) for part in entry["components"])
    if kind.endswith("[]"):
        return [sample(kind[:-2], {**entry, "type": kind[:-2]}, values)]
    plain = {"address": STRANGER, "bool": True, "bytes": b"", "string": "x", "bytes32": bytes(32)}
    return plain.get(kind, 1)


def signature(entry: dict[str, Any]) -> str:
    """The canonical type of an ABI entry."""
    if not entry["type"].startswith("tuple"):
        return str(entry["type"])
    return "(" + ",".join(signature(part) for part in entry["components"]) + ")" + entry["type"][5:]


@pytest.mark.parametrize(("name", "function", "who"), RESTRICTED, ids=str)
def test_t20_a_stranger_is_refused(day: Day, name: str, function: str, who: str) -> None:
    """Every well-formed call of a restricted function by an account without any role fails for want of that role."""
    deployment = day.deployment
    address = {
        "Market": deployment.market,
        "CapacityRights": deployment.rights,
        "Delivery": deployment.delivery,
        "Registry": deployment.registry,
        "CommunityToken": deployment.token,
    }[name]
    right, seller = day.right("s1", 0, Side.SELL), day.address("s1")
    known = {
        "rightId": right, "tokenId": right, "from": seller, "owner": seller, "window": 4, "windows": [4], "device": 1,
        "account": seller, "quantity": 10,
    }  # fmt: skip
    for entry in contract(name).abi:
        if entry["type"] != "function" or entry["name"] != function:
            continue
        kinds = [signature(argument) for argument in entry["inputs"]]
        values = [sample(argument["type"], argument, known) for argument in entry["inputs"]]
        data = keccak(f"{function}({','.join(kinds)})".encode())[:4] + encode(kinds, values)
        with pytest.raises(ChainRevert) as refused:
            day.ledger.call(Call(to=address, data=data, sender=STRANGER))
        error = errors_by_selector()[refused.value.data[:4]]
        assert error.name in REFUSALS[who], f"{function} by a stranger: {error.name}"
