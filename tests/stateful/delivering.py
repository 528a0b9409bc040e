"""The delivering half of `World`: devices that come and go, readings, vouchers, sealed sums."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from stowatt.audit import events as ev
from stowatt.calendar import deadlines
from stowatt.errors import SettlementError
from stowatt.metering import (
    Reading,
    SignedReading,
    SignedSealed,
    SignedVoucher,
    Voucher,
    sign_reading,
    sign_voucher,
)
from stowatt.units import SECONDS_PER_HOUR
from tests.stateful.community import call, register

Expected = tuple[type[ev.Event], dict[str, Any]]


class Delivering:
    """What devices and their meters do. Mixed into `World`, whose market, clock and books it uses."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def replace_device(self, who: str, usable_wh: int, export_w: int) -> None:
        """The account sells from another device from now on; what is committed keeps its own."""
        self.device_nonces[who] += 1
        number, nonce = len(self.all_devices) + 1, self.device_nonces[who]
        device = register(self.signers[who], self.calendar, self.calls, number, usable_wh, export_w, nonce)
        self.devices[who] = self.all_devices[number] = device
        self.vault.sync(who, number, usable_wh, device.limit)

    def refresh(self, who: str) -> bool:
        """The registry tells the market again what the account's device is."""

        def step() -> tuple[None, list[Expected]]:
            device = self.devices.get(who)
            values = (device.number, device.usable_wh, device.limit) if device else (0, 0, 0)
            self.vault.sync(who, *values)
            return None, []

        return self.act(self.relay, self.calls.refresh(who), True, step)[0]

    def revoke_device(self, who: str) -> None:
        """The account has no device any more; what is committed keeps it."""
        device = self.devices.pop(who)
        call(self.signers[who], self.calls.revoke_device(device.number))
        self.vault.sync(who, 0, 0, 0)

    def sign(self, reading: Reading, device: int | None = None) -> SignedReading:
        """The reading, signed by the meter of its device or of another one."""
        meter = self.all_devices[device or reading.device].meter
        return sign_reading(self.reader.readings_domain, reading, meter)

    def reading(self, signed: SignedReading, by: str | None = None) -> bool:
        r, step, by = signed.reading, self._accepting(signed), by or self.relay
        allowed = r.window in self.books and self._readable(signed, by)
        return self.act(by, self.calls.submit(signed), allowed, step)[0]

    def reading_many(self, signed: Sequence[SignedReading]) -> bool:
        """Several in one transaction, which skips what is refused."""

        def step() -> tuple[None, list[Expected]]:
            expected: list[Expected] = []
            for one in signed:
                if self._readable(one, self.relay):
                    expected += self._accepting(one)()[1]
            return None, expected

        return self.act(self.relay, self.calls.submit_many(signed), True, step)[0]

    def _accepting(self, signed: SignedReading) -> Callable[[], tuple[None, list[Expected]]]:
        r = signed.reading

        def step() -> tuple[None, list[Expected]]:
            self.books[r.window].reading(r.device, r.sub_slot, r.energy)
            self.progress[r.device] = (r.counter, self._position(r))
            names = ("device", "window", "sub_slot", "energy", "counter")
            values = {name: getattr(r, name) for name in names}
            return None, [(ev.ReadingAccepted, {**values, "signature": signed.signature})]

        return step

    def _position(self, r: Reading) -> int:
        return r.window * self.calendar.sub_slots + r.sub_slot + 1

    def _readable(self, signed: SignedReading, by: str) -> bool:
        r, c, device = signed.reading, self.calendar, self.all_devices.get(signed.reading.device)
        if device is None or r.sub_slot >= c.sub_slots:
            return False
        times = deadlines(c, r.window)
        in_time = times.start + (r.sub_slot + 1) * c.sub_slot <= self.now < times.reading
        plausible = r.energy <= -(-device.export_w * c.sub_slot // SECONDS_PER_HOUR)
        counter, position = self.progress.get(r.device, (0, 0))
        own = signed.signer(self.reader.readings_domain) == device.meter.address
        follows = r.counter == counter + 1 or (r.counter > counter and by == device.owner)
        counted = self.books[r.window].counted.get(r.device, 0) if r.window in self.books else 0
        fresh = self._position(r) > position and r.sub_slot >= counted
        return in_time and plausible and own and follows and fresh

    # ---------------------------------------------------------------- vouchers

    def sign_voucher(self, voucher: Voucher, device: int | None = None) -> SignedVoucher:
        """The voucher, signed by the meter of its device or of another one."""
        return sign_voucher(self.reader.readings_domain, voucher, self.all_devices[device or voucher.device].meter)

    def redeem(self, signed: SignedVoucher) -> bool:
        """Redeems a voucher, a good one or not."""
        allowed = signed.voucher.window in self.books and self._redeemable(signed)
        return self.act(self.relay, self.calls.redeem(signed), allowed, self._redeeming(signed))[0]

    def redeem_many(self, signed: Sequence[SignedVoucher]) -> bool:
        """Several in one transaction, which skips what is refused."""

        def step() -> tuple[None, list[Expected]]:
            expected: list[Expected] = []
            for one in signed:
                if self._redeemable(one):
                    try:
                        expected += self._redeeming(one)()[1]
                    except SettlementError:
                        self.refused["redeemMany, skipped"] += 1
            return None, expected

        return self.act(self.relay, self.calls.redeem_many(signed), True, step)[0]

    def _redeeming(self, signed: SignedVoucher) -> Callable[[], tuple[None, list[Expected]]]:
        v = signed.voucher

        def step() -> tuple[None, list[Expected]]:
            self.books[v.window].raise_to(v.device, v.through, v.energy)
            values = {name: getattr(v, name) for name in ("device", "window", "through", "energy")}
            return None, [(ev.VoucherRedeemed, {**values, "signature": signed.signature})]

        return step

    def open_sealed(self, signed: SignedSealed) -> bool:
        """Opens a sum of sealed sub-slots, a good one or not."""
        s = signed.sealed

        def step() -> tuple[None, list[Expected]]:
            self.books[s.window].raise_to(s.device, s.through, s.energy)
            names = ("device", "window", "through", "energy", "blinder", "points")
            values = {name: getattr(s, name) for name in names}
            return None, [(ev.SealedOpened, {**values, "signature": signed.signature})]

        allowed = s.window in self.books and self._redeemable(signed) and s.opens()
        return self.act(self.relay, self.calls.open_sealed(signed), allowed, step)[0]

    def _redeemable(self, signed: SignedVoucher | SignedSealed) -> bool:
        v = signed.voucher if isinstance(signed, SignedVoucher) else signed.sealed
        c, device = self.calendar, self.all_devices.get(v.device)
        if device is None or v.through > c.sub_slots:
            return False
        times = deadlines(c, v.window)
        in_time = times.start + v.through * c.sub_slot <= self.now < times.reading
        plausible = v.energy <= v.through * -(-device.export_w * c.sub_slot // SECONDS_PER_HOUR)
        return in_time and plausible and signed.signer(self.reader.readings_domain) == device.meter.address
