"""§2 (1): what a device can offer, and its fingerprint."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from stowatt.devices import DeviceParameters
from stowatt.errors import DeviceError
from stowatt.units import Ppm, Wh

POWERWALL = DeviceParameters(Wh(13_500), 5_000, 5_000, Ppm(950_000), Ppm(950_000), bytes(31) + b"\x07")


class TestQMax:
    """(1) Q_max = min(usable energy, Σ_t cap_t · Δt), rounded down against the seller."""

    def test_power_limits_a_short_window(self) -> None:
        assert POWERWALL.q_max(900) == 1_250

    def test_energy_limits_a_long_window(self) -> None:
        assert POWERWALL.q_max(4 * 3600) == 13_500

    def test_rounds_down(self) -> None:
        assert replace(POWERWALL, export_w=5_003).q_max(900) == 1_250

    def test_caps_by_sub_slot_add_up_and_are_rounded_once(self) -> None:
        assert POWERWALL.q_max(900, [5_000, 0, 2_501]) == (5_000 + 2_501) * 300 // 3600

    def test_a_grid_cap_does_not_lift_the_certified_cap(self) -> None:
        assert POWERWALL.q_max(900, [9_000] * 3) == POWERWALL.q_max(900)

    @given(st.integers(0, 50_000), st.integers(1, 10), st.integers(1, 100))
    def test_equal_caps_are_one_cap(self, cap: int, slots: int, minutes: int) -> None:
        length = slots * minutes * 60
        assert POWERWALL.q_max(length, [cap] * slots) == POWERWALL.q_max(length, [cap])

    @pytest.mark.parametrize("length", [0, -900, 900.0])
    def test_a_length_that_is_none_is_refused(self, length: Any) -> None:
        with pytest.raises(DeviceError, match="length"):
            POWERWALL.q_max(length)

    def test_a_negative_cap_is_refused(self) -> None:
        with pytest.raises(DeviceError, match="export cap"):
            POWERWALL.q_max(900, [-1])


class TestFingerprint:
    """H_i binds every parameter."""

    def test_is_the_hash_of_the_abi_encoding(self) -> None:
        types = ["bytes32", "uint256", "uint256", "uint256", "uint256", "uint256", "bytes32"]
        words = [keccak(text="Stowatt/device/1"), 13_500, 5_000, 5_000, 950_000, 950_000, POWERWALL.serial]
        assert POWERWALL.fingerprint() == keccak(encode(types, words))

    @pytest.mark.parametrize(
        "change",
        [{"usable_wh": 1}, {"export_w": 1}, {"charge_w": 1}, {"eta_c_ppm": 1}, {"eta_d_ppm": 1}, {"serial": bytes(32)}],
        ids=lambda change: next(iter(change)),
    )
    def test_changes_with_every_parameter(self, change: dict[str, Any]) -> None:
        assert replace(POWERWALL, **change).fingerprint() != POWERWALL.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"usable_wh": -1},
        {"usable_wh": 13_500.0},
        {"export_w": 2**48},
        {"charge_w": -5},
        {"eta_c_ppm": 0},
        {"eta_d_ppm": 1_000_001},
        {"serial": b"short"},
    ],
    ids=str,
)
def test_impossible_parameters_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DeviceError):
        replace(POWERWALL, **change)
