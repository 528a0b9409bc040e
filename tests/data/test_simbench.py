"""SimBench's grid 1-LV-rural3--1-sw: the right elements, the right homes, the right clock."""

import importlib.util
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from stowatt.data import simbench
from stowatt.data.homes import WINDOW, HomesError
from stowatt.data.simbench import DEMO_DAY, find_networks, read_grid, read_homes

needs_simbench = pytest.mark.skipif(
    importlib.util.find_spec("simbench") is None,
    reason="the package simbench is not installed: pip install --no-deps simbench==1.6.3",
)


@needs_simbench
class TestGrid:
    def test_the_code_selects_lv3_101_with_145_loads_25_pv_and_14_storage_units(self) -> None:
        grid = read_grid("1-LV-rural3--1-sw")
        assert grid.subnet == "LV3.101"
        assert (len(grid.loads), len(grid.plants), len(grid.storages)) == (145, 25, 14)

    @pytest.mark.parametrize(
        ("code", "subnet", "loads"),
        [
            ("1-LV-rural1--1-sw", "LV1.101", 14),
            ("1-LV-semiurb5--0-no_sw", "LV5.201", 104),
            ("1-LV-urban6--2-sw", "LV6.201", None),
        ],
    )
    def test_other_grids_of_the_same_level(self, code: str, subnet: str, loads: int | None) -> None:
        grid = read_grid(code)
        assert grid.subnet == subnet
        assert grid.loads and loads in (None, len(grid.loads))

    def test_the_scenario_of_today_has_no_storage(self) -> None:
        assert read_grid("1-LV-rural3--0-sw").storages == ()

    def test_pandapower_is_not_imported(self) -> None:
        script = (
            "import sys; from stowatt.data.simbench import read_grid; read_grid(); print('simbench' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


@needs_simbench
class TestHomes:
    def test_every_load_is_a_home_and_39_have_pv_of_which_14_a_battery(self) -> None:
        homes = read_homes(DEMO_DAY)
        assert len(homes) == len({home.id for home in homes}) == 145
        assert sum(home.battery is not None for home in homes) == 14
        summer = read_homes(date(2016, 7, 15), days_before=0)
        assert sum(any(home.pv_wh) for home in summer) == 25 + 14
        assert all(any(home.pv_wh) for home in summer if home.battery)

    def test_a_storage_belongs_to_the_household_that_its_profile_names(self) -> None:
        """Bus 77 has a household and a charging point; the storage runs for the household (G)."""
        home = {home.id: home for home in read_homes(DEMO_DAY, days_before=0)}
        assert home["Load 52"].battery is not None and home["Load 130"].battery is None
        battery = home["Load 52"].battery
        assert (battery.usable_wh, battery.power_w, battery.efficiency_ppm, battery.energy_wh) == (
            10_300,
            5_100,
            950_000,
            0,
        )

    def test_the_published_sum_is_pv_when_the_battery_is_full(self) -> None:
        """PV_Storage is PV plus battery: at 13:30 on 15 July the battery is full and all that is left is PV."""
        grid = read_grid()
        storage = next(unit for unit in grid.storages if unit["node"] == "LV3.101 Bus 107")
        columns = ["time", storage["profile"]]
        row = (datetime(2016, 7, 15, 11, 30, tzinfo=UTC) - simbench.FIRST_ROW) // WINDOW
        published = simbench.read_table(grid.folder / "StorageProfile.csv", columns, row, 1)
        plant = simbench.read_table(grid.folder / "RESProfile.csv", ["time", "PV3"], row, 1)
        assert published["time"][0] == plant["time"][0] == "15.07.2016 13:30"
        assert abs(Decimal(published[storage["profile"]][0]) - Decimal(plant["PV3"][0])) < Decimal("0.002")

    def test_energy_is_profile_times_rating_times_a_quarter_hour_rounded_half_up(self) -> None:
        """1 January 2016, 00:00: Load 1 has the profile H0-C and is rated 3 kW."""
        grid = read_grid()
        profile = simbench.read_table(grid.folder / "LoadProfile.csv", ["time", "H0-C_pload"], 0, 1)
        assert profile["time"][0] == "01.01.2016 00:00"
        home = next(home for home in read_homes(date(2016, 1, 1)) if home.id == "Load 1")
        wh = Decimal(profile["H0-C_pload"][0]) * 3000 / 4
        assert abs(home.load_wh[0] - wh) <= Decimal("0.5")

    def test_no_energy_is_negative(self) -> None:
        assert min(min(*home.load_wh, *home.pv_wh) for home in read_homes(date(2016, 6, 1))) >= 0


@needs_simbench
class TestClock:
    """The files follow German local time with summer time; the homes follow UTC."""

    @pytest.mark.parametrize(
        ("day", "rows"),
        [(date(2016, 3, 27), 92), (date(2016, 10, 30), 100), (date(2016, 6, 1), 96), (date(2016, 12, 31), 96)],
    )
    def test_rows_of_a_day(self, day: date, rows: int) -> None:
        homes = read_homes(day, days_before=0)
        assert {len(home.load_wh) for home in homes} == {rows}

    def test_seventeen_o_clock_in_summer_is_fifteen_utc(self) -> None:
        home = read_homes(date(2016, 6, 1), days_before=0)[0]
        assert home.start == datetime(2016, 5, 31, 22, tzinfo=UTC)
        assert home.index(datetime(2016, 6, 1, 15, tzinfo=UTC)) == 17 * 4

    def test_the_first_day_has_nothing_before_it(self) -> None:
        assert len(read_homes(date(2016, 1, 1), days_before=3)[0].load_wh) == 96

    @pytest.mark.parametrize("day", [date(2015, 12, 31), date(2017, 1, 1), date(2026, 11, 22)])
    def test_another_year_is_refused(self, day: date) -> None:
        with pytest.raises(HomesError, match="choose a date in 2016"):
            read_homes(day)


@needs_simbench
@pytest.mark.parametrize("code", ["1-MV-rural--1-sw", "1-LV-rural9--1-sw", "rural3", ""])
def test_another_code_is_refused(code: str) -> None:
    with pytest.raises(HomesError, match="write one like 1-LV-rural3--1-sw"):
        read_grid(code)


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(HomesError, match="pip install --no-deps simbench"):
        find_networks()


class TestDamagedFiles:
    """A small grid of our own in SimBench's layout, then one fault at a time."""

    @pytest.fixture
    def networks(self, tmp_path: Path) -> Path:
        folder = tmp_path / "1-complete_data-mixed-all-1-sw"
        folder.mkdir()
        (folder / "Load.csv").write_text("id;node;profile;pLoad;subnet\nLV3.101 Load 1;B1;H0-A;0.002;LV3.101\n")
        (folder / "RES.csv").write_text("id;node;profile;pRES;subnet\nLV3.101 SGen 1;B1;PV1;0.004;LV3.101\n")
        (folder / "Storage.csv").write_text(
            "id;node;type;profile;pStor;eStore;etaStore;subnet\n"
            "LV3.101 Storage 1;B1;PV_Storage;Storage_PV1_H0-A;-0.003;0.006;0.95;LV3.101\n"
        )
        hours = [f"01.01.2016 {hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
        (folder / "LoadProfile.csv").write_text("time;H0-A_pload\n" + "".join(f"{at};0.5\n" for at in hours))
        (folder / "RESProfile.csv").write_text("time;PV1\n" + "".join(f"{at};0.1\n" for at in hours))
        return tmp_path

    def read(self, networks: Path) -> list[tuple[int, int]]:
        homes = read_homes(date(2016, 1, 1), read_grid(networks=networks))
        return [(home.load_wh[0], home.pv_wh[0]) for home in homes]

    def test_the_small_grid_is_read(self, networks: Path) -> None:
        assert self.read(networks) == [(250, 175)]

    @pytest.mark.parametrize(
        ("file", "old", "new", "message"),
        [
            ("Load.csv", "0.002", "two", "pLoad = 'two' is not a number"),
            ("Load.csv", "profile;pLoad", "profile;p", "pLoad"),
            ("RES.csv", "B1", "B7", "no load at all at B7"),
            ("Storage.csv", "PV_Storage;", "Battery;", "unknown kind of storage"),
            ("Storage.csv", "PV1_H0-A", "PV1_H0-B", "no load H0-B at B1"),
            ("LoadProfile.csv", "01.01.2016 00:30", "01.01.2016 00:31", "not where they should be"),
            ("LoadProfile.csv", "00:30;0.5", "00:30;none", "not a number"),
            ("LoadProfile.csv", "00:30;0.5", "00:30;", "not a number"),
            ("LoadProfile.csv", "H0-A_pload", "H0-B_pload", "LoadProfile.csv of simbench cannot be read"),
        ],
    )
    def test_one_fault(self, networks: Path, file: str, old: str, new: str, message: str) -> None:
        path = networks / "1-complete_data-mixed-all-1-sw" / file
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(HomesError, match=message):
            self.read(networks)

    def test_a_missing_file(self, networks: Path) -> None:
        (networks / "1-complete_data-mixed-all-1-sw" / "RESProfile.csv").unlink()
        with pytest.raises(HomesError, match=r"RESProfile\.csv of simbench cannot be read"):
            self.read(networks)
