"""§6: what meters signed, checked anew – readings, vouchers, and the opened sums of sealed sub-slots (30)-(32)."""

from __future__ import annotations

from stowatt.audit.events import Event, ReadingAccepted, SealedOpened, VoucherRedeemed
from stowatt.audit.state import State, latest
from stowatt.calendar import LAST_ROUND, deadlines
from stowatt.metering import Reading, SealedVoucher, SignedReading, SignedSealed, SignedVoucher, Voucher
from stowatt.units import SECONDS_PER_HOUR, Wh

Evident = ReadingAccepted | VoucherRedeemed | SealedOpened


class Evidence:
    """Replays `Metering.sol`."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings
        self.domain = state.readings_domain

    def reading(self, event: ReadingAccepted) -> None:
        """One sub-slot: in its time, plausible, signed by a key of the device, after all that was counted (T23)."""
        if not self._in_time(event, "sub_slot", event.sub_slot + 1):
            return
        reading = Reading(event.device, event.window, event.sub_slot, Wh(event.energy), event.counter)
        self._check_signature(event, event.sub_slot + 1, SignedReading(reading, event.signature).signer(self.domain))
        self._check_energy(event, 1)
        fresh = self._check_order(event)
        through, energy = self.state.counted.get((event.window, event.device), (0, 0))
        if event.sub_slot < through:
            self.findings.add(event, "§6 T46", f"{through} sub-slots were counted before", field="sub_slot",
                              found=event.sub_slot, expected=f"at least {through}",
                              related=self._earlier(event))  # fmt: skip
        elif fresh:
            self._count(event, event.sub_slot + 1, energy + event.energy)

    def voucher(self, event: VoucherRedeemed) -> None:
        """A sum over the window's sub-slots so far; it only adds to what was counted (T45)."""
        if not self._in_time(event, "through", event.through):
            return
        voucher = Voucher(event.device, event.window, event.through, Wh(event.energy))
        self._check_signature(event, event.through, SignedVoucher(voucher, event.signature).signer(self.domain))
        self._raise(event)

    def sealed(self, event: SealedOpened) -> None:
        """The meter signed the points, and they add up to energy·G + blinder·H (T47, T48)."""
        if not self._in_time(event, "through", event.through):
            return
        sealed = SealedVoucher(event.device, event.window, event.through, Wh(event.energy), event.blinder, event.points)
        self._check_signature(event, event.through, SignedSealed(sealed, event.signature).signer(self.domain))
        self.findings.checks[event.window] += 1
        if not sealed.opens():
            self.findings.add(event, "§6 T48", "the sealed sub-slots do not add up to the opened sum",
                              field="energy, blinder", found=event.energy,
                              expected="Σ C_t = energy·G + blinder·H")  # fmt: skip
        self._raise(event)

    def _raise(self, event: VoucherRedeemed | SealedOpened) -> None:
        self._check_energy(event, event.through)
        through, energy = self.state.counted.get((event.window, event.device), (0, 0))
        related = self._earlier(event)
        if event.through < through or (event.through == through and event.energy <= energy):
            self.findings.add(event, "§6 T45", "as many sub-slots with as much energy were counted before",
                              field="through", found=event.through, expected=f"more than {through}",
                              related=related)  # fmt: skip
        elif event.energy < energy:
            self.findings.add(event, "§6 T45", "more energy was counted before", field="energy", found=event.energy,
                              expected=f"at least {energy}", related=related)  # fmt: skip
        else:
            self._count(event, event.through, event.energy)

    def _count(self, event: Evident, through: int, energy: int) -> None:
        """From now on the window's sum of the device, also where nobody opened the window."""
        self.state.counted[event.window, event.device] = through, energy
        window = self.state.windows.get(event.window)
        if window is not None:
            window.books.raise_to(event.device, through, energy)
            window.readings.setdefault(event.device, []).append(event)

    def _earlier(self, event: Evident) -> list[Event]:
        window = self.state.windows.get(event.window)
        return [] if window is None else window.readings.get(event.device, [])

    # ---------------------------------------------------------------- what holds for all evidence

    def _in_time(self, event: Evident, name: str, through: int) -> bool:
        """The last sub-slot exists, is over, and the window's readings are open."""
        calendar = self.state.calendar
        if not 1 <= through <= calendar.sub_slots or event.window // calendar.ring > LAST_ROUND:
            first = 0 if name == "sub_slot" else 1
            self.findings.add(event, "§6 T23", field=name, found=getattr(event, name),
                              expected=f"{first} … {calendar.sub_slots - 1 + first}")  # fmt: skip
            return False
        times = deadlines(calendar, event.window)
        end = times.start + through * calendar.sub_slot
        if not end <= event.time < times.reading:
            self.findings.add(event, "§6 T23", field="time", found=event.time, expected=f"{end} … {times.reading - 1}")
        return True

    def _check_signature(self, event: Evident, through: int, key: str | None) -> None:
        end = deadlines(self.state.calendar, event.window).start + through * self.state.calendar.sub_slot
        valid, statement = self.state.registry.key_event(event.device, key, end)
        if not valid:
            self.findings.add(
                event, "§6 T23", "its values are not signed by a valid key of the device", field="signature",
                found=f"signed by {key}", expected=f"a meter key of device {event.device} valid at {end}",
                related=latest([statement]),
            )  # fmt: skip

    def _check_order(self, event: ReadingAccepted) -> bool:
        """Counter and sub-slot grow; whether they do."""
        counter, position = self.state.meters.get(event.device, (0, 0))
        own = event.window * self.state.calendar.sub_slots + event.sub_slot + 1
        if event.counter <= counter:
            self.findings.add(event, "§6 T23", field="counter", found=event.counter, expected=f"more than {counter}")
        if own <= position:
            self.findings.add(event, "§6 T23", "the same or a later sub-slot was read before", field="sub_slot",
                              found=event.sub_slot, expected="a later one")  # fmt: skip
        self.state.meters[event.device] = (max(counter, event.counter), max(position, own))
        return event.counter > counter and own > position

    def _check_energy(self, event: Evident, sub_slots: int) -> None:
        """The limit of each sub-slot rounds up: a device at its certified power is never refused."""
        device = self.state.registry.devices.get(event.device)
        most = -1
        if device is not None:
            most = sub_slots * -(-device.export_w * self.state.calendar.sub_slot // SECONDS_PER_HOUR)
        if event.energy > most:
            self.findings.add(event, "§6 (1)", field="energy", found=event.energy, expected=f"at most {most}")
