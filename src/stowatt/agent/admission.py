"""Admission (§2): the issuer's statements about participants and devices, signed, written to a file, submitted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from stowatt.agent.once import Step, catch_up
from stowatt.audit.events import DeviceRegistered
from stowatt.chain.client import MarketClient, MarketReader
from stowatt.chain.client.views import Device
from stowatt.credentials import (
    Credential,
    CredentialError,
    DeviceCertificate,
    Role,
    Statement,
    issuer_of,
    sign_statement,
)
from stowatt.errors import OutputError

FORMAT: Final = "stowatt statement 1"
LATEST: Final = 2**40 - 1
"""An expiry that never comes."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement as it travels; the signature is empty for a device that its owner registers in the open mode."""

    statement: Statement
    signature: bytes

    def save(self, path: Path, reader: MarketReader) -> None:
        """Writes it to a new file, for somebody else to submit."""
        d = reader.deployment
        values = {k: f"0x{v.hex()}" if isinstance(v, bytes) else v for k, v in asdict(self.statement).items()}
        content = {
            "format": FORMAT,
            "kind": type(self.statement).__name__,
            "chain_id": d.chain_id,
            "registry": d.registry,
            "statement": values,
            "signature": f"0x{self.signature.hex()}",
        }
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(json.dumps(content, indent=2) + "\n")
        except FileExistsError:
            raise OutputError(f"{path} exists already", "name another file; nothing is overwritten") from None
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}", "name another file") from None

    @classmethod
    def load(cls, path: Path, reader: MarketReader) -> Signed:
        """The statement of a file, checked to be for this market and signed by an issuer of it."""
        content = _content(path)
        d = reader.deployment
        if (content.get("chain_id"), content.get("registry")) != (d.chain_id, d.registry):
            raise CredentialError(f"{path} is a statement for another market", "give --market of its market")
        try:
            values: dict[str, Any] = dict(content["statement"])
            signature = bytes.fromhex(content["signature"].removeprefix("0x"))
            if content["kind"] == "Credential":
                statement: Statement = Credential(**{**values, "roles": Role(values["roles"])})
            else:
                values["serial"] = bytes.fromhex(values["serial"].removeprefix("0x"))
                statement = DeviceCertificate(**values)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CredentialError(f"{path} is damaged ({error})", "have it written again") from None
        signer = issuer_of(reader.statements_domain, statement, signature)
        if signer is None or not reader.is_issuer(signer):
            raise CredentialError(
                f"{path} is signed by {signer or 'nobody'}, no issuer of this market", "have an issuer sign it"
            )
        return cls(statement, signature)


def credential(reader: MarketReader, issuer: LocalAccount, account: str, did: str, roles: Role, expiry: int) -> Signed:
    """The issuer admits an account."""
    _require_issuer(reader, issuer.address)
    nonce = reader.last_credential_nonce(account) + 1
    statement = Credential(account, did, roles, expiry, nonce)
    return Signed(statement, sign_statement(reader.statements_domain, statement, issuer))


def certificate(reader: MarketReader, signer: LocalAccount, statement: DeviceCertificate) -> Signed:
    """The issuer certifies a device; in the open mode its owner registers it without a signature."""
    if reader.open_mode:
        if signer.address != statement.owner:
            raise CredentialError(
                f"{signer.address} does not own the device", "in the open mode an owner registers its device itself"
            )
        return Signed(statement, b"")
    _require_issuer(reader, signer.address)
    return Signed(statement, sign_statement(reader.statements_domain, statement, signer))


def submit(client: MarketClient, signed: Signed) -> Step:
    """Registers what a statement says; what is registered so already is left alone."""
    catch_up(client)
    s = signed.statement
    if isinstance(s, Credential):
        known = client.participant(s.account)
        if (known.did, known.roles, known.expiry) == (s.did, s.roles, s.expiry):
            return Step(-1, "registered", False, s.account, detail=s.did)
        client.execute(client.calls.register(s, signed.signature))
        return Step(-1, "registered", True, s.account, detail=s.did)
    number = client.participant(s.owner).device
    if number and _same(client.device(number), s) and client.is_meter_key(number, s.meter_key, s.valid_to):
        return Step(-1, "registered", False, s.owner, detail=f"device {number}")
    done = client.execute(client.calls.register_device(s, signed.signature))
    event = done.only(DeviceRegistered)
    limit = f"device {event.device}, at most {event.limit_wh} Wh in a window"
    return Step(-1, "registered", True, s.owner, detail=limit)


def _same(known: Device, statement: DeviceCertificate) -> bool:
    return known.fingerprint == statement.parameters.fingerprint()


def _require_issuer(reader: MarketReader, address: str) -> None:
    if not reader.is_issuer(address):
        raise CredentialError(f"{address} is no issuer of this market", "use an issuer's key")


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {error.strerror}", "check its name") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CredentialError(f"{path} is no statement", "give a file that --out wrote")
    return content
