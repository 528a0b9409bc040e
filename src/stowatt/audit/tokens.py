"""The market's tokens: ERC-20 transfers to and from it against the ledger of free balances and windows (§6).

The transfers say what the market holds, the market's own events say whose it is. After every transaction

    free balances + bonds + reserves + escrows + pools + what was sent without a deposit = token balance.
"""

from __future__ import annotations

from dataclasses import dataclass

from stowatt.settlement.vault import Vault
from stowatt.units import Money


@dataclass(slots=True)
class AuditVault(Vault):
    """The model's vault with running sums, so that the equation is cheap to check after every transaction."""

    total: int = 0
    """Sum of all free balances."""
    deposited: int = 0
    withdrawn: int = 0
    transferred: int = 0
    """What the market holds according to the token's transfers."""
    unclaimed: int = 0
    """Sent to the market without a deposit: anybody can, and nobody has a claim on it."""

    def credit(self, account: str, amount: int) -> None:
        """A window pays to a free balance."""
        Vault.credit(self, account, amount)
        self.total += amount

    def debit(self, account: str, amount: int) -> None:
        """A window takes from a free balance, which must cover it."""
        Vault.debit(self, account, amount)
        self.total -= amount

    def deposit(self, account: str, amount: int) -> None:
        """Tokens come in."""
        Vault.deposit(self, account, amount)
        self.deposited += amount

    def withdraw(self, account: str, amount: int) -> None:
        """Tokens go out."""
        Vault.withdraw(self, account, amount)
        self.withdrawn += amount

    def promise(self, account: str, units: int, freed: int) -> None:
        """Whether the battery has them is for the judge of commitments to say: the replay goes on."""
        self.battery(account).promised += units - freed

    def surplus(self, held: int) -> Money:
        """Tokens that belong to nobody although they were deposited; 0 at all times."""
        return Money(self.transferred - self.unclaimed - self.total - held)
