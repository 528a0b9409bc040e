"""§2 (1): a storage device's certified parameters, the most it can offer, and its fingerprint H_i."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from stowatt.errors import DeviceError
from stowatt.units import PPM, SECONDS_PER_HOUR, Ppm, Wh

DEVICE_DOMAIN: Final = keccak(b"Stowatt/device/1")
MAX_RATING: Final = 2**48 - 1
"""The largest energy (Wh) or power (W) of one device: what a lane of the price book holds."""


@dataclass(frozen=True, slots=True)
class DeviceParameters:
    """What the community certifies about one device."""

    usable_wh: Wh
    """Usable energy, Wh, after reserve and state-of-charge limits."""
    export_w: int
    """Export cap, W: the lower of inverter and connection, at every moment."""
    charge_w: int
    """Charging power, W."""
    eta_c_ppm: Ppm
    """Charging efficiency η_c, ppm."""
    eta_d_ppm: Ppm
    """Discharging efficiency η_d, ppm."""
    serial: bytes
    """The device's serial number, or its hash: 32 bytes."""

    def __post_init__(self) -> None:
        for name in ("usable_wh", "export_w", "charge_w"):
            _check(name, getattr(self, name), 0, MAX_RATING)
        for name in ("eta_c_ppm", "eta_d_ppm"):
            _check(name, getattr(self, name), 1, PPM)
        if len(self.serial) != 32:
            raise DeviceError(f"a serial of {len(self.serial)} bytes", "give 32 bytes; hash a longer number")

    def q_max(self, length_s: int, export_caps_w: Sequence[int] = ()) -> Wh:
        """(1) Q_max = min(usable energy, Σ_t cap_t · Δt) of a window of `length_s` seconds, in Wh.

        `export_caps_w` gives one cap for each sub-slot of equal length, for a grid that limits export at certain times;
        none of them lifts the certified cap. Without it the certified cap holds throughout, as in the contract.
        Rounded down, once, against the seller: it never promises what the device cannot deliver.
        """
        _check("the window's length", length_s, 1, 2**32 - 1)
        caps = tuple(export_caps_w) or (self.export_w,)
        for cap in caps:
            _check("an export cap", cap, 0, MAX_RATING)
        watt_seconds = sum(min(cap, self.export_w) for cap in caps) * length_s
        return Wh(min(self.usable_wh, watt_seconds // (SECONDS_PER_HOUR * len(caps))))

    def fingerprint(self) -> bytes:
        """H_i = keccak256(abi.encode(domain, usable, export, charge, η_c, η_d, serial)): seven 32-byte words."""
        numbers = (self.usable_wh, self.export_w, self.charge_w, self.eta_c_ppm, self.eta_d_ppm)
        return keccak(DEVICE_DOMAIN + b"".join(number.to_bytes(32) for number in numbers) + self.serial)


def _check(name: str, value: object, low: int, high: int) -> None:
    """A whole number in range. Typed `object` because callers outside mypy do pass floats."""
    if type(value) is not int or not low <= value <= high:
        raise DeviceError(f"{name} is {value!r}", f"it must be a whole number from {low} to {high} (§2)")
