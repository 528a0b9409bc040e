"""§6: signed meter readings and the meter's counter. T23 as far as the signature goes; the rest is tested on chain."""

import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from stowatt.errors import MeterError
from stowatt.metering import CounterFile, Reading, SignedReading, delivery_domain, reading_digest, sign_reading
from stowatt.metering import counter as counter_module
from stowatt.typed_data import recover

DELIVERY = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
DOMAIN = delivery_domain(31337, DELIVERY)
METER = Account.from_key("0x" + "11" * 32)
READING = Reading(device=3, window=7, sub_slot=2, energy=760, counter=42)

readings = st.builds(
    Reading,
    device=st.integers(0, 2**32 - 1),
    window=st.integers(0, 2**32 - 1),
    sub_slot=st.integers(0, 2**16 - 1),
    energy=st.integers(0, 2**48 - 1),
    counter=st.integers(1, 2**64 - 1),
)


def typed_data(reading: Reading, chain_id: int, contract: str) -> dict[str, object]:
    """The same statement in EIP-712's own JSON, for an independent implementation."""
    return {
        "domain": {"name": "Stowatt Delivery", "version": "1", "chainId": chain_id, "verifyingContract": contract},
        "primaryType": "Reading",
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Reading": [
                {"name": "device", "type": "uint32"},
                {"name": "window", "type": "uint32"},
                {"name": "subSlot", "type": "uint16"},
                {"name": "energy", "type": "uint48"},
                {"name": "counter", "type": "uint64"},
            ],
        },
        "message": {
            "device": reading.device,
            "window": reading.window,
            "subSlot": reading.sub_slot,
            "energy": reading.energy,
            "counter": reading.counter,
        },
    }


class TestSignature:
    @given(readings, st.integers(1, 2**32))
    def test_is_eip_712(self, reading, chain_id):
        message = encode_typed_data(full_message=typed_data(reading, chain_id, DELIVERY))
        assert reading_digest(delivery_domain(chain_id, DELIVERY), reading) == bytes(_hash_eip191_message(message))

    @given(readings)
    def test_recovers_the_meter(self, reading):
        signed = sign_reading(DOMAIN, reading, METER)
        assert signed.signer(DOMAIN) == METER.address
        assert len(signed.signature) == 65

    @pytest.mark.parametrize(
        "change", [{"device": 4}, {"window": 8}, {"sub_slot": 1}, {"energy": 761}, {"counter": 43}], ids=str
    )
    def test_t23_an_altered_reading_is_nobody_s(self, change):
        signature = sign_reading(DOMAIN, READING, METER).signature
        forged = SignedReading(replace(READING, **change), signature)
        assert forged.signer(DOMAIN) != METER.address

    @pytest.mark.parametrize(
        "elsewhere", [delivery_domain(1, DELIVERY), delivery_domain(31337, METER.address)], ids=["chain", "contract"]
    )
    def test_t23_a_reading_counts_on_its_own_chain_and_contract_only(self, elsewhere):
        assert sign_reading(DOMAIN, READING, METER).signer(elsewhere) != METER.address

    def test_t23_another_key_is_told_apart(self):
        other = Account.from_key("0x" + "22" * 32)
        assert sign_reading(DOMAIN, READING, other).signer(DOMAIN) == other.address != METER.address

    def test_t4_a_second_form_of_a_signature_is_refused(self):
        """(r, n - s, v') is valid to the curve; the contracts refuse it as well."""
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        good = sign_reading(DOMAIN, READING, METER).signature
        flipped = good[:32] + (order - int.from_bytes(good[32:64])).to_bytes(32) + bytes([55 - good[64]])
        assert SignedReading(READING, flipped).signer(DOMAIN) is None

    @given(st.binary(max_size=70))
    def test_garbage_is_nobody_s(self, signature):
        assert recover(DOMAIN, READING.hash(), signature) != METER.address

    @pytest.mark.parametrize(
        "signature", [b"", b"\0" * 64 + b"\x1b", b"\xff" * 32 + b"\1" * 32 + b"\x1b", b"\1" * 64 + b"\0"]
    )
    def test_impossible_signatures_are_refused(self, signature):
        assert SignedReading(READING, signature).signer(DOMAIN) is None

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"device": 2**32}, "device is 4294967296"),
            ({"window": -1}, "window is -1"),
            ({"sub_slot": 2**16}, "subSlot is 65536"),
            ({"energy": -5}, "energy is -5"),
            ({"energy": 1.5}, "energy is 1.5"),
            ({"counter": 0}, "counter is 0; use a whole number from 1"),
            ({"counter": 2**64}, "counter is 18446744073709551616"),
        ],
    )
    def test_an_impossible_reading_is_refused_by_name(self, change, named):
        with pytest.raises(MeterError, match=named):
            replace(READING, **change)

    def test_encode_has_the_contract_s_order(self):
        assert READING.encode() == (3, 7, 2, 760, 42)


def _take(path: str, times: int, queue: "multiprocessing.Queue[list[int]]") -> None:
    queue.put([CounterFile(path).next() for _ in range(times)])


class TestCounter:
    """T23: strictly growing, whatever happens."""

    def test_counts_from_1_and_goes_on_after_a_restart(self, tmp_path):
        path = tmp_path / "counter"
        assert [CounterFile(path).next() for _ in range(3)] == [1, 2, 3]
        assert CounterFile(path).last() == 3

    def test_t23_is_on_disk_before_it_is_used(self, tmp_path, monkeypatch):
        """A crash just before the return: the number is lost, and never handed out twice."""
        path = tmp_path / "counter"
        CounterFile(path).next()

        def crash(self):
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(CounterFile, "_sync_directory", crash)
            CounterFile(path).next()
        assert CounterFile(path).next() == 3

    def test_a_crash_while_writing_leaves_the_old_counter(self, tmp_path, monkeypatch):
        path = tmp_path / "counter"
        CounterFile(path).raise_to(7)

        def crash(_):
            raise OSError("power cut")

        with monkeypatch.context() as patched, pytest.raises(OSError, match="power cut"):
            patched.setattr(counter_module.os, "fsync", crash)
            CounterFile(path).next()
        assert CounterFile(path).last() == 7
        assert CounterFile(path).next() == 8

    def test_t23_survives_kill_9(self, tmp_path):
        path = tmp_path / "counter"
        script = (
            "import sys; from stowatt.metering import CounterFile\n"
            "c = CounterFile(sys.argv[1])\n"
            "while True: print(c.next(), flush=True)"
        )
        highest = 0
        for _ in range(3):
            child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
            assert child.stdout is not None
            first = int(child.stdout.readline())
            assert first > highest
            time.sleep(0.05)
            os.kill(child.pid, signal.SIGKILL)
            printed = [int(line) for line in child.communicate()[0].splitlines() if line]
            highest = max([first, *printed])
            assert CounterFile(path).last() >= highest

    def test_two_processes_never_get_the_same(self, tmp_path):
        context = multiprocessing.get_context("spawn")
        queue = context.Queue()
        children = [context.Process(target=_take, args=(str(tmp_path / "counter"), 20, queue)) for _ in range(2)]
        for child in children:
            child.start()
        taken = [*queue.get(timeout=60), *queue.get(timeout=60)]
        for child in children:
            child.join()
        assert sorted(taken) == list(range(1, 41))

    def test_a_lost_file_is_raised_to_the_chain_s_counter(self, tmp_path):
        counter = CounterFile(tmp_path / "counter")
        assert counter.raise_to(41) == 41
        assert counter.raise_to(5) == 41
        assert counter.next() == 42

    @pytest.mark.parametrize("content", [b"", b"7", b"seven\n", b"-1\n", b"7\n8\n", b"\xff\n", b"%d\n" % 2**64])
    def test_a_damaged_file_is_an_error_not_a_restart(self, tmp_path, content):
        path = tmp_path / "counter"
        path.write_bytes(content)
        with pytest.raises(MeterError, match="counter file"):
            CounterFile(path).next()
        assert path.read_bytes() == content

    def test_the_last_number_is_the_end(self, tmp_path):
        counter = CounterFile(tmp_path / "counter")
        counter.raise_to(2**64 - 1)
        with pytest.raises(MeterError, match="64 bits"):
            counter.next()
        assert counter.last() == 2**64 - 1

    def test_the_file_is_the_owner_s_alone(self, tmp_path):
        path = tmp_path / "counter"
        CounterFile(path).next()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
