"""Sending the demo's transactions in batches, and keeping account of their gas."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from stowatt.chain.client import Done, MarketClient, Refusal, refusal
from stowatt.chain.client.calls import ContractCall
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.errors import ChainRevert
from stowatt.chain.events import decode_logs
from stowatt.chain.ledger import TRANSACTION_GAS_CAP, Receipt
from stowatt.demo.settings import DemoError
from stowatt.report import GasUse

BASE_GAS: Final = 300_000
ITEM_GAS: Final = 300_000
"""What a transaction offers: enough for any of the market's calls, of which the most expensive take half of it."""


DEPLOY: Final = "deploy a contract"


@dataclass(frozen=True, slots=True)
class Order:
    """A transaction to be: who sends what, and what it counts as."""

    client: MarketClient
    call: ContractCall
    operation: str
    items: int = 1
    """Bids, readings or rights that it carries."""
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """The gas of one mined transaction."""

    operation: str
    gas: int
    items: int
    window: int | None


class Dispatch:
    """One ledger's transactions, each mined for good when a call returns."""

    def __init__(self, ledger: EmbeddedLedger) -> None:
        self.ledger = ledger
        self.uses: list[Use] = []

    def send(self, orders: Sequence[Order]) -> list[Done]:
        """Sends many transactions, one after the other in as few blocks as possible; each must succeed."""
        done = []
        for order, receipt in zip(orders, self._mine(orders), strict=True):
            if not receipt.status:
                raise _in_words(order, receipt)
            done.append(Done(receipt, tuple(decode_logs(receipt.logs, order.client.time_of))))
        return done

    def refused(self, order: Order) -> Refusal:
        """Sends a transaction that the contracts have to refuse; it is mined, reverts, and changes nothing."""
        (receipt,) = self._mine([order])
        if receipt.status:
            raise DemoError(f"the contract took {order.operation}", "it has to be refused: report this fault")
        return _in_words(order, receipt)

    def note(self, operation: str, gas: int, items: int = 1, window: int | None = None) -> None:
        """Counts a transaction that was sent otherwise."""
        self.uses.append(Use(operation, gas, items, window))

    def gas_of(self, window: int) -> int:
        """Gas of all transactions for one window."""
        return sum(use.gas for use in self.uses if use.window == window)

    def totals(self) -> tuple[GasUse, ...]:
        """Gas by operation, in the order of first use."""
        found = []
        for operation in dict.fromkeys(use.operation for use in self.uses):
            uses = [use for use in self.uses if use.operation == operation]
            gas = [use.gas for use in uses]
            items, setup = sum(use.items for use in uses), operation == DEPLOY
            found.append(GasUse(operation, len(gas), min(gas), median_low(gas), max(gas), sum(gas), items, setup))
        return tuple(found)

    def _mine(self, orders: Sequence[Order]) -> list[Receipt]:
        raws = [
            order.client.sender.sign(
                order.call.to, order.call.data, gas=min(BASE_GAS + ITEM_GAS * order.items, TRANSACTION_GAS_CAP)
            )
            for order in orders
        ]
        receipts = [self.ledger.wait(digest) for digest in self.ledger.send_batch(raws)]
        for order, receipt in zip(orders, receipts, strict=True):
            self.note(order.operation, receipt.gas_used, order.items, order.window)
        return receipts


def _in_words(order: Order, receipt: Receipt) -> Refusal:
    revert = ChainRevert(receipt.revert_data, transaction=receipt.transaction_hash)
    return refusal(revert, order.call.phases, order.client.spell, order.call.name)
