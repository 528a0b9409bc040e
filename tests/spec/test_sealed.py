"""§6: sealed vouchers, the commitments' homomorphism. T47, T48 off chain; T49 (what the sealed profile leaks)."""

import json
from dataclasses import replace
from itertools import permutations

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.bn254 import N, P, add, mul
from stowatt.commitments.pedersen import H, commit_point
from stowatt.errors import MeterError
from stowatt.metering import (
    SealedSlots,
    SealedVoucher,
    SignedSealed,
    delivery_domain,
    sealed_digest,
    sign_sealed,
    slots,
    verify_opening,
)
from stowatt.metering.sealed import POINT, decode_point, encode_point

DELIVERY = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
DOMAIN = delivery_domain(31337, DELIVERY)
METER = Account.from_key("0x" + "11" * 32)
PROFILE = (120, 0, 760)


def forget(_: str) -> None:
    """A `keep` for tests that keep nothing."""


def sealed_slots(profile=PROFILE, device=3, window=7) -> SealedSlots:
    made = SealedSlots(device, window, most=6667)
    for energy in profile:
        made.seal(energy, forget)
    return made


class TestOpening:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(0, 6667), min_size=1, max_size=6))
    def test_every_prefix_opens_to_its_sum(self, profile):
        made = sealed_slots(profile)
        for through in range(1, len(profile) + 1):
            sealed = made.voucher(through)
            assert sealed.energy == sum(profile[:through])
            assert sealed.opens()

    def test_the_points_are_the_commitments_of_the_sub_slots(self):
        made = sealed_slots()
        rows = json.loads(made.to_json())["slots"]
        assert [energy for energy, _ in rows] == list(PROFILE)
        for at, (energy, blinder) in enumerate(rows):
            point = made.points(3)[POINT * at : POINT * (at + 1)]
            assert decode_point(point) == commit_point(energy, int(blinder, 16))

    def test_seal_returns_the_point_that_points_returns(self):
        made = SealedSlots(3, 7)
        assert made.seal(5, forget) + made.seal(6, forget) == made.points(2)

    def test_t48_a_wrong_sum_opens_nothing(self):
        sealed = sealed_slots().voucher(3)
        for energy, blinder in (
            (sealed.energy + 1, sealed.blinder),
            (sealed.energy - 1, sealed.blinder),
            (sealed.energy, (sealed.blinder + 1) % N),
            (sealed.energy, 0),
        ):
            assert not verify_opening(sealed.points, energy, blinder)

    def test_t48_scalars_are_taken_once(self):
        """sum + n and blinder + n open the same points on the curve; both are refused."""
        sealed = sealed_slots().voucher(3)
        assert not verify_opening(sealed.points, sealed.energy + N, sealed.blinder)
        assert not verify_opening(sealed.points, sealed.energy, sealed.blinder + N)
        assert not verify_opening(sealed.points, sealed.energy - N, sealed.blinder)
        with pytest.raises(MeterError, match="below the group's order"):
            replace(sealed, blinder=sealed.blinder + N)
        with pytest.raises(MeterError, match="energy is"):
            replace(sealed, energy=sealed.energy + N)

    @pytest.mark.parametrize("bad", [(1, 3), (P, 0), (1, 2 + P), (0, P)], ids=str)
    def test_t48_a_point_off_the_curve_opens_nothing(self, bad):
        x, y = bad
        assert not verify_opening(x.to_bytes(32) + y.to_bytes(32), 0, 0)
        made = sealed_slots().voucher(3)
        assert not verify_opening(x.to_bytes(32) + y.to_bytes(32) + made.points[POINT:], made.energy, made.blinder)

    def test_t48_a_negative_sub_slot_is_not_sealed(self):
        made = sealed_slots()
        for energy in (-5, N - 5, 6668, 1.5, True):
            with pytest.raises(MeterError, match="from 0 to 6667"):
                made.seal(energy, forget)
        assert len(made) == 3

    def test_t48_a_negative_sum_has_no_opening_in_48_bits(self):
        """A meter that commits to n-5 alone has sealed nothing that the chain's uint48 can open."""
        point = encode_point(commit_point(N - 5, 77))
        assert verify_opening(point, N - 5, 77)
        with pytest.raises(MeterError, match="energy is"):
            SealedVoucher(3, 7, 1, N - 5, 77, point)

    def test_no_points_open_to_nothing(self):
        assert verify_opening(b"", 0, 0)
        assert not verify_opening(b"", 1, 0)
        assert not verify_opening(b"\0" * 63, 0, 0)

    def test_blinders_that_cancel_open_with_zero(self):
        points = encode_point(commit_point(3, 5)) + encode_point(commit_point(4, N - 5))
        assert verify_opening(points, 7, 0)

    def test_infinity_is_sixty_four_zeros(self):
        assert decode_point(encode_point(None)) is None
        assert verify_opening(bytes(64) + encode_point(commit_point(3, 5)), 3, 5)

    def test_the_sum_is_the_group_s(self):
        made = sealed_slots()
        total = None
        for at in range(3):
            total = add(total, decode_point(made.points(3)[POINT * at : POINT * (at + 1)]))
        energy, blinder = made.opening(3)
        assert total == add(mul((1, 2), energy), mul(H, blinder))


def eip712(sealed: SealedVoucher) -> bytes:
    """The hash by an independent implementation."""
    domain = {"name": "Stowatt Delivery", "version": "1", "chainId": 31337, "verifyingContract": DELIVERY}
    kinds = [("device", "uint32"), ("window", "uint32"), ("through", "uint16"), ("points", "bytes32")]
    types = {"SealedVoucher": [{"name": name, "type": kind} for name, kind in kinds]}
    message = {"device": sealed.device, "window": sealed.window, "through": sealed.through}
    return bytes(_hash_eip191_message(encode_typed_data(domain, types, message | {"points": keccak(sealed.points)})))


class TestSignature:
    def test_the_digest_is_eip_712(self):
        sealed = sealed_slots().voucher(2)
        assert sealed_digest(DOMAIN, 3, 7, 2, sealed.points) == eip712(sealed)

    def test_recovers_the_meter(self):
        assert sign_sealed(DOMAIN, sealed_slots().voucher(3), METER).signer(DOMAIN) == METER.address

    @pytest.mark.parametrize("order", [p for p in permutations(range(3)) if p != (0, 1, 2)], ids=str)
    def test_t47_reordered_points_are_nobody_s(self, order):
        """The sum is the same: the signature alone refuses it."""
        signed = sign_sealed(DOMAIN, sealed_slots().voucher(3), METER)
        chunks = [signed.sealed.points[POINT * at : POINT * (at + 1)] for at in range(3)]
        moved = replace(signed.sealed, points=b"".join(chunks[at] for at in order))
        assert moved.opens()
        assert SignedSealed(moved, signed.signature).signer(DOMAIN) != METER.address

    def test_t47_a_sub_slot_left_out_or_added_is_nobody_s(self):
        made = sealed_slots()
        signed = sign_sealed(DOMAIN, made.voucher(2), METER)
        for other in (made.voucher(1), made.voucher(3)):
            assert SignedSealed(other, signed.signature).signer(DOMAIN) != METER.address
        with pytest.raises(MeterError, match="128 bytes of points for 3 sub-slots"):
            replace(signed.sealed, through=3)

    @pytest.mark.parametrize("change", [{"device": 4}, {"window": 8}], ids=str)
    def test_t47_another_window_s_or_device_s_points_are_nobody_s(self, change):
        signed = sign_sealed(DOMAIN, sealed_slots().voucher(3), METER)
        assert SignedSealed(replace(signed.sealed, **change), signed.signature).signer(DOMAIN) != METER.address

    def test_a_meter_signs_no_sum_that_does_not_open(self):
        sealed = sealed_slots().voucher(3)
        with pytest.raises(MeterError, match="does not open"):
            sign_sealed(DOMAIN, replace(sealed, energy=sealed.energy + 1), METER)

    def test_encode_has_the_contract_s_order(self):
        sealed = sealed_slots().voucher(3)
        assert sealed.encode() == (3, 7, 3, 880, sealed.blinder, sealed.points)

    def test_an_impossible_one_is_refused_by_name(self):
        with pytest.raises(MeterError, match="a sealed voucher's through is 0"):
            SealedVoucher(3, 7, 0, 0, 0, b"")


class TestSecrets:
    def test_t49_equal_energies_give_different_points(self):
        points = sealed_slots([500] * 10).points(10)
        assert len({points[at : at + POINT] for at in range(0, len(points), POINT)}) == 10

    def test_t49_two_runs_differ(self):
        assert sealed_slots().points(3) != sealed_slots().points(3)

    def test_t49_every_blinder_is_fresh(self):
        seen = [row[1] for window in range(5) for row in json.loads(sealed_slots(window=window).to_json())["slots"]]
        assert len(set(seen)) == 15

    def test_t49_a_guessed_energy_opens_nothing(self):
        """Each u_t fits each point with some blinder, so a point alone tells nothing; a guess of both hits nothing."""
        point = SealedSlots(3, 7).seal(5, forget)
        assert not any(verify_opening(point, guess, blinder) for guess in range(50) for blinder in (1, 2))

    def test_t49_the_opened_sum_opens_no_sub_slot(self):
        """What is public of the sum, energy and blinder, opens no single point, not even for who guesses its energy."""
        made = sealed_slots((100, 200))
        energy, blinder = made.opening(2)
        for at, guess in enumerate((100, 200)):
            point = made.points(2)[POINT * at : POINT * (at + 1)]
            assert not verify_opening(point, guess, blinder)
            assert not verify_opening(point, energy, blinder)

    def test_t49_two_opened_sums_tell_their_difference(self):
        """The limit that docs/metering.md states: open one sum of a window."""
        made = sealed_slots((100, 200))
        (before, r), (after, s) = made.opening(1), made.opening(2)
        assert verify_opening(made.points(2)[POINT:], after - before, (s - r) % N)

    def test_t49_the_secrets_are_kept_before_the_point_leaves(self):
        kept: list[str] = []
        made = SealedSlots(3, 7)
        point = made.seal(5, kept.append)
        assert SealedSlots.from_json(kept[-1]).points(1) == point

    def test_t49_without_kept_secrets_nothing_is_sealed(self):
        def full_disk(_: str) -> None:
            raise OSError("no space left")

        made = sealed_slots()
        before = made.to_json()
        with pytest.raises(OSError, match="no space"):
            made.seal(5, full_disk)
        assert made.to_json() == before

    def test_t49_a_restart_goes_on_with_the_same_points(self):
        made = sealed_slots()
        again = SealedSlots.from_json(made.to_json())
        assert again.to_json() == made.to_json()
        assert again.voucher(3) == made.voucher(3)
        again.seal(9, forget)
        assert again.points(4)[: 3 * POINT] == made.points(3)
        assert again.voucher(4).opens()

    def test_t49_a_lost_blinder_costs_the_rest_of_the_window(self):
        """Sealed again after a loss, a sub-slot gets another blinder: what the meter signed before does not open."""
        made = sealed_slots()
        signed = sign_sealed(DOMAIN, made.voucher(3), METER)
        anew = sealed_slots().voucher(3)
        assert not verify_opening(signed.sealed.points, anew.energy, anew.blinder)

    def test_t49_no_secret_is_in_a_text(self):
        made = sealed_slots()
        blinders = [row[1] for row in json.loads(made.to_json())["slots"]]
        sealed = made.voucher(3)
        texts = [repr(made), str(made), repr(sealed), repr(sign_sealed(DOMAIN, sealed, METER))]
        with pytest.raises(MeterError) as refused:
            made.seal(123456, forget)
        texts.append(str(refused.value))
        for text in texts:
            assert str(sealed.blinder) not in text and "123456" not in text
            assert not any(blinder in text or str(int(blinder, 16)) in text for blinder in blinders)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: data.pop("slots"),
            lambda data: data.update(device=-1),
            lambda data: data.update(most="6667"),
            lambda data: data["slots"].append([6668, "0x5"]),
            lambda data: data["slots"].append([1, "0x0"]),
            lambda data: data["slots"].append([1, f"{N:#x}"]),
            lambda data: data["slots"].append([1, 5]),
            lambda data: data["slots"].append([1]),
            lambda data: data["slots"].extend([[1, "0x5"]] * 94),
        ],
    )
    def test_damaged_secrets_are_an_error_without_them(self, damage):
        data = json.loads(sealed_slots().to_json())
        secret = data["slots"][0][1]
        damage(data)
        with pytest.raises(MeterError, match="damaged") as refused:
            SealedSlots.from_json(json.dumps(data))
        assert secret not in str(refused.value) and refused.value.__cause__ is None

    @pytest.mark.parametrize("text", ["", "null", "[]", "{", "7"])
    def test_a_file_of_something_else_is_damaged(self, text):
        with pytest.raises(MeterError, match="damaged"):
            SealedSlots.from_json(text)


class TestBounds:
    def test_a_sum_is_of_sealed_sub_slots(self):
        made = sealed_slots()
        for through in (0, 4, -1, True):
            with pytest.raises(MeterError, match="of 3 sealed ones"):
                made.points(through)

    def test_a_window_has_96_sub_slots_at_most(self):
        made = sealed_slots([1] * 96)
        with pytest.raises(MeterError, match="all 96"):
            made.seal(1, forget)

    def test_the_sum_fits_the_chain(self):
        made = SealedSlots(3, 7)
        made.seal(slots.MAX_ENERGY, forget)
        with pytest.raises(MeterError, match="exceeds"):
            made.seal(1, forget)
        assert made.voucher(1).opens()

    @pytest.mark.parametrize("change", [{"device": 2**32}, {"window": -1}, {"most": 2**48}, {"most": 1.5}], ids=str)
    def test_impossible_ones_are_refused_by_name(self, change):
        with pytest.raises(MeterError, match=f"the {next(iter(change))} of sealed sub-slots"):
            SealedSlots(**({"device": 3, "window": 7} | change))
