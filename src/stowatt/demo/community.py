"""The community: homes with keys, the operator, the issuer, and the market that is deployed for them.

All keys are random, made anew for each run and kept in memory only. Nobody needs them after the day: at its end every
home has taken its money out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak

from stowatt.audit.events import DeviceRegistered
from stowatt.calendar import Calendar
from stowatt.chain.client import Deployment, MarketClient, deploy
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.sender import Sender
from stowatt.credentials import Credential, DeviceCertificate, Role, sign_statement
from stowatt.curves import Side
from stowatt.data.homes import Battery, Home
from stowatt.demo.dispatch import DEPLOY, Dispatch, Order
from stowatt.demo.output import OutputFolder
from stowatt.demo.settings import CHAIN_ID, FOUNDED_BEFORE_S
from stowatt.settlement import locked, payment, reserve
from stowatt.simulation.evening import Evening
from stowatt.units import PPM, Money, ceil_div

ETHER: Final = 10**20
"""Wei that each account has for gas: the embedded chain's own coin, worth nothing."""
VALID_DAYS: Final = 365

OPERATOR, ISSUER, TREASURY = "relay operator", "issuer", "community treasury"


@dataclass(frozen=True, slots=True)
class Member:
    """One home with its keys."""

    home: Home
    side: Side
    client: MarketClient
    meter: LocalAccount
    """The key inside the battery's meter; a home without a battery has one that is never used."""
    battery: DeviceRegistered | None = None
    """How the registry knows its battery; None without one."""

    @property
    def name(self) -> str:
        """The home's name."""
        return self.home.id

    @property
    def address(self) -> str:
        """Its account."""
        return self.client.address

    @property
    def device(self) -> int:
        """The registry's number of its battery; 0 for none."""
        return self.battery.device if self.battery else 0


class Community:
    """The homes of the day, by name and by address, and those who serve them."""

    def __init__(
        self,
        deployment: Deployment,
        clients: dict[str, MarketClient],
        members: Sequence[Member],
        deposits: dict[str, int],
    ) -> None:
        self.deployment = deployment
        self.operator, self.issuer, self.treasury = (clients[name] for name in (OPERATOR, ISSUER, TREASURY))
        self.members = {member.name: member for member in members}
        self.by_address = {member.address: member for member in members}
        self.deposits = deposits
        """What each home deposited at the start, base units."""

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members.values())

    def name_of(self, address: str) -> str:
        """A home's name, or the treasury's."""
        member = self.by_address.get(address)
        if member is not None:
            return member.name
        return TREASURY if address == self.treasury.address else address


class Founding:
    """Step by step from an empty folder to a community that can bid."""

    def __init__(self, folder: OutputFolder, evening: Evening, calendar: Calendar) -> None:
        self.evening, self.calendar = evening, calendar
        self._staff = {name: Account.create() for name in (OPERATOR, ISSUER, TREASURY)}
        self._keys = {home.id: (Account.create(), Account.create()) for home in self._homes()}
        accounts = [*self._staff.values(), *(key for key, _ in self._keys.values())]
        self.ledger = EmbeddedLedger.create(
            folder.ledger,
            chain_id=CHAIN_ID,
            balances={account.address: ETHER for account in accounts},
            timestamp=calendar.origin - FOUNDED_BEFORE_S,
            fixed_clock=True,
        )
        self.dispatch = Dispatch(self.ledger)
        self._file = folder.market

    def _homes(self) -> tuple[Home, ...]:
        return (*self.evening.sellers, *self.evening.buyers)

    def deploy(self) -> Deployment:
        """The gated market and its token; the operator deploys them and the issuer decides who takes part."""
        before = self.ledger.head().number
        staff = self._staff
        deployment = deploy(
            Sender(self.ledger, staff[OPERATOR]),
            self.calendar,
            issuer=staff[ISSUER].address,
            treasury=staff[TREASURY].address,
        )
        for number in range(before + 1, self.ledger.head().number + 1):
            self.dispatch.note(DEPLOY, self.ledger.block(number).gas_used)
        deployment.save(self._file)
        return deployment

    def admit(self, deployment: Deployment) -> Community:
        """Credentials, device certificates and tokens for all homes."""
        clients = {name: self._client(deployment, key) for name, key in self._staff.items()}
        operator, issuer = clients[OPERATOR], self._staff[ISSUER]
        domain = operator.statements_domain
        members = [
            Member(home, Side.SELL if home.battery else Side.BUY, self._client(deployment, key), meter)
            for home, (key, meter) in zip(self._homes(), self._keys.values(), strict=True)
        ]
        calls = operator.calls
        orders = []
        for member in members:
            credential = self._credential(member)
            signature = sign_statement(domain, credential, issuer)
            orders.append(Order(operator, calls.register(credential, signature), "register a home"))
        for member in members:
            if member.home.battery is not None:
                certificate = self._certificate(member, member.home.battery)
                signature = sign_statement(domain, certificate, issuer)
                orders.append(Order(operator, calls.register_device(certificate, signature), "register a battery"))
        needs, pocket = self._needs(), self._pocket()
        for member in members:
            orders.append(Order(operator, calls.mint(member.address, needs[member.name] + pocket), "mint tokens"))
        done = self.dispatch.send(orders)
        batteries = {event.certificate.owner: event for d in done for event in d.of(DeviceRegistered)}
        members = [replace(member, battery=batteries.get(member.address)) for member in members]
        return Community(deployment, clients, members, needs)

    def fund(self, community: Community, progress: Callable[[int, int], None]) -> None:
        """Every home moves tokens into the market, with a permit (EIP-2612) instead of an approval."""
        bidders = [member for member in community if community.deposits[member.name]]
        for number, member in enumerate(bidders, start=1):
            progress(number, len(bidders))
            done = member.client.deposit(community.deposits[member.name])
            self.dispatch.note("deposit by permit", done.receipt.gas_used)

    def _client(self, deployment: Deployment, key: LocalAccount) -> MarketClient:
        return MarketClient(self.ledger, deployment, Sender(self.ledger, key), key)

    def _credential(self, member: Member) -> Credential:
        role = Role.SELL if member.side is Side.SELL else Role.BUY
        did = f"did:pkh:eip155:{CHAIN_ID}:{member.address}"
        return Credential(member.address, did, role, self.calendar.origin + VALID_DAYS * 86_400, nonce=1)

    def _certificate(self, member: Member, battery: Battery) -> DeviceCertificate:
        return DeviceCertificate(
            owner=member.address,
            usable_wh=battery.usable_wh,
            export_w=battery.power_w,
            charge_w=battery.power_w,
            charge_efficiency=battery.efficiency_ppm,
            discharge_efficiency=battery.efficiency_ppm,
            serial=keccak(f"demo battery of {member.name}".encode()),
            meter_key=member.meter.address,
            valid_from=self.calendar.origin - FOUNDED_BEFORE_S,
            valid_to=self.calendar.origin + VALID_DAYS * 86_400,
            nonce=1,
        )

    def _needs(self) -> dict[str, int]:
        """What each home has to deposit to keep all its bids: bonds, reserves, payments at its own highest prices."""
        c = self.calendar
        needs = dict.fromkeys((home.id for home in self._homes()), 0)
        for window in self.evening.windows:
            for planned in window.bids:
                curve = planned.curve
                alpha = c.alpha_seller if curve.side is Side.SELL else c.alpha_buyer
                needs[planned.home] += locked(c.bond, reserve(curve, c.ticks, c.tick_size, alpha))
                if curve.side is Side.BUY:
                    needs[planned.home] += payment(curve.total, curve.segments[0].tick, c.tick_size)
        whole = PPM  # one token
        return {name: Money(ceil_div(need, whole) * whole) for name, need in needs.items()}

    def _pocket(self) -> int:
        """What a home keeps outside the market: enough to buy any other home's right at the highest price."""
        asks = [b.curve.total for window in self.evening.windows for b in window.bids if b.curve.side is Side.SELL]
        return payment(max(asks), self.calendar.ticks - 1, self.calendar.tick_size)
