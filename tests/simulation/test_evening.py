"""One evening of the real grid, and what a market saves against none."""

import importlib.util
from collections.abc import Callable
from datetime import UTC, date, datetime, time

import pytest

from stowatt.clearing import Rules, clear_readable
from stowatt.curves import Side
from stowatt.data.homes import Battery, Home, HomesError
from stowatt.data.simbench import DEMO_DAY, read_homes
from stowatt.settlement.capacity import capacity, units_for
from stowatt.simulation.evening import Evening, EveningParameters, build_evening
from stowatt.simulation.savings import buyer_saving
from stowatt.simulation.tariff import BatteryCosts, Tariff
from stowatt.simulation.worn import evening_cost

BIDS_OF_A_DEMO = 1_000
"""What the demo's chain takes in its time."""


@pytest.fixture(scope="module")
def evening() -> Evening:
    return build_evening(read_homes(DEMO_DAY), DEMO_DAY, EveningParameters(max_buyers=68))


@pytest.mark.skipif(
    importlib.util.find_spec("simbench") is None,
    reason="the package simbench is not installed: pip install --no-deps simbench==1.6.3",
)
class TestDemoDay:
    def test_fourteen_sellers_and_a_number_of_bids_that_a_demo_can_carry(self, evening: Evening) -> None:
        assert (len(evening.sellers), len(evening.buyers), len(evening.windows)) == (14, 68, 12)
        assert 800 <= evening.bid_count <= BIDS_OF_A_DEMO

    def test_without_a_limit_every_home_with_a_net_load_buys(self) -> None:
        assert 100 <= len(build_evening(read_homes(DEMO_DAY), DEMO_DAY).buyers) <= 131

    def test_every_window_trades_and_some_are_short_of_storage_and_some_of_demand(self, evening: Evening) -> None:
        volumes, supplies, demands = [], [], []
        for window in evening.windows:
            book = window.book()
            volumes.append(clear_readable(book, Rules()).volume)
            supplies.append(book.total(Side.SELL))
            demands.append(book.total(Side.BUY))
        assert all(volumes)
        assert any(volume == supply for volume, supply in zip(volumes, supplies, strict=True))
        assert any(volume == demand for volume, demand in zip(volumes, demands, strict=True))

    def test_prices_are_those_of_a_household(self, evening: Evening) -> None:
        for window in evening.windows:
            price = clear_readable(window.book(), Rules()).price
            assert price is not None and 1_500 < price < 3_800

    def test_a_dark_january_has_nothing_to_sell(self) -> None:
        day = date(2016, 1, 10)
        evening = build_evening(read_homes(day), day)
        assert not any(bid.curve.side is Side.SELL for window in evening.windows for bid in window.bids)


NOON = datetime(2016, 10, 20, 10, tzinfo=UTC)


def home(name: str, load: int, battery: Battery | None = None, rows: int = 48) -> Home:
    return Home(name, NOON, (load,) * rows, (0,) * rows, battery)


class TestShape:
    def test_a_profile_that_ends_with_the_last_window_is_enough(self) -> None:
        short = home("s", 0, Battery(8_000, 4_000, 1_000_000, 8_000), rows=32)
        evening = build_evening([short, home("b", 100)], DEMO_DAY)
        assert evening.stored_wh == {"s": 8_000}
        offers = [bid.curve.total for window in evening.windows for bid in window.bids if bid.home == "s"]
        # Twelve bids hold whole energy units of Q_max/64 each, together no more than the battery has (§2).
        assert sum(offers) == 7_957
        assert sum(units_for(offer, 1_000) for offer in offers) <= capacity(8_000, 1_000)

    def test_a_profile_that_ends_earlier_is_refused_by_name(self) -> None:
        with pytest.raises(HomesError, match="home b: no profile for 2016-10-20T17:45"):
            build_evening([home("b", 100, rows=31)], DEMO_DAY)

    def test_windows_go_on_through_the_night_when_clocks_change(self) -> None:
        """A quarter of an hour after the other: 01:45, then 03:00 local."""
        night = Home("b", datetime(2016, 3, 26, 12, tzinfo=UTC), (100,) * 96, (0,) * 96)
        evening = build_evening([night], date(2016, 3, 27), EveningParameters(first=time(1, 30), windows=4))
        assert [f"{window.start:%H:%M}" for window in evening.windows] == ["01:30", "01:45", "03:00", "03:15"]

    def test_no_homes(self) -> None:
        with pytest.raises(HomesError, match="there are no homes"):
            build_evening([], DEMO_DAY)

    @pytest.mark.parametrize(
        "bad",
        [
            lambda: EveningParameters(windows=0),
            lambda: EveningParameters(windows=97),
            lambda: EveningParameters(max_buyers=-1),
            lambda: EveningParameters(first=time(17, 10)),
        ],
    )
    def test_impossible_parameters(self, bad: Callable[[], EveningParameters]) -> None:
        with pytest.raises(HomesError, match="evening: "):
            bad()


class TestSavings:
    def test_a_buyer(self) -> None:
        """2 kWh at 0.30 instead of 0.38 EUR/kWh saves 0.16 EUR."""
        assert buyer_saving(2_000, 600_000, Tariff()) == 160_000

    def test_a_buyer_who_owes_a_levy(self) -> None:
        assert buyer_saving(2_000, 600_000, Tariff(levy=100_000)) == -40_000

    def test_a_seller(self) -> None:
        """Charging with its losses, and wear: at first less than the rest at a lower charge spares, later much more."""
        sample = home("s", 0, Battery(8_000, 4_000, 950_000, 8_000))
        p = EveningParameters()
        charging = BatteryCosts().charging(950_000, p.tariff.feed_in)
        first, deeper = (evening_cost(sample, 8_000, own, 2_000, p) for own in (0, 4_000))
        assert 0 < first < 2 * charging < deeper
        assert evening_cost(sample, 8_000, 0, 0, p) == 0

    def test_a_saving_rounds_against_the_claim(self) -> None:
        assert buyer_saving(1, 0, Tariff(evening=380_999)) == 380
