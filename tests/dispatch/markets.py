"""Events of small made-up markets, so that what is dispatched can be worked by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

from eth_utils.address import to_checksum_address

from stowatt.audit.events import (
    CalendarValues,
    Certificate,
    Claimed,
    Cleared,
    Committed,
    Defaulted,
    DeviceRegistered,
    Event,
    MarketDeployed,
    Outcome,
    Paid,
    RightTransfer,
    Split,
    Wiring,
)
from stowatt.commitments import Terms
from stowatt.commitments.terms import NO_TERMS
from stowatt.curves import Side
from stowatt.rights import RightId

SELL, BUY = Side.SELL, Side.BUY
ORIGIN = 1_800_000_000
ZERO = "0x" + "0" * 40
MARKET = to_checksum_address(f"0x{0xABCDEF:040x}")
CALENDAR = {
    "origin": ORIGIN, "length": 900, "sub_slot": 300, "commit_lead": 3600, "reveal_lead": 1800, "payment_lead": 300,
    "reading_grace": 600, "void_delay": 900, "ring": 16, "ticks": 1024, "price_rule": 1, "rationing": 0,
    "tick_size": 10_000, "bond": 50_000, "alpha_seller": 200_000, "alpha_buyer": 150_000, "efficiency": 950_000,
    "tolerance": 980_000,
}  # fmt: skip
"""Payment deadline: five minutes before delivery."""
PAYING, DELIVERING = ORIGIN - 1_000, ORIGIN
"""Before and after window 0's payment deadline; both before that of window 2 and later ones … each is 900 s long."""


def address(name: str) -> str:
    return str(to_checksum_address(f"0x{int.from_bytes(name.encode()):040x}"))


def fill(kind: type, **values: Any) -> Any:
    """A record with nothing in the fields that dispatch does not read."""
    hints, nothing = get_type_hints(kind), {int: 1, str: ZERO, bytes: b"", bool: False}
    unread = {f.name: nothing.get(hints[f.name]) for f in fields(kind) if f.name not in values}
    return kind(**unread, **values)


@dataclass
class Log:
    """The events so far; each helper adds what the contracts would emit."""

    events: list[Event] = field(default_factory=list)
    time: int = PAYING
    devices: int = 0
    owned: dict[str, int] = field(default_factory=dict)
    """The last device of each name."""

    @classmethod
    def start(cls, **calendar: int) -> "Log":
        log = cls()
        wiring = fill(Wiring)
        log.add(MarketDeployed, calendar=fill(CalendarValues, **CALENDAR | calendar), wiring=wiring)
        return log

    def add(self, kind: type[Event], **values: Any) -> None:
        place = {"block": len(self.events) + 1, "index": 0, "time": self.time, "transaction": "0x" + "1" * 64}
        self.events.append(fill(kind, **place, address=MARKET, **values))

    def device(self, name: str, usable: int = 10_000, export: int = 5_000, eta: int = 950_000) -> int:
        self.devices += 1
        self.owned[name] = self.devices
        certificate = fill(
            Certificate, owner=address(name), usable_wh=usable, export_w=export, charge_w=export,
            charge_efficiency=eta, discharge_efficiency=eta, serial=bytes(32),
        )  # fmt: skip
        self.add(DeviceRegistered, device=self.devices, certificate=certificate)
        return self.devices

    def commit(self, window: int, side: Side, *names: str) -> None:
        for name in names:
            terms = Terms(self.owned.get(name, 0), 1_250, 200_000, 64) if side is SELL else NO_TERMS
            self.add(Committed, window=window, participant=address(name), terms=terms.encode())

    def clear(self, window: int, volume: int, tick: int = 30) -> None:
        self.add(Cleared, window=window, outcome=fill(Outcome, tick=tick, volume=volume))

    def claim(self, window: int, name: str, wh: int, payment: int = 0) -> None:
        self.add(Claimed, window=window, participant=address(name), quantity=wh, payment=payment)

    def trade(
        self, window: int, sells: Sequence[tuple[str, int]], buys: Sequence[tuple[str, int]], unpaid: Sequence[str] = ()
    ) -> None:
        """A window from commitments to claims."""
        self.commit(window, SELL, *(name for name, _ in sells))
        self.commit(window, BUY, *(name for name, _ in buys))
        self.clear(window, sum(wh for _, wh in sells))
        for name, wh in sells:
            self.claim(window, name, wh)
        for name, wh in buys:
            self.claim(window, name, wh, 0 if name in unpaid else wh)

    def pay(self, window: int, name: str) -> None:
        self.add(Paid, right_id=token(window, BUY, name))

    def default(self, window: int, name: str, wh: int) -> None:
        self.add(Defaulted, window=window, participant=address(name), quantity=wh)
        self.move(token(window, BUY, name), address(name), ZERO)

    def split(self, window: int, side: Side, name: str, wh: int, start: int = 0) -> int:
        later = token(window, side, name, start + wh)
        self.add(Split, right_id=token(window, side, name, start), new_right_id=later, quantity=wh)
        return later

    def move(self, right: int, from_: str, to: str) -> None:
        self.add(RightTransfer, from_=from_, to=to, token_id=right)


def token(window: int, side: Side, name: str, start: int = 0) -> int:
    return RightId(address(name), window, side, start).encode()


def evening() -> Log:
    """Two batteries, three buyers, windows 4 and 5; b3 does not pay in window 5."""
    log = Log.start()
    log.device("s1")
    log.device("s2", usable=1_900, export=4_000)
    log.trade(4, [("s1", 1_000), ("s2", 800)], [("b1", 900), ("b2", 600), ("b3", 300)])
    log.trade(5, [("s1", 1_000), ("s2", 1_000)], [("b1", 1_200), ("b3", 800)], unpaid=["b3"])
    return log
