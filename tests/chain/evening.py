"""A deployed market with a seller and a buyer, for tests on any ledger."""

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from stowatt.calendar import Calendar, deadlines
from stowatt.chain.client import Commitment, Deployment, MarketClient, Opening, deploy
from stowatt.chain.ledger import Ledger
from stowatt.chain.outbox import Outbox
from stowatt.chain.sender import Sender
from stowatt.commitments import NO_TERMS, BidContext, new_blinder
from stowatt.credentials import DeviceCertificate
from stowatt.curves import Curve, Side

UNIT = 10**6
METER = Account.from_key("0x" + "77" * 32)
_serials = count(1)


def calendar(ledger: Ledger, **changes: int) -> Calendar:
    """Quarter hours from some two hours from now on; the grid ends at 0.4095 a kWh."""
    values = dict(
        origin=ledger.time() // 900 * 900 + 7200, length=900, sub_slot=300, commit_lead=3600, reveal_lead=1800,
        payment_lead=300, reading_grace=600, void_delay=900, ring=96, ticks=4096, price_rule=0, rationing=0,
        tick_size=100, bond=UNIT // 10, alpha_seller=200_000, alpha_buyer=200_000, efficiency=950_000,
        tolerance=980_000, alpha_proven=100_000, reliability_gain=100_000,
    )  # fmt: skip
    return Calendar(**(values | changes))


@dataclass
class Evening:
    """A market in the open mode: the first key deployed it and sells, the second buys."""

    ledger: Ledger
    clock: Any
    deployment: Deployment
    seller: MarketClient
    buyer: MarketClient
    device: int

    @classmethod
    def begin(
        cls,
        ledger: Ledger,
        clock: Any,
        seller: LocalAccount,
        buyer: LocalAccount,
        outboxes: tuple[Outbox | None, Outbox | None] = (None, None),
        **changes: int,
    ) -> "Evening":
        """Deploys, funds both with 1000 tokens, of which 500 are deposited, and registers the seller's device."""
        senders = [Sender(ledger, key, box) for key, box in zip((seller, buyer), outboxes, strict=True)]
        deployment = deploy(senders[0], calendar(ledger, **changes), open_mode=True)
        clients = [MarketClient(ledger, deployment, s, k) for s, k in zip(senders, (seller, buyer), strict=True)]
        for client in clients:
            clients[0].execute(clients[0].calls.mint(client.address, 1000 * UNIT))
            client.deposit(500 * UNIT)
        serial = next(_serials).to_bytes(32)
        terms = (5000, 5000, 5000, 950_000, 950_000, serial, METER.address, 0, 2**40 - 1, 1)
        clients[0].execute(clients[0].calls.register_device(DeviceCertificate(seller.address, *terms)))
        device = clients[0].admission(seller.address).device
        return cls(ledger, clock, deployment, clients[0], clients[1], device)

    def opening(self, client: MarketClient, window: int, side: Side, *pairs: tuple[int, int]) -> Opening:
        """A sealed bid that is not committed yet."""
        sells, known = side is Side.SELL, client.admission(client.address)
        d = self.deployment
        terms = (known.device, known.fingerprint) if sells else ()
        context = BidContext(d.chain_id, d.market, window, client.address, side, *terms)
        curve = Curve.of(side, pairs)
        bound = NO_TERMS
        if sells:
            bound = replace(client.next_terms(client.address), units=min(64, -(-64 * curve.total // known.limit)))
        return Opening(context, bound, curve, new_blinder())

    def commit(self, client: MarketClient, window: int, side: Side, *pairs: tuple[int, int]) -> Opening:
        """Commits; gives the opening."""
        opening = self.opening(client, window, side, *pairs)
        point = opening.context.commit(opening.curve.encode(), opening.blinder)
        client.execute(client.calls.commit(Commitment(window, opening.terms.units, point)))
        return opening

    def go_to(self, window: int, moment: str) -> None:
        """Moves the clock to a deadline of the window."""
        at = getattr(deadlines(self.seller.calendar, window), moment)
        if self.ledger.time() < at:
            self.clock.set_time(at)

    def money_is_conserved(self, accounts: list[str], windows: list[int]) -> bool:
        """Free balances, pools and escrows add up to the market's tokens; only when nothing is locked in bids."""
        market = self.seller
        free = sum(market.balance(account) for account in accounts)
        funds = [market.money(window) for window in windows]
        held = market.token_balance(self.deployment.market)
        return free + sum(money.pool + money.escrow for money in funds) == held
