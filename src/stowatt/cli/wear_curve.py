"""`stowatt wear curve`: what the next kWh of a battery cost it, and the ask that follows (28)-(29)."""

import json
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console
from rich.table import Table

from stowatt.cli.values import duration, share
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit, shown
from stowatt.degradation.ask import AskFit, require_curve, wear_aware_ask
from stowatt.degradation.cells import cell_of
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.errors import OutOfRangeError
from stowatt.degradation.fitted import FittedCell
from stowatt.degradation.marginal import Sale, extrapolations
from stowatt.degradation.state import WearState
from stowatt.errors import UnitError
from stowatt.simulation.strategies import PriceGrid
from stowatt.units import MAX_SEGMENTS

MONEY: Final = DecimalUnit(1, -6)
"""A base unit: the millionth of the money that options are given in."""
_DAYS_A_YEAR: Final = 365.25
_MOST_MONEY: Final = 10**15


def curve(
    chemistry: Annotated[Literal["lfp", "nmc"], typer.Option(help="The cell's wear model.")] = "lfp",
    theta: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The battery's own law instead: what `wear fit --out` wrote.")
    ] = None,
    utilisation: Annotated[
        float | None, typer.Option(help="With --theta: full cycles a day (default: the data's reference).")
    ] = None,
    capacity: Annotated[str, typer.Option(metavar="KWH", help="Present usable energy.")] = "10",
    power: Annotated[str, typer.Option(metavar="KW", help="Discharge power at the terminals.")] = "5",
    offer: Annotated[
        str | None, typer.Option(metavar="KWH", help="What is offered (default: all that can be).")
    ] = None,
    soc: Annotated[float, typer.Option(help="State of charge, 0 to 1.")] = 0.9,
    depth: Annotated[
        float | None, typer.Option(help="Depth that this discharge has reached already (default: not known).")
    ] = None,
    temperature: Annotated[float, typer.Option(metavar="°C", help="Cell temperature.")] = 25.0,
    years: Annotated[float, typer.Option(help="Age of the battery.")] = 3.0,
    cycles: Annotated[float, typer.Option(help="Full equivalent cycles so far.")] = 700.0,
    soh: Annotated[float | None, typer.Option(help="Measured state of health (default: the model's).")] = None,
    replacement: Annotated[str, typer.Option(help="Price of a new battery, money per usable kWh.")] = "400",
    end_of_life: Annotated[float, typer.Option(help="State of health at which it is replaced.")] = 0.8,
    efficiency: Annotated[str, typer.Option(help="One-way efficiency; a round trip has its square.")] = "0.95",
    charging: Annotated[str, typer.Option(help="Feed-in price forgone when charging, money per kWh.")] = "0.08",
    slope: Annotated[str, typer.Option(help="b: rise of the price with each kWh sold, money per kWh and kWh.")] = "0",
    rest: Annotated[float, typer.Option(metavar="HOURS", help="Hours that the sale keeps the charge lower.")] = 4.0,
    window: Annotated[str, typer.Option(help="Length of the window.")] = "15m",
    own: Annotated[str, typer.Option(metavar="KWH", help="What the home itself draws in the window.")] = "0",
    before: Annotated[
        str, typer.Option(metavar="KWH", help="What may be taken besides: earlier offers, the home's other needs.")
    ] = "0",
    tick_size: Annotated[str, typer.Option(help="Money per kWh of one tick.")] = "0.0001",
    ticks: Annotated[int, typer.Option(help="Number of ticks of the market's grid.")] = 4096,
    segments: Annotated[int, typer.Option(help="The most steps of the ask.")] = MAX_SEGMENTS,
    extrapolate: Annotated[
        bool, typer.Option("--extrapolate", help="Go beyond the conditions that the cell was tested at.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw costs and ask to an .svg or .png file.")
    ] = None,
) -> None:
    """What the next kWh of a battery cost it, and the rising ask that is never below that.

    Costs are charging, losses, wear by cycling, and the difference that the sale makes to ageing. Every Wh's price is
    at least its cost; the table says by how much it can be above.
    """
    if plot is not None:
        from stowatt.cli.clear_plot import check_target

        check_target(plot)
    if utilisation is not None and theta is None:
        raise OutOfRangeError("--utilisation changes nothing without --theta", "give --theta FILE too, or leave it out")
    cell = cell_of(chemistry) if theta is None else _fitted(theta, temperature, utilisation)
    ppm = share("the efficiency", efficiency)
    pack = Pack(_energy("capacity", capacity), _energy("power", power), ppm, ppm)
    state = WearState.aged(
        cell, soc=soc, temperature_c=temperature, days=years * _DAYS_A_YEAR, fec=cycles, soh=soh, depth=depth
    )
    costs = Costs(
        replacement=_money("replacement", replacement),
        end_of_life=end_of_life,
        charging=_money("charging", charging),
        slope=_money("slope", slope),
        rest_hours=rest,
    )
    grid = PriceGrid(max(0, _money("tick-size", tick_size)), ticks)
    length, used, taken = duration("window", window), _energy("own", own), _energy("before", before)
    sale = Sale(_all(pack, soc, used, taken, length) if offer is None else _energy("offer", offer), used, taken, length)
    notes = extrapolations(cell, state, pack, sale)
    if isinstance(cell, FittedCell):
        asked = {"full_cycles": cycles, "days": years * _DAYS_A_YEAR}
        notes += cell.theta.outside(**asked, **({} if utilisation is None else {"utilisation": utilisation}))
    if notes and not extrapolate:
        raise OutOfRangeError(f"{cell.name}: {'; '.join(notes)}", "add --extrapolate to go beyond what was tested")
    fit = wear_aware_ask(cell, state, pack, costs, sale, grid, segments=segments)
    if fit.left_out_wh and fit.curve is None:
        least, last = MONEY.text(ceil(fit.marginal.ask[0])), MONEY.text((grid.ticks - 1) * grid.tick_size)
        raise OutOfRangeError(
            f"a kWh costs at least {least}, and the grid ends at {last}", "use more --ticks or a larger --tick-size"
        )
    require_curve(fit, grid)
    if plot is not None:
        from stowatt.cli.wear_curve_plot import plot_ask

        plot_ask(plot, fit, grid.tick_size, f"{cell.name}, SOH {state.soh:.1%}, SOC {soc:.0%}, {temperature:g} °C")
    if as_json:
        print(json.dumps(_document(fit, state, grid, notes) | {"worn_out": state.soh < end_of_life}))
    else:
        _print(fit, state, grid, notes, cell.name)
        if state.soh < end_of_life:
            print(f"note: a state of health of {state.soh:.1%} is below the end of life of {end_of_life:.1%}")


def _fitted(path: Path, temperature: float, utilisation: float | None) -> FittedCell:
    from stowatt.degradation.calibration_theta import read_theta

    law = read_theta(path)
    return FittedCell(law, temperature, law.utilisation_reference if utilisation is None else utilisation)


def _all(pack: Pack, soc: float, used: int, taken: int, length: int) -> int:
    """All that can be offered, Wh."""
    charge, power = pack.deliverable_wh(soc), pack.window_cap_wh(length)
    most = min(charge - taken, power) - used
    if most <= 0:
        raise OutOfRangeError(
            f"nothing is left to offer: the charge gives {WH_IN_KWH.text(charge)} kWh, the window's power "
            f"{WH_IN_KWH.text(power)} kWh, and {WH_IN_KWH.text(used + taken)} kWh are taken otherwise",
            "check --soc, --capacity, --power, --own and --before",
        )
    return most


def _energy(name: str, text: str) -> int:
    """kWh as Wh, or kW as W."""
    count = WH_IN_KWH.count(text)
    if count is None or not 0 <= count < 2**48:
        raise UnitError(f"--{name} is {shown(text)}", "give a number from 0 with at most three decimals")
    return count


def _money(name: str, text: str) -> int:
    count = MONEY.count(text)
    if count is None or not 0 <= count <= _MOST_MONEY:
        raise UnitError(f"--{name} is {shown(text)}", "give a price from 0 with at most six decimals")
    return count


def _rows(fit: AskFit, grid: PriceGrid) -> list[dict[str, Any]]:
    """Each step with the costs of its first and its last Wh."""
    rows, begin = [], 0
    for tick, width in fit.curve.segments if fit.curve else ():
        end = begin + width
        rows.append(
            {
                "tick": tick,
                "price": MONEY.text(tick * grid.tick_size),
                "quantity_wh": width,
                "up_to_wh": end,
                "cost_first": _rounded(float(fit.marginal.exact[begin])),
                "cost_last": _rounded(float(fit.marginal.exact[end - 1])),
                "envelope_last": _rounded(float(fit.marginal.ask[end - 1])),
            }
        )
        begin = end
    return rows


def _rounded(base_units: float) -> float:
    """Base units per kWh as money per kWh, to six decimals: for showing only."""
    return round(base_units / 1e6, 6)


def _document(fit: AskFit, state: WearState, grid: PriceGrid, notes: list[str]) -> dict[str, Any]:
    rows = _rows(fit, grid)
    offered = fit.curve.total if fit.curve else 0
    return {
        "state": {
            "soh": round(state.soh, 6),
            "calendar_loss": round(state.calendar_loss, 6),
            "cycle_loss": round(state.cycle_loss, 6),
        },
        "ask": rows,
        "offered_wh": offered,
        "left_out_wh": fit.left_out_wh,
        "bound_ticks": fit.bound_ticks,
        "overshoot_ticks": round(fit.overshoot_ticks, 3),
        "tick_size": MONEY.text(grid.tick_size),
        "charging_and_losses": _rounded(fit.marginal.base),
        "envelope_overcharge": _rounded(fit.marginal.overcharge),
        "total_cost": _rounded(fit.marginal.total(offered)),
        "total_asked": _rounded(sum(row["tick"] * grid.tick_size * row["quantity_wh"] for row in rows) / 1000),
        "extrapolated": notes,
    }


def _print(fit: AskFit, state: WearState, grid: PriceGrid, notes: list[str], name: str) -> None:
    console = Console()
    document = _document(fit, state, grid, notes)
    losses = f"{state.calendar_loss:.1%} by age, {state.cycle_loss:.1%} by cycling"
    table = Table(title=f"{name}, SOH {state.soh:.1%} ({losses}): money per kWh")
    for heading in ("ask", "kWh", "up to kWh", "cost of the\nfirst Wh", "cost of the\nlast Wh", "envelope"):
        table.add_column(heading, justify="right")
    for row in document["ask"]:
        table.add_row(
            row["price"],
            WH_IN_KWH.text(row["quantity_wh"]),
            WH_IN_KWH.text(row["up_to_wh"]),
            f"{row['cost_first']:.4f}",
            f"{row['cost_last']:.4f}",
            f"{row['envelope_last']:.4f}",
        )
    console.print(table)
    above = MONEY.text(fit.bound_ticks * grid.tick_size)
    bound = f"less than {fit.bound_ticks} tick{'s' * (fit.bound_ticks != 1)} ({above}) above it"
    console.print(f"Each Wh is asked at least its envelope and {bound}.", soft_wrap=True)
    console.print(f"The envelope is at most {document['envelope_overcharge']:.4f} above the cost.")
    console.print(f"All of it: cost {document['total_cost']:.4f}, asked {document['total_asked']:.4f}.")
    if fit.left_out_wh:
        console.print(f"{WH_IN_KWH.text(fit.left_out_wh)} kWh cost more than the grid's highest tick: not offered.")
    for note in notes:
        console.print(f"Extrapolated: {note}.", markup=False)
