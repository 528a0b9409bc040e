"""A tape: signed transactions of a real market with the time of each, recorded once, played on any chain.

Market days are four-segment bids of sellers and buyers: commit, reveal, clear, claim, one transaction each. Contract
addresses follow from the deployer's nonces, so the transactions fit every chain with the same id and balances.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from stowatt.audit.events import Revealed
from stowatt.calendar import Calendar, deadlines
from stowatt.chain.abi import contract
from stowatt.chain.client import Claim, Commitment, MarketClient, Opening, deploy
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.ledger import Fees
from stowatt.chain.sender import Sender
from stowatt.commitments import NO_TERMS, BidContext, new_blinder
from stowatt.credentials import DeviceCertificate
from stowatt.curves import Curve, Side
from stowatt.settlement.capacity import units_for

CHAIN_ID = 31337
ORIGIN = 1_800_000_000
GENESIS = ORIGIN - 10_700
BALANCE = 10**24
CALENDAR = Calendar(
    origin=ORIGIN, length=900, sub_slot=300, commit_lead=3600, reveal_lead=1800, payment_lead=300, reading_grace=600,
    void_delay=900, ring=96, ticks=4096, price_rule=0, rationing=0, tick_size=100, bond=100_000,
    alpha_seller=200_000, alpha_buyer=200_000, efficiency=950_000, tolerance=980_000,
    alpha_proven=100_000, reliability_gain=100_000,
)  # fmt: skip
OPERATIONS = ("commit", "reveal", "clear", "claim")
SET_UP = "set-up"


@dataclass(frozen=True, slots=True)
class Step:
    """One signed transaction."""

    label: str
    """The operation, or `set-up`: deployment, admission and the first window, in which everything is met once."""
    time: int
    """The block's time at least."""
    raw: bytes
    gas: int
    """What it used on the embedded ledger."""
    status: int


@dataclass
class Tape:
    """Transactions in order, and who must have native currency."""

    accounts: tuple[str, ...]
    steps: list[Step] = field(default_factory=list)


class Recorder(EmbeddedLedger):
    """An embedded ledger that notes what is sent to it."""

    tape: Tape
    label: str = SET_UP

    def fees(self) -> Fees:
        """Good for chains whose base fee moves."""
        return Fees(max_fee=10**11, priority_fee=0)

    def send_raw(self, raw: bytes) -> bytes:
        """Sends and notes."""
        moment, sent = self.time(), super().send_raw(raw)
        receipt = self.receipt(sent)
        assert receipt is not None
        self.tape.steps.append(Step(self.label, moment, raw, receipt.gas_used, receipt.status))
        return sent


def account(name: str) -> LocalAccount:
    """A key for this benchmark only."""
    made: LocalAccount = Account.from_key(keccak(f"stowatt benchmark {name}".encode()))
    return made


def balances(tape: Tape) -> dict[str, int]:
    """Block 0."""
    return dict.fromkeys(tape.accounts, BALANCE)


def recorder(folder: Path, names: Sequence[str]) -> Recorder:
    """An empty ledger that records, with funded accounts."""
    tape = Tape(tuple(account(name).address for name in names))
    ledger = Recorder.create(
        folder, chain_id=CHAIN_ID, balances=balances(tape), timestamp=GENESIS, fixed_clock=True, flush=False
    )
    ledger.tape = tape
    return ledger


def record_market(folder: Path, people: int, windows: int) -> Tape:
    """A market day of so many windows after a first one that counts as set-up."""
    names = ["operator", *(f"person {index}" for index in range(people))]
    with recorder(folder, names) as ledger:
        senders = [Sender(ledger, account(name)) for name in names]
        deployment = deploy(senders[0], CALENDAR, open_mode=True)
        clients = [MarketClient(ledger, deployment, s, account(n)) for s, n in zip(senders, names, strict=True)]
        operator, *others = clients
        for index, client in enumerate(others):
            operator.execute(operator.calls.mint(client.address, 10**9))
            client.deposit(10**9)
            if index % 2 == 0:
                serial = index.to_bytes(32)
                terms = (
                    10_000_000,
                    50_000,
                    50_000,
                    950_000,
                    950_000,
                    serial,
                    account("meter").address,
                    0,
                    2**40 - 1,
                    1,
                )
                client.execute(client.calls.register_device(DeviceCertificate(client.address, *terms)))
        operator.execute(operator.calls.open_windows(0, windows + 1))
        _trade(ledger, operator, others, windows)
        return ledger.tape


def _trade(ledger: Recorder, operator: MarketClient, others: list[MarketClient], windows: int) -> None:
    random = np.random.default_rng(3)
    openings: dict[int, list[Opening]] = {}
    for window in range(windows + 1):
        ledger.label = "commit" if window else SET_UP
        openings[window] = [_opening(client, window, index % 2 == 1, random) for index, client in enumerate(others)]
        for client, opening in zip(others, openings[window], strict=True):
            point = opening.context.commit(opening.curve.encode(), opening.blinder)
            client.execute(client.calls.commit(Commitment(window, opening.terms.units, point)))
    for window in range(windows + 1):
        ledger.set_time(deadlines(CALENDAR, window).commit + 1)
        ledger.label = "reveal" if window else SET_UP
        for client, opening in zip(others, openings[window], strict=True):
            client.execute(client.calls.reveal(opening))
        ledger.label = "clear" if window else SET_UP
        operator.execute(operator.calls.clear(window))
        ledger.label = "claim" if window else SET_UP
        revealed = {e.participant: e for e in operator.events(Revealed, window=window) if isinstance(e, Revealed)}
        for client, opening in zip(others, openings[window], strict=True):
            event = revealed[client.address]
            client.execute(client.calls.claim(Claim(window, client.address, opening.terms, event.bid)))


def _opening(client: MarketClient, window: int, buys: bool, random: np.random.Generator) -> Opening:
    """A bid of four segments."""
    base, sign = (2_600, -1) if buys else (1_400, 1)
    steps = np.cumsum(random.integers(1, 300, 4)) + random.integers(0, 300)
    pairs = [(int(base + sign * step), int(width)) for step, width in zip(steps, random.integers(500, 3_000, 4),
                                                                          strict=True)]  # fmt: skip
    known, d = client.admission(client.address), client.deployment
    terms = () if buys else (known.device, known.fingerprint)
    side = Side.BUY if buys else Side.SELL
    context = BidContext(d.chain_id, d.market, window, client.address, side, *terms)
    curve = Curve.of(side, pairs)
    held = NO_TERMS if buys else replace(client.next_terms(client.address), units=units_for(curve.total, known.limit))
    return Opening(context, held, curve, new_blinder())


def record_transfers(folder: Path, blocks: int) -> tuple[Tape, str, list[str]]:
    """Blocks with one token transfer each: the tape, the token, the receivers. The last one is met once in 1,000."""
    holder = account("operator")
    receivers: list[str] = [account(f"receiver {index}").address for index in range(10)]
    token = contract("CommunityToken")
    with recorder(folder, ["operator"]) as ledger:
        sender = Sender(ledger, holder)
        created = sender.transact(None, token.deployment("Benchmark", "B", holder.address)).contract_address
        assert created is not None
        sender.transact(created, token.call("mint", holder.address, 10**9))
        ledger.label = "transfer"
        for index in range(blocks):
            receiver = receivers[9] if index % 1_000 == 500 else receivers[index % 9]
            ledger.send_raw(sender.sign(created, token.call("transfer", receiver, 1), gas=70_000))
        return ledger.tape, created, receivers
