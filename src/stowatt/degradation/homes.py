"""Wear-aware asks of a home, as an evening's builder wants them: a curve or None for each window."""

from collections.abc import Sequence

from stowatt.curves import Curve
from stowatt.data.homes import Battery
from stowatt.degradation.ask import AskFit, evening_asks
from stowatt.degradation.cell import CellModel
from stowatt.degradation.costs import Costs, Pack
from stowatt.degradation.errors import WearError
from stowatt.degradation.lfp import LFP
from stowatt.degradation.nmc import NMC
from stowatt.degradation.state import WearState
from stowatt.simulation.strategies import PriceGrid, headroom, sellable, spread
from stowatt.units import MAX_SEGMENTS

CELLS: dict[str, CellModel] = {"lfp": LFP(), "nmc": NMC()}
"""The models by the names that people use."""


def cell_of(name: str) -> CellModel:
    """The model of a chemistry, `lfp` or `nmc`."""
    try:
        return CELLS[name.lower()]
    except KeyError:
        raise WearError(f"no wear model is called {name[:40]!r}", f"choose from {', '.join(CELLS)}") from None


def home_asks(
    battery: Battery,
    energy_wh: int,
    own_net_load: Sequence[int],
    windows: int,
    cell: CellModel,
    worn: WearState,
    costs: Costs,
    grid: PriceGrid,
    *,
    segments: int = MAX_SEGMENTS,
) -> list[Curve | None]:
    """The asks of a home in `windows` windows in a row, offering what the flat strategies offer.

    `energy_wh` is stored when the first window starts; `own_net_load` is the home's net load from then until its
    evening ends. Of `worn` everything counts but its state of charge and its depth, which follow from `energy_wh`.
    """
    fits = home_fits(battery, energy_wh, own_net_load, windows, cell, worn, costs, grid, segments=segments)
    return [fit.curve for fit in fits]


def home_fits(
    battery: Battery,
    energy_wh: int,
    own_net_load: Sequence[int],
    windows: int,
    cell: CellModel,
    worn: WearState,
    costs: Costs,
    grid: PriceGrid,
    *,
    segments: int = MAX_SEGMENTS,
) -> list[AskFit]:
    """The same with each curve's bound and the costs behind it."""
    caps = [headroom(battery, load) for load in own_net_load[:windows]]
    offers = spread(sellable(battery, energy_wh, own_net_load), caps)
    state = worn.at(energy_wh / battery.usable_wh)
    return evening_asks(cell, state, Pack.of(battery), costs, offers, own_net_load, grid, segments=segments)
