"""The audit: all events of a market in the order of the chain, each judged against what the rules make of those before.

    report = audit(events, Subject(chain_id, market))

A false value is named at the event that shows it; the replay goes on with the value that the rules give, so that one
falsehood spoils as little of the rest as possible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple
from typing import Any, Final

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_hash.auto import keccak

from stowatt.audit import events as ev
from stowatt.audit.bids import Bidding
from stowatt.audit.clearing import Clearing
from stowatt.audit.delivery import Delivery, Rights
from stowatt.audit.events import EMITTER, Event, MarketDeployed
from stowatt.audit.evidence import Evidence
from stowatt.audit.findings import Findings, window_of
from stowatt.audit.issue import Issue, Vault
from stowatt.audit.registry import RegistryBook
from stowatt.audit.report import AuditReport
from stowatt.audit.state import Due, State, Subject
from stowatt.audit.verdicts import conclude, nothing_audited
from stowatt.calendar import Calendar, CalendarError
from stowatt.errors import CommitmentError, CurveError, DeviceError, MeterError, SettlementError, StowattError

Progress = Callable[[int, int], None]
"""Called with the events done and all of them."""

_STEP: Final = 256
"""Events between two reports of progress."""

_CALENDAR: Final = f"(uint64,{'uint32,' * 8}uint16,uint8,uint8,uint96,uint96,uint32,uint32,uint32,uint32,uint32,uint32)"
_WIRING: Final = "(address,address,address,address,address)"

_SECTIONS: Final[tuple[tuple[type[StowattError], str], ...]] = (
    (SettlementError, "§6"),
    (MeterError, "§6"),
    (CurveError, "§2"),
    (DeviceError, "§2"),
    (CommitmentError, "§5"),
    (CalendarError, "§5"),
)


def audit(events: Iterable[Event], subject: Subject, progress: Progress | None = None) -> AuditReport:
    """Replays all events of a market's contracts. `events` come in the order of the chain."""
    listed = list(events)
    findings = Findings()
    deployed = _deployment(listed, subject, findings)
    if deployed is None:
        return nothing_audited(listed, subject, findings)
    try:
        calendar = Calendar(**asdict(deployed.calendar))
    except CalendarError as error:
        findings.add(deployed, "§5", f"no market can have this calendar: {error}", field="calendar")
        if subject.calendar is None:
            return nothing_audited(listed, subject, findings)
        calendar = subject.calendar
    registry = RegistryBook(findings, subject.market, calendar.length, deployed.open_mode)
    state = State(subject, findings, deployed, calendar, registry)
    Replay(state).run(listed, progress or (lambda done, all_: None))
    return conclude(state, listed)


def _deployment(events: Sequence[Event], subject: Subject, findings: Findings) -> MarketDeployed | None:
    """The market's first event; what the auditor knows from elsewhere is compared with it."""
    found = [event for event in events if isinstance(event, MarketDeployed)]
    own = [event for event in found if event.address == subject.market]
    if not own:
        for event in found:
            findings.add(event, "§5", field="address", found=event.address, expected=subject.market)
        findings.notes.append(f"there is no MarketDeployed event of {subject.market}: nothing can be audited")
        return None
    deployed = own[0]
    values = (astuple(deployed.calendar), astuple(deployed.wiring), deployed.open_mode)
    try:
        digest = keccak(encode((_CALENDAR, _WIRING, "bool"), values))
    except EncodingError:
        digest = b""
    findings.compare(deployed, "§5", {"digest": digest}, message="the hash of the other values")
    if subject.calendar is not None:
        due = {f"calendar.{name}": value for name, value in asdict(subject.calendar).items()}
        findings.compare(deployed, "§5", due, message="the calendar that was agreed on")
    for name in ("token", "registry", "rights", "delivery"):
        address = getattr(subject, name)
        if address is not None:
            findings.compare(deployed, "§5", {f"wiring.{name}": address}, message="the market file's address")
    return deployed


class Replay:
    """Gives each event to whoever judges its kind, and checks order, transactions and conservation between them."""

    def __init__(self, state: State) -> None:
        self.state, self.findings = state, state.findings
        self.siblings: defaultdict[tuple[type[Event], int | None], list[Event]] = defaultdict(list)
        """Earlier events of each kind and window: when a step is refused, one of them may have taken its place."""
        self.vault, self.rights = Vault(state), Rights(state)
        bidding, clearing, issue, delivery = Bidding(state), Clearing(state), Issue(state), Delivery(state)
        evidence = Evidence(state)
        registry = state.registry
        self.judges: dict[type[Event], Callable[[Any], None]] = {
            MarketDeployed: self._deployed,
            ev.RoleGranted: registry.granted,
            ev.RoleRevoked: registry.revoked,
            ev.ParticipantRegistered: self._synced(registry.registered),
            ev.ParticipantRevoked: self._synced(registry.participant_revoked),
            ev.AccountRefreshed: self._synced(registry.refreshed),
            ev.DeviceRegistered: self._device_registered,
            ev.DeviceRevoked: self._device_revoked,
            ev.MeterKeySet: registry.key_set,
            ev.TokenTransfer: self.vault.transferred,
            ev.Deposited: self.vault.deposited,
            ev.Withdrawn: self.vault.withdrawn,
            ev.WindowOpened: bidding.opened,
            ev.Committed: bidding.committed,
            ev.CommitmentWithdrawn: bidding.withdrawn,
            ev.Revealed: bidding.revealed,
            ev.Cleared: clearing.cleared,
            ev.NoTrade: clearing.cleared,
            ev.Voided: clearing.voided,
            ev.Claimed: issue.claimed,
            ev.Paid: issue.paid,
            ev.Defaulted: issue.defaulted,
            ev.Refunded: issue.refunded,
            ev.PoolSwept: self._unexplained,
            ev.ReliabilityChanged: self._unexplained,
            ev.ReadingAccepted: evidence.reading,
            ev.VoucherRedeemed: evidence.voucher,
            ev.SealedOpened: evidence.sealed,
            ev.Drawn: delivery.drawn,
            ev.SellerSettled: delivery.seller_settled,
            ev.BuyerSettled: delivery.buyer_settled,
            ev.Split: self.rights.split,
            ev.RightTransfer: self.rights.transferred,
        }

    def run(self, events: Sequence[Event], progress: Progress) -> None:
        """All events, transaction by transaction."""
        last: Event | None = None
        for number, event in enumerate(events):
            if number % _STEP == 0:
                progress(number, len(events))
            if last is not None and (event.transaction != last.transaction or event.block != last.block):
                self._finish(last)
            if self._in_order(event, last):
                self._judge(event)
                last = event
        if last is not None:
            self._finish(last)
        progress(len(events), len(events))

    def _in_order(self, event: Event, last: Event | None) -> bool:
        """Blocks and logs rise, times do not fall, and one block has one time. A repeated log is left out."""
        if last is None:
            return True
        if (event.block, event.index) <= (last.block, last.index):
            repeated = event == last or (event.block, event.index) == (last.block, last.index)
            self.findings.add(event, "order", "the log stands twice" if repeated else "the log is out of order",
                              field="index", found=event.index, expected=f"after block {last.block}, log {last.index}",
                              related=[last])  # fmt: skip
            return not repeated
        if event.time < last.time or (event.block == last.block and event.time != last.time):
            self.findings.add(event, "order", field="time", found=event.time, expected=f"that of block {last.block}, "
                              f"{last.time}" if event.block == last.block else f"{last.time} or later",
                              related=[last])  # fmt: skip
        return True

    def _judge(self, event: Event) -> None:
        contract = EMITTER[type(event)]
        wiring = self.state.deployed.wiring
        address = self.state.subject.market if contract == "market" else getattr(wiring, contract)
        related = [self.state.deployed]
        self.findings.compare(event, "§5", {"address": address}, message=f"the {contract}'s", related=related)
        try:
            if not self._was_due(event):
                self._no_deposit(event)
                self.judges[type(event)](event)
        except StowattError as error:
            rule = next((rule for kind, rule in _SECTIONS if isinstance(error, kind)), "§1")
            self.findings.add(event, rule, str(error), related=self.siblings[_kin(event)])
        except (EncodingError, OverflowError, ValueError) as error:
            self.findings.add(event, "§1", f"it holds a value that no contract can emit: {str(error).splitlines()[0]}")
        self.siblings[_kin(event)].append(event)

    # ---------------------------------------------------------------- what must follow

    def _was_due(self, event: Event) -> bool:
        """Whether the event is the consequence that the rules demand next; what is missing before it is named."""
        due = self.state.due
        while due:
            wanted = due.popleft()
            if isinstance(event, wanted.kind):
                self._consequence(event, wanted)
                return True
            self._missing(wanted)
        return False

    def _consequence(self, event: Event, due: Due) -> None:
        message = f"it follows from {type(due.cause).__name__}"
        self.findings.compare(event, due.rule, due.values, message=message, window=due.window, related=[due.cause])
        if isinstance(event, ev.RightTransfer):
            self.rights.record(event, due.values["to"], due.values["token_id"])
        elif isinstance(event, ev.TokenTransfer):
            self.vault.paid_out(event, due.values["value"])
        elif isinstance(event, ev.MeterKeySet):
            self.state.registry.key_set(event)
        elif isinstance(event, ev.ReliabilityChanged):
            self.state.records[due.values["account"]] = event

    def _missing(self, due: Due) -> None:
        values = ", ".join(f"{name} {value}" for name, value in due.values.items())
        self.findings.add(
            due.cause, due.rule, f"it is not followed by {due.kind.__name__} ({values})", window=due.window
        )

    def _finish(self, last: Event) -> None:
        """The end of a transaction: nothing is missing, and no money came or went."""
        state = self.state
        while state.due:
            self._missing(state.due.popleft())
        self._no_deposit(last)
        state.last_token = None
        state.settle_accounts()
        surplus = state.vault.surplus(state.held_total)
        if surplus != state.reported_surplus:
            self.findings.add(
                last, "§6 conservation", "free balances + bonds + reserves + escrows + pools = token balance",
                field="tokens", found=state.vault.transferred, expected=state.vault.transferred - surplus,
            )  # fmt: skip
            state.reported_surplus = surplus

    def _no_deposit(self, event: Event) -> None:
        """A transfer to the market that no deposit answers: a gift, which anybody can make and nobody can claim."""
        transfer = self.state.incoming
        if transfer is not None and not isinstance(event, ev.Deposited):
            self.state.incoming = None
            self.state.vault.unclaimed += transfer.value
            if transfer.value:
                self.findings.notes.append(
                    f"{transfer.from_} sent {transfer.value} base units to the market without a deposit "
                    f"(block {transfer.block}, log {transfer.index}): they are in nobody's balance"
                )

    # ---------------------------------------------------------------- small judges

    def _deployed(self, event: MarketDeployed) -> None:
        if event is not self.state.deployed:
            self.findings.add(event, "§5", "a market is deployed once", related=[self.state.deployed])

    def _synced(self, judge: Callable[[Any], None]) -> Callable[[Any], None]:
        """After an event about an account the registry tells the market what its device is."""

        def judged(event: Any) -> None:
            judge(event)
            device = self.state.registry.device_of(event.account)
            if device is not None:
                usable = device.event.certificate.usable_wh
                self.state.vault.sync(event.account, device.number, usable, device.limit)

        return judged

    def _device_registered(self, event: ev.DeviceRegistered) -> None:
        self.state.registry.device_registered(event)
        c = event.certificate
        device = self.state.registry.device_of(c.owner)
        assert device is not None
        self.state.vault.sync(c.owner, device.number, c.usable_wh, device.limit)
        self.state.records[c.owner] = event
        self.state.expect(
            ev.MeterKeySet, event, "§2", device=event.device, key=c.meter_key, valid_from=c.valid_from,
            valid_to=c.valid_to,
        )  # fmt: skip

    def _device_revoked(self, event: ev.DeviceRevoked) -> None:
        self.state.registry.device_revoked(event)
        device = self.state.registry.devices.get(event.device)
        if device is not None and self.state.registry.device_of(device.owner) is None:
            self.state.vault.sync(device.owner, 0, 0, 0)
            self.state.records[device.owner] = event

    def _unexplained(self, event: Event) -> None:
        self.findings.add(event, "§6", f"nothing explains this {type(event).__name__}")


def _kin(event: Event) -> tuple[type[Event], int | None]:
    return type(event), window_of(event)
