"""JSON and CSV come back as they were written, and whatever is broken in a file is named."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.dispatch import DispatchError, DispatchPlan, build, cleared_market, document, tables
from stowatt.dispatch.states import read_forecast, read_states
from tests.dispatch.markets import ORIGIN, Log, evening


def plan() -> DispatchPlan:
    """One with every kind of value: a shortfall, defaults, pairs."""
    return build(cleared_market(evening().events), at=ORIGIN + 5 * 900, stored_wh={2: 1_200}, net_load_wh={(1, 6): -5})


@st.composite
def plans(draw: st.DrawFn) -> DispatchPlan:
    log = Log.start()
    names = [f"s{n}" for n in range(draw(st.integers(1, 3)))]
    for name in names:
        log.device(name, usable=draw(st.integers(0, 3_000)), export=draw(st.integers(0, 4_000)))
    for window in draw(st.sets(st.integers(0, 30), max_size=4)):
        sells = [(name, draw(st.integers(1, 2_000))) for name in names]
        buys = [("b1", 1), ("b2", sum(q for _, q in sells) - 1)] if sum(q for _, q in sells) > 1 else [("b1", 1)]
        log.trade(window, sells, buys, unpaid=draw(st.sampled_from([(), ("b1",), ("b2",)])))
    return build(cleared_market(log.events), at=ORIGIN + draw(st.integers(-1_000, 30_000)))


@given(plans())
def test_json_comes_back(plan: DispatchPlan) -> None:
    assert document.from_json(json.loads(json.dumps(document.to_json(plan)))) == plan


@given(plans())
def test_csv_comes_back(tmp_path_factory: pytest.TempPathFactory, plan: DispatchPlan) -> None:
    folder = tmp_path_factory.mktemp("tables")
    files = {"batteries": tables.battery_csv(plan), "buyers": tables.buyer_csv(plan), "pairs": tables.pair_csv(plan)}
    for name, text in files.items():
        (folder / name).write_text(text)
    rows = [(battery.device, row) for battery in plan.batteries for row in battery.rows]
    assert tables.read_batteries(folder / "batteries") == rows
    assert tables.read_buyers(folder / "buyers") == [(buyer.holder, row) for buyer in plan.buyers for row in buyer.rows]
    assert tuple(tables.read_pairs(folder / "pairs")) == plan.pairs


def test_the_columns() -> None:
    """What docs/dispatch.md promises."""
    lines = tables.battery_csv(plan()).splitlines()
    assert lines[0] == (
        "device,window,start,end,sold_wh,due_wh,deliver_wh,average_w,peak_w,own_wh,charge_wh,before_wh,after_wh,"
        "missing_wh,rights"
    )
    assert lines[2].startswith(
        "1,5,2027-01-15T09:15:00Z,2027-01-15T09:30:00Z,1000,600,570,2280,2280,0,0,9000,8400,0,0x"
    )
    assert tables.buyer_csv(plan()).splitlines()[0] == "holder,window,start,end,wh,average_w,rights"
    assert tables.pair_csv(plan()).splitlines()[0] == "window,sell,buy,wh"


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values in a JSON document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inside for place in paths(part, (*path, key)))]


def test_every_field_of_the_document_is_checked() -> None:
    good = document.to_json(plan())
    for path in paths(good)[1:]:
        for wrong in (None, 0.5, "no", [None], {}):
            bad = copy.deepcopy(good)
            place = bad
            for key in path[:-1]:
                place = place[key]
            if wrong == "no" and isinstance(place[path[-1]], str) and not place[path[-1]].startswith("0x"):
                continue  # other text is text as well
            place[path[-1]] = wrong
            if wrong == "no" and path[-1] in ("market", "owner", "holder"):
                continue
            with pytest.raises(DispatchError):
                document.from_json(bad)


def test_documents_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DispatchError, match="version 2"):
        document.from_json(document.to_json(plan()) | {"version": 2})
    with pytest.raises(DispatchError, match="exactly"):
        document.from_json(document.to_json(plan()) | {"more": 1})
    for text in ("", "[]", "{", "[" * 100_000, "\x00"):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(DispatchError):
            document.read_plan(tmp_path / "x.json")
    with pytest.raises(DispatchError, match="cannot be read"):
        document.read_plan(tmp_path / "none.json")
    (tmp_path / "x.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DispatchError):
        document.read_plan(tmp_path / "x.json")
    (tmp_path / "x.json").write_text(json.dumps(document.to_json(plan())))
    assert document.read_plan(tmp_path / "x.json") == plan()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "other columns"),
        ("window,sell,buy\n", "other columns"),
        ("window,sell,buy,wh\n1,0x1,0x2\n", "3 cells"),
        ("window,sell,buy,wh\n1,0x1,0x2,-5\n", "line 2, column wh: '-5'"),
        ("window,sell,buy,wh\n1,1,0x2,5\n", "column sell"),
        ("window,sell,buy,wh\n1,0xg,0x2,5\n", "column sell"),
        ('window,sell,buy,wh\n"1,0x1,0x2,5\n', "not a CSV"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(DispatchError, match=message):
        tables.read_pairs(tmp_path / "pairs.csv")


def test_a_time_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("holder,window,start,end,wh,average_w,rights\nx,1,today,today,1,1,\n")
    with pytest.raises(DispatchError, match="column start: 'today'"):
        tables.read_buyers(tmp_path / "b.csv")


def test_states_and_forecasts(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("\ufeffstored_kwh,device\r\n1.5,2\r\n\r\n0,3\r\n", encoding="utf-8")
    assert read_states(file) == {2: 1_500, 3: 0}
    file.write_text("device,window,net_load_kwh\n2,7,-0.250\n2,8,1\n")
    assert read_forecast(file) == {(2, 7): -250, (2, 8): 1_000}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has the columns"),
        ("device\n1\n", "has the columns"),
        ("device,stored_kwh\n1\n", "line 2: 1 cells"),
        ("device,stored_kwh\n1,2\n1,3\n", "line 3: device 1 appears twice"),
        ("device,stored_kwh\nx,2\n", "column device: 'x' is no number"),
        ("device,stored_kwh\n1,nan\n", "not a finite number"),
        ("device,stored_kwh\n1,-1\n", "out of range"),
        ("device,stored_kwh\n1,0.0001\n", "out of range"),
        ("device,stored_kwh\n1,1e99\n", "out of range"),
    ],
)
def test_states_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DispatchError, match=message):
        read_states(tmp_path / "x.csv")


def test_forecasts_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("device,window,net_load_kwh\n1,2,3\n1,2,3\n")
    with pytest.raises(DispatchError, match="window 2 twice"):
        read_forecast(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DispatchError):
        read_forecast(file)
    with pytest.raises(DispatchError, match="cannot be read"):
        read_forecast(tmp_path / "none.csv")
