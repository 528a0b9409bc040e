"""The wear models by the names that people use."""

from stowatt.degradation.cell import CellModel
from stowatt.degradation.errors import WearError
from stowatt.degradation.lfp import LFP
from stowatt.degradation.nmc import NMC

CELLS: dict[str, CellModel] = {"lfp": LFP(), "nmc": NMC()}
"""The models by the names that people use."""


def cell_of(name: str) -> CellModel:
    """The model of a chemistry, `lfp` or `nmc`."""
    try:
        return CELLS[name.lower()]
    except KeyError:
        raise WearError(f"no wear model is called {name[:40]!r}", f"choose from {', '.join(CELLS)}") from None
