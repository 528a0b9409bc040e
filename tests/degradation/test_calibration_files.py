"""Files of operating data: read exactly, or one error that names file, line, column and value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.degradation.calibration_sources import policy_parts, read_cycle_life, read_kind, read_mj1
from stowatt.degradation.calibration_table import OperatingDataError
from stowatt.degradation.operating_data import read_operating_data
from stowatt.errors import StowattError

HEADER = "cell,dod,temperature_c,utilisation,days,soh_loss,site\n"
ROWS = "anna,0.8,25,1.5,30,0.010,north\nben,0.5,-5,0,10,-0.001,south\nanna,0.7,20,1,60,0.02,north\n"
MJ1 = "cell,temperature_k,replicate,equivalent_full_cycles,soh_percent\n"
LIFE = "Cell barcode,Dataset,Batch date,Cycle life,Charging policy\n"


def written(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_become_intervals(tmp_path: Path) -> None:
    data = read_operating_data(written(tmp_path, HEADER + ROWS))
    assert data.cell == ("anna", "ben")
    assert data.of_cell.tolist() == [0, 0, 1]
    assert data.days is not None and data.full_cycles is not None and data.temperature_k is not None
    assert data.days.tolist() == [30, 60, 10]
    assert data.full_cycles.tolist() == [45, 60, 0]
    assert data.temperature_k.tolist() == pytest.approx([298.15, 293.15, 268.15])
    assert data.soh_loss.tolist() == [0.01, 0.02, -0.001]
    assert data.names("site") == ("north", "south")
    assert {name: rows.tolist() for name, rows in data.groups("site").items()} == {"north": [0, 1], "south": [2]}


def test_parquet_kelvin_and_no_cell_column(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    columns = {"dod": [0.5, 0.6], "temperature_k": [290.0, 300], "utilisation": [1, 2], "days": [1, 2]}
    pl.DataFrame(columns | {"soh_loss": [0.1, 0.2]}).write_parquet(path)
    data = read_operating_data(path)
    assert data.cell == ("1",) and data.temperature_k is not None
    assert data.temperature_k.tolist() == [290, 300]


def test_what_came_before_is_that_of_the_first_row(tmp_path: Path) -> None:
    text = "cell,dod,temperature_c,utilisation,days,soh_loss,start_full_cycles,start_days\n"
    data = read_operating_data(written(tmp_path, text + "a,1,20,1,10,0.01,500,400\na,1,20,1,10,0.01,510,410\n"))
    assert data.start_full_cycles is not None and data.start_days is not None
    assert (data.start_full_cycles.tolist(), data.start_days.tolist()) == ([500], [400])


def test_a_column_that_changes_within_a_cell_is_no_label(tmp_path: Path) -> None:
    data = read_operating_data(written(tmp_path, HEADER + ROWS.replace("0.02,north", "0.02,west")))
    assert data.labels == {}


BAD_ROWS = [
    ("anna,1.2,25,1,30,0.01,n", "line 2, column dod: '1.2' is outside 0 to 1", "80 % is 0.8"),
    ("anna,80%,25,1,30,0.01,n", "line 2, column dod: '80%' is not a number", "plain decimal"),
    ("anna,0.8,298.15,1,30,0.01,n", "column temperature_c: '298.15' is outside -60 to 120", "temperature_k"),
    ("anna,0.8,25,-1,30,0.01,n", "column utilisation: '-1'", "0 in storage"),
    ("anna,0.8,25,1,0,0.01,n", "column days: '0'", "above 0"),
    ("anna,0.8,25,1,30,1.5,n", "column soh_loss: '1.5'", "2 % is 0.02"),
    ("anna,0.8,25,1,30,nan,n", "column soh_loss: 'nan' is not a finite number", ""),
    ("anna,0.8,25,1,30,,n", "column soh_loss: is empty", ""),
    ("anna,0,25,1,30,0.01,n", "column dod: is 0 although utilisation is above 0", "depth"),
    (",0.8,25,1,30,0.01,n", "column cell: is empty", "a name"),
    ("anna,0.8,25,1,30,0.01", "line 2: the row has 6 cells instead of 7", ""),
    ('"anna,0.8,25,1,30,0.01,n', "not valid CSV", "close every quote"),
]


@pytest.mark.parametrize(("row", "what", "way_out"), BAD_ROWS)
def test_a_bad_row_is_named(tmp_path: Path, row: str, what: str, way_out: str) -> None:
    path = written(tmp_path, HEADER + row + "\n")
    with pytest.raises(OperatingDataError) as caught:
        read_operating_data(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and what in message and way_out in message
    assert "\n" not in message


BAD_FILES = [
    ("", "the file is empty"),
    (HEADER, "no row below the header"),
    ("cell,dod,temperature_c\n1,1,1\n", "column 'utilisation' is missing"),
    (HEADER.replace("temperature_c,", "temp,") + ROWS, "there is no temperature column"),
    (HEADER.replace("site", "temperature_k") + ROWS, "both temperature_c and temperature_k"),
    (HEADER.replace("site", "dod") + ROWS, "column 'dod' is there twice"),
]


@pytest.mark.parametrize(("text", "what"), BAD_FILES)
def test_a_bad_file_is_named(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(OperatingDataError, match=what):
        read_operating_data(written(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OperatingDataError, match="no such file"):
        read_operating_data(tmp_path / "none.csv")
    with pytest.raises(OperatingDataError, match="is a directory"):
        read_operating_data(tmp_path)
    for content, what in ((b"\xff\xfea\x00", "UTF-16"), (b"a\n\xe9\n", "line 2: byte 0xe9"), (b"PAR1xx", "Parquet")):
        path = tmp_path / "bad"
        path.write_bytes(content)
        with pytest.raises(OperatingDataError, match=what):
            read_operating_data(path)


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: (HEADER + text).encode())))
def test_any_content_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    for kind in ("auto", "operating", "mj1", "cycle-life"):
        try:
            read_kind(path, kind)
        except StowattError as error:
            assert "\n" not in str(error)


def test_checks_of_capacity_become_losses(tmp_path: Path) -> None:
    rows = "X,273.15,1,0,100\nX,273.15,2,5,99\nX,273.15,1,10,98\nX,273.15,2,15,96.5\nX,273.15,1,30,97\n"
    data = read_mj1(written(tmp_path, MJ1 + rows))
    assert data.cell == ("X 273.15 K no. 1", "X 273.15 K no. 2")
    assert data.of_cell.tolist() == [0, 0, 1]
    assert data.soh_loss.tolist() == pytest.approx([0.02, 0.01, 0.025])
    assert data.full_cycles is not None and data.full_cycles.tolist() == [10, 20, 10]
    assert data.start_full_cycles is not None and data.start_full_cycles.tolist() == [0, 5]
    assert data.names("replicate") == ("no. 1", "no. 2")
    assert data.names("temperature") == ("0 °C", "0 °C")


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ("X,273.15,1,0,100\nX,273.15,1,0,99\n", "line 3, column equivalent_full_cycles: 0 does not come after 0"),
        ("X,273.15,1,0,100\n", "a cell has a single check"),
        ("X,0,1,0,100\n", "column temperature_k: '0' is outside"),
        ("X,273.15,1,0,150\n", "column soh_percent: '150' is outside"),
    ],
)
def test_bad_checks_of_capacity(tmp_path: Path, rows: str, what: str) -> None:
    with pytest.raises(OperatingDataError, match=what):
        read_mj1(written(tmp_path, MJ1 + rows))


def test_lives_and_policies(tmp_path: Path) -> None:
    rows = "A,Train,5/12/17,1000,3.6C(80%)-3.6C\nB,Train,5/12/17,500,6C(40%)-3C\n"
    data = read_cycle_life(written(tmp_path, LIFE + rows))
    assert data.measured == "life" and data.cluster == "policy"
    assert data.utilisation is not None and data.full_cycles is not None
    assert data.utilisation.tolist() == pytest.approx([3.6, 4.5])
    assert np.allclose(data.soh_loss, 0.2) and data.full_cycles.tolist() == [1000, 500]
    assert policy_parts("5.6C(36%)-4.3C") == (5.6, 0.36, 4.3)


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ("A,T,b,1000,fast\n", "line 2, column Charging policy: 'fast' is not a policy"),
        ("A,T,b,1000,6C(90%)-3C\n", "not a policy"),
        ("A,T,b,1000,0C(40%)-3C\n", "not a policy"),
        ("A,T,b,0,6C(40%)-3C\n", "column Cycle life: '0' is outside"),
        ("A,T,b,9,6C(40%)-3C\nA,T,b,9,6C(40%)-3C\n", "line 3, column Cell barcode: 'A' is there twice"),
    ],
)
def test_bad_lives(tmp_path: Path, rows: str, what: str) -> None:
    with pytest.raises(OperatingDataError, match=what):
        read_cycle_life(written(tmp_path, LIFE + rows))


def test_the_kind_is_seen_from_the_columns(tmp_path: Path) -> None:
    assert read_kind(written(tmp_path, HEADER + ROWS)).labels
    assert read_kind(written(tmp_path, LIFE + "A,T,b,9,6C(40%)-3C\n")).measured == "life"
    assert read_kind(written(tmp_path, MJ1 + "X,300,1,0,100\nX,300,1,9,98\n")).days is None
