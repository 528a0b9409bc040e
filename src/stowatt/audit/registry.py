"""§2: who may trade, with which device, metered by which key, replayed from the registry's events.

Every statement carries a digest chained over all before it, d' = keccak256(d ‖ keccak256(abi.encode(tag, values …))),
so that an altered, missing or inserted statement shows.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import Any, Final

from eth_abi.abi import encode
from eth_hash.auto import keccak

from stowatt.audit.events import (
    ZERO_ADDRESS,
    AccountRefreshed,
    DeviceRegistered,
    DeviceRevoked,
    Event,
    MeterKeySet,
    ParticipantRegistered,
    ParticipantRevoked,
    RoleGranted,
    RoleRevoked,
)
from stowatt.audit.findings import Findings
from stowatt.credentials import MAX_DID_BYTES, MAX_EXPIRY
from stowatt.curves import Side
from stowatt.devices import DeviceParameters
from stowatt.units import Ppm, Wh

ADMIN_ROLE: Final = bytes(32)
ISSUER_ROLE: Final = keccak(b"ISSUER_ROLE")
CERTIFICATE_TYPE: Final = (
    "(address,uint32,uint32,uint32,uint32,uint32,bytes32,address,uint64,uint64,uint256)"  # DeviceCertificate
)
RULE: Final = "§2"
LIMIT_RULE: Final = "§2 (1)"


@dataclass(slots=True)
class Participant:
    """What the market knows of an account."""

    roles: int = 0
    expiry: int = 0
    device: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device."""

    number: int
    owner: str
    export_w: int
    limit: int
    fingerprint: bytes
    event: DeviceRegistered


@dataclass(slots=True)
class RegistryBook:
    """The registry's state."""

    findings: Findings
    market: str
    window_length: int
    open_mode: bool
    links: list[bytes] = field(default_factory=list)
    """What the chain's last digest may be: as redone, and as found if that differs."""
    last: Event | None = None
    participants: dict[str, Participant] = field(default_factory=dict)
    devices: dict[int, Device] = field(default_factory=dict)
    keys: dict[tuple[int, str], MeterKeySet] = field(default_factory=dict)
    roles: dict[tuple[bytes, str], Event] = field(default_factory=dict)
    role_events: list[Event] = field(default_factory=list)
    founder: RoleGranted | None = None
    first_issuer: RoleGranted | None = None
    credential_nonces: dict[str, int] = field(default_factory=dict)
    device_nonces: dict[str, int] = field(default_factory=dict)

    # ---------------------------------------------------------------- what the others ask

    def admits(self, account: str, side: Side, time: int) -> bool:
        """Whether the account may commit on that side now."""
        entry = self.participants.get(account, Participant())
        credential = self.open_mode or (bool(entry.roles >> side & 1) and time <= entry.expiry)
        return credential and (side is Side.BUY or entry.device != 0)

    def device_of(self, account: str) -> Device | None:
        """The device that the account sells from now."""
        return self.devices.get(self.participants.get(account, Participant()).device)

    def key_event(self, device: int, key: str | None, time: int) -> tuple[bool, MeterKeySet | None]:
        """Whether the key was valid for the device at that time, and the event that said so last."""
        event = self.keys.get((device, key)) if key else None
        return event is not None and event.valid_from <= time <= event.valid_to, event

    # ---------------------------------------------------------------- roles

    def _first_link(self) -> bytes:
        """What the constructor put first: whom it serves, and whom it appointed."""
        admin = self.founder.account if self.founder else ZERO_ADDRESS
        issuer = self.first_issuer.account if self.first_issuer else ZERO_ADDRESS
        types = ("string", "address", "uint256", "bool", "address", "address")
        return keccak(encode(types, ("registry", self.market, self.window_length, self.open_mode, admin, issuer)))

    def granted(self, event: RoleGranted) -> None:
        """The constructor appoints the administrator, then the issuer; later an administrator does."""
        self.role_events.append(event)
        if event.role not in (ADMIN_ROLE, ISSUER_ROLE):
            self.findings.notes.append(f"{event.account} was given a role that means nothing: 0x{event.role.hex()}")
        if self.founder is None:
            self.founder = event
            self.findings.compare(event, RULE, {"role": ADMIN_ROLE}, message="the first role is the administrator's")
        elif event.transaction == self.founder.transaction:
            self.first_issuer = event
            self.findings.compare(
                event,
                RULE,
                {"role": ISSUER_ROLE, "sender": self.founder.sender},
                message="the constructor appoints administrator and issuer",
                related=[self.founder],
            )
        else:
            self._require_role(ADMIN_ROLE, event.sender, event, "sender")
        if (event.role, event.account) in self.roles:
            self.findings.add(event, RULE, "it had the role already", field="account", found=event.account,
                              expected="an account without it", related=self.role_events)  # fmt: skip
        self.roles[event.role, event.account] = event

    def revoked(self, event: RoleRevoked) -> None:
        """An administrator dismisses, or the account steps down."""
        self.role_events.append(event)
        if self.roles.pop((event.role, event.account), None) is None:
            self.findings.add(event, RULE, "it had no such role", field="account", found=event.account,
                              expected="an account that has the role", related=self.role_events)  # fmt: skip
        if event.sender != event.account:
            self._require_role(ADMIN_ROLE, event.sender, event, "sender")

    def _require_role(self, role: bytes, account: str, event: Event, name: str) -> None:
        if (role, account) not in self.roles:
            word = "an administrator" if role == ADMIN_ROLE else "an issuer"
            self.findings.add(
                event, RULE, field=name, found=account, expected=f"{word} of the registry", related=self.role_events
            )

    # ---------------------------------------------------------------- statements

    def registered(self, event: ParticipantRegistered) -> None:
        """A credential."""
        e = event
        types = ("string", "address", "string", "uint8", "uint64", "uint256", "address")
        self._chain(e, e.digest, types, ("register", e.account, e.did, e.roles, e.expiry, e.nonce, e.issuer))
        self._require_role(ISSUER_ROLE, e.issuer, e, "issuer")
        self._in_range(e, "roles", e.roles, 1, 3)
        self._in_range(e, "expiry", e.expiry, 0, MAX_EXPIRY)
        self._in_range(e, "did", len(e.did.encode()), 1, MAX_DID_BYTES)
        self._in_range(e, "nonce", e.nonce, self.credential_nonces.get(e.account, 0) + 1, 2**256 - 1)
        self.credential_nonces[e.account] = e.nonce
        entry = self.participants.setdefault(e.account, Participant())
        entry.roles, entry.expiry = e.roles, e.expiry

    def participant_revoked(self, event: ParticipantRevoked) -> None:
        """No further commitments."""
        self._chain(event, event.digest, ("string", "address", "address"), ("revoke", event.account, event.issuer))
        self._require_role(ISSUER_ROLE, event.issuer, event, "issuer")
        entry = self.participants.setdefault(event.account, Participant())
        if not entry.roles:
            self.findings.add(event, RULE, f"{event.account} was not registered")
        entry.roles = entry.expiry = 0

    def device_registered(self, event: DeviceRegistered) -> None:
        """A device becomes its owner's."""
        e, c = event, event.certificate
        types = ("string", "uint256", CERTIFICATE_TYPE, "bytes32", "uint256")
        self._chain(e, e.digest, types, ("device", e.device, astuple(c), e.fingerprint, e.limit_wh))
        parameters = DeviceParameters(
            Wh(c.usable_wh), c.export_w, c.charge_w, Ppm(c.charge_efficiency), Ppm(c.discharge_efficiency), c.serial
        )
        self.findings.compare(e, RULE, {"device": len(self.devices) + 1}, message="devices are numbered in order")
        limit = parameters.q_max(self.window_length)
        self.findings.compare(e, LIMIT_RULE, {"limit_wh": limit, "fingerprint": parameters.fingerprint()})
        self._in_range(e, "certificate.usable_wh", c.usable_wh, 1, 2**32 - 1)
        self._in_range(e, "certificate.export_w", c.export_w, 1, 2**32 - 1)
        self._in_range(e, "certificate.nonce", c.nonce, self.device_nonces.get(c.owner, 0) + 1, 2**256 - 1)
        self.device_nonces[c.owner] = c.nonce
        number = len(self.devices) + 1
        self.devices[number] = Device(number, c.owner, c.export_w, limit, e.fingerprint, e)
        self.participants.setdefault(c.owner, Participant()).device = number

    def device_revoked(self, event: DeviceRevoked) -> None:
        """The device can be sold from no more."""
        self._chain(event, event.digest, ("string", "uint256"), ("revokeDevice", event.device))
        device = self.devices.get(event.device)
        entry = self.participants.get(device.owner) if device else None
        if entry is None or entry.device != event.device:
            self.findings.add(event, RULE, f"device {event.device} is nobody's device now")
        else:
            entry.device = 0

    def refreshed(self, event: AccountRefreshed) -> None:
        """Nothing changes here; the market learns of an account's device anew."""
        self._chain(event, event.digest, ("string", "address"), ("refresh", event.account))

    def key_set(self, event: MeterKeySet) -> None:
        """A meter key's validity (T23)."""
        e = event
        types = ("string", "uint256", "address", "uint64", "uint64")
        self._chain(e, e.digest, types, ("key", e.device, e.key, e.valid_from, e.valid_to))
        if e.device not in self.devices:
            self.findings.add(e, RULE, f"there is no device {e.device}")
        self._in_range(e, "valid_from", e.valid_from, 0, e.valid_to)
        self.keys[e.device, e.key] = e

    def _in_range(self, event: Event, name: str, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            self.findings.add(event, RULE, field=name, found=value, expected=f"{low} … {high}")

    def _chain(self, event: Event, digest: bytes, types: tuple[str, ...], values: tuple[Any, ...]) -> None:
        """The next link. If a digest was wrong before, this one may follow from either: blame only who breaks it."""
        if not self.links:
            self.links = [self._first_link()]
        inner = keccak(encode(types, values))
        expected = [keccak(link + inner) for link in self.links]
        if digest not in expected:
            self.findings.add(
                event,
                RULE,
                "the registry's chained digest breaks here",
                field="digest",
                found=digest,
                expected=expected[0],
                related=[self.last] if self.last else self.role_events,
            )
            self.links = [expected[0], digest]
        else:
            self.links = [digest]
        self.last = event
