"""§6: vouchers and sealed sub-slots from the meter's disk to the chain; T45, T48, T49."""

import json
import multiprocessing
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from stowatt import agent
from stowatt.agent import vouchers
from stowatt.agent.delivery import Energy
from stowatt.agent.sealing import SealedFile
from stowatt.chain.client import Refusal
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.errors import KeyStoreError, MeterError
from stowatt.metering import CounterFile, SignedSealed, Voucher, sign_voucher
from stowatt.units import Wh
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS
from tests.chain.evening import METER, Evening


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    with EmbeddedLedger.create(tmp_path / "chain", chain_id=CHAIN_ID, balances=FUNDS) as ledger:
        evening = Evening.begin(ledger, ledger, ALICE, BOB, reading_grace=2000)
        evening.go_to(1, "end")
        yield evening


def signed(evening: Evening, window: int, through: int, energy: int) -> vouchers.Signed:
    voucher = Voucher(evening.device, window, through, Wh(energy))
    return sign_voucher(vouchers.domain_of(evening.deployment), voucher, METER)


def test_the_highest_voucher_of_a_window_counts_and_a_repetition_nothing(evening: Evening) -> None:
    rows = [signed(evening, *row) for row in ((1, 2, 50), (0, 3, 90), (1, 3, 80), (1, 1, 10))]
    steps = vouchers.redeem(evening.buyer, rows)
    assert sorted((step.window, step.what) for step in steps) == [
        (0, "redeemed"), (1, "redeemed"), (1, "superseded"), (1, "superseded"),
    ]  # fmt: skip
    assert [evening.seller.delivered(window, evening.device) for window in (0, 1)] == [90, 80]
    assert {step.what for step in vouchers.redeem(evening.buyer, rows) if not step.standing} == {"counted"}


def test_a_refused_voucher_does_not_stop_the_others(evening: Evening) -> None:
    bad, good = signed(evening, 5, 1, 1), signed(evening, 1, 3, 80)
    steps = vouchers.redeem(evening.buyer, [bad, good])
    assert [(step.window, step.what) for step in steps] == [(5, "refused"), (1, "redeemed")]
    assert "the sub-slot is not over" in steps[0].detail
    with pytest.raises(Refusal, match="the voucher of device 1 for window 5, 1 sub-slots, is refused"):
        vouchers.redeem(evening.buyer, [bad])


def test_readings_after_a_voucher_begin_where_it_ended(evening: Evening, tmp_path: Path) -> None:
    vouchers.redeem(evening.buyer, [signed(evening, 1, 2, 50)])
    rows = [Energy(1, slot, Wh(7)) for slot in range(3)]
    steps = agent.report(evening.seller, evening.device, METER, rows, CounterFile(tmp_path / "counter"))
    assert [step.what for step in steps if step.done] == ["accepted"] and len(steps) == 3
    assert evening.seller.delivered(1, evening.device) == 57


def test_sealed_sub_slots_from_disk_to_chain(evening: Evening, tmp_path: Path) -> None:
    file = SealedFile(tmp_path / "meters" / "w1", evening.device, 1)
    assert file.seal([Wh(10), Wh(20)]) == 2
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    with pytest.raises(MeterError, match="whole number of Wh"):
        file.seal([Wh(5), Wh(-1)])
    again = SealedFile(file.path, evening.device, 1)
    assert again.seal([Wh(3)]) == 3, "what could not be sealed whole was not sealed at all"
    domain = vouchers.domain_of(evening.deployment)
    with pytest.raises(MeterError, match="4 sub-slots of window 1 are to be signed; 3 are sealed"):
        again.sign(domain, METER, 4)
    assert again.sign(domain, METER, 2).sealed.through == 2
    one = again.sign(domain, METER)
    path = tmp_path / "sum.json"
    vouchers.save(path, one, evening.deployment)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    back = vouchers.load(path, evening.deployment)
    assert back == one and isinstance(back, SignedSealed)
    (step,) = vouchers.redeem(evening.buyer, [back])
    assert (step.what, evening.seller.delivered(1, evening.device)) == ("opened", 33)
    assert [s.what for s in vouchers.redeem(evening.buyer, [back])] == ["counted"]


def test_t49_secrets_that_others_can_read_or_that_are_damaged_are_refused(evening: Evening, tmp_path: Path) -> None:
    file = SealedFile(tmp_path / "meters" / "w1", 1, 1)
    with pytest.raises(MeterError, match="nothing is sealed in window 1"):
        file.sign(vouchers.domain_of(evening.deployment), METER)
    file.seal([Wh(1)])
    file.path.chmod(0o640)
    with pytest.raises(KeyStoreError, match="open to other users"):
        file.seal([Wh(1)])
    file.path.chmod(0o600)
    with pytest.raises(MeterError, match="another device or window"):
        SealedFile(file.path, 2, 1).seal([Wh(1)])
    file.path.write_text("{}")
    with pytest.raises(MeterError, match="damaged"):
        file.seal([Wh(1)])


def _seal(path: Path) -> None:
    for _ in range(8):
        SealedFile(path, 1, 1).seal([Wh(2)])


def test_t49_two_processes_lose_no_sub_slot(tmp_path: Path) -> None:
    path = tmp_path / "meters" / "w1"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_seal, args=(path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert SealedFile(path, 1, 1).seal([]) == 16


def test_a_file_that_is_no_voucher_of_this_market_is_refused(evening: Evening, tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    vouchers.save(path, signed(evening, 1, 3, 80), evening.deployment)
    with pytest.raises(KeyStoreError, match="exists already"):
        vouchers.save(path, signed(evening, 1, 3, 80), evening.deployment)
    good = json.loads(path.read_text())
    for change, words in (
        ({"format": "other"}, "is no voucher"),
        ({"chain_id": 1}, "another market"),
        ({"through": 0}, "is damaged"),
        ({"energy_wh": "80"}, "is damaged"),
        ({"signature": "0x12"}, "signed by nobody"),
        ({"points": "0x", "blinder": "0x1"}, "is damaged"),
    ):
        path.write_text(json.dumps(good | change))
        with pytest.raises(MeterError, match=words):
            vouchers.load(path, evening.deployment)
    with pytest.raises(MeterError, match="cannot be read"):
        vouchers.load(tmp_path / "none", evening.deployment)
