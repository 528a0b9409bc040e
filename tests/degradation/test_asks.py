"""Wear-aware asks: never below the cost of any Wh, rising, within the stated bound, and never more than there is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stowatt.data.homes import Battery
from stowatt.degradation.ask import evening_asks, fit_ask, require_curve, wear_aware_ask
from stowatt.degradation.cell import CellModel, array
from stowatt.degradation.cells import cell_of
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.errors import WearError
from stowatt.degradation.marginal import Marginal, Sale, extrapolations, marginal_cost, total_cost
from stowatt.degradation.state import WearState
from stowatt.simulation.strategies import PriceGrid

WIDE = PriceGrid(tick_size=1_000, ticks=16_384)
HOUR = 3600

cells = st.sampled_from(["lfp", "nmc"]).map(cell_of)


@st.composite
def states(draw: Callable[..., float], known: bool = False) -> WearState:
    soc = draw(st.floats(0.05, 1.0))
    depth = draw(st.floats(0, 1 - soc) if known else st.none() | st.floats(0, 1 - soc))
    return WearState(
        soc,
        draw(st.floats(0, 45)),
        draw(st.floats(0, 0.15)),
        draw(st.floats(0, 0.15)),
        depth,  # type: ignore[arg-type]
    )


@st.composite
def packs(draw: Callable[..., int]) -> Pack:
    usable = draw(st.integers(500, 15_000))
    return Pack(
        usable, draw(st.integers(500, 10_000)), draw(st.integers(800_000, 10**6)), draw(st.integers(800_000, 10**6))
    )


costs = st.builds(
    Costs,
    replacement=st.integers(0, 800_000_000),
    end_of_life=st.floats(0.5, 0.9),
    charging=st.integers(0, 300_000),
    other=st.integers(0, 50_000),
    slope=st.integers(0, 50_000),
    rest_hours=st.floats(0, 24),
)


def plain_total(
    cell: CellModel, state: WearState, pack: Pack, prices: Costs, sale: Sale, before: int, quantity: int
) -> float:
    """Π(q) once more, from the definitions, with plain floats: `before` Wh were taken, then own use and `quantity`."""
    wh = 1e6 / (pack.discharge_ppm * pack.usable_wh)
    start = (1 - state.soc if state.depth is None else state.depth) + before * wh

    def g(depth: float) -> float:
        return float(cell.cycle_stress(array(min(1.0, depth))))

    own = sale.own_wh
    rate = float(cell.rate_factor(array((own + quantity) * wh * HOUR / sale.window_s)))
    stress = rate * (g(start + (own + quantity) * wh) - g(start))
    used, power = state.cycle_stress(cell), cell.cycle_power
    cycle = (used + stress) ** power - used**power
    aged, power = state.calendar_stress(cell), cell.calendar_power

    def waiting(soc: float) -> float:
        k = float(cell.calendar_stress(array(max(0.0, soc)), array(state.temperature_c)))
        return (aged + k * prices.rest_hours / 24) ** power - aged**power

    low = state.soc - (before + own) * wh
    calendar = waiting(low - quantity * wh) - waiting(low)
    value = prices.replacement * pack.usable_wh / 1000 / state.soh / (1 - prices.end_of_life)
    charging = prices.charging / (pack.charge_ppm / 1e6) / (pack.discharge_ppm / 1e6)
    kwh = quantity / 1000
    return (charging + prices.other) * kwh + prices.slope * kwh * kwh / 2 + value * (cycle + calendar)


@st.composite
def sales(draw: Callable[..., int], pack: Pack, state: WearState) -> Sale:
    there = pack.deliverable_wh(state.soc)
    own = draw(st.integers(0, min(there, pack.window_cap_wh())))
    offer = draw(st.integers(0, min(there - own, pack.window_cap_wh() - own)))
    return Sale(offer, own, draw(st.integers(0, there - own - offer)))


@given(cells, states(), packs(), costs, st.data())
@settings(max_examples=40, deadline=None)
def test_never_below_cost_whatever_was_sold_before(
    cell: CellModel, state: WearState, pack: Pack, prices: Costs, data: st.DataObject
) -> None:
    """Every Wh's price is at least Π(z) - Π(z - 1), for any part of what may have been taken before."""
    sale = data.draw(sales(pack, state))
    fit = wear_aware_ask(cell, state, pack, prices, sale, WIDE)
    if fit.curve is None:
        assert sale.offer_wh == 0 or fit.left_out_wh == sale.offer_wh
        return
    price = np.repeat([s.tick for s in fit.curve.segments], [s.width for s in fit.curve.segments]) * WIDE.tick_size
    for taken in {0, sale.before_wh, data.draw(st.integers(0, sale.before_wh))}:
        for place in {0, len(price) - 1, data.draw(st.integers(0, len(price) - 1))}:
            below, above = (
                plain_total(cell, state, pack, prices, sale, taken, quantity) for quantity in (place, place + 1)
            )
            assert price[place] >= 1000 * (above - below) - 0.05


@given(cells, states(), packs(), costs, st.data())
@settings(max_examples=40, deadline=None)
def test_the_exact_costs_add_up_to_the_total(
    cell: CellModel, state: WearState, pack: Pack, prices: Costs, data: st.DataObject
) -> None:
    """(29): the total is the sum of the marginals, and what the definitions give."""
    sale = data.draw(sales(pack, state))
    total = total_cost(cell, state, pack, prices, sale)
    found = marginal_cost(cell, state, pack, prices, sale)
    assert total == pytest.approx(float(np.sum(found.exact)) / 1000, rel=1e-12)
    expected, nothing = (
        plain_total(cell, state, pack, prices, sale, sale.before_wh, quantity) for quantity in (sale.offer_wh, 0)
    )
    assert total == pytest.approx(
        expected - nothing, rel=1e-6, abs=1e-9 * prices.replacement * pack.usable_wh / 1000 + 1e-6
    )


@given(cells, states(), packs(), costs, st.data(), st.integers(1, 16))
@settings(max_examples=40, deadline=None)
def test_convex_within_the_bound_and_complete(
    cell: CellModel, state: WearState, pack: Pack, prices: Costs, data: st.DataObject, segments: int
) -> None:
    sale = data.draw(sales(pack, state))
    fit = wear_aware_ask(cell, state, pack, prices, sale, WIDE, segments=segments)
    ask = fit.marginal.ask
    assert np.all(np.diff(ask) >= 0)
    assert np.all(ask >= fit.marginal.exact - 1e-6)
    if fit.curve is None:
        return
    assert fit.curve.total + fit.left_out_wh == sale.offer_wh
    assert len(fit.curve.segments) <= segments
    assert all(first.tick < second.tick for first, second in pairwise(fit.curve.segments))
    price = np.repeat([s.tick for s in fit.curve.segments], [s.width for s in fit.curve.segments]) * WIDE.tick_size
    over = price - np.maximum(0, ask[: len(price)])
    assert np.all(over >= 0)
    assert np.all(over < fit.bound_ticks * WIDE.tick_size)
    assert float(np.max(over)) == pytest.approx(fit.overshoot_ticks * WIDE.tick_size, abs=1e-3)


def marginal_of(ask: list[float]) -> Marginal:
    values = np.array(ask, dtype=float)
    return Marginal(values, values, values, values, 0.0)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12).map(sorted), st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_no_better_break_points(ask: list[int], segments: int) -> None:
    """The bound is the least: every other way to cut into as many segments has a wider one."""
    grid = PriceGrid(tick_size=1, ticks=100)
    fit = fit_ask(marginal_of([float(value) for value in ask]), grid, segments)

    def least(start: int, left: int) -> int:
        if start == len(ask):
            return 0
        if left == 0:
            return 10**9
        return min(max(ask[end - 1] - ask[start], least(end, left - 1)) for end in range(start + 1, len(ask) + 1))

    assert fit.bound_ticks - 1 == least(0, segments)


def test_costs_round_up_to_ticks() -> None:
    grid = PriceGrid(tick_size=100, ticks=50)
    fit = fit_ask(marginal_of([100.0, 100.1, 200.0, 5000.0]), grid)
    assert fit.curve is not None
    assert [(s.tick, s.width) for s in fit.curve.segments] == [(1, 1), (2, 2)]
    assert fit.left_out_wh == 1


BATTERY = Battery(10_000, 5_000, 950_000, 9_000)
USED = WearState.aged(cell_of("lfp"), soc=1, temperature_c=25, days=1095, fec=700)


def test_deeper_costs_more() -> None:
    """The same offer from a lower charge is dearer at its end: the last kWh wear most."""
    pack = Pack.of(BATTERY)
    prices = [
        float(marginal_cost(cell_of("lfp"), USED.at(soc, 1 - soc), pack, Costs(rest_hours=0), Sale(1_000)).cycle[-1])
        for soc in (0.6, 0.4, 0.2)
    ]
    assert prices[0] < prices[1] < prices[2]


def test_faster_costs_more() -> None:
    pack, state = Pack.of(BATTERY), USED.at(0.9, 0.1)
    slow, fast = (
        total_cost(cell_of("lfp"), state, pack, Costs(), Sale(1_000, window_s=seconds)) for seconds in (3600, 900)
    )
    assert fast > slow


def test_age_is_a_credit_that_never_pays_for_charging() -> None:
    """Only the difference in ageing counts; a full battery gains by selling, but asks what charging costs."""
    pack, state = Pack.of(BATTERY), USED.at(1.0, 0.0)
    with_credit = wear_aware_ask(cell_of("lfp"), state, pack, Costs(rest_hours=12), Sale(1_000))
    without = wear_aware_ask(cell_of("lfp"), state, pack, Costs(rest_hours=0), Sale(1_000))
    assert np.all(with_credit.marginal.calendar < 0)
    assert np.all(without.marginal.calendar == 0)
    assert with_credit.marginal.ask[0] == pytest.approx(with_credit.marginal.base)
    assert np.all(with_credit.marginal.ask <= without.marginal.ask)
    assert with_credit.marginal.base == pytest.approx(80_000 / 0.95**2)


@given(cells, states(known=True), st.lists(st.integers(0, 900), min_size=3, max_size=8), st.data())
@settings(max_examples=40, deadline=None)
def test_an_evening_is_paid_whatever_is_sold_and_used(
    cell: CellModel, state: WearState, own: list[int], data: st.DataObject
) -> None:
    """Any part of each offer sold, any part of each need drawn: the asks cover what the sales add to the wear."""
    pack, prices = Pack.of(BATTERY), Costs(rest_hours=0)
    there = max(0, pack.deliverable_wh(state.soc) - sum(own))
    offers = []
    for load in own[: data.draw(st.integers(1, len(own)))]:
        offers.append(data.draw(st.integers(0, max(0, min(pack.window_cap_wh() - load, there - sum(offers))))))
    fits = evening_asks(cell, state, pack, prices, offers, own, WIDE)
    drawn = [data.draw(st.integers(0, load)) for load in own]
    fills = [data.draw(st.integers(0, fit.curve.total)) if fit.curve else 0 for fit in fits]
    fills += [0] * (len(own) - len(fills))
    asked = (
        sum(fit.curve.value(fill) for fit, fill in zip(fits, fills, strict=False) if fit.curve) * WIDE.tick_size / 1000
    )

    def wear(sold: list[int]) -> float:
        wh = 1e6 / (pack.discharge_ppm * pack.usable_wh)
        at, stress = state.depth or 0.0, 0.0
        for use, sale in zip(drawn, sold, strict=True):
            deeper = min(1.0, at + (use + sale) * wh)
            rate = float(cell.rate_factor(array((use + sale) * wh * 4)))
            stress += rate * float(cell.cycle_stress(array(deeper)) - cell.cycle_stress(array(at)))
            at = deeper
        value = prices.replacement * pack.usable_wh / 1000 / state.soh / (1 - prices.end_of_life)
        return value * (state.cycle_stress(cell) + stress) ** cell.cycle_power

    assert asked >= wear(fills) - wear([0] * len(own)) + sum(fills) / 1000 * prices.base(pack) - 1e-3


@pytest.mark.parametrize("chemistry", ["lfp", "nmc"])
def test_later_windows_ask_more(chemistry: str) -> None:
    """Earlier offers count as sold, so each window starts deeper: its first and its last step never fall."""
    cell = cell_of(chemistry)
    state = WearState.aged(cell, soc=0.9, temperature_c=25, days=1095, fec=700)
    fits = evening_asks(cell, state, Pack.of(BATTERY), Costs(), [400] * 12, [100] * 20, WIDE)
    curves = [require_curve(fit, WIDE) for fit in fits]
    for first, second in pairwise(fits):
        assert np.all(first.marginal.ask <= second.marginal.ask + 1e-6)
    assert curves[0].segments[0].tick < curves[-1].segments[-1].tick


def test_more_than_the_charge_or_the_power_carries_is_refused() -> None:
    pack = Pack.of(BATTERY)
    with pytest.raises(WearError, match="power carries 1250 Wh"):
        marginal_cost(cell_of("lfp"), USED, pack, Costs(), Sale(1_200, own_wh=51))
    with pytest.raises(WearError, match="the charge gives 950 Wh"):
        marginal_cost(cell_of("lfp"), USED.at(0.1), pack, Costs(), Sale(900, before_wh=51))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Costs(end_of_life=1.0),
        lambda: Costs(replacement=-1),
        lambda: Costs(charging=1.5),  # type: ignore[arg-type]
        lambda: Costs(rest_hours=float("nan")),
        lambda: Pack(0, 5_000),
        lambda: Pack(10_000, 5_000, 0),
        lambda: Pack(10_000, 5_000, 1_000_001),
        lambda: Sale(-1),
        lambda: Sale(1.0),  # type: ignore[arg-type]
        lambda: Sale(1, window_s=0),
        lambda: marginal_cost(cell_of("lfp"), WearState(1, 25, 0.5, 0.5), Pack(1_000, 500), Costs(), Sale(1)),
        lambda: marginal_cost(cell_of("lfp"), WearState(1, 25), Pack(10**10, 10**10), Costs(), Sale(10**9)),
    ],
)
def test_impossible_input_is_one_clear_error(make: Callable[[], object]) -> None:
    with pytest.raises(WearError):
        make()


def test_a_grid_that_ends_below_the_cost() -> None:
    grid = PriceGrid(tick_size=100, ticks=10)
    fit = wear_aware_ask(cell_of("lfp"), USED, Pack.of(BATTERY), Costs(), Sale(500), grid)
    assert fit.curve is None
    assert fit.left_out_wh == 500
    with pytest.raises(WearError, match="the grid ends at 900"):
        require_curve(fit, grid)


def test_what_was_never_tested_is_named() -> None:
    pack = Pack(10_000, 50_000)
    assert extrapolations(cell_of("nmc"), WearState(1, 5), pack, Sale(9_000)) == [
        "temperature_c = 5 is outside the tested 10 to 50",
        "c_rate = 3.6 is outside the tested 0 to 2",
    ]
    assert extrapolations(cell_of("lfp"), WearState(1, 25), pack, Sale(1_000)) == []
