"""§2 admission: the issuer's statements, and that none of their values can be altered."""

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data

from stowatt.credentials import (
    Credential,
    CredentialError,
    DeviceCertificate,
    Role,
    issuer_of,
    registry_domain,
    sign_statement,
)
from stowatt.typed_data import digest

REGISTRY = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
ALICE = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
BOB = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
DOMAIN = registry_domain(31337, REGISTRY)
ISSUER = Account.from_key("0x" + "33" * 32)
CREDENTIAL = Credential(ALICE, "did:web:lindenweg.example:home:17", Role.SELL | Role.BUY, 1_800_000_000, 1)
CERTIFICATE = DeviceCertificate(
    owner=ALICE,
    usable_wh=9_600,
    export_w=4_600,
    charge_w=4_600,
    charge_efficiency=970_000,
    discharge_efficiency=960_000,
    serial=b"\x07" * 32,
    meter_key=BOB,
    valid_from=1_700_000_000,
    valid_to=1_900_000_000,
    nonce=5,
)
TYPES = {
    "EIP712Domain": ["string name", "string version", "uint256 chainId", "address verifyingContract"],
    "Credential": ["address account", "string did", "uint8 roles", "uint64 expiry", "uint256 nonce"],
    "DeviceCertificate": [
        "address owner", "uint32 usableWh", "uint32 exportW", "uint32 chargeW", "uint32 chargeEfficiency",
        "uint32 dischargeEfficiency", "bytes32 serial", "address meterKey", "uint64 validFrom", "uint64 validTo",
        "uint256 nonce",
    ],
}  # fmt: skip


def independent_digest(statement: Credential | DeviceCertificate) -> bytes:
    """The digest by eth_account's own EIP-712 encoder, from the statement's JSON."""
    kind = type(statement).__name__
    split = {name: [dict(zip(("type", "name"), f.split(), strict=True)) for f in fs] for name, fs in TYPES.items()}
    names = [field["name"] for field in split[kind]]
    message = {
        "domain": {"name": "Stowatt Registry", "version": "1", "chainId": 31337, "verifyingContract": REGISTRY},
        "primaryType": kind,
        "types": {"EIP712Domain": split["EIP712Domain"], kind: split[kind]},
        "message": dict(zip(names, statement.encode(), strict=True)),
    }
    return bytes(_hash_eip191_message(encode_typed_data(full_message=message)))


@pytest.mark.parametrize("statement", [CREDENTIAL, CERTIFICATE], ids=["credential", "certificate"])
class TestStatement:
    def test_is_eip_712(self, statement):
        assert digest(DOMAIN, statement.hash()) == independent_digest(statement)

    def test_recovers_the_issuer(self, statement):
        signature = sign_statement(DOMAIN, statement, ISSUER)
        assert issuer_of(DOMAIN, statement, signature) == ISSUER.address

    def test_t2_is_good_for_one_registry_on_one_chain(self, statement):
        signature = sign_statement(DOMAIN, statement, ISSUER)
        for elsewhere in (registry_domain(1, REGISTRY), registry_domain(31337, BOB)):
            assert issuer_of(elsewhere, statement, signature) != ISSUER.address


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        (CREDENTIAL, {"account": BOB}),
        (CREDENTIAL, {"did": "did:web:lindenweg.example:home:18"}),
        (CREDENTIAL, {"roles": Role.SELL}),
        (CREDENTIAL, {"expiry": 1_800_000_001}),
        (CREDENTIAL, {"nonce": 2}),
        (CERTIFICATE, {"owner": BOB}),
        (CERTIFICATE, {"usable_wh": 9_601}),
        (CERTIFICATE, {"export_w": 4_601}),
        (CERTIFICATE, {"charge_w": 4_601}),
        (CERTIFICATE, {"charge_efficiency": 970_001}),
        (CERTIFICATE, {"discharge_efficiency": 960_001}),
        (CERTIFICATE, {"serial": bytes(32)}),
        (CERTIFICATE, {"meter_key": ALICE}),
        (CERTIFICATE, {"valid_from": 1_700_000_001}),
        (CERTIFICATE, {"valid_to": 1_900_000_001}),
        (CERTIFICATE, {"nonce": 6}),
    ],
    ids=str,
)
def test_t1_every_value_is_signed(statement, change):
    signature = sign_statement(DOMAIN, statement, ISSUER)
    assert issuer_of(DOMAIN, replace(statement, **change), signature) != ISSUER.address


@pytest.mark.parametrize(
    ("statement", "change", "named"),
    [
        (CREDENTIAL, {"account": "0x12"}, "account '0x12' is not an address"),
        (CREDENTIAL, {"account": "0x" + "0" * 40}, "not all zero"),
        (CREDENTIAL, {"did": ""}, "did '' has 0 bytes"),
        (CREDENTIAL, {"did": "ä" * 65}, "has 130 bytes"),
        (CREDENTIAL, {"did": "did:\ud800"}, "printable"),
        (CREDENTIAL, {"roles": 0}, "roles is 0"),
        (CREDENTIAL, {"roles": 4}, "roles is 4"),
        (CREDENTIAL, {"expiry": 2**40}, "expiry is 1099511627776"),
        (CREDENTIAL, {"nonce": 0}, "nonce is 0"),
        (CERTIFICATE, {"owner": "nobody"}, "owner 'nobody'"),
        (CERTIFICATE, {"usable_wh": 0}, "usable_wh is 0"),
        (CERTIFICATE, {"usable_wh": 9.6}, "usable_wh is 9.6"),
        (CERTIFICATE, {"export_w": 2**32}, "export_w is 4294967296"),
        (CERTIFICATE, {"charge_w": -1}, "charge_w is -1"),
        (CERTIFICATE, {"charge_efficiency": 0}, "charge_efficiency is 0"),
        (CERTIFICATE, {"discharge_efficiency": 1_000_001}, "discharge_efficiency is 1000001"),
        (CERTIFICATE, {"serial": b"7"}, "serial of 1 bytes"),
        (CERTIFICATE, {"meter_key": ""}, "meter_key ''"),
        (CERTIFICATE, {"valid_from": 1_900_000_001}, "valid_from is 1900000001; .* to 1900000000"),
        (CERTIFICATE, {"nonce": -1}, "nonce is -1"),
    ],
)
def test_an_impossible_statement_is_refused_by_name(statement, change, named):
    with pytest.raises(CredentialError, match=named):
        replace(statement, **change)


class TestDevice:
    def test_q_max_and_fingerprint_are_those_of_its_parameters(self):
        # 15 minutes at 4600 W is 1150 Wh, less than the 9600 Wh of the battery (1)
        assert CERTIFICATE.parameters.q_max(900) == 1150
        assert CERTIFICATE.parameters.fingerprint() != replace(CERTIFICATE, export_w=4_601).parameters.fingerprint()

    def test_the_meter_key_is_not_part_of_the_fingerprint(self):
        """A new meter key does not invalidate sealed bids."""
        assert CERTIFICATE.parameters.fingerprint() == replace(CERTIFICATE, meter_key=ALICE).parameters.fingerprint()
