"""§6: the vault – participants' free balances, the windows' holdings, and the one equation that must always hold.

And beside the money what the market knows of each account's battery: its reliability, and how much of it is promised.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

from stowatt.commitments.terms import NO_TERMS, Terms
from stowatt.errors import SettlementError
from stowatt.settlement.capacity import capacity
from stowatt.settlement.records import NO_MONEY
from stowatt.settlement.reliability import seller_alpha
from stowatt.units import Money, Ppm


class Holder(Protocol):
    """Something that holds tokens which belong to no free balance: the books of one window."""

    def held(self) -> Money:
        """Base units in bonds, reserves, escrow and pool."""


NO_RECORD: Final = Ppm(0)


@dataclass(slots=True)
class Battery:
    """What the market knows of an account's device (§2, §6)."""

    device: int = 0
    """0: none to sell from."""
    limit_wh: int = 0
    """Q_max (1), Wh."""
    capacity: int = 0
    """Usable energy in energy units of Q_max/64."""
    reliability: Ppm = NO_RECORD
    """r of this device, ppm."""
    promised: int = 0
    """Units that commitments, opened bids and unsettled rights hold, also those of an earlier device."""


@dataclass(slots=True)
class Vault:
    """Free balances in base units. Every path into a window and out of it passes through here."""

    tokens: Money = NO_MONEY
    """What the market contract holds of the settlement token, without gifts that were not deposited."""
    free: dict[str, Money] = field(default_factory=dict)
    """Free balance by account."""
    batteries: dict[str, Battery] = field(default_factory=dict)
    """By account."""
    holders: list[Holder] = field(default_factory=list)
    """The books of all windows of this market."""

    def balance(self, account: str) -> Money:
        """An account's free balance."""
        return self.free.get(account, NO_MONEY)

    def deposit(self, account: str, amount: int) -> None:
        """Tokens come in."""
        if amount <= 0:
            raise SettlementError(f"a deposit of {amount}", "deposit at least 1 base unit")
        self.credit(account, amount)
        self.tokens = Money(self.tokens + amount)

    def withdraw(self, account: str, amount: int) -> None:
        """Tokens go out: the only path out of the market, and a pull."""
        if amount <= 0:
            raise SettlementError(f"a withdrawal of {amount}", "withdraw at least 1 base unit")
        self.debit(account, amount)
        self.tokens = Money(self.tokens - amount)

    def credit(self, account: str, amount: int) -> None:
        """A window pays to a free balance."""
        self.free[account] = Money(self.balance(account) + amount)

    def debit(self, account: str, amount: int) -> None:
        """A window takes from a free balance, which must cover it."""
        self.require(account, amount)
        self.free[account] = Money(self.balance(account) - amount)

    def require(self, account: str, amount: int) -> None:
        """Refuses an amount that the free balance does not cover."""
        balance = self.balance(account)
        if balance < amount:
            raise SettlementError(
                f"{account} has {balance} free and needs {amount}", f"deposit {amount - balance} more"
            )

    # ---------------------------------------------------------------- energy

    def battery(self, account: str) -> Battery:
        """The account's."""
        return self.batteries.setdefault(account, Battery())

    def sync(self, account: str, device: int, usable_wh: int, limit_wh: int) -> None:
        """The account sells from this device from now on, from none if it is 0. Another device has no record (T43).

        Units of two devices differ in size: another one has none to sell until all that was promised with the old one
        is over and the registry is asked again (T42).
        """
        battery = self.battery(account)
        same = battery.device == device
        if not same:
            battery.reliability = NO_RECORD
        battery.device, battery.limit_wh = device, limit_wh
        if not battery.promised:
            battery.capacity = capacity(usable_wh, limit_wh)
        elif not same:
            battery.capacity = 0

    def terms(self, account: str, units: int, alpha_new: int, alpha_proven: int) -> Terms:
        """What a commitment of so many units binds now; a buyer's (0 units) binds nothing."""
        battery = self.battery(account)
        if units == 0:
            return NO_TERMS
        alpha = seller_alpha(alpha_new, alpha_proven, battery.reliability)
        return Terms(battery.device, battery.limit_wh, alpha, units)

    def promise(self, account: str, units: int, freed: int) -> None:
        """A commitment takes `units` after `freed` ones came back; never more than the battery has (§2, T42)."""
        battery = self.battery(account)
        promised = battery.promised - freed + units
        if units and promised > battery.capacity:
            raise SettlementError(
                f"{account} would promise {promised} energy units of its {battery.capacity}", "offer less"
            )
        battery.promised = promised

    def unpromise(self, account: str, units: int) -> None:
        """Units come back."""
        self.battery(account).promised -= units

    def imbalance(self) -> int:
        """Tokens minus free balances minus holdings: 0 after every step (§6, conservation)."""
        return self.tokens - sum(self.free.values()) - sum(holder.held() for holder in self.holders)
