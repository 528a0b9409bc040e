"""Every call of a market that changes something, as data: what to send, and to which contract.

A `ContractCall` can be executed by the client, signed for a batch, or handed to another wallet. Who may call what
is the contracts' to decide; nothing is checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stowatt.calendar import Phase
from stowatt.chain.abi import contract
from stowatt.chain.client.deployment import Deployment
from stowatt.commitments import BidContext, Terms
from stowatt.credentials import Credential, DeviceCertificate
from stowatt.curves import Curve
from stowatt.metering import SignedReading, SignedSealed, SignedVoucher


@dataclass(frozen=True, slots=True)
class ContractCall:
    """A call that is not sent yet."""

    to: str
    data: bytes
    name: str
    """The function, for messages."""
    phases: tuple[Phase, ...] = ()
    """The phases of a window in which the contract takes the call; empty if it does not depend on one."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A commitment to one bid."""

    window: int
    units: int
    """Energy units of the battery, in Q_max/64, that a seller's bid holds: 1 … 64; 0 for a buyer's."""
    point: int
    """The compressed point."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The opening of a commitment; the terms are those of its `Committed` event."""

    context: BidContext
    terms: Terms
    curve: Curve
    blinder: int

    def encode(self) -> tuple[Any, ...]:
        """The tuple that the contract takes."""
        c = self.context
        blinder, curve = self.blinder, self.curve.encode()
        return (c.window, c.participant, self.terms.encode(), c.fingerprint, blinder, curve)


@dataclass(frozen=True, slots=True)
class Claim:
    """An opened bid as its `Revealed` event gives it; the terms are those of its `Committed` event."""

    window: int
    participant: str
    terms: Terms
    bid: bytes

    def encode(self) -> tuple[int, str, int, bytes]:
        """The tuple that the contract takes."""
        return (self.window, self.participant, self.terms.encode(), self.bid)


_CLAIM = (Phase.PAYMENT, Phase.DELIVERY, Phase.SETTLEMENT, Phase.NO_TRADE, Phase.VOID)


class Calls:
    """The calls of one market."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    # ------------------------------------------------------------------ token and vault

    def approve(self, amount: int) -> ContractCall:
        """Lets the market take `amount` base units of the caller's tokens."""
        d = self.deployment
        return ContractCall(d.token, contract("CommunityToken").call("approve", d.market, amount), "approve")

    def mint(self, to: str, amount: int) -> ContractCall:
        """Issues community tokens; the token's owner alone may."""
        return ContractCall(self.deployment.token, contract("CommunityToken").call("mint", to, amount), "mint")

    def deposit(self, amount: int) -> ContractCall:
        """Moves approved tokens into the caller's free balance."""
        return self._market("deposit", amount)

    def deposit_with_permit(self, amount: int, deadline: int, signature: bytes) -> ContractCall:
        """The same with an EIP-2612 permit (r ‖ s ‖ v) instead of an approval."""
        r, s, v = signature[:32], signature[32:64], signature[64]
        return self._market("depositWithPermit", amount, deadline, v, r, s)

    def withdraw(self, to: str, amount: int) -> ContractCall:
        """Takes free balance out."""
        return self._market("withdraw", to, amount)

    # ------------------------------------------------------------------ sealed bids (§5)

    def open_windows(self, first: int, count: int = 1) -> ContractCall:
        """Opens windows for bidding."""
        return self._market("open", first, count, phases=(Phase.NOT_OPEN,))

    def commit(self, commitment: Commitment) -> ContractCall:
        """Commits to a bid, or replaces the commitment."""
        c = commitment
        return self._market("commit", c.window, c.units, c.point, phases=(Phase.COMMIT,))

    def commit_many(self, commitments: Iterable[Commitment]) -> ContractCall:
        """Commits to bids in many windows, all or none."""
        rows = [(c.window, c.units, c.point) for c in commitments]
        return self._market("commitMany", rows, phases=(Phase.COMMIT,))

    def withdraw_commitment(self, window: int) -> ContractCall:
        """Takes the caller's commitment back."""
        return self._market("withdrawCommitment", window, phases=(Phase.COMMIT,))

    def reveal(self, opening: Opening) -> ContractCall:
        """Opens one commitment; refused openings revert."""
        return self._market("reveal", opening.encode(), phases=(Phase.REVEAL,))

    def reveal_many(self, openings: Iterable[Opening]) -> ContractCall:
        """Opens many; refused ones are skipped."""
        return self._market("revealMany", [o.encode() for o in openings], phases=(Phase.REVEAL,))

    # ------------------------------------------------------------------ clearing, issue (§3, §6)

    def clear(self, window: int) -> ContractCall:
        """Clears a window."""
        return self._market("clear", window, phases=(Phase.REVEAL, Phase.CLEARING))

    def void(self, window: int) -> ContractCall:
        """Voids a window that was not cleared in time."""
        return self._market("voidWindow", window, phases=(Phase.LAPSED,))

    def claim(self, claim: Claim) -> ContractCall:
        """Issues a bid's allocation."""
        return self._market("claim", claim.encode(), phases=_CLAIM)

    def claim_many(self, claims: Iterable[Claim]) -> ContractCall:
        """Issues many; what is claimed already is skipped."""
        return self._market("claimMany", [c.encode() for c in claims], phases=_CLAIM)

    def pay(self, right_id: int) -> ContractCall:
        """Pays for a buyer's right from the caller's free balance."""
        return self._market("pay", right_id, phases=(Phase.PAYMENT,))

    def declare_default(self, right_id: int) -> ContractCall:
        """Declares a buyer's default."""
        return self._market("declareDefault", right_id, phases=(Phase.DELIVERY, Phase.SETTLEMENT))

    def refund(self, window: int, participant: str) -> ContractCall:
        """Ends a commitment that was never opened: its energy is free again, and in a void window its bond."""
        return self._market("refundCommitment", window, participant, phases=_CLAIM)

    # ------------------------------------------------------------------ rights (25)

    def split(self, right_id: int, quantity: int) -> ContractCall:
        """`quantity` Wh stay, the rest becomes a new right."""
        return self._rights("split", right_id, quantity)

    def transfer(self, holder: str, to: str, right_id: int) -> ContractCall:
        """Hands a right or a settlement token on."""
        return self._rights("transferFrom", holder, to, right_id)

    def approve_right(self, operator: str, right_id: int) -> ContractCall:
        """Lets `operator` transfer or split one right."""
        return self._rights("approve", operator, right_id)

    def approve_all_rights(self, operator: str, approved: bool) -> ContractCall:
        """Lets `operator` transfer or split all rights of the caller, or no longer."""
        return self._rights("setApprovalForAll", operator, approved)

    # ------------------------------------------------------------------ delivery (26), (27), (30)-(32)

    def submit(self, signed: SignedReading) -> ContractCall:
        """Records one reading; a refused one reverts."""
        return self._delivery("submit", signed.reading.encode(), signed.signature)

    def submit_many(self, readings: Sequence[SignedReading]) -> ContractCall:
        """Records many; refused ones are skipped."""
        rows = [signed.reading.encode() for signed in readings]
        return self._delivery("submitMany", rows, [signed.signature for signed in readings])

    def redeem(self, signed: SignedVoucher) -> ContractCall:
        """Counts what a voucher adds; a refused one reverts."""
        return self._delivery("redeem", signed.voucher.encode(), signed.signature)

    def redeem_many(self, vouchers: Sequence[SignedVoucher]) -> ContractCall:
        """Redeems many; refused ones are skipped."""
        rows = [signed.voucher.encode() for signed in vouchers]
        return self._delivery("redeemMany", rows, [signed.signature for signed in vouchers])

    def open_sealed(self, signed: SignedSealed) -> ContractCall:
        """Counts the opened sum of sealed sub-slots; a refused one reverts."""
        return self._delivery("openSealed", signed.sealed.encode(), signed.signature)

    def draw(self, right_id: int) -> ContractCall:
        """Pays what a seller's right has earned to its holder."""
        return self._delivery("draw", right_id, phases=(Phase.DELIVERY, Phase.SETTLEMENT))

    def settle(self, right_id: int) -> ContractCall:
        """Settles a right finally."""
        return self._delivery("settle", right_id, phases=(Phase.SETTLEMENT,))

    def settle_many(self, right_ids: Iterable[int]) -> ContractCall:
        """Settles many, sellers' rights first; what does not exist any more is skipped."""
        return self._delivery("settleMany", list(right_ids), phases=(Phase.SETTLEMENT,))

    # ------------------------------------------------------------------ registry

    def register(self, credential: Credential, signature: bytes) -> ContractCall:
        """Registers a participant by its issuer-signed credential."""
        return self._registry("register", credential.encode(), signature)

    def register_device(self, certificate: DeviceCertificate, signature: bytes = b"") -> ContractCall:
        """Registers a device: issuer-signed, or by its owner in the open mode."""
        return self._registry("registerDevice", certificate.encode(), signature)

    def revoke(self, account: str) -> ContractCall:
        """Takes a participant's admission; an issuer alone may."""
        return self._registry("revoke", account)

    def revoke_device(self, device: int) -> ContractCall:
        """Takes a device from its owner's account."""
        return self._registry("revokeDevice", device)

    def refresh(self, account: str) -> ContractCall:
        """Has the registry tell the market again what is registered of an account."""
        return self._registry("refresh", account)

    def set_meter_key(self, device: int, key: str, valid_from: int, valid_to: int) -> ContractCall:
        """Sets or ends a meter key's validity."""
        return self._registry("setMeterKey", device, key, valid_from, valid_to)

    def grant_role(self, role: bytes, account: str) -> ContractCall:
        """Gives a role; an administrator alone may."""
        return self._registry("grantRole", role, account)

    def revoke_role(self, role: bytes, account: str) -> ContractCall:
        """Takes a role; an administrator alone may."""
        return self._registry("revokeRole", role, account)

    def _market(self, function: str, *values: Any, phases: tuple[Phase, ...] = ()) -> ContractCall:
        return ContractCall(self.deployment.market, contract("Market").call(function, *values), function, phases)

    def _rights(self, function: str, *values: Any) -> ContractCall:
        return ContractCall(self.deployment.rights, contract("CapacityRights").call(function, *values), function)

    def _delivery(self, function: str, *values: Any, phases: tuple[Phase, ...] = ()) -> ContractCall:
        return ContractCall(self.deployment.delivery, contract("Delivery").call(function, *values), function, phases)

    def _registry(self, function: str, *values: Any) -> ContractCall:
        return ContractCall(self.deployment.registry, contract("Registry").call(function, *values), function)
