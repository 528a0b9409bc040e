"""§6: the vault, and allocations issued, paid, in default and refunded; the model of the money redoes each amount."""

from __future__ import annotations

from stowatt.audit.events import (
    ZERO_ADDRESS,
    Claimed,
    Defaulted,
    Deposited,
    Event,
    Paid,
    Refunded,
    RightTransfer,
    TokenTransfer,
    Withdrawn,
)
from stowatt.audit.state import AuditWindow, State, latest
from stowatt.calendar import Status
from stowatt.curves import Side
from stowatt.rights import RightId
from stowatt.settlement.records import BidState
from stowatt.settlement.records import RightId as Key


class Vault:
    """Replays `Vault.sol`: deposits and withdrawals against the token's own transfers."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings

    def transferred(self, event: TokenTransfer) -> None:
        """Tokens came in; the deposit follows. (What goes out follows a withdrawal, see `paid_out`.)"""
        state, market = self.state, self.state.subject.market
        state.last_token = event
        if event.from_ == market:
            self.findings.add(event, "§6", "tokens left the market without a withdrawal", field="from_", found=market,
                              expected="another account, or a Withdrawn event before it")  # fmt: skip
            state.vault.transferred -= event.value
        if event.to == market:
            state.vault.transferred += event.value
            state.incoming = event

    def paid_out(self, event: TokenTransfer, value: int) -> None:
        """The transfer that a withdrawal demands; one to the market itself belongs to nobody from then on."""
        vault = self.state.vault
        if event.to == self.state.subject.market:
            vault.unclaimed += value
        else:
            vault.transferred -= value

    def deposited(self, event: Deposited) -> None:
        """The sender of the transfer just before has its value in its free balance."""
        state, transfer = self.state, self.state.incoming
        state.incoming = None
        if transfer is None:
            self.findings.add(event, "§6", "no token transfer to the market stands before it", field="account",
                              found=event.account, expected="the sender of a transfer",
                              related=latest([state.last_token]))  # fmt: skip
            return
        due = {"account": transfer.from_, "amount": transfer.value}
        self.findings.compare(event, "§6", due, message="the token's transfer says so", related=[transfer])
        state.vault.deposit(transfer.from_, transfer.value)
        self.findings.compare(event, "§6", {"balance": state.vault.balance(transfer.from_)}, related=[transfer])

    def withdrawn(self, event: Withdrawn) -> None:
        """Out of the free balance, and out of the market."""
        market = self.state.subject.market
        self.state.expect(TokenTransfer, event, "§6", from_=market, to=event.to, value=event.amount)
        self.state.vault.withdraw(event.account, event.amount)
        self.findings.compare(event, "§6", {"balance": self.state.vault.balance(event.account)})


class Issue:
    """Replays `Issue.sol`."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings

    def claimed(self, event: Claimed) -> None:
        """Quantity by the rationing rule, deposit, payment if it is covered, bond share, and what becomes free."""
        window = self.state.window(event.window, event, "§6")
        if window is None or not self._opened(event, window, event.participant):
            return
        account, number = event.participant, event.window
        if window.books.status is Status.VOID:
            self.findings.add(event, "§6 T16", "the window is void: its bids are refunded, not claimed")
        issued = window.books.claim(account, window.fills.get(account, 0), event.time)
        window.claimed += 1
        window.payments += issued.payment
        names = ("quantity", "deposit", "payment", "bond_share", "unlocked")
        related = latest([window.ended, window.sealed[account].opening])
        self.findings.compare(event, "§6 (23)–(25)", {name: getattr(issued, name) for name in names}, related=related)
        if issued.defaulted:
            self.state.expect(
                Defaulted, event, "§6", number,
                window=number, participant=account, quantity=issued.quantity, deposit=issued.deposit,
            )  # fmt: skip
        elif issued.quantity:
            token = RightId(account, number, window.sealed[account].side).encode()
            self.state.expect(RightTransfer, event, "§6 (25)", number, from_=ZERO_ADDRESS, to=account, token_id=token)

    def paid(self, event: Paid) -> None:
        """A right's payment by anybody, before the payment deadline."""
        right = RightId.decode(event.right_id)
        window = self.state.window(right.window, event, "§6")
        if window is None:
            return
        due = window.books.pay(_key(right), event.payer, event.time)
        window.payments += due
        balance = self.state.vault.balance(event.payer)
        self.findings.compare(event, "§6", {"payment": due, "balance": balance}, window=window.number)

    def defaulted(self, event: Defaulted) -> None:
        """An unpaid right is void and its deposit forfeited; the right is burnt."""
        window = self.state.window(event.window, event, "§6")
        if window is None:
            return
        key = Key(event.participant)
        right = window.books.rights.get(key)
        quantity = right.wh if right is not None and right.side is Side.BUY else 0
        stake = window.books.declare_default(key, event.time)
        self.findings.compare(event, "§6 (24)", {"quantity": quantity, "deposit": stake})
        token = RightId(event.participant, event.window, Side.BUY).encode()
        holder = self.state.owners.get(token, ZERO_ADDRESS)
        self.state.expect(RightTransfer, event, "§6", event.window, from_=holder, to=ZERO_ADDRESS, token_id=token)

    def refunded(self, event: Refunded) -> None:
        """What a bid had locked in a void window (T16)."""
        window = self.state.window(event.window, event, "§6 T16")
        if window is None:
            return
        bid = window.books.bids.get(event.participant)
        if bid is not None and bid.state is BidState.COMMITTED:
            due = int(window.books.refund_commitment(event.participant, event.time))
        elif window.books.status is Status.VOID:
            due = int(window.books.claim(event.participant, 0, event.time).unlocked)
        else:
            self.findings.add(event, "§6 T16", f"window {event.window} is not void")
            return
        self.findings.compare(event, "§6 T16", {"amount": due})

    def _opened(self, event: Event, window: AuditWindow, account: str) -> bool:
        bid = window.books.bids.get(account)
        if bid is not None and bid.state is BidState.OPENED:
            return True
        self.findings.add(event, "§6 T10", f"{account} has no opened bid to claim", field="participant", found=account,
                          expected="an account with an opened, unclaimed bid", related=window.commitments)  # fmt: skip
        return False


def _key(right: RightId) -> Key:
    """The right within its window."""
    return Key(right.participant, right.start)
