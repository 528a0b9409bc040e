"""§6: the vault – participants' free balances, the windows' holdings, and the one equation that must always hold."""

from dataclasses import dataclass, field
from typing import Protocol

from stowatt.errors import SettlementError
from stowatt.settlement.records import NO_MONEY
from stowatt.units import Money


class Holder(Protocol):
    """Something that holds tokens which belong to no free balance: the books of one window."""

    def held(self) -> Money:
        """Base units in bonds, reserves, escrow and pool."""


@dataclass(slots=True)
class Vault:
    """Free balances in base units. Every path into a window and out of it passes through here."""

    tokens: Money = NO_MONEY
    """What the market contract holds of the settlement token, without gifts that were not deposited."""
    free: dict[str, Money] = field(default_factory=dict)
    """Free balance by account."""
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
        balance = self.balance(account)
        if balance < amount:
            raise SettlementError(
                f"{account} has {balance} free and needs {amount}", f"deposit {amount - balance} more"
            )
        self.free[account] = Money(balance - amount)

    def imbalance(self) -> int:
        """Tokens minus free balances minus holdings: 0 after every step (§6, conservation)."""
        return self.tokens - sum(self.free.values()) - sum(holder.held() for holder in self.holders)
