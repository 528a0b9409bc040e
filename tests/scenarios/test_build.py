"""Communities from SimBench and from folders: exact Wh, drawn ownership, prices on the local clock."""

from __future__ import annotations

import importlib.util
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from stowatt.data import simbench
from stowatt.data.homes import Battery, HomesError, to_wh
from stowatt.errors import StowattError
from stowatt.scenarios.build import Data, build, owned, prices_of, storage_of
from stowatt.scenarios.community import Community, Storage
from stowatt.scenarios.draws import assigned, count_of, happens, lot
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.scenario import Ownership, TimeOfUse, parse_scenario
from stowatt.scenarios.simbench_year import Profiles, read_year
from stowatt.simulation.tariff import BatteryCosts
from stowatt.units import PPM

needs_simbench = pytest.mark.skipif(
    importlib.util.find_spec("simbench") is None,
    reason="the package simbench is not installed: pip install --no-deps simbench==1.6.3",
)


@needs_simbench
class TestSimBench:
    @pytest.mark.parametrize("last", [date(2016, 1, 2), date(2016, 3, 28), date(2016, 10, 31)])
    @pytest.mark.parametrize("code", ["1-LV-rural3--1-sw", "1-LV-urban6--2-sw"])
    def test_the_same_wh_as_the_exact_reader_gives(self, code: str, last: date) -> None:
        """With the days on which the clock changes."""
        grid = simbench.read_grid(code)
        homes = simbench.read_homes(last, grid, days_before=1)
        year = read_year(grid, last - timedelta(days=1), 2)
        assert year.homes == tuple(home.id for home in homes)
        assert year.start == homes[0].start
        assert year.batteries == tuple(home.battery for home in homes)
        assert np.array_equal(year.load_wh.T, [home.load_wh for home in homes])
        assert np.array_equal(year.pv_wh.T, [home.pv_wh for home in homes])

    def test_a_whole_year_of_145_homes(self) -> None:
        community, prices = build(parse_scenario({"name": "x"}))
        assert community.load_wh.shape == (35_040, 145)
        assert community.at(0).isoformat() == "2016-01-01T00:00:00+01:00"
        assert community.load_wh.flags.c_contiguous
        assert np.count_nonzero(community.storage.usable_wh) == 14
        assert len(prices.retail) == 35_040

    def test_ties_are_rounded_as_decimals_are(self) -> None:
        """Rated powers that make halves: the floats alone would be a matter of luck."""
        folder = simbench.read_grid().folder
        profiles = Profiles(folder / "RESProfile.csv", ["PV3"], 12_000, 12_400)
        text = [Decimal(value) for value in profiles._text["PV3"].to_list()]
        for rated in (Decimal("0.002"), Decimal("0.000002"), Decimal("0.01"), Decimal("2"), Decimal("0.4")):
            exact = [to_wh(value * rated * 250) for value in text]
            assert profiles.energy((("PV3", rated),)).tolist() == exact

    def test_days_beyond_the_data_are_refused(self) -> None:
        with pytest.raises(HomesError, match="choose days in 2016"):
            read_year(simbench.read_grid(), date(2016, 12, 31), 2)

    def test_another_clock_is_refused(self) -> None:
        scenario = parse_scenario({"name": "x", "community": {"zone": "UTC"}})
        with pytest.raises(ScenarioError, match="SimBench's clock is Europe/Berlin"):
            build(scenario)

    def test_drawn_plants_have_the_shape_of_the_grids_plants(self) -> None:
        own = {"pv": Decimal("0.5"), "pv_kwp": 4, "battery": Decimal("0.25"), "battery_kwh": 8}
        community, _ = build(parse_scenario({"name": "x", "community": {"days": 200}, "ownership": own}))
        sunny = community.pv_wh.any(axis=0)
        owners = community.storage.usable_wh > 0
        assert (sunny.sum(), owners.sum()) == (73, 36)
        assert (sunny | ~owners).all()
        assert 600 <= community.pv_wh.max() <= 1_000
        assert set(community.storage.usable_wh[owners].tolist()) == {8_000}


def data(homes: int = 10, windows: int = 4) -> Data:
    pv = np.zeros((windows, homes), np.int64)
    pv[:, 0] = [0, 100, 200, 50]

    def plant(rated_w: int) -> np.ndarray:
        return np.full(windows, rated_w // 4, np.int64)

    batteries = (Battery(5_000, 2_500, 950_000, 1_000), *[None] * (homes - 1))
    names = tuple(f"home {k}" for k in range(homes))
    return Data(names, datetime(2016, 4, 1, tzinfo=UTC), np.full_like(pv, 90), pv, batteries, (plant,))


class TestOwnership:
    def test_without_shares_it_is_as_the_data_has_it(self) -> None:
        before = data()
        after = owned(before, Ownership(), 1)
        assert after.batteries == before.batteries and (after.pv_wh == before.pv_wh).all()

    def test_a_share_contains_every_smaller_one(self) -> None:
        seen: set[int] = set()
        for share in range(0, PPM + 1, 100_000):
            pv = owned(data(), Ownership(pv_ppm=share), 3).pv_wh
            owners = set(np.flatnonzero(pv.any(axis=0)).tolist())
            assert seen <= owners and len(owners) == share // 100_000
            seen = owners

    def test_the_lot_of_a_home_depends_on_seed_and_name_alone(self) -> None:
        def owners(seed: int, homes: int) -> set[int]:
            return set(np.flatnonzero(owned(data(homes), Ownership(pv_ppm=PPM // 2), seed).pv_wh.any(axis=0)).tolist())

        assert owners(1, 40) == owners(1, 40)
        assert owners(1, 40) != owners(2, 40)

    def test_batteries_go_to_homes_with_pv_first(self) -> None:
        after = owned(data(), Ownership(pv_ppm=300_000, battery_ppm=300_000), 5)
        sunny = after.pv_wh.any(axis=0).tolist()
        assert [battery is not None for battery in after.batteries] == sunny
        more = owned(data(), Ownership(pv_ppm=300_000, battery_ppm=500_000), 5)
        assert sum(battery is not None for battery in more.batteries) == 5

    def test_nobody_has_a_shape_to_copy(self) -> None:
        with pytest.raises(ScenarioError, match=r"leave ownership\.pv out"):
            owned(Data(*[getattr(data(), name) for name in Data.__slots__[:5]], ()), Ownership(pv_ppm=PPM), 1)


class TestDraws:
    def test_strategies_are_shared_out_to_everybody(self) -> None:
        names = [str(k) for k in range(7)]
        found = assigned(1, "x", names, (("a", 400_000), ("b", 350_000), ("c", 250_000)))
        assert sorted(found) == ["a"] * 3 + ["b"] * 2 + ["c"] * 2

    def test_a_count_is_rounded_half_up(self) -> None:
        assert [count_of(share, 10) for share in (0, 49_999, 50_000, 450_000, PPM)] == [0, 0, 1, 5, 10]

    def test_a_probability_is_met(self) -> None:
        found = happens(1, "x", ["a", "b", "c"], 20_000, 30_000)
        assert found.shape == (20_000, 3)
        assert 1_500 < found.sum() < 2_100
        assert not (found[:, 0] == found[:, 1]).all()
        assert happens(1, "x", ["a"], 50, PPM).all() and not happens(1, "x", ["a"], 50, 0).any()

    def test_the_first_lot_never_changes(self) -> None:
        assert lot(1, "pv", "home 1") >> 192 == 0xD09F5C7059B0F770


class TestPrices:
    def test_the_evening_follows_the_local_clock_through_both_changes(self) -> None:
        for start in (datetime(2016, 3, 26, 23, tzinfo=UTC), datetime(2016, 10, 29, 22, tzinfo=UTC)):
            zeros = np.zeros((2 * 96, 1), np.int64)
            community = Community(("a",), start, "Europe/Berlin", zeros, zeros, Storage.none(1))
            retail = prices_of(TimeOfUse(), community).retail
            evenings = {community.at(k).strftime("%H:%M") for k in np.flatnonzero(retail == 380_000)}
            assert (min(evenings), max(evenings), len(evenings)) == ("17:00", "21:45", 20)

    def test_no_evening_at_all(self) -> None:
        zeros = np.zeros((96, 1), np.int64)
        community = Community(("a",), datetime(2016, 1, 1, tzinfo=UTC), "UTC", zeros, zeros, Storage.none(1))
        assert (prices_of(TimeOfUse(evening_from=17, evening_to=17), community).retail == 300_000).all()


def test_wear_is_what_the_battery_costs_say() -> None:
    storage = storage_of([None, Battery(6_000, 3_001, 950_000, 500)], BatteryCosts())
    assert storage.wear.tolist() == [0, BatteryCosts().wear(950_000)]
    assert (storage.cap_wh.tolist(), storage.efficiency_ppm.tolist()) == ([0, 750], [PPM, 950_000])


class TestFolder:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        homes = tmp_path / "homes"
        homes.mkdir()
        first = datetime(2016, 3, 24, 12)
        for name, pv in (("a", "0.5"), ("b", "0")):
            rows = [f"{(first + k * timedelta(minutes=15)).isoformat()}+01:00,0.1,{pv}" for k in range(96 * 4)]
            (homes / f"{name}.csv").write_text("\n".join(["timestamp,load_kwh,pv_kwh", *rows]))
        (homes / "homes.csv").write_text("home,usable_kwh,power_kw,efficiency,initial_kwh\na,6,3,0.95,1\n")
        return tmp_path

    def community(self, place: Path, **more: object) -> Community:
        values = {"source": "folder", "folder": "homes", **more}
        return build(parse_scenario({"name": "x", "community": values}, "x.toml", place))[0]

    def test_whole_local_days_that_all_profiles_have(self, place: Path) -> None:
        community = self.community(place)
        assert community.homes == ("a", "b")
        assert community.at(0).isoformat() == "2016-03-25T00:00:00+01:00"
        assert community.windows == 96 + 96 + 92
        assert community.load_wh.tolist()[0] == [100, 100]
        assert community.storage.usable_wh.tolist() == [6_000, 0]

    def test_days_beyond_the_profiles_are_refused(self, place: Path) -> None:
        with pytest.raises(ScenarioError, match="all profiles cover 2016-03-24T11:00"):
            self.community(place, days=5)
        with pytest.raises(StowattError, match="name like Europe/Berlin"):
            self.community(place, zone="Europe/Nowhere")

    def test_a_drawn_plant_takes_the_highest_quarter_for_its_rating(self, place: Path) -> None:
        values = {"source": "folder", "folder": "homes"}
        own = {"pv": 1, "pv_kwp": 3}
        scenario = parse_scenario({"name": "x", "community": values, "ownership": own}, "x.toml", place)
        assert set(build(scenario)[0].pv_wh.flatten().tolist()) == {750}
