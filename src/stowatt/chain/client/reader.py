"""Reading a market: the contracts' views, and its events."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak

from stowatt.audit.events import Committed, Event, RightTransfer, TokenTransfer
from stowatt.calendar import Calendar, Phase, Status
from stowatt.chain.abi import contract
from stowatt.chain.client.calls import Calls, Opening
from stowatt.chain.client.deployment import Deployment
from stowatt.chain.client.refusals import refusal
from stowatt.chain.client.views import (
    Admission,
    ClearingResult,
    Device,
    MeterProgress,
    Participant,
    Right,
    Settlement,
    WindowMoney,
    WindowState,
)
from stowatt.chain.errors import ChainRevert
from stowatt.chain.events import decode_logs, topic_of
from stowatt.chain.ledger import Call, Ledger, address_bytes
from stowatt.commitments import NO_TERMS, Slot, Terms, read_slot
from stowatt.credentials import Role, registry_domain
from stowatt.curves import Side
from stowatt.data.decimals import decimal_text
from stowatt.metering import delivery_domain
from stowatt.typed_data import Domain
from stowatt.units import Money, Ppm, Tick, Wh

ISSUER_ROLE = keccak(b"ISSUER_ROLE")
ADMIN_ROLE = bytes(32)


class MarketReader:
    """A market as anybody sees it."""

    def __init__(self, ledger: Ledger, deployment: Deployment) -> None:
        self.ledger, self.deployment = ledger, deployment
        self.calls = Calls(deployment)
        self._times: dict[int, int] = {}

    def spell(self, amount: int) -> str:
        """Base units as people read them, such as `1.25 CEUR`."""
        return f"{decimal_text(amount, -self.deployment.token_decimals)} {self.deployment.token_symbol}"

    # ------------------------------------------------------------------ market

    @cached_property
    def calendar(self) -> Calendar:
        """The market's parameters."""
        return Calendar(*self._view("market", "Market", "calendar")[0])

    @cached_property
    def open_mode(self) -> bool:
        """Whether everybody may bid without a credential."""
        return bool(self._view("market", "Market", "openMode")[0])

    @cached_property
    def treasury(self) -> str:
        """Who receives what nobody has a claim on."""
        return str(self._view("market", "Market", "treasury")[0])

    def phase(self, window: int) -> Phase:
        """The window's phase by the chain's clock, as of its newest block or now, whatever the ledger takes."""
        return Phase(self._view("market", "Market", "phaseOf", window)[0])

    def state(self, window: int) -> WindowState:
        """The window's stored progress."""
        status, sellers, buyers, resolved, settled = self._view("market", "Market", "statusOf", window)
        return WindowState(Status(status), sellers, buyers, Wh(resolved), Wh(settled))

    def result(self, window: int) -> ClearingResult:
        """The clearing's result; zeros if there is none."""
        tick, volume, residual, total, phase, side = self._view("market", "Market", "resultOf", window)
        rationed = Side(side) if side < 2 and total else None
        return ClearingResult(Tick(tick), Wh(volume), Wh(residual), Wh(total), phase, rationed)

    def money(self, window: int) -> WindowMoney:
        """The window's money."""
        pool, escrow, paid, forfeited = self._view("market", "Market", "moneyOf", window)
        return WindowMoney(Money(pool), Money(escrow), Wh(paid), Money(forfeited))

    def slot(self, window: int, account: str) -> Slot | None:
        """What the account has in the window; None for nothing."""
        return read_slot(self.slot_word(window, account), self.calendar.ring, window)

    def slot_word(self, window: int, account: str) -> int:
        """The word in the account's ring place for the window, of whatever round."""
        return int(self._view("market", "Market", "slotOf", window, account)[0])

    def balance(self, account: str) -> Money:
        """The account's free balance."""
        return Money(self._view("market", "Market", "balanceOf", account)[0])

    def admission(self, account: str) -> Admission:
        """What the market knows of the account besides its money."""
        word = self._view("market", "Market", "accountOf", account)[0]
        return Admission.of_word(word, self._view("market", "Market", "fingerprintOf", account)[0])

    def next_terms(self, account: str) -> Terms:
        """The terms that the account's next commitment as a seller would bind, without its units."""
        return Terms.decode(self._view("market", "Market", "termsOf", account)[0])

    def committed(self, window: int, participant: str) -> Committed | None:
        """The last commitment that the account made in the window, whatever became of it."""
        events = self.events(Committed, window=window, participant=participant)
        return next((event for event in reversed(events) if isinstance(event, Committed)), None)

    def terms(self, window: int, participant: str) -> Terms:
        """The terms of the account's last commitment in the window: what its opening and its claim must give."""
        event = self.committed(window, participant)
        return NO_TERMS if event is None else Terms.decode(event.terms)

    def message(self, opening: Opening) -> int:
        """m as the contract computes it (6)."""
        return int(self._view("market", "Market", "messageOf", opening.encode(), int(opening.context.side))[0])

    # ------------------------------------------------------------------ token

    def token_balance(self, account: str) -> Money:
        """Tokens outside the market."""
        return Money(self._view("token", "CommunityToken", "balanceOf", account)[0])

    def allowance(self, owner: str) -> Money:
        """What the market may take of the owner's tokens."""
        return Money(self._view("token", "CommunityToken", "allowance", owner, self.deployment.market)[0])

    def permit_domain(self) -> tuple[Domain, bytes]:
        """The token's EIP-712 domain as far as EIP-5267 tells it, and its separator, to be compared."""
        _, name, _, chain, address, _, _ = self._view("token", "CommunityToken", "eip712Domain")
        separator = self._view("token", "CommunityToken", "DOMAIN_SEPARATOR")[0]
        return Domain(name, chain, address), separator

    def permit_nonce(self, owner: str) -> int:
        """The nonce of the owner's next permit."""
        return int(self._view("token", "CommunityToken", "nonces", owner)[0])

    # ------------------------------------------------------------------ rights

    def right(self, right_id: int) -> Right:
        """An open right."""
        values = self._view("rights", "CapacityRights", "rightOf", right_id)[0]
        quantity, whole, device, paid, alpha, units, drawn = values
        return Right(Wh(quantity), Wh(whole), device, paid, Ppm(alpha), units, Money(drawn))

    def settlement(self, final_id: int) -> Settlement:
        """A final settlement token's record."""
        quantity, fulfilment, amount, released = self._view("rights", "CapacityRights", "settlementOf", final_id)[0]
        return Settlement(Wh(quantity), Ppm(fulfilment), Money(amount), Money(released))

    def holder(self, right_id: int) -> str:
        """Who holds the right."""
        return str(self._view("rights", "CapacityRights", "ownerOf", right_id)[0])

    def token_uri(self, right_id: int) -> str:
        """The right's metadata: a data URL with JSON."""
        return str(self._view("rights", "CapacityRights", "tokenURI", right_id)[0])

    # ------------------------------------------------------------------ delivery

    def delivered(self, window: int, device: int) -> Wh:
        """Metered energy."""
        return Wh(self._view("delivery", "Delivery", "deliveredWh", window, device)[0])

    def through(self, window: int, device: int) -> int:
        """How many of the window's sub-slots, from its first, the metered energy covers."""
        return int(self._view("delivery", "Delivery", "throughOf", window, device)[0])

    def entitlement(self, right_id: int) -> Money:
        """What a seller's right has earned so far, drawn or not (31)."""
        return Money(self._view("delivery", "Delivery", "entitlementOf", right_id)[0])

    def fulfilment(self, right_id: int) -> Ppm:
        """ρ of a seller's right so far (30)."""
        return Ppm(self._view("delivery", "Delivery", "fulfilmentOf", right_id)[0])

    def meter_progress(self, device: int) -> MeterProgress:
        """How far the device's readings have come."""
        return MeterProgress(*self._view("delivery", "Delivery", "progressOf", device))

    @property
    def readings_domain(self) -> Domain:
        """The EIP-712 domain of all that meters sign: readings, vouchers, sealed vouchers."""
        return delivery_domain(self.deployment.chain_id, self.deployment.delivery)

    # ------------------------------------------------------------------ registry

    def participant(self, account: str) -> Participant:
        """The account's entry."""
        did, roles, expiry, device = self._view("registry", "Registry", "participantOf", account)[0]
        return Participant(did, Role(roles), expiry, device)

    def device(self, number: int) -> Device:
        """A device's entry; its owner is zero if there is none."""
        owner, usable, export_w, limit, fingerprint = self._view("registry", "Registry", "deviceOf", number)[0]
        return Device(owner, Wh(usable), export_w, Wh(limit), fingerprint)

    def device_count(self) -> int:
        """How many devices were registered; they are numbered from 1."""
        return int(self._view("registry", "Registry", "deviceCount")[0])

    def is_meter_key(self, device: int, key: str, time: int) -> bool:
        """Whether the key is valid for the device at that time."""
        return bool(self._view("registry", "Registry", "isMeterKey", device, key, time)[0])

    def last_credential_nonce(self, account: str) -> int:
        """The nonce of the account's last credential."""
        return int(self._view("registry", "Registry", "lastCredentialNonce", account)[0])

    def last_device_nonce(self, owner: str) -> int:
        """The nonce of the owner's last device certificate."""
        return int(self._view("registry", "Registry", "lastDeviceNonce", owner)[0])

    def registry_digest(self) -> bytes:
        """The digest chained over all registry events."""
        return bytes(self._view("registry", "Registry", "digest")[0])

    def is_issuer(self, account: str) -> bool:
        """Whether the account may sign credentials and certificates."""
        return bool(self._view("registry", "Registry", "hasRole", ISSUER_ROLE, account)[0])

    @property
    def statements_domain(self) -> Domain:
        """The EIP-712 domain of credentials and certificates."""
        return registry_domain(self.deployment.chain_id, self.deployment.registry)

    # ------------------------------------------------------------------ events

    def events(
        self,
        *kinds: type[Event],
        window: int | None = None,
        participant: str | None = None,
        from_block: int | None = None,
        to_block: int | None = None,
    ) -> list[Event]:
        """The market's own events in order; `kinds` none: all, with the token's transfers to and from the market.

        `window` and `participant` filter by the first and second indexed value, as Committed, Revealed, Claimed and
        Refunded have them; give them with such kinds only.
        """
        d = self.deployment
        first = d.block if from_block is None else from_block
        topics: list[Any] = [[topic_of(kind) for kind in kinds if kind is not TokenTransfer] or None]
        if window is not None or participant is not None:
            topics.append(None if window is None else encode(["uint256"], [window]))
        if participant is not None:
            topics.append(_topic(participant))
        addresses = (d.registry, d.market, d.rights, d.delivery)
        logs = self.ledger.logs(first, to_block, addresses, topics) if set(kinds) != {TokenTransfer} else []
        if not kinds or TokenTransfer in kinds:
            # others may use the same token: only what touches the market belongs to it
            for ends in ((_topic(d.market),), (None, _topic(d.market))):
                logs += self.ledger.logs(first, to_block, (d.token,), [topic_of(TokenTransfer), *ends])
        return decode_logs(sorted(logs, key=lambda log: (log.block_number, log.log_index)), self.time_of)

    def transfers(self, *, to: str | None = None, from_: str | None = None) -> list[Event]:
        """Transfers of rights to or from an account."""
        ends = [None if who is None else _topic(who) for who in (from_, to)]
        d = self.deployment
        logs = self.ledger.logs(d.block, None, (d.rights,), [topic_of(RightTransfer), *ends])
        return decode_logs(logs, self.time_of)

    def time_of(self, block: int) -> int:
        """The timestamp of a block."""
        if block not in self._times:
            self._times[block] = self.ledger.block(block).timestamp
        return self._times[block]

    def _view(self, address: str, name: str, function: str, *values: Any) -> tuple[Any, ...]:
        """A view's result; a refusal in words if it reverts."""
        data = contract(name).call(function, *values)
        try:
            answer = self.ledger.call(Call(getattr(self.deployment, address), data))
        except ChainRevert as revert:
            raise refusal(revert, amount=self.spell, call=function) from None
        return contract(name).result(function, answer)


def _topic(address: str) -> bytes:
    """An address as an indexed value."""
    return address_bytes(address).rjust(32, b"\0")
