"""A folder of the user's own homes: what is accepted, and one clear error for everything else."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.clearing import Rules, clear_readable
from stowatt.data.folder import read_folder
from stowatt.data.homes import Battery, Home, HomesError
from stowatt.simulation.evening import build_evening

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "homes"
HEADER = "timestamp,load_kwh,pv_kwh\n"
GOOD = HEADER + "2016-06-01T17:00,0.25,0\n2016-06-01T17:15,0.5,0.125\n"
BATTERIES = "home,usable_kwh,power_kw,efficiency,initial_kwh\n"


def folder(tmp_path: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / f"{name}.csv").write_bytes(data)
    return tmp_path


class TestExample:
    def test_it_is_read(self) -> None:
        homes = {home.id: home for home in read_folder(EXAMPLE)}
        assert list(homes) == ["anna", "birk", "cleo"]
        assert homes["anna"].battery == Battery(10_200, 5_000, 950_000, 8_400)
        assert homes["birk"].battery is None
        assert homes["anna"].start == datetime(2026, 4, 21, 14, tzinfo=UTC)
        assert len(homes["anna"].load_wh) == 24
        assert homes["anna"].load_wh[4] == 140 and homes["anna"].pv_wh[4] == 580

    def test_a_batterys_cells_and_age_may_be_stated(self, tmp_path: Path) -> None:
        rows = WORN + "a,10,5,0.9,0,NMC,7\n"
        (home,) = read_folder(folder(tmp_path, a=GOOD, homes=rows))
        assert home.battery == Battery(10_000, 5_000, 900_000, 0, "nmc", 7)

    def test_it_trades(self) -> None:
        evening = build_evening(read_folder(EXAMPLE), date(2026, 4, 21))
        results = [clear_readable(window.book(), Rules()) for window in evening.windows]
        assert len(results) == 12
        assert all(result.volume > 0 for result in results[6:])

    def test_the_page_shows_its_rows(self) -> None:
        """docs/homes.md quotes the example's files as they are."""
        page = (ROOT / "docs" / "homes.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
        anna = (EXAMPLE / "anna.csv").read_text(encoding="utf-8")
        assert all(line in anna.splitlines() for line in blocks[0].splitlines())
        assert blocks[1] == (EXAMPLE / "homes.csv").read_text(encoding="utf-8")

    def test_the_page_quotes_the_errors(self, tmp_path: Path) -> None:
        page = (ROOT / "docs" / "homes.md").read_text(encoding="utf-8")
        quoted = re.search(r"```text\n(.*?)```", page, re.DOTALL)
        assert quoted
        rows = (EXAMPLE / "anna.csv").read_text(encoding="utf-8").splitlines()
        number = rows[:]
        number[3] = re.sub(r",[^,]*,", ",n/a,", number[3], count=1)
        gap = [rows[0], *rows[5:10], rows[11]]
        hourly = [rows[0], rows[1], rows[5]]
        found = []
        for name, lines in (("anna", number), ("anna", gap), ("birk", hourly)):
            (tmp_path / f"{name}.csv").write_text("\n".join(lines))
            found.append(error_of(tmp_path))
            (tmp_path / f"{name}.csv").unlink()
        folder(tmp_path, anna=GOOD, homes=BATTERIES + "dora,1,1,1,0\n")
        found.append(error_of(tmp_path))
        shapes = [re.sub(r"row \d+|'[^']*'|due at \S+", "", line) for line in quoted[1].splitlines()]
        assert [re.sub(r"row \d+|'[^']*'|due at \S+", "", line) for line in found] == shapes


def error_of(path: Path) -> str:
    with pytest.raises(HomesError) as caught:
        read_folder(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestAccepted:
    def expect(self, path: Path) -> None:
        (home,) = read_folder(path)
        assert home == Home("a", datetime(2016, 6, 1, 15, tzinfo=UTC), (250, 500), (0, 125))

    def test_plain(self, tmp_path: Path) -> None:
        self.expect(folder(tmp_path, a=GOOD))

    def test_byte_order_mark_and_crlf(self, tmp_path: Path) -> None:
        self.expect(folder(tmp_path, a=b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()))

    def test_blank_lines_spaces_other_columns_and_order(self, tmp_path: Path) -> None:
        text = "pv_kwh, note ,timestamp,load_kwh\n\n0,x,2016-06-01 17:00, 0.25\n0.125,,2016-06-01T17:15:00,5e-1\n\n"
        self.expect(folder(tmp_path, a=text))

    def test_offsets(self, tmp_path: Path) -> None:
        self.expect(folder(tmp_path, a=GOOD.replace("17:00", "17:00+02:00").replace("17:15", "15:15Z")))

    def test_another_clock(self, tmp_path: Path) -> None:
        (home,) = read_folder(folder(tmp_path, a=GOOD), "Europe/London")
        assert home.start == datetime(2016, 6, 1, 16, tzinfo=UTC)

    def test_half_a_wh_rounds_up(self, tmp_path: Path) -> None:
        (home,) = read_folder(folder(tmp_path, a=HEADER + "2016-06-01T17:00,0.0005,0.00049\n"))
        assert (home.load_wh, home.pv_wh) == ((1,), (0,))

    def test_spring_and_autumn_nights(self, tmp_path: Path) -> None:
        spring = ["2016-03-27T01:45", "2016-03-27T03:00"]
        autumn = ["01:45", "02:00", "02:15", "02:30", "02:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
        rows = {"spring": spring, "autumn": [f"2016-10-30T{at}" for at in autumn]}
        folder(tmp_path, **{name: HEADER + "".join(f"{at},1,0\n" for at in stamps) for name, stamps in rows.items()})
        homes = {home.id: home for home in read_folder(tmp_path)}
        assert len(homes["spring"].load_wh) == 2
        assert homes["autumn"].end == datetime(2016, 10, 30, 2, 15, tzinfo=UTC)


FAULTS = [
    ("", "a.csv: the file is empty; its first row must be timestamp,load_kwh,pv_kwh"),
    (HEADER, "a.csv: no rows below the header; give one row"),
    (GOOD.replace("pv_kwh", "pv"), "a.csv, row 1: no column pv_kwh in 'timestamp,load_kwh,pv'; the first row must be"),
    (GOOD.replace(",", ";"), "separate the columns by commas"),
    (GOOD.replace("pv_kwh", "load_kwh"), "row 1: column load_kwh appears twice; keep one"),
    (GOOD.replace("0.5,", "half,"), "a.csv, row 3, load_kwh = 'half': is not a number; write a decimal such as 0.25"),
    (GOOD.replace("0.5,", "-0.5,"), "row 3, load_kwh = '-0.5': is negative; give consumption and generation"),
    (GOOD.replace("0.5,", "NaN,"), "row 3, load_kwh = 'NaN': is not a finite number; fill the gap"),
    (GOOD.replace("0.5,", "inf,"), "row 3, load_kwh = 'inf': is not a finite number"),
    (GOOD.replace("0.5,", ","), "row 3, load_kwh = '': the cell is empty; write 0 where there is none"),
    (GOOD.replace("0.5,", "1000000000,"), "row 3, load_kwh = '1000000000': is above 1000000; check the unit"),
    (GOOD.replace("0.5,", "0,5,"), "a.csv, row 3: 4 cells but the header has 3; write decimals with a point"),
    (GOOD.replace("T17:15", "T17:00"), "row 3, timestamp = '2016-06-01T17:00': the same timestamp appears twice"),
    (GOOD.replace("T17:15", "T16:45"), "row 3, timestamp = '2016-06-01T16:45': goes back in time; sort the rows"),
    (GOOD.replace("T17:15", "T18:00"), "row 3, timestamp = '2016-06-01T18:00': follows after 60 minutes; resample"),
    (GOOD.replace("T17:15", "T17:20"), "row 3, timestamp = '2016-06-01T17:20': is not the start of a quarter"),
    (
        GOOD + "2016-06-01T18:00,1,1\n",
        "row 4, timestamp = '2016-06-01T18:00': 2 row(s) missing before it; the next was",
    ),
    (GOOD.replace("2016-06-01T17:15", "1 June"), "row 3, timestamp = '1 June': is not an ISO timestamp; write it like"),
    (HEADER + "0001-01-01T00:00+14:00,1,1\n", "is outside 1971 to 2999; check the year"),
    (HEADER + "9999-12-31T23:45,1,1\n", "is outside 1971 to 2999; check the year"),
    (HEADER + "2016-03-27T02:30,1,1\n", "does not exist on the clock of Europe/Berlin; add the offset"),
    (b"\xff\xfe\x00a", "a.csv: not a UTF-8 text"),
    (b'timestamp,load_kwh,pv_kwh\n"x"y,1,1\n', "a.csv: not a CSV file"),
]


@pytest.mark.parametrize(("content", "message"), FAULTS, ids=[message[:40] for _, message in FAULTS])
def test_a_faulty_profile(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert message in error_of(folder(tmp_path, a=content))


WORN = BATTERIES.rstrip() + ",cells,age_years\n"
BATTERY_FAULTS = [
    (BATTERIES.replace("power_kw", "power"), "homes.csv, row 1: no column power_kw"),
    (BATTERIES + "b,10,5,0.9,0\n", "homes.csv, row 2, home = 'b': there is no such home; add b.csv"),
    (BATTERIES + "a,10,5,0.9,0\na,10,5,0.9,0\n", "homes.csv, row 3, home = 'a': the home appears twice"),
    (BATTERIES + "a,0,5,0.9,0\n", "row 2, usable_kwh = '0': is zero; give the battery's value"),
    (BATTERIES + "a,10,0.0,0.9,0\n", "row 2, power_kw = '0.0': is zero"),
    (BATTERIES + "a,10,5,95,0\n", "row 2, efficiency = '95': is above 1; give the one-way efficiency as a fraction"),
    (BATTERIES + "a,10,5,0.9,11\n", "row 2, initial_kwh = '11': is above usable_kwh"),
    (BATTERIES + "a,0.0001,5,0.9,0\n", "row 2, usable_kwh = '0.0001': rounds to zero; check the unit"),
    (BATTERIES + "a,10,5,0.0000001,0\n", "row 2, efficiency = '0.0000001': rounds to zero"),
    (BATTERIES + "a,ten,5,0.9,0\n", "row 2, usable_kwh = 'ten': is not a number"),
    (WORN + "a,10,5,0.9,0,lead,4\n", "row 2, cells = 'lead': is no kind of cells; choose from lfp, nmc"),
    (WORN + "a,10,5,0.9,0,,0\n", "row 2, age_years = '0': is no age in whole years; give 1 to 15"),
    (WORN + "a,10,5,0.9,0,,2.5\n", "row 2, age_years = '2.5': is no age in whole years"),
    (WORN.replace("age_years", "cells") + "a,10,5,0.9,0,,\n", "row 1: column cells appears twice"),
]


@pytest.mark.parametrize(("content", "message"), BATTERY_FAULTS, ids=[message[:40] for _, message in BATTERY_FAULTS])
def test_a_faulty_battery(tmp_path: Path, content: str, message: str) -> None:
    assert message in error_of(folder(tmp_path, a=GOOD, homes=content))


def test_no_folder_no_homes_no_clock(tmp_path: Path) -> None:
    with pytest.raises(HomesError, match="is not a folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(HomesError, match="holds no home"):
        read_folder(tmp_path)
    with pytest.raises(HomesError, match="unknown time zone 'Mars/Base'; use a name like Europe/Berlin"):
        read_folder(folder(tmp_path, a=GOOD), "Mars/Base")


@given(data=st.binary(max_size=200))
def test_whatever_the_bytes_there_is_a_home_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes")
    (path / "a.csv").write_bytes(HEADER.encode() + data)
    try:
        read_folder(path)
    except HomesError as error:
        assert "\n" not in str(error)


class TestHome:
    def test_a_row_outside_the_profile(self) -> None:
        home = Home("a", datetime(2016, 6, 1, tzinfo=UTC), (1, 2), (0, 0))
        assert home.index(datetime(2016, 6, 1, 0, 15, tzinfo=UTC)) == 1
        with pytest.raises(HomesError, match="no profile for 2016-06-01T00:30"):
            home.index(datetime(2016, 6, 1, 0, 30, tzinfo=UTC))
        with pytest.raises(HomesError, match="not the start of a quarter"):
            home.index(datetime(2016, 6, 1, 0, 20, tzinfo=UTC))

    def test_impossible_homes_and_batteries(self) -> None:
        with pytest.raises(HomesError, match="2 rows of load but 1 of PV"):
            Home("a", datetime(2016, 6, 1, tzinfo=UTC), (1, 2), (0,))
        with pytest.raises(HomesError, match="is not in UTC"):
            Home("a", datetime(2016, 6, 1), (1,), (0,))
        for battery in ((0, 1, 1, 0), (1, 0, 1, 0), (1, 1, 1_000_001, 0), (1, 1, 1, 2)):
            with pytest.raises(HomesError, match="battery: "):
                Battery(*battery)
