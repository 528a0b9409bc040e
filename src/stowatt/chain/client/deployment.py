"""A deployed market: where its contracts are, as a JSON file that names the chain and the contracts' code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from stowatt.calendar import Calendar
from stowatt.chain.abi import contract
from stowatt.chain.errors import WrongChain
from stowatt.chain.ledger import Call, Ledger, address_bytes, checksum
from stowatt.chain.sender import Sender
from stowatt.errors import LedgerError, OutputError
from stowatt.typed_data import checksummed

FORMAT: Final = "stowatt market 1"
CONTRACT_FIELDS: Final = ("token", "registry", "market", "rights", "metadata", "delivery")
_CODE_FIELDS: Final = ("registry", "market", "rights", "metadata", "delivery")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The addresses of one market on one chain."""

    chain_id: int
    block: int
    """The block of the first contract: no event of the market lies before it."""
    token: str
    registry: str
    market: str
    rights: str
    metadata: str
    delivery: str
    token_symbol: str
    token_decimals: int
    code: str
    """keccak256 over the runtime codes of the market's own five contracts, which hold all its parameters."""

    def save(self, path: Path) -> None:
        """Writes a new file; an existing one is never replaced."""
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n")
        except FileExistsError:
            raise OutputError(f"{path} exists already", "name another file; nothing is overwritten") from None
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}", "name another file") from None

    @classmethod
    def read(cls, path: Path) -> Deployment:
        """What a file says, not checked against any chain."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise LedgerError(
                f"the market file {path} cannot be read: {error.strerror}", "give --market FILE or set STOWATT_MARKET"
            ) from None
        except ValueError:
            content = None
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise LedgerError(f"{path} is no market file", "give the file that `market deploy` wrote")
        _check_fields(path, content)
        return cls(**content)

    @classmethod
    def load(cls, path: Path, ledger: Ledger) -> Deployment:
        """The market of a file, checked to be on this ledger."""
        deployment = cls.read(path)
        deployment.check(ledger)
        return deployment

    def check(self, ledger: Ledger) -> None:
        """Refuses another chain, and a chain on which the contracts are missing or have other code."""
        if ledger.chain_id != self.chain_id:
            raise WrongChain(
                f"the market is on chain {self.chain_id}, the ledger is chain {ledger.chain_id}",
                "give the --rpc or --ledger of the market's chain",
            )
        if code_hash(ledger, self) != self.code:
            raise WrongChain(
                f"the contract code at {self.market} on this chain {self.chain_id} is not this market's",
                "the chain was set up anew, or the market file is of another one: deploy again or correct it",
            )


def code_hash(ledger: Ledger, deployment: Deployment) -> str:
    """keccak256 over the codes of the market's contracts."""
    return _hash_codes(ledger, [getattr(deployment, name) for name in _CODE_FIELDS])


def deploy(
    sender: Sender,
    calendar: Calendar,
    *,
    token: str | None = None,
    open_mode: bool = False,
    admin: str | None = None,
    issuer: str | None = None,
    treasury: str | None = None,
    token_name: str = "Community euro",
    token_symbol: str = "CEUR",
) -> Deployment:
    """Deploys a market; without `token` a community token of its own, owned by the deployer.

    Administrator, issuer and treasury are the deployer's address unless given. The five contracts know each other's
    addresses before they exist, from the deployer's nonces: the key must not be used otherwise meanwhile.
    """
    ledger, me = sender.ledger, sender.address
    if token is not None and not ledger.code(token):
        raise LedgerError(f"there is no contract at the token's address {token}", "give an ERC-20's address")
    first = ledger.head().number + 1
    if token is None:
        token = _create(sender, "CommunityToken", token_name, token_symbol, me)
    symbol, decimals = _describe(ledger, token)
    nonce = ledger.nonce(me)
    registry, market, metadata, rights, delivery = (created_address(me, nonce + step) for step in range(5))
    wiring = (token, registry, rights, delivery, treasury or me)
    steps: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
        (registry, "Registry", (market, calendar.length, open_mode, admin or me, issuer or me)),
        (market, "Market", (calendar.encode(), wiring, open_mode)),
        (metadata, "RightMetadata", (market,)),
        (rights, "CapacityRights", (market, delivery, metadata)),
        (delivery, "Delivery", (market,)),
    )
    for expected, name, values in steps:
        created = _create(sender, name, *values)
        if created != expected:
            raise LedgerError(
                f"{name} came to {created}, not {expected}: the key sent another transaction meanwhile", "deploy again"
            )
    code = _hash_codes(ledger, (registry, market, rights, metadata, delivery))
    return Deployment(
        ledger.chain_id, first, checksum(token), registry, market, rights, metadata, delivery, symbol, decimals, code
    )


def created_address(deployer: str, nonce: int) -> str:
    """The address of the contract that a transaction with this nonce creates."""
    return checksum(keccak(rlp.encode([address_bytes(deployer), nonce]))[12:])


def _create(sender: Sender, name: str, *values: Any) -> str:
    created = sender.transact(None, contract(name).deployment(*values)).contract_address
    if created is None:
        raise LedgerError(f"the ledger created no {name}", "check that it conforms to Ethereum's rules")
    return created


def _describe(ledger: Ledger, token: str) -> tuple[str, int]:
    """Symbol and decimals of an ERC-20; both are optional in the standard."""
    answers = []
    for function, default in (("symbol", "units"), ("decimals", 0)):
        try:
            data = ledger.call(Call(token, contract("CommunityToken").call(function)))
            answers.append(contract("CommunityToken").result(function, data)[0])
        except LedgerError:
            answers.append(default)
    return str(answers[0])[:32], int(answers[1])


def _hash_codes(ledger: Ledger, addresses: Any) -> str:
    return "0x" + keccak(b"".join(keccak(ledger.code(address)) for address in addresses)).hex()


def _check_fields(path: Path, content: dict[str, Any]) -> None:
    for field in fields(Deployment):
        value = content.get(field.name)
        good = isinstance(value, int if field.type == "int" else str) and not isinstance(value, bool)
        if field.name in CONTRACT_FIELDS:
            good = good and checksummed(str(value)) == value
        if not good:
            raise LedgerError(f"{path}: {field.name} is {value!r}", "restore the file that `market deploy` wrote")
    unknown = content.keys() - {field.name for field in fields(Deployment)}
    if unknown:
        raise LedgerError(f"{path} has the unknown field {min(unknown)!r}", "restore the file")
