"""§6: the money of one window, step by step: a model of the contracts, run in step with them by audit and tests.

It knows neither hashes nor signatures nor prices' origin: a caller says what was opened, cleared and metered, and the
books say what that does to the money. A step that the contracts refuse raises `SettlementError` and changes nothing.
After every step `Vault.imbalance()` is 0, and neither the pool nor the escrow is ever short.
"""

from dataclasses import dataclass, field, replace

from stowatt.calendar import Calendar, Phase, Status, phase
from stowatt.commitments.terms import Terms
from stowatt.curves import Curve, Side
from stowatt.errors import SettlementError
from stowatt.settlement.capacity import budget, part_units, used_units
from stowatt.settlement.default import compensation, effective_quantity, forfeit_share
from stowatt.settlement.deposits import bond_share, deposit, locked, part_deposit, reserve
from stowatt.settlement.payment import payment
from stowatt.settlement.records import (
    NO_MONEY,
    NO_WH,
    Bid,
    BidState,
    BuyerSettled,
    Issued,
    Right,
    RightId,
    SellerSettled,
)
from stowatt.settlement.release import fulfilment, release_coefficient, released
from stowatt.settlement.reliability import updated
from stowatt.settlement.stream import entitlement, owed, part_drawn, part_entitlement
from stowatt.settlement.vault import Vault
from stowatt.units import Money, Ppm, Tick, Wh


@dataclass(slots=True)
class WindowBooks:
    """The books of one window. Amounts are base units; `now` is the block's time in unix seconds."""

    vault: Vault
    calendar: Calendar
    window: int
    treasury: str
    """The account that receives what nobody has a claim on."""
    status: Status = Status.NONE
    price: Tick | None = None
    volume: Wh = NO_WH
    """V: what was sold, and bought."""
    pool: Money = NO_MONEY
    """Payments, forfeited bonds and deposits."""
    escrow: Money = NO_MONEY
    """Deposits of issued rights."""
    forfeited: Money = NO_MONEY
    """Deposits of buyers in default, for the sellers to share. They lie in the pool."""
    paid: Wh = NO_WH
    """Wh that buyers paid for, by the payment deadline."""
    compensated: Wh = NO_WH
    """Paid Wh whose rights are settled."""
    shared: Money = NO_MONEY
    """The pool that the buyers share, fixed when the first of them settles."""
    forfeiters: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    """Commitments by side that forfeited their bonds, fixed at the clearing."""
    issued: dict[Side, Wh] = field(default_factory=lambda: dict.fromkeys(Side, NO_WH))
    """Claimed fills by side."""
    resolved: Wh = NO_WH
    """Fills claimed by sellers, and paid or defaulted by buyers; 2·V when all are."""
    settled: Wh = NO_WH
    """Sellers' Wh finally settled; V when all are."""
    bids: dict[str, Bid] = field(default_factory=dict)
    rights: dict[RightId, Right] = field(default_factory=dict)
    """Rights that are not settled or void."""
    metered: dict[int, Wh] = field(default_factory=dict)
    """Σ u_t by device."""
    counted: dict[int, int] = field(default_factory=dict)
    """By device: how many sub-slots, from the window's first, that sum covers."""

    def __post_init__(self) -> None:
        self.vault.holders.append(self)

    # ---------------------------------------------------------------- views

    def held(self) -> Money:
        """All that the window holds: bonds, reserves, escrow, pool."""
        forfeited = self.status in (Status.TRADED, Status.NO_TRADE)
        bids = sum(b.locked for b in self.bids.values() if not (forfeited and b.state is BidState.COMMITTED))
        return Money(bids + self.escrow + self.pool)

    def unopened(self, side: Side) -> int:
        """Commitments on a side that are not opened."""
        return sum(bid.side is side and bid.state is BidState.COMMITTED for bid in self.bids.values())

    def phase(self, now: int) -> Phase:
        """The window's phase (T9)."""
        return phase(self.calendar, self.window, now, self.status)

    def entitled(self, key: RightId) -> Money:
        """What a seller's right has earned so far, drawn or not (31)."""
        right = self._right(key, Side.SELL)
        c = self.calendar
        whole = entitlement(self._metered(right), self._obligation(right), self._price(), c.tick_size, c.efficiency)
        return part_entitlement(whole, right.wh, right.bid_wh)

    def fulfilled(self, key: RightId) -> Ppm:
        """ρ of a seller's right so far (30)."""
        right = self._right(key, Side.SELL)
        return fulfilment(self._metered(right), self._obligation(right), self.calendar.efficiency)

    # ---------------------------------------------------------------- sealed bids

    def open(self) -> None:
        """The window opens for bidding. (Whether it may is the chain's business, see T17.)"""
        if self.status is not Status.NONE:
            raise self._refused(f"it is {self.status.name} already", "open each window once")
        self.status = Status.OPEN

    def commit(self, account: str, terms: Terms, now: int, earlier: "WindowBooks | None" = None) -> None:
        """The bond is locked, and the units of a seller's battery; replacing a commitment takes no further bond.

        `earlier` has the account's last bid in the same ring place: one that was never opened gives its energy back.
        """
        self._require(now, Phase.COMMIT)
        bond, old = self.calendar.bond, self.bids.get(account)
        lost = earlier.abandoned(account) if old is None and earlier is not None else None
        self.vault.require(account, bond if old is None else 0)
        ended = old or lost
        self.vault.promise(account, terms.units, ended.terms.units if ended is not None else 0)
        if old is None:
            self.vault.debit(account, bond)
        if lost is not None:
            lost.locked, lost.state = NO_MONEY, BidState.RESOLVED
        self.bids[account] = Bid(terms.side, Money(bond), terms)

    def withdraw_commitment(self, account: str, now: int) -> None:
        """The bond is free again."""
        self._require(now, Phase.COMMIT)
        bid = self._bid(account, BidState.COMMITTED)
        self.vault.credit(account, bid.locked)
        self.vault.unpromise(account, bid.terms.units)
        del self.bids[account]

    def abandoned(self, account: str) -> Bid | None:
        """A commitment that was never opened and lost its bond: it still holds its energy."""
        bid = self.bids.get(account)
        over = self.status in (Status.TRADED, Status.NO_TRADE)
        return bid if over and bid is not None and bid.state is BidState.COMMITTED else None

    def reveal(self, account: str, curve: Curve, now: int) -> Money:
        """The bid keeps max(bond, reserve) locked until its claim; returns that."""
        self._require(now, Phase.REVEAL)
        bid = self._bid(account, BidState.COMMITTED)
        if curve.side is not bid.side:
            raise self._refused(f"{account} committed to {bid.side.word}", "open the curve of that side")
        terms, c = bid.terms, self.calendar
        if curve.side is Side.SELL and curve.total > budget(terms.limit_wh, terms.units):
            raise self._refused(
                f"{account} offers {curve.total} Wh", f"its units hold {budget(terms.limit_wh, terms.units)} Wh"
            )
        worst_case = reserve(curve, c.ticks, c.tick_size, self._alpha(bid))
        keep = locked(c.bond, worst_case)
        self.vault.debit(account, keep - bid.locked)
        bid.locked, bid.state, bid.total = keep, BidState.OPENED, curve.total
        return keep

    # ---------------------------------------------------------------- clearing

    def clear(self, price: int | None, volume: int, now: int) -> None:
        """A trade moves the forfeited bonds to the pool for the other side's fills, no trade to the treasury (§5)."""
        unopened = {side: self.unopened(side) for side in Side}
        if self.phase(now) is not Phase.REVEAL or any(unopened.values()):
            self._require(now, Phase.CLEARING)
        if (price is None) != (volume == 0):
            raise self._refused(f"price {price} with a volume of {volume} Wh", "a trade has both, no trade has neither")
        self.forfeiters = unopened
        bonds = Money(sum(unopened.values()) * self.calendar.bond)
        if price is None:
            self.status = Status.NO_TRADE
            self.vault.credit(self.treasury, bonds)
        else:
            self.status, self.price, self.volume = Status.TRADED, Tick(price), Wh(volume)
            self.pool = bonds

    def void(self, now: int) -> None:
        """A window that was not cleared in time: everybody gets everything back (T16)."""
        self._require(now, Phase.LAPSED)
        self.status = Status.VOID

    def refund_commitment(self, account: str, now: int) -> Money:
        """Ends a commitment that was never opened: its energy is free, and in a void window its bond; returns that."""
        self._require(now, Phase.PAYMENT, Phase.DELIVERY, Phase.SETTLEMENT, Phase.NO_TRADE, Phase.VOID)
        bid = self._bid(account, BidState.COMMITTED)
        if self.status is not Status.VOID:
            bid.locked = NO_MONEY  # it is in the pool, or with the treasury
        return self._unlock(account, bid)

    # ---------------------------------------------------------------- issue

    def claim(self, account: str, fill: int, now: int) -> Issued:
        """Issues a fill: deposit to escrow, bond share, payment if it is covered; the rest of what is locked is free.

        A window without trade, or void, gives everything back.
        """
        self._require(now, Phase.PAYMENT, Phase.DELIVERY, Phase.SETTLEMENT, Phase.NO_TRADE, Phase.VOID)
        bid = self._bid(account, BidState.OPENED)
        most = min(bid.total, self.volume - self.issued[bid.side])
        if not 0 <= fill <= most:
            raise self._refused(f"a fill of {fill} Wh for {account}", f"its bid and the volume leave at most {most} Wh")
        if fill == 0:
            return Issued(NO_WH, NO_MONEY, NO_MONEY, NO_MONEY, self._unlock(account, bid), defaulted=False)
        return self._issue(account, bid, Wh(fill), now)

    def _issue(self, account: str, bid: Bid, fill: Wh, now: int) -> Issued:
        c, price = self.calendar, self._price()
        stake = deposit(fill, price, c.tick_size, self._alpha(bid))
        if stake > bid.locked:
            raise self._refused(
                f"a deposit of {stake} exceeds the {bid.locked} that {account} locked", "check price and fill"
            )
        share = bond_share(self.forfeiters[Side(1 - bid.side)], c.bond, fill, self.volume)
        self.vault.credit(account, bid.locked - stake + share)
        unlocked = Money(bid.locked - stake)
        self.escrow = Money(self.escrow + stake)
        self._take_from_pool(share)
        bid.locked, bid.state, bid.filled = NO_MONEY, BidState.RESOLVED, fill
        self.issued[bid.side] = Wh(self.issued[bid.side] + fill)

        late = bid.side is Side.BUY and self.phase(now) is not Phase.PAYMENT
        due = payment(fill, price, c.tick_size) if bid.side is Side.BUY and not late else NO_MONEY
        now_paid = not late and self.vault.balance(account) >= due
        self.rights[RightId(account)] = self._right_of(bid, account, fill)
        if late:
            self._default(RightId(account))
        elif bid.side is Side.SELL:
            self.resolved = Wh(self.resolved + fill)
        elif now_paid:
            self._pay(RightId(account), account, due)
        return Issued(fill, stake, due if now_paid else NO_MONEY, share, unlocked, late)

    def _right_of(self, bid: Bid, account: str, fill: Wh) -> Right:
        """A seller's keeps the units that its fill takes; those of what was not filled are free."""
        terms = bid.terms
        if bid.side is Side.BUY:
            return Right(bid.side, fill, fill, account, 0, paid=False, alpha=self._alpha(bid))
        held = used_units(fill, terms.limit_wh)
        self.vault.unpromise(account, terms.units - held)
        return Right(
            bid.side, fill, fill, account, terms.device, paid=True, alpha=terms.alpha, units=held,
            limit_wh=terms.limit_wh,
        )  # fmt: skip

    def pay(self, key: RightId, payer: str, now: int) -> Money:
        """A buyer's payment before the deadline, by anyone; returns it."""
        self._require(now, Phase.PAYMENT)
        right = self._unpaid(key)
        due = payment(right.wh, self._price(), self.calendar.tick_size)
        self._pay(key, payer, due)
        return due

    def declare_default(self, key: RightId, now: int) -> Money:
        """A buyer's right that was not paid by the deadline is void; returns the deposit that it forfeits."""
        self._require(now, Phase.DELIVERY, Phase.SETTLEMENT)
        self._unpaid(key)
        return self._default(key)

    # ---------------------------------------------------------------- rights and delivery

    def transfer(self, key: RightId, to: str) -> None:
        """Whoever holds a right receives what it earns; the deposit stays its depositor's."""
        self._right(key).holder = to

    def split(self, key: RightId, wh: int) -> RightId:
        """`wh` stay in the right, the rest becomes a new one of the same holder, which is returned."""
        right = self._right(key)
        if not right.paid:
            raise self._refused(f"{key.participant}'s right is not paid", "pay it before splitting it")
        if not 0 < wh < right.wh:
            raise self._refused(f"a split of {wh} off {right.wh} Wh", f"choose 1 … {right.wh - 1} Wh")
        rest = Wh(right.wh - wh)
        new_key = RightId(key.participant, key.start + wh)
        self.rights[new_key] = replace(right, wh=rest, drawn=part_drawn(right.drawn, rest, right.wh))
        right.wh, right.drawn = Wh(wh), part_drawn(right.drawn, wh, right.wh)
        return new_key

    def reading(self, device: int, sub_slot: int, energy: int) -> None:
        """A reading adds `energy` Wh to its device's sum; a sub-slot that was counted counts nothing twice (T46)."""
        if energy < 0:
            raise self._refused(f"a reading of {energy} Wh", "a meter counts discharged energy from 0")
        counted = self.counted.get(device, 0)
        if sub_slot < counted:
            raise self._refused(f"a reading of sub-slot {sub_slot}", f"{counted} sub-slots are counted already")
        self._count(device, sub_slot + 1, self.metered.get(device, 0) + energy)

    def raise_to(self, device: int, through: int, energy: int) -> None:
        """A voucher, or the opened sum of sealed sub-slots: `energy` Wh in the sub-slots 0 … through-1 (T45)."""
        counted, known = self.counted.get(device, 0), self.metered.get(device, NO_WH)
        if through < counted or (through == counted and energy <= known):
            raise self._refused(
                f"a voucher of {energy} Wh in {through} sub-slots", f"{known} Wh in {counted} are counted already"
            )
        if energy < known:
            raise self._refused(f"a voucher of {energy} Wh", f"{known} Wh are counted already")
        self._count(device, through, energy)

    def _count(self, device: int, through: int, energy: int) -> None:
        self.counted[device], self.metered[device] = through, Wh(energy)

    def draw(self, key: RightId, now: int) -> Money:
        """Streams what a seller's right has earned and not drawn yet to its holder (32); returns it."""
        self._require(now, Phase.DELIVERY, Phase.SETTLEMENT)
        right = self._right(key, Side.SELL)
        amount = owed(self.entitled(key), right.drawn)
        self._take_from_pool(amount)
        self.vault.credit(right.holder, amount)
        right.drawn = Money(right.drawn + amount)
        return amount

    # ---------------------------------------------------------------- final settlement

    def settle_seller(self, key: RightId, now: int) -> SellerSettled:
        """Pays what is not drawn and the forfeit's share to the holder, releases β_S·D_S to the depositor (26)."""
        self._require(now, Phase.SETTLEMENT)
        right = self._right(key, Side.SELL)
        if self.resolved != 2 * self.volume:
            raise self._refused(
                f"{self.resolved} of {2 * self.volume} Wh are resolved",
                "claim all fills and declare all defaults first",
            )
        ratio, c = self.fulfilled(key), self.calendar
        stake = self._stake(key, right)
        back = released(stake, release_coefficient(ratio, c.tolerance))
        result = SellerSettled(
            ratio, owed(self.entitled(key), right.drawn), forfeit_share(self.forfeited, right.wh, self.volume), back
        )
        self._take_from_escrow(stake)
        self.pool = Money(self.pool + stake - back)
        self._take_from_pool(result.payment + result.forfeit_share)
        self.vault.credit(right.holder, result.payment + result.forfeit_share)
        self.vault.credit(key.participant, back)
        self.settled = Wh(self.settled + right.wh)
        self._settle_battery(key, right, ratio)
        del self.rights[key]
        if self.settled == self.volume and self.paid == 0:  # nobody has a claim on the pool
            self.vault.credit(self.treasury, self.pool)
            self.pool = NO_MONEY
        return result

    def _settle_battery(self, key: RightId, right: Right, ratio: Ppm) -> None:
        """The energy is free again, and ρ moves the reliability: once a bid, with its first part (T44).

        A device that the account has replaced has no say any more.
        """
        battery = self.vault.battery(key.participant)
        self.vault.unpromise(key.participant, part_units(right.units, key.start, right.wh, right.bid_wh))
        if key.start == 0 and battery.device == right.device:
            gain, owes = self.calendar.reliability_gain, self._obligation(right)
            battery.reliability = updated(battery.reliability, ratio, gain, owes, right.limit_wh)

    def settle_buyer(self, key: RightId, now: int) -> BuyerSettled:
        """Pays a pool share to the holder, D_B to the depositor. Sellers first; the last buyer empties the pool."""
        self._require(now, Phase.SETTLEMENT)
        right = self._right(key, Side.BUY)
        if not right.paid:
            raise self._refused(f"{key.participant}'s right is not paid", "declare its default")
        if self.settled != self.volume:
            raise self._refused(
                f"{self.settled} of {self.volume} Wh of sellers are settled", "settle the sellers first"
            )
        stake = self._stake(key, right)
        if not self.compensated:
            self.shared = self.pool
        result = BuyerSettled(compensation(self.shared, self.compensated, right.wh, self.paid), stake)
        self._take_from_escrow(stake)
        self._take_from_pool(result.compensation)
        self.vault.credit(right.holder, result.compensation)
        self.vault.credit(key.participant, stake)
        self.compensated = Wh(self.compensated + right.wh)
        del self.rights[key]
        return result

    # ---------------------------------------------------------------- inside

    def _pay(self, key: RightId, payer: str, due: Money) -> None:
        right = self.rights[key]
        self.vault.debit(payer, due)
        self.pool = Money(self.pool + due)
        right.paid = True
        self.paid = Wh(self.paid + right.wh)
        self.resolved = Wh(self.resolved + right.wh)

    def _default(self, key: RightId) -> Money:
        right = self.rights.pop(key)
        stake = self._stake(key, right)
        self._take_from_escrow(stake)
        self.pool = Money(self.pool + stake)
        self.forfeited = Money(self.forfeited + stake)
        self.resolved = Wh(self.resolved + right.wh)
        return stake

    def _stake(self, key: RightId, right: Right) -> Money:
        return part_deposit(key.start, right.wh, self._price(), self.calendar.tick_size, right.alpha)

    def _alpha(self, bid: Bid) -> int:
        return bid.terms.alpha if bid.side is Side.SELL else self.calendar.alpha_buyer

    def _metered(self, right: Right) -> int:
        return self.metered.get(right.device, 0)

    def _obligation(self, right: Right) -> Wh:
        return effective_quantity(right.bid_wh, self.paid, self.volume)

    def _price(self) -> Tick:
        if self.price is None:
            raise self._refused("it has no price", "clear it with a trade first")
        return self.price

    def _unlock(self, account: str, bid: Bid) -> Money:
        amount = bid.locked
        bid.locked, bid.state = NO_MONEY, BidState.RESOLVED
        self.vault.credit(account, amount)
        self.vault.unpromise(account, bid.terms.units)
        return amount

    def _take_from_pool(self, amount: int) -> None:
        if amount > self.pool:
            raise self._refused(
                f"its pool of {self.pool} cannot pay {amount}", "this is a fault of the rules: report it"
            )
        self.pool = Money(self.pool - amount)

    def _take_from_escrow(self, amount: int) -> None:
        if amount > self.escrow:
            raise self._refused(
                f"its escrow of {self.escrow} cannot pay {amount}", "this is a fault of the rules: report it"
            )
        self.escrow = Money(self.escrow - amount)

    def _bid(self, account: str, state: BidState) -> Bid:
        bid = self.bids.get(account)
        if bid is None or bid.state is not state:
            raise self._refused(f"{account} has no {state.value} bid", "name an account that has one")
        return bid

    def _right(self, key: RightId, side: Side | None = None) -> Right:
        right = self.rights.get(key)
        if right is None or side not in (None, right.side):
            raise self._refused(
                f"{key.participant} has no such right from {key.start} Wh on", "it is settled, void or never was"
            )
        return right

    def _unpaid(self, key: RightId) -> Right:
        right = self._right(key, Side.BUY)
        if right.paid:
            raise self._refused(f"{key.participant}'s right is paid", "nothing is due")
        return right

    def _require(self, now: int, *phases: Phase) -> None:
        actual = self.phase(now)
        if actual not in phases:
            wanted = " or ".join(p.name for p in phases)
            raise self._refused(f"it is in phase {actual.name} at {now}", f"this step needs {wanted}")

    def _refused(self, what: str, way_out: str) -> SettlementError:
        return SettlementError(f"window {self.window}: {what}", way_out)
