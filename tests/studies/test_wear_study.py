"""The wear study on one day: energy that closes, money that adds up, refusals."""

from datetime import date

import numpy as np
import pytest

from stowatt.degradation.cells import CELLS
from stowatt.simulation.evening import flat_asks
from stowatt.studies.errors import StudyError
from stowatt.studies.evenings import battery_of, course, one_price, read_day, within_charge
from stowatt.studies.wear import ASKS, NO_MARKET, Settings, evening, ten_years
from tests.studies.test_manipulation import simbench_is_missing

pytestmark = pytest.mark.skipif(simbench_is_missing(), reason="simbench is not installed")


@pytest.fixture(scope="module")
def day():
    return read_day(date(2016, 9, 1))


def test_a_battery_is_back_where_it_was_and_never_beyond_its_size(day):
    played, results = day.cleared(one_price)
    fills = [{name: quantity for name, _, quantity in result.fills} for result in results]
    for home in played.sellers:
        sold = [fill.get(home.id, 0) for fill in fills]
        ours, alone = course(played, home, sold), course(played, home, [])
        for one in (ours, alone):
            assert one.soc[0] == one.soc[-1] == played.stored_wh[home.id] / battery_of(home).usable_wh
            assert ((one.soc >= 0) & (one.soc <= 1)).all()
            assert (np.diff(one.times) == 900).all()
        assert ours.served_wh <= alone.served_wh + 1e-6
        assert (ours.soc[:65] <= alone.soc[:65] + 1e-9).all()


def test_all_strategies_offer_within_the_charge(day):
    asked = []
    day.cleared(lambda stock, parameters: asked.append(stock) or flat_asks(stock, parameters))
    for stock in asked:
        need = sum(max(0, load) for load in stock.own_net_load)
        charge = stock.stored_wh * stock.battery.efficiency_ppm // 10**6
        assert sum(stock.offers) <= max(0, charge - need)
    assert any(sum(stock.offers) for stock in asked)
    assert callable(within_charge(flat_asks))


def test_the_market_wears_batteries_and_nothing_is_sold_without_it(day):
    found = {asks: evening(day, asks, CELLS["lfp"], 25.0) for asks in (*ASKS, NO_MARKET)}
    nothing = found.pop(NO_MARKET)
    assert [nothing[name] for name in ("traded", "paid", "value", "cycles", "age", "other")] == [0] * 6
    for one in found.values():
        assert one["traded"] > 0
        assert one["cycles"] > 0
        assert one["value"] >= one["paid"] > 0
    assert found["flat"]["traded"] >= found["flat, stepped"]["traded"]


def test_ten_years_of_use_leave_less_than_a_new_battery(day):
    cell = CELLS["nmc"]
    market, alone = (evening(day, asks, cell, 25.0)["duties"] for asks in ("flat", NO_MARKET))
    for home, duty in market.items():
        assert 0 <= ten_years(cell, [duty]) < 1
        assert duty.cycle >= alone[home].cycle
        assert ten_years(cell, [duty]) == pytest.approx(ten_years(cell, [duty, duty]))


@pytest.mark.parametrize(
    "bad", [{"cells": ("lead",)}, {"cells": ()}, {"temperatures": ()}, {"temperatures": (300.0,)}, {"days": 0}]
)
def test_settings_that_cannot_be_run_are_refused(bad):
    with pytest.raises(StudyError):
        Settings(**bad)
