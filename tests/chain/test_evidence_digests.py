"""The hashes that meters sign, by the rules and by the contract: readings, vouchers, sealed vouchers."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.bn254 import N
from stowatt.chain.abi import contract
from stowatt.chain.ledger import Call
from stowatt.metering import Reading, SealedVoucher, Voucher, reading_digest, sealed_digest, voucher_digest
from stowatt.metering.sealed import POINT
from tests.chain.backends import ALICE, BOB, embedded
from tests.chain.evening import Evening

uint32, uint16, uint48 = (st.integers(0, 2**bits - 1) for bits in (32, 16, 48))


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    with embedded(tmp_path_factory.mktemp("digests")) as backend:
        yield Evening.begin(backend.ledger, backend.clock, ALICE, BOB)


def _on_chain(evening: Evening, function: str, encoded: tuple[Any, ...]) -> bytes:
    """What the contract's view answers."""
    delivery = contract("Delivery")
    answer = evening.ledger.call(Call(evening.deployment.delivery, delivery.call(function, encoded)))
    return bytes(delivery.result(function, answer)[0])


@settings(max_examples=30, deadline=None)
@given(st.builds(Reading, uint32, uint32, uint16, uint48, st.integers(1, 2**64 - 1)))
def test_of_readings(evening: Evening, reading: Reading) -> None:
    domain = evening.seller.readings_domain
    assert _on_chain(evening, "digestOf", reading.encode()) == reading_digest(domain, reading)


@settings(max_examples=30, deadline=None)
@given(st.builds(Voucher, uint32, uint32, st.integers(1, 2**16 - 1), uint48))
def test_of_vouchers(evening: Evening, voucher: Voucher) -> None:
    domain = evening.seller.readings_domain
    assert _on_chain(evening, "voucherDigestOf", voucher.encode()) == voucher_digest(domain, voucher)


@settings(max_examples=30, deadline=None)
@given(uint32, uint32, uint48, st.integers(0, N - 1), st.integers(1, 8), st.data())
def test_of_sealed_vouchers(
    evening: Evening, device: int, window: int, energy: int, blinder: int, through: int, data: st.DataObject
) -> None:
    points = data.draw(st.binary(min_size=POINT * through, max_size=POINT * through))
    sealed = SealedVoucher(device, window, through, energy, blinder, points)
    expected = sealed_digest(evening.seller.readings_domain, device, window, through, points)
    assert _on_chain(evening, "sealedDigestOf", sealed.encode()) == expected
