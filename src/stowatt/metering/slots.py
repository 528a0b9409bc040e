"""The meter's side of sealed vouchers (§6): a window's sub-slots with the secrets that seal them (T49).

The blinders are drawn one by one from the operating system's generator. `seal` hands a point out only after its secrets
were kept: a point whose blinder is lost can never be opened again, and its energy would earn nothing. Where they are
kept is the caller's: a file of its owner alone that outlives a crash, until the window is settled; then it is deleted.

Open one sum of a window, its last: of two opened sums the difference is public, and opening every prefix tells every
sub-slot.
"""

import json
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from stowatt.bn254 import N
from stowatt.commitments.pedersen import commit_point, new_blinder
from stowatt.errors import MeterError
from stowatt.metering.sealed import SealedVoucher, encode_point
from stowatt.units import Wh

MAX_ENERGY: Final = 2**48 - 1
"""The largest sum of a window that the chain takes, Wh."""
MAX_SUB_SLOTS: Final = 96
"""The most sub-slots of a window (§6)."""

Keep = Callable[[str], None]
"""Puts secrets where they outlive a crash and only their owner reads them, in place of earlier ones; or raises."""


class Opening(NamedTuple):
    """What opens the sum over the first sub-slots, and no single one of them."""

    energy: Wh
    """Σ u_t, Wh."""
    blinder: int
    """Σ r_t mod n."""


class _Slot(NamedTuple):
    """u_t and r_t: secrets."""

    energy: int
    blinder: int


class SealedSlots:
    """One window's sub-slots of one device, sealed in order from the first."""

    def __init__(self, device: int, window: int, most: int = MAX_ENERGY) -> None:
        """`most` is what the device can discharge in one sub-slot at its certified power, Wh."""
        for name, value, limit in (
            ("device", device, 2**32),
            ("window", window, 2**32),
            ("most", most, MAX_ENERGY + 1),
        ):
            if type(value) is not int or not 0 <= value < limit:
                raise MeterError(f"the {name} of sealed sub-slots is {value!r}", f"use a whole number below {limit}")
        self.device = device
        self.window = window
        self.most = most
        self._slots: tuple[_Slot, ...] = ()

    def __len__(self) -> int:
        """How many sub-slots are sealed."""
        return len(self._slots)

    def __repr__(self) -> str:
        return f"SealedSlots(device={self.device}, window={self.window}, {len(self)} sealed)"

    def seal(self, energy: Wh, keep: Keep) -> bytes:
        """Seals the next sub-slot: C_t, 64 bytes. `keep` gets all secrets first; if it raises, nothing was sealed."""
        slots = (*self._slots, _Slot(self._checked(energy), new_blinder()))
        if len(slots) > MAX_SUB_SLOTS:
            raise MeterError(f"all {MAX_SUB_SLOTS} sub-slots of the window are sealed", "go on with the next window")
        self._require_sum(slots)
        point = _point(slots[-1])
        keep(self._dump(slots))
        self._slots = slots
        return point

    def points(self, through: int) -> bytes:
        """C_0 ‖ … ‖ C_{through-1}: what the meter signs."""
        return b"".join(_point(slot) for slot in self._first(through))

    def opening(self, through: int) -> Opening:
        """The sums over the first `through` sub-slots."""
        first = self._first(through)
        return Opening(Wh(sum(slot.energy for slot in first)), sum(slot.blinder for slot in first) % N)

    def voucher(self, through: int) -> SealedVoucher:
        """Points and opening together, as the contract takes them."""
        energy, blinder = self.opening(through)
        return SealedVoucher(self.device, self.window, through, energy, blinder, self.points(through))

    def to_json(self) -> str:
        """The secrets, one JSON object on one line; the same state gives the same text."""
        return self._dump(self._slots)

    @classmethod
    def from_json(cls, text: str) -> "SealedSlots":
        """The state that `keep` or `to_json` got. No secret is in the error of a damaged one."""
        try:
            data = json.loads(text)
            sealed = cls(data["device"], data["window"], data["most"])
            slots = tuple(_Slot(sealed._checked(energy), _blinder(blinder)) for energy, blinder in data["slots"])
        except (ValueError, KeyError, TypeError, MeterError):
            slots = None
        if slots is None or len(slots) > MAX_SUB_SLOTS:
            raise MeterError(
                "the kept secrets of sealed sub-slots are damaged", "restore them; they exist nowhere else"
            )
        sealed._require_sum(slots)
        sealed._slots = slots
        return sealed

    def _dump(self, slots: Iterable[_Slot]) -> str:
        rows = [[slot.energy, f"{slot.blinder:#066x}"] for slot in slots]
        head = {"device": self.device, "window": self.window, "most": self.most}
        return json.dumps({**head, "slots": rows}, separators=(",", ":"))

    def _first(self, through: int) -> tuple[_Slot, ...]:
        if type(through) is not int or not 0 < through <= len(self):
            raise MeterError(
                f"{through!r} sub-slots of {len(self)} sealed ones", "seal a sub-slot before it is summed up"
            )
        return self._slots[:through]

    def _checked(self, energy: int) -> int:
        if type(energy) is not int or not 0 <= energy <= self.most:
            # the energy is what is to be hidden: it must not reach a log through an error
            raise MeterError(
                f"the energy of a sub-slot is not a whole number of Wh from 0 to {self.most}", "check the meter"
            )
        return energy

    @staticmethod
    def _require_sum(slots: Iterable[_Slot]) -> None:
        if sum(slot.energy for slot in slots) > MAX_ENERGY:
            raise MeterError(f"the sum of the sub-slots exceeds {MAX_ENERGY} Wh", "check the meter")


def _point(slot: _Slot) -> bytes:
    """C_t = u_t·G + r_t·H."""
    return encode_point(commit_point(slot.energy, slot.blinder))


def _blinder(text: str) -> int:
    value = int(text, 16)
    if not 0 < value < N:
        raise ValueError("not a blinder")
    return value
