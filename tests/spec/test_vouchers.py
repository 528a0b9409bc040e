"""§6: signed vouchers (32). T45 as far as the signature goes; the rest is tested on chain."""

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from stowatt.errors import MeterError
from stowatt.metering import (
    SignedReading,
    SignedVoucher,
    Voucher,
    delivery_domain,
    sign_reading,
    sign_voucher,
    voucher_digest,
)
from stowatt.metering.readings import Reading

DELIVERY = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
DOMAIN = delivery_domain(31337, DELIVERY)
METER = Account.from_key("0x" + "11" * 32)
VOUCHER = Voucher(device=3, window=7, through=2, energy=760)

vouchers = st.builds(
    Voucher,
    device=st.integers(0, 2**32 - 1),
    window=st.integers(0, 2**32 - 1),
    through=st.integers(1, 2**16 - 1),
    energy=st.integers(0, 2**48 - 1),
)


def eip712(voucher: Voucher, chain_id: int, contract: str) -> bytes:
    """The hash by an independent implementation."""
    domain = {"name": "Stowatt Delivery", "version": "1", "chainId": chain_id, "verifyingContract": contract}
    kinds = [("device", "uint32"), ("window", "uint32"), ("through", "uint16"), ("energy", "uint48")]
    types = {"Voucher": [{"name": name, "type": kind} for name, kind in kinds]}
    message = {name: getattr(voucher, name) for name, _ in kinds}
    return bytes(_hash_eip191_message(encode_typed_data(domain, types, message)))


@given(vouchers, st.integers(1, 2**32))
def test_the_digest_is_eip_712(voucher, chain_id):
    assert voucher_digest(delivery_domain(chain_id, DELIVERY), voucher) == eip712(voucher, chain_id, DELIVERY)


@given(vouchers)
def test_recovers_the_meter(voucher):
    signed = sign_voucher(DOMAIN, voucher, METER)
    assert signed.signer(DOMAIN) == METER.address
    assert len(signed.signature) == 65


@pytest.mark.parametrize("change", [{"device": 4}, {"window": 8}, {"through": 3}, {"energy": 761}], ids=str)
def test_t45_an_altered_voucher_is_nobody_s(change):
    signature = sign_voucher(DOMAIN, VOUCHER, METER).signature
    assert SignedVoucher(replace(VOUCHER, **change), signature).signer(DOMAIN) != METER.address


@pytest.mark.parametrize(
    "elsewhere", [delivery_domain(1, DELIVERY), delivery_domain(31337, METER.address)], ids=["chain", "contract"]
)
def test_t45_a_voucher_counts_on_its_own_chain_and_contract_only(elsewhere):
    assert sign_voucher(DOMAIN, VOUCHER, METER).signer(elsewhere) != METER.address


def test_t46_a_reading_s_signature_is_no_voucher_s():
    """The types are part of the hash: the signature of one form of evidence never stands for another form."""
    reading = Reading(device=3, window=7, sub_slot=2, energy=760, counter=1)
    signed = sign_reading(DOMAIN, reading, METER)
    assert SignedVoucher(VOUCHER, signed.signature).signer(DOMAIN) != METER.address
    voucher = sign_voucher(DOMAIN, VOUCHER, METER)
    assert SignedReading(reading, voucher.signature).signer(DOMAIN) != METER.address


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"device": 2**32}, "a voucher's device is 4294967296"),
        ({"window": -1}, "window is -1"),
        ({"through": 0}, "through is 0; use a whole number from 1"),
        ({"through": 2**16}, "through is 65536"),
        ({"energy": -5}, "energy is -5"),
        ({"energy": 2**48}, "energy is 281474976710656"),
        ({"energy": 1.5}, "energy is 1.5"),
        ({"energy": True}, "energy is True"),
    ],
)
def test_an_impossible_voucher_is_refused_by_name(change, named):
    with pytest.raises(MeterError, match=named):
        replace(VOUCHER, **change)


def test_encode_has_the_contract_s_order():
    assert VOUCHER.encode() == (3, 7, 2, 760)
