"""A meter's sealed sub-slots on its own disk (§6): the secrets are there before a point leaves (T49).

One file for each device and window, mode 0600. It is needed until the window is settled, and tells the load profile to
whoever reads it: it is deleted then.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from eth_account.signers.base import BaseAccount

from stowatt.errors import MeterError
from stowatt.metering import SealedSlots, SignedSealed, sign_sealed
from stowatt.private_files import private_folder, replace_private, require_private
from stowatt.typed_data import Domain
from stowatt.units import Wh


class SealedFile:
    """The sealed sub-slots of one device in one window."""

    def __init__(self, path: Path, device: int, window: int) -> None:
        self.path, self.device, self.window = path, device, window

    def seal(self, energies: Sequence[Wh]) -> int:
        """Seals the next sub-slots, each on the disk before the next; how many there are now.

        Nothing is sealed when one of the energies is none.
        """
        with self._locked():
            slots = self._read()
            rehearsal = SealedSlots.from_json(slots.to_json())
            for energy in energies:
                rehearsal.seal(energy, lambda text: None)
            for energy in energies:
                slots.seal(energy, lambda text: replace_private(self.path, text + "\n"))
            return len(slots)

    def sign(self, domain: Domain, meter: BaseAccount, through: int | None = None) -> SignedSealed:
        """The sum over the first `through` sub-slots, or all that are sealed, signed by the meter."""
        with self._locked():
            slots = self._read()
        if not len(slots):
            raise MeterError(f"nothing is sealed in window {self.window}", "seal its sub-slots first")
        count = len(slots) if through is None else through
        if not 1 <= count <= len(slots):
            raise MeterError(
                f"{count} sub-slots of window {self.window} are to be signed",
                f"{len(slots)} are sealed: give 1 to that",
            )
        return sign_sealed(domain, slots.voucher(count), meter)

    def _read(self) -> SealedSlots:
        try:
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError:
            return SealedSlots(self.device, self.window)
        except (OSError, UnicodeDecodeError) as error:
            raise MeterError(
                f"{self.path} cannot be read: {error}", "restore it; its secrets are nowhere else"
            ) from None
        require_private(self.path)
        slots = SealedSlots.from_json(text)
        if (slots.device, slots.window) != (self.device, self.window):
            raise MeterError(f"{self.path} is of another device or window", "restore the right file")
        return slots

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; the lock goes with its process, however that ends."""
        private_folder(self.path.parent)
        lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
