"""One evening of a community: who offers what in which window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from stowatt.clearing import Book
from stowatt.curves import Curve
from stowatt.data.homes import WINDOW, WINDOW_S, Battery, Home, HomesError
from stowatt.dispatch.storage import Storage
from stowatt.simulation.portfolio import plan, slots_of
from stowatt.simulation.selfuse import stored_before
from stowatt.simulation.strategies import PriceGrid, ask, bid
from stowatt.simulation.tariff import BatteryCosts, Tariff

MAX_WINDOWS = 96


@dataclass(frozen=True, slots=True)
class EveningParameters:
    """What is fixed about an evening before anybody bids."""

    first: time = time(17)
    """Local time at which the first window's delivery starts."""
    windows: int = 12
    """Number of windows of a quarter of an hour."""
    zone: str = "Europe/Berlin"
    """The community's clock."""
    grid: PriceGrid = field(default_factory=PriceGrid)
    """The market's ticks."""
    max_buyers: int | None = None
    """The most buyers; those with the greatest net load over the evening come first."""
    tariff: Tariff = field(default_factory=Tariff)
    costs: BatteryCosts = field(default_factory=BatteryCosts)

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("windows", self.windows, 1, MAX_WINDOWS),
            ("max_buyers", 0 if self.max_buyers is None else self.max_buyers, 0, 2**31),
        ):
            if not low <= value <= high:
                raise HomesError(f"evening: {name} = {value} is outside {low} to {high}", "choose a value inside")
        if self.first.second or self.first.microsecond or self.first.minute % 15:
            raise HomesError(f"evening: first window at {self.first}", "start at :00, :15, :30 or :45")


@dataclass(frozen=True, slots=True)
class PlannedBid:
    """What one home commits to in one window."""

    home: str
    curve: Curve


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """The bids of one window, sellers first, each side by the order of the homes."""

    number: int
    """0 for the evening's first window."""
    start: datetime
    """Start of delivery, on the community's clock."""
    bids: tuple[PlannedBid, ...]

    def book(self) -> Book:
        """The book if all bids are opened in this order."""
        return Book.of((planned.home, planned.curve) for planned in self.bids)


@dataclass(frozen=True, slots=True)
class Evening:
    """All bids of an evening, and the homes that take part."""

    parameters: EveningParameters
    windows: tuple[PlannedWindow, ...]
    sellers: tuple[Home, ...]
    buyers: tuple[Home, ...]
    stored_wh: dict[str, int]
    """Energy in each seller's battery when the first window starts."""

    @property
    def bid_count(self) -> int:
        """Bids over all windows: what the chain has to take."""
        return sum(len(window.bids) for window in self.windows)


@dataclass(frozen=True, slots=True)
class Stock:
    """What a seller's asks for an evening follow from."""

    home: Home
    battery: Battery
    stored_wh: int
    """Energy in the battery when the first window starts."""
    offers: tuple[int, ...]
    """The most that it offers in each window, Wh: all of them together can be delivered (§2)."""
    own_net_load: tuple[int, ...]
    """The home's net load from the first window until its evening ends, Wh a window."""


Asks = Callable[[Stock, EveningParameters], list[Curve | None]]
"""A seller's strategy: one ask, or none, for each window."""


def flat_asks(stock: Stock, parameters: EveningParameters) -> list[Curve | None]:
    """Asks from a flat price of wear: every Wh costs the same, however deep it empties the battery."""
    return [
        ask(stock.home.id, stock.battery, offer, parameters.costs, parameters.tariff, parameters.grid)
        for offer in stock.offers
    ]


def build_evening(
    homes: Sequence[Home], day: date, parameters: EveningParameters | None = None, asks: Asks = flat_asks
) -> Evening:
    """The evening of `day`: homes with a battery sell by the strategy `asks`, homes without one buy."""
    parameters = parameters or EveningParameters()
    starts = _starts(day, parameters)
    if not homes:
        raise HomesError("there are no homes", "give at least one home with a battery and one without")
    sellers = [home for home in homes if home.battery]
    buyers = _greatest_buyers([home for home in homes if not home.battery], starts, parameters.max_buyers)
    curves: list[list[PlannedBid]] = [[] for _ in starts]
    stored: dict[str, int] = {}
    for home in sellers:
        stock = _stock(home, starts, parameters)
        stored[home.id] = stock.stored_wh
        for window, curve in enumerate(asks(stock, parameters)):
            if curve:
                curves[window].append(PlannedBid(home.id, curve))
    for home in buyers:
        for window, at in enumerate(starts):
            curve = bid(home.id, home.net_load_wh(home.index(at)), parameters.tariff, parameters.grid)
            if curve:
                curves[window].append(PlannedBid(home.id, curve))
    zone = ZoneInfo(parameters.zone)
    return Evening(
        parameters,
        tuple(
            PlannedWindow(number, at.astimezone(zone), tuple(bids))
            for number, (at, bids) in enumerate(zip(starts, curves, strict=True))
        ),
        tuple(sellers),
        tuple(buyers),
        stored,
    )


def _starts(day: date, parameters: EveningParameters) -> list[datetime]:
    """The windows' starts in UTC, one quarter of an hour after the other whatever the local clock does."""
    first = datetime.combine(day, parameters.first, ZoneInfo(parameters.zone)).astimezone(UTC)
    return [first + WINDOW * number for number in range(parameters.windows)]


def _stock(home: Home, starts: list[datetime], parameters: EveningParameters) -> Stock:
    """A seller's stored energy at the start, and what it can offer whatever is sold of it."""
    battery = home.battery
    if battery is None:
        raise HomesError(f"home {home.id} has no battery", "only homes with a battery sell")
    first, last = home.index(starts[0]), home.index(starts[-1])
    energy = stored_before(home, battery, first)
    end = max(last + 1, _evening_end(home, starts[0], parameters))
    own = tuple(home.net_load_wh(row) for row in range(first, end))
    efficiency = battery.efficiency_ppm
    storage = Storage(battery.usable_wh, battery.power_w, battery.power_w, efficiency, efficiency, energy)
    slots = slots_of(0, int(starts[0].timestamp()), WINDOW_S, own)
    offers = tuple(int(offer.wh) for offer in plan(storage, slots, range(len(starts))))
    return Stock(home, battery, energy, offers, own)


def _evening_end(home: Home, first: datetime, parameters: EveningParameters) -> int:
    """The row at which the evening tariff ends, or the profile's end if that comes earlier."""
    zone = ZoneInfo(parameters.zone)
    day = first.astimezone(zone).date()
    end = datetime.combine(day, parameters.tariff.evening_end, zone).astimezone(UTC)
    return min((end - home.start) // WINDOW, len(home.load_wh))


def _greatest_buyers(homes: Sequence[Home], starts: list[datetime], most: int | None) -> list[Home]:
    """At most `most` homes, those with the greatest net load over the evening; in the order of `homes`."""

    def demand(home: Home) -> int:
        return sum(max(0, home.net_load_wh(home.index(at))) for at in starts)

    ranked = sorted(homes, key=lambda home: (-demand(home), home.id))
    chosen = {home.id for home in ranked[:most] if demand(home) > 0}
    return [home for home in homes if home.id in chosen]
