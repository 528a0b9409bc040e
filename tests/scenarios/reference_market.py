"""The market of a community, slow and readable: one home after the other, curves, books, the readable engine.

What `stowatt.scenarios.market` does with arrays is written here once more from its rules, with the strategies and the
battery model of the rest of the project. It knows no outages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from stowatt.clearing import Book, Rules, clear_readable
from stowatt.curves import Curve, Side
from stowatt.data.homes import Battery
from stowatt.dispatch.storage import Slot, Storage, advance
from stowatt.scenarios.community import Community, Prices
from stowatt.scenarios.draws import assigned, lot
from stowatt.scenarios.settings import MarketSettings
from stowatt.simulation.strategies import ask, bid
from stowatt.simulation.tariff import BatteryCosts, Tariff
from stowatt.units import PPM, ceil_div

DAY = 96
COSTS = BatteryCosts()
"""What the wear of a community's batteries must follow from."""


@dataclass
class House:
    """One home with what happened to it, window by window."""

    name: str
    net: list[int]
    expected: list[int]
    battery: Storage | None
    seller: str
    buyer: str
    stored: list[int]
    charge: list[int] = field(default_factory=list)
    discharge: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)

    @property
    def cap(self) -> int:
        """Wh through the terminals in a window."""
        return self.battery.cap_wh(900) if self.battery else 0

    def reach(self, stored: int) -> int:
        """What so much stored energy gives at the terminals."""
        return self.battery.reach(stored) if self.battery else 0

    def draw(self, out: int) -> int:
        """What leaves the store for so much at the terminals."""
        return self.battery.draw(out) if self.battery else 0

    def charging(self, stored: int, surplus: int) -> int:
        """What of a surplus the battery takes: the most whose gain fits."""
        if not self.battery:
            return 0
        most = min(surplus, self.cap)
        while most and stored + most * self.battery.eta_c_ppm // PPM > self.battery.usable_wh:
            most -= 1
        return most

    def gain(self, charge: int) -> int:
        """What a charge adds to the store."""
        return charge * self.battery.eta_c_ppm // PPM if self.battery else 0


@dataclass
class Gone:
    """The outcome: prices in base units (-1 without a trade), volumes, and the houses with their flows."""

    price: list[int]
    volume: list[int]
    paid: dict[str, int]
    houses: list[House]


def run_reference(community: Community, prices: Prices, settings: MarketSettings, seed: int) -> Gone:
    """Every window of the community's time."""
    houses = _houses(community, settings, seed)
    tick_size = settings.grid.tick_size
    gone = Gone([], [], {house.name: 0 for house in houses}, houses)
    tick: int | None = None
    sold, bought = ({house.name: 0 for house in houses} for _ in range(2))
    for window in range(community.windows):
        then_sold, then_bought, then_tick = {h.name: 0 for h in houses}, {h.name: 0 for h in houses}, None
        if window + 1 < community.windows:
            hour = community.at(window + 1).hour
            if settings.first <= hour < settings.last:
                curves = [
                    (house, curve)
                    for house in houses
                    if (curve := _curve(house, window + 1, sold[house.name], bought[house.name], prices, settings))
                ]
                asks = [(house, curve) for house, curve in curves if curve.side is Side.SELL]
                bids = [(house, curve) for house, curve in curves if curve.side is Side.BUY]
                book = Book.of((house.name, curve) for house, curve in asks + bids)
                rules = Rules(settings.price_rule, settings.rationing, lot(seed, "window", str(window + 1)))
                result = clear_readable(book, rules)
                assert result.gap == 0
                then_tick = result.price
                for name, side, quantity in result.fills:
                    (then_sold if side is Side.SELL else then_bought)[name] = quantity
        gone.price.append(-1 if tick is None else tick * tick_size)
        gone.volume.append(sum(sold.values()))
        for house in houses:
            gone.paid[house.name] += (tick or 0) * tick_size * (bought[house.name] - sold[house.name])
            _live(house, window, sold[house.name], bought[house.name], then_sold[house.name])
        sold, bought, tick = then_sold, then_bought, then_tick
    return gone


def _houses(community: Community, settings: MarketSettings, seed: int) -> list[House]:
    storage, net = community.storage, community.net_load_wh()
    owners = [name for name, usable in zip(community.homes, storage.usable_wh, strict=True) if usable]
    sellers = dict(zip(owners, assigned(seed, "sellers", owners, settings.sellers), strict=True))
    buyers = assigned(seed, "buyers", community.homes, settings.buyers)
    houses = []
    for k, name in enumerate(community.homes):
        usable, cap, eta, stored, wear = (
            int(getattr(storage, column)[k])
            for column in ("usable_wh", "cap_wh", "efficiency_ppm", "stored_wh", "wear")
        )
        battery = Storage(usable, cap * 4, cap * 4, eta, eta, stored) if usable else None
        if battery:
            assert wear == COSTS.wear(eta)
        actual = net[:, k].tolist()
        expected = actual if settings.forecast == "perfect" else [0] * DAY + actual[:-DAY]
        expected = expected[: len(actual)]
        houses.append(House(name, actual, expected, battery, sellers.get(name, ""), buyers[k], [stored]))
    return houses


def _curve(house: House, window: int, sold: int, bought: int, prices: Prices, settings: MarketSettings) -> Curve | None:
    """What a home seals for a window when the one before it starts."""
    now, then, stored = house.expected[window - 1], house.expected[window], house.stored[window - 1]
    held = stored - house.draw(sold)
    used = min(max(0, now - bought), house.cap - sold, house.reach(held)) if house.battery else 0
    expected = stored - house.draw(sold + used)
    if not sold:
        expected += house.gain(house.charging(expected, max(0, -now)))
    lack = max(0, then) - min(max(0, then), house.cap, house.reach(expected))
    if not lack and house.battery and not (then < 0 and expected < house.battery.usable_wh):
        own = max(0, then)
        certain = max(0, min(expected, held) - house.draw(own))
        offer = min(house.cap - own, house.reach(certain))
        if offer:
            return _ask(house, window, offer, certain, prices, settings)
    if house.buyer == "prudent":
        cases = [house.net[window - DAY * days] for days in range(1, 8) if window >= DAY * days] + [0]
        if settings.forecast == "perfect":
            cases = [then]
        battery = min(house.cap, house.reach(expected))
        return _prudent([max(0, max(0, case) - battery) for case in cases], window, prices, settings)
    return _bid(house, lack, int(prices.retail[window]), prices, settings) if lack else None


def _prudent(cases: list[int], window: int, prices: Prices, settings: MarketSettings) -> Curve | None:
    """Each Wh at its mean worth: the retail price in the cases that need it, the feed-in price in the others."""
    grid, retail = settings.grid, int(prices.retail[window])
    steps = sorted({0, *cases})
    pairs = []
    for low, high in pairwise(steps):
        needed = sum(case >= high for case in cases)
        worth = (retail * needed + prices.feed_in * (len(cases) - needed)) // len(cases) - prices.levy
        pairs.append((min(max(0, worth) // grid.tick_size, grid.ticks - 1), high - low))
    return Curve.of(Side.BUY, pairs) if pairs else None


def _bid(house: House, wanted: int, retail: int, prices: Prices, settings: MarketSettings) -> Curve | None:
    grid, low = settings.grid, int(prices.retail.min())
    if house.buyer == "marked-up":
        return bid(house.name, wanted, Tariff(retail, low, prices.feed_in, prices.levy), grid)
    tick = min(max(0, retail - prices.levy) // grid.tick_size, grid.ticks - 1)
    return Curve.of(Side.BUY, [(tick, wanted)])


def _ask(house: House, window: int, offer: int, certain: int, prices: Prices, settings: MarketSettings) -> Curve | None:
    assert house.battery is not None
    grid, low, high = settings.grid, int(prices.retail.min()), int(prices.retail.max())
    eta = house.battery.eta_d_ppm
    if house.seller == "flat":
        battery = Battery(house.battery.usable_wh, house.battery.export_w, eta, 0)
        return ask(house.name, battery, offer, COSTS, Tariff(high, low, prices.feed_in), grid)
    cost = COSTS.per_kwh(eta, prices.feed_in)
    free = [house.reach(max(0, certain - _need(house, window + 1, prices, price))) for price in sorted({low, high})]
    amounts = [min(offer, wh) for wh in free] + [offer]
    steps = [cost, *(max(cost, price) for price in sorted({low, high}))]
    pairs, before = [], 0
    for price, up_to in zip(steps, amounts, strict=True):
        tick = ceil_div(price, grid.tick_size)
        if up_to > before and tick < grid.ticks:
            pairs.append((tick, up_to - before))
        before = max(before, up_to)
    return Curve.of(Side.SELL, pairs) if pairs else None


def _need(house: House, first: int, prices: Prices, price: int) -> int:
    """What has to be stored at the start of a window for the coming day's load that would cost at least `price`.

    The patient also keep what they could sell in the dearest windows, until these have come.
    """
    assert house.battery is not None
    need, sale, top = 0, 0, int(prices.retail.max())
    for window in reversed(range(first, min(first + DAY - 1, len(house.net)))):
        net = house.expected[window]
        if net > 0 and prices.retail[window] >= price:
            need += house.draw(min(net, house.cap))
        need -= house.gain(min(max(0, -net), house.cap))
        need = min(max(need, 0), house.battery.usable_wh)
        sale += house.draw(house.cap) if prices.retail[window] == top else house.draw(min(max(0, net), house.cap))
        sale -= house.gain(min(max(0, -net), house.cap)) if prices.retail[window] < top else 0
        sale = min(max(sale, 0), house.battery.usable_wh)
    return max(need, sale) if house.seller == "patient" and prices.retail[first - 1] < top else need


def _live(house: House, window: int, sold: int, bought: int, promised: int) -> None:
    """The window as it comes: the sale, the own home from what is not promised, or charging."""
    net, stored = house.net[window], house.stored[window]
    wish = max(0, net - bought)
    used = charge = 0
    if house.battery:
        step = advance(house.battery, stored, Slot(window, window * 900, 900, sale_wh=sold))
        assert step.missing_wh == 0, "oversold"
        used = min(wish, house.cap - sold, house.reach(stored - house.draw(promised)) - sold)
        assert used >= 0, "the sale of the next window is not covered"
        charge = house.charging(stored, max(0, -net)) if not sold else 0
    house.charge.append(charge)
    house.discharge.append(sold + used)
    house.given.append(sold)
    house.taken.append(bought)
    house.stored.append(stored - house.draw(sold + used) + house.gain(charge))
