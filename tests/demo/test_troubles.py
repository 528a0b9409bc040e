"""Where the troubles are placed: each where it shows, a home in at most one a window, whatever the community."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stowatt.curves import Curve, Side
from stowatt.data.folder import read_folder
from stowatt.data.homes import Battery
from stowatt.demo.settings import market_calendar
from stowatt.demo.troubles import Kind, plan_troubles
from stowatt.simulation.evening import Evening, EveningParameters, PlannedBid, PlannedWindow, build_evening
from tests.demo.process import EXAMPLES

EXAMPLE = build_evening(read_folder(EXAMPLES), date(2026, 4, 21), EveningParameters(windows=12))
CALENDAR = market_calendar(int(EXAMPLE.windows[0].start.timestamp()))


def curves(side: Side) -> st.SearchStrategy[Curve]:
    return st.lists(
        st.tuples(st.integers(1_000, 3_000), st.integers(1, 2_000)),
        min_size=1,
        max_size=4,
        unique_by=lambda pair: pair[0],
    ).map(lambda pairs: Curve.of(side, pairs))


@st.composite
def evenings(draw: st.DrawFn) -> Evening:
    """Communities of up to five sellers and five buyers in up to eight windows."""
    sellers = [f"s{n}" for n in range(draw(st.integers(1, 5)))]
    buyers = [f"b{n}" for n in range(draw(st.integers(1, 5)))]
    homes = {home.id: home for home in (*EXAMPLE.sellers, *EXAMPLE.buyers)}
    anna, birk = homes["anna"], homes["birk"]
    windows = []
    for number in range(draw(st.integers(1, 8))):
        bids = [PlannedBid(name, draw(curves(Side.SELL))) for name in sellers if draw(st.booleans())]
        bids += [PlannedBid(name, draw(curves(Side.BUY))) for name in buyers if draw(st.booleans())]
        windows.append(PlannedWindow(number, EXAMPLE.windows[0].start + timedelta(minutes=15 * number), tuple(bids)))
    assert isinstance(anna.battery, Battery)
    named = [type(anna)(name, anna.start, anna.load_wh, anna.pv_wh, anna.battery) for name in sellers]
    loads = [type(birk)(name, birk.start, birk.load_wh, birk.pv_wh) for name in buyers]
    return Evening(EXAMPLE.parameters, tuple(windows), tuple(named), tuple(loads), {})


@given(evenings())
def test_every_trouble_is_where_it_shows(evening: Evening) -> None:
    found = plan_troubles(evening, CALENDAR)
    assert len({trouble.kind for trouble in found}) == len(found)
    assert len({(trouble.window, trouble.home) for trouble in found}) == len(found)
    for trouble in found:
        bids = {bid.home: bid.curve for bid in evening.windows[trouble.window].bids}
        assert trouble.home in bids
        if trouble.kind in (Kind.WEAK, Kind.REPLAY, Kind.SOLD):
            assert bids[trouble.home].side is Side.SELL
        if trouble.kind in (Kind.SILENT, Kind.UNPAID):
            assert bids[trouble.home].side is Side.BUY
        if trouble.kind is Kind.SOLD:
            assert trouble.other and trouble.other != trouble.home


def test_the_example_shows_all_six() -> None:
    assert {trouble.kind for trouble in plan_troubles(EXAMPLE, CALENDAR)} == set(Kind)
