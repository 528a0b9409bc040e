"""EIP-712: what meters and issuers sign, hashed and signed the way the contracts check it.

A signature is 65 bytes r ‖ s ‖ v. Only the canonical form is taken (s in the lower half, v 27 or 28), as in the
contracts, so that nobody can turn one signature into a second one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage
from eth_account.signers.base import BaseAccount
from eth_hash.auto import keccak
from eth_keys.exceptions import BadSignature
from eth_utils.address import is_address, is_checksum_address, is_checksum_formatted_address, to_checksum_address
from eth_utils.exceptions import ValidationError

VERSION: Final = "1"
_DOMAIN_TYPE: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_HALF_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2


@dataclass(frozen=True, slots=True)
class Domain:
    """The contract that a signature is for: no other contract and no other chain takes it."""

    name: str
    chain_id: int
    contract: str
    """Address of the verifying contract."""

    def separator(self) -> bytes:
        """The EIP-712 domain separator."""
        name, version = keccak(self.name.encode()), keccak(VERSION.encode())
        types = ("bytes32", "bytes32", "bytes32", "uint256", "address")
        return keccak(encode(types, (_DOMAIN_TYPE, name, version, self.chain_id, self.contract)))


def struct_hash(name: str, fields: Sequence[tuple[str, str]], values: Sequence[object]) -> bytes:
    """hashStruct of EIP-712 for a flat struct: `fields` are (type, name) pairs, `values` are in the same order."""
    declaration = ",".join(f"{kind} {field}" for kind, field in fields)
    words: list[object] = [keccak(f"{name}({declaration})".encode())]
    types = ["bytes32"]
    for (kind, _), value in zip(fields, values, strict=True):
        # strings are hashed, everything else is a word of its own
        types.append("bytes32" if kind == "string" else kind)
        words.append(keccak(value.encode()) if isinstance(value, str) and kind == "string" else value)
    return keccak(encode(types, words))


def digest(domain: Domain, body: bytes) -> bytes:
    """The hash that is signed: keccak256(0x1901 ‖ separator ‖ struct hash)."""
    return keccak(b"\x19\x01" + domain.separator() + body)


def sign(domain: Domain, body: bytes, signer: BaseAccount) -> bytes:
    """The signer's signature of a struct hash, r ‖ s ‖ v."""
    return bytes(signer.sign_message(_signable(domain, body)).signature)


def recover(domain: Domain, body: bytes, signature: bytes) -> str | None:
    """The address that signed, or None if the signature is not a canonical one. Some address signed *any* such hash.

    The caller compares the address with the one that it expects.
    """
    if len(signature) != 65 or signature[64] not in (27, 28) or int.from_bytes(signature[32:64]) > _HALF_ORDER:
        return None
    try:
        return str(Account.recover_message(_signable(domain, body), signature=signature))
    except (BadSignature, ValidationError, ValueError):
        return None


def checksummed(address: str) -> str | None:
    """The address in checksum spelling, or None if it is none, or mixes cases with a wrong checksum: a slip."""
    if not is_address(address) or (is_checksum_formatted_address(address) and not is_checksum_address(address)):
        return None
    return str(to_checksum_address(address))


def _signable(domain: Domain, body: bytes) -> SignableMessage:
    """Version 0x01 of EIP-191, which EIP-712 is."""
    return SignableMessage(b"\x01", domain.separator(), body)
