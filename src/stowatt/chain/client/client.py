"""Using a market with one key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from eth_account.signers.local import LocalAccount

from stowatt.audit.events import Event
from stowatt.chain.client.calls import ContractCall
from stowatt.chain.client.deployment import Deployment
from stowatt.chain.client.reader import MarketReader
from stowatt.chain.client.refusals import refusal
from stowatt.chain.errors import ChainRevert
from stowatt.chain.events import decode_logs
from stowatt.chain.ledger import Call, Ledger, Receipt
from stowatt.chain.sender import Sender
from stowatt.errors import LedgerError
from stowatt.typed_data import sign, struct_hash

PERMIT_SECONDS: Final = 3600
"""How long a permit is good: it is used at once, but clocks differ."""

_PERMIT: Final = (
    ("address", "owner"),
    ("address", "spender"),
    ("uint256", "value"),
    ("uint256", "nonce"),
    ("uint256", "deadline"),
)

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Done:
    """A mined call."""

    receipt: Receipt
    events: tuple[Event, ...]

    def only(self, kind: type[E]) -> E:
        """Its one event of that kind."""
        (event,) = self.of(kind)
        return event

    def of(self, kind: type[E]) -> Iterator[E]:
        """Its events of that kind."""
        return (event for event in self.events if isinstance(event, kind))


class MarketClient(MarketReader):
    """A market as the owner of one key sees it: `client.execute(client.calls.clear(7))`."""

    def __init__(self, ledger: Ledger, deployment: Deployment, sender: Sender, account: LocalAccount) -> None:
        super().__init__(ledger, deployment)
        self.sender, self.account = sender, account
        self.address = sender.address

    def execute(
        self, call: ContractCall, *, purpose: str | None = None, gas: int | None = None, timeout: float | None = None
    ) -> Done:
        """Sends the call and waits for it; a refusal in words if the contract reverts.

        Without `gas` the call is tried first, so that one that would revert is never sent. With a `purpose` and an
        outbox it is sent once, even over a crash.
        """
        try:
            receipt = self.sender.transact(call.to, call.data, gas=gas, purpose=purpose, timeout=timeout)
        except ChainRevert as revert:
            raise refusal(revert, call.phases, self.spell, call.name) from None
        return Done(receipt, tuple(decode_logs(receipt.logs, self.time_of)))

    def try_call(self, call: ContractCall) -> None:
        """Tries the call without sending it; a refusal in words if the contract would revert."""
        try:
            self.ledger.call(Call(call.to, call.data, self.address))
        except ChainRevert as revert:
            raise refusal(revert, call.phases, self.spell, call.name) from None

    def deposit(self, amount: int) -> Done:
        """Deposits tokens: with a permit if the token takes one, else with an approval first."""
        return self.execute(self.deposit_call(amount))

    def deposit_call(self, amount: int) -> ContractCall:
        """The call that deposits tokens; a token that takes no permit is approved first if that is needed."""
        permit = self._permit(amount)
        if permit is not None:
            return self.calls.deposit_with_permit(amount, *permit)
        if self.allowance(self.address) < amount:
            self.execute(self.calls.approve(amount))
        return self.calls.deposit(amount)

    def _permit(self, amount: int) -> tuple[int, bytes] | None:
        """Deadline and signature of an EIP-2612 permit; None if the token's domain is not the usual one."""
        try:
            domain, separator = self.permit_domain()
            nonce = self.permit_nonce(self.address)
        except LedgerError:
            return None
        if domain.separator() != separator:
            return None
        deadline = self.ledger.time() + PERMIT_SECONDS
        values: tuple[Any, ...] = (self.address, self.deployment.market, amount, nonce, deadline)
        return deadline, sign(domain, struct_hash("Permit", _PERMIT, values), self.account)
