"""Delivery: what the batteries give, and how their meters prove it to the chain."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stowatt.audit.events import ReadingAccepted, SealedOpened, VoucherRedeemed
from stowatt.calendar import Calendar
from stowatt.curves import Side
from stowatt.demo.bidding import batches
from stowatt.demo.community import Community
from stowatt.demo.dispatch import Dispatch, Order
from stowatt.demo.evidence import Evidence
from stowatt.demo.meters import SUB_SLOTS, BatteryMeter
from stowatt.demo.troubles import Kind
from stowatt.demo.window import WindowRun
from stowatt.metering import SealedSlots, SignedReading, SignedVoucher, Voucher, sign_sealed, sign_voucher
from stowatt.private_files import replace_private
from stowatt.settlement import effective_quantity
from stowatt.units import PPM, Wh, ceil_div

PROVED_BY_READINGS = frozenset({Kind.WEAK, Kind.REPLAY, Kind.SOLD})
"""Troubles that one only sees where each sub-slot is read."""


def choose_evidence(windows: Sequence[WindowRun]) -> None:
    """One private window and one of vouchers, where no trouble needs readings; the later ones first."""
    free = [w for w in reversed(windows) if not any(trouble.kind in PROVED_BY_READINGS for trouble in w.troubles)]
    for window, evidence in zip(free, (Evidence.SEALED, Evidence.VOUCHERS), strict=False):
        window.evidence = evidence


class Deliveries:
    """The batteries at work, sub-slot by sub-slot."""

    def __init__(
        self,
        community: Community,
        dispatch: Dispatch,
        calendar: Calendar,
        meters: dict[str, BatteryMeter],
        secrets: Path,
    ) -> None:
        self.community, self.dispatch, self.calendar, self.meters = community, dispatch, calendar, meters
        self.secrets = secrets
        """Folder of the sealed sub-slots' secrets."""
        self.readings: dict[int, dict[str, SignedReading]] = {}
        """The first sub-slot's, by window and account."""
        self.vouchers: Counter[int] = Counter()
        """Vouchers signed, by window."""
        self._sums: Counter[tuple[int, str]] = Counter()
        self._sealed: dict[tuple[int, str], SealedSlots] = {}

    def report(self, window: WindowRun, sub_slot: int) -> None:
        """Each battery delivers, and its meter signs in the window's way."""
        if not window.volume:
            return
        wh = {}
        for account in window.fills(Side.SELL):
            meter = self.meters[account]
            row = meter.home.index(window.start)
            wh[account] = meter.discharge(window.number, row, sub_slot, self.obligation(window, account))
        {Evidence.READINGS: self._read, Evidence.VOUCHERS: self._vouch, Evidence.SEALED: self._seal}[window.evidence](
            window, sub_slot, wh
        )

    def obligation(self, window: WindowRun, account: str) -> Wh:
        """Wh that a seller's battery owes: η·Q_eff, rounded up, so that ρ comes to 1 (30)."""
        paid = sum(window.fills(Side.BUY).values())
        owed = effective_quantity(window.fills(Side.SELL)[account], paid, window.volume)
        return Wh(ceil_div(owed * self.calendar.efficiency, PPM))

    def owed(self, window: WindowRun) -> int:
        """Wh that all batteries of the window owe."""
        return sum(self.obligation(window, account) for account in window.fills(Side.SELL))

    def _read(self, window: WindowRun, sub_slot: int, wh: dict[str, Wh]) -> None:
        """One transaction carries all readings of the sub-slot."""
        operator = self.community.operator
        domain = operator.readings_domain
        signed = {a: self.meters[a].sign(domain, window.number, sub_slot, energy) for a, energy in wh.items()}
        if sub_slot == 0:
            self.readings[window.number] = signed
        orders = [
            Order(operator, operator.calls.submit_many(group), "meter readings", len(group), window.number)
            for group in batches(list(signed.values()))
        ]
        for done in self.dispatch.send(orders):
            window.events += done.of(ReadingAccepted)

    def _vouch(self, window: WindowRun, sub_slot: int, wh: dict[str, Wh]) -> None:
        """A voucher after each sub-slot; all but the last are lost on the way, and nothing is."""
        operator = self.community.operator
        signed = []
        for account, energy in wh.items():
            meter = self.meters[account]
            self._sums[window.number, account] += energy
            voucher = Voucher(meter.device, window.number, sub_slot + 1, Wh(self._sums[window.number, account]))
            signed.append(sign_voucher(operator.readings_domain, voucher, meter.key))
        self.vouchers[window.number] += len(signed)
        if sub_slot == SUB_SLOTS - 1:
            self._redeem(window, signed)

    def _redeem(self, window: WindowRun, signed: list[SignedVoucher]) -> None:
        operator = self.community.operator
        orders = [
            Order(operator, operator.calls.redeem_many(group), "redeem vouchers", len(group), window.number)
            for group in batches(signed)
        ]
        for done in self.dispatch.send(orders):
            window.events += done.of(VoucherRedeemed)

    def _seal(self, window: WindowRun, sub_slot: int, wh: dict[str, Wh]) -> None:
        """Each sub-slot is sealed, its secrets on the disk first; after the last one each meter opens its sum."""
        operator = self.community.operator
        orders = []
        for account, energy in wh.items():
            meter, key = self.meters[account], (window.number, account)
            sealed = self._sealed.setdefault(key, SealedSlots(meter.device, window.number))
            path = self.secrets / f"{meter.device}-{window.number}.sealed"
            sealed.seal(energy, lambda text, path=path: replace_private(path, text))  # type: ignore[misc]
            if sub_slot == SUB_SLOTS - 1:
                signed = sign_sealed(operator.readings_domain, sealed.voucher(SUB_SLOTS), meter.key)
                orders.append(
                    Order(operator, operator.calls.open_sealed(signed), "open a sealed sum", 1, window.number)
                )
        for done in self.dispatch.send(orders):
            window.events += done.of(SealedOpened)
