"""The harness of books without seals, compiled by the project's compiler, and its windows played on any ledger."""

import fcntl
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import build_contracts
from stowatt.calendar import Calendar
from stowatt.chain.abi import Contract
from stowatt.chain.ledger import TRANSACTION_GAS_CAP, Call, Log
from tests.differential.ledgers import Signer, Trace
from tests.vectors.generate_books import Case

SOURCES = build_contracts.ROOT / "contracts" / "test" / "harness"
CACHE = build_contracts.ROOT / "build" / "harness"
NAME = "BookHarness"


@cache
def compiled() -> Contract:
    """The harness, compiled once for each state of the sources; nothing of it is committed."""
    settings = build_contracts.Settings.read()
    sources = build_contracts.collect(settings, SOURCES)
    file = CACHE / f"{NAME}-{build_contracts.source_hash({**sources, 'settings': repr(settings)})}.json"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.is_file():
            output = build_contracts.compile_all(settings, sources)
            found = output["contracts"][f"contracts/test/harness/{NAME}.sol"][NAME]
            content = {"contract": NAME, "abi": found["abi"], "bytecode": found["evm"]["bytecode"]["object"]}
            file.write_text(json.dumps(content))
    return Contract(json.loads(file.read_text()))


class Harness:
    """One harness on one ledger."""

    def __init__(self, signer: Signer, calendar: dict[str, int]) -> None:
        self.signer, self.contract = signer, compiled()
        values = Calendar(**calendar).encode()
        receipt = signer.send(None, self.contract.deployment(values))
        assert receipt.status == 1 and receipt.contract_address
        self.address = receipt.contract_address
        self.traces = [Trace.of(receipt)]

    def play(self, cases: Sequence[Case]) -> dict[int, tuple[Log, Log]]:
        """The two events of each window, in transactions of as many windows as fit."""
        events: dict[int, tuple[Log, Log]] = {}
        for batch in batches(cases):
            receipt = self.signer.send(self.address, self.contract.call("play", [case.argument() for case in batch]))
            assert receipt.status == 1, (receipt.gas_used, receipt.revert_data.hex(), batch[0].name)
            self.traces.append(Trace.of(receipt))
            pairs = zip(receipt.logs[::2], receipt.logs[1::2], strict=True)
            events |= {case.window: pair for case, pair in zip(batch, pairs, strict=True)}
        return events

    def shares(self, rows: Iterable[tuple[int, int, int, int, int, int]]) -> list[int]:
        """Shares of the residual: (rule, offset, width, residual, total, phase)."""
        answer = self.signer.ledger.call(Call(self.address, self.contract.call("shares", list(rows))))
        return list(self.contract.result("shares", answer)[0])


def batches(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """Windows that fit a transaction: a segment takes at most two new words, a clearing reads 128 at most."""
    batch: list[Case] = []
    gas = 0
    for case in cases:
        needed = 450_000 + 50_000 * sum(len(curve.segments) for _, curve in case.book.bids)
        if batch and gas + needed > TRANSACTION_GAS_CAP:
            yield batch
            batch, gas = [], 0
        batch.append(case)
        gas += needed
    if batch:
        yield batch


def topic(contract: Contract, name: str) -> bytes:
    """The first topic of an event."""
    return next(event.topic for event in contract.events if event.name == name)
