"""The virtual machine of the embedded ledger: py-evm's Cancun rules over flat accounts, with compiled blocks.

`ReferenceState` runs py-evm's own interpreter over the same accounts; it is what the fast one is compared with.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, ClassVar

from eth.abc import ComputationAPI, ExecutionContextAPI, MessageAPI, StateAPI, TransactionContextAPI
from eth.typing import JournalDBCheckpoint
from eth.vm.computation import NO_RESULT
from eth.vm.forks.cancun.computation import CancunComputation
from eth.vm.forks.cancun.state import CancunState
from eth_typing import Address, Hash32

from stowatt.chain.embedded.accounts import Accounts
from stowatt.chain.embedded.compiler import execute
from stowatt.chain.precompiles import FAST_PRECOMPILES

sys.setrecursionlimit(16_384)
# 1024 nested EVM calls take 9 Python frames each. Importing py-evm raises the limit to 100,000, with which a deeply
# nested JSON document overflows the C stack and ends the process.


class FastComputation(CancunComputation):
    """A call frame that runs translated blocks (compiler.py) instead of the interpreter's loop."""

    _precompiles: ClassVar[dict[Address, Any]] = {  # type: ignore[misc]  # py-evm annotates it for an instance
        **CancunComputation.get_precompiles(),
        **{Address(address): contract for address, contract in FAST_PRECOMPILES.items()},
    }
    contracts_created: list[Address]

    @classmethod
    def apply_computation(
        cls,
        state: StateAPI,
        message: MessageAPI,
        transaction_context: TransactionContextAPI,
        parent_computation: ComputationAPI | None = None,
    ) -> ComputationAPI:
        """As in py-evm's BaseComputation, except for the loop."""
        with cls(state, message, transaction_context) as computation:
            if parent_computation is not None:
                computation.contracts_created = parent_computation.contracts_created
            else:
                computation.contracts_created = []
                if message.is_create:
                    cls.consume_initcode_gas_cost(computation)
            if message.is_create:
                computation.contracts_created.append(message.storage_address)
            precompile = computation.precompiles.get(message.code_address, NO_RESULT)
            if precompile is not NO_RESULT:
                precompile(computation)
            else:
                execute(computation)
        return computation

    # py-evm gathers these by recursion, which 1024 nested calls take beyond Python 3.12's limit of the C stack

    def _effective_frames(self) -> Iterator[FastComputation]:
        """This frame and those below it whose effects stand: neither they nor any frame above them failed."""
        waiting: list[Any] = [self]
        while waiting:
            frame = waiting.pop()
            if not frame.is_error:
                yield frame
                waiting.extend(frame.children)

    def get_gas_refund(self) -> int:
        return sum(frame._gas_meter.gas_refunded for frame in self._effective_frames())

    def get_raw_log_entries(self) -> tuple[tuple[int, bytes, tuple[int, ...], bytes], ...]:
        return tuple(sorted(entry for frame in self._effective_frames() for entry in frame._log_entries))

    def get_accounts_for_deletion(self) -> list[Address]:
        return list({account for frame in self._effective_frames() for account in frame.accounts_to_delete})


class ReferenceState(CancunState):
    """Flat accounts under py-evm's interpreter."""

    def __init__(self, accounts: Accounts, execution_context: ExecutionContextAPI) -> None:
        self.execution_context = execution_context
        self._account_db = accounts
        self.accounts = accounts

    def snapshot(self) -> tuple[Hash32, JournalDBCheckpoint]:
        return self.accounts.state_root, self.accounts.record()

    def revert(self, snapshot: tuple[Hash32, JournalDBCheckpoint]) -> None:
        self.accounts.discard(snapshot[1])

    def commit(self, snapshot: tuple[Hash32, JournalDBCheckpoint]) -> None:
        """The journal keeps everything until the transaction ends."""

    def get_transient_storage(self, address: Address, slot: int) -> bytes:
        return self.accounts.get_transient(address, slot)

    def set_transient_storage(self, address: Address, slot: int, value: bytes) -> None:
        self.accounts.set_transient(address, slot, value)

    def clear_transient_storage(self) -> None:
        """`Accounts.begin_transaction` does it."""


class FastState(ReferenceState):
    """Flat accounts under translated blocks: what the ledger runs."""

    computation_class = FastComputation
