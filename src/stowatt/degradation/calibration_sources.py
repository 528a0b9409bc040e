"""Two published files of measurements, read as operating data, each with what it does not tell.

- MJ1 cycling: capacity of LG INR18650-MJ1 cells (NMC/graphite) against equivalent full cycles, three cells at each of
  three temperatures. The file has no depth, rate or time.
- Severson cycle life: 124 LFP/graphite cells of 1.1 Ah, each with the cycles until 80 % of the nominal capacity and
  its fast-charging policy "C1(Q%)-C2": C1 until the state of charge Q, then C2 until 80 %. All at 30 °C, full depth.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from stowatt.data.decimals import shown
from stowatt.degradation.calibration_table import Table, read_table
from stowatt.degradation.operating_data import OperatingData, cells_in_order, read_operating_data

END_OF_LIFE_LOSS: Final = 0.2
"""A cycle life ends at 80 % of the nominal capacity."""

FAST_UNTIL: Final = 0.8
"""The policies of the Severson cells charge fast until this state of charge, and all alike beyond it."""

TEN_MINUTES_C: Final = 4.8
"""u0: at this rate throughout, 80 % take the ten minutes that most policies were made for."""

_POLICY: Final = re.compile(r"(\d+(?:\.\d+)?)C\((\d+(?:\.\d+)?)%\)-(\d+(?:\.\d+)?)C")

MJ1_COLUMNS: Final = ("cell", "temperature_k", "replicate", "equivalent_full_cycles", "soh_percent")
LIFE_COLUMNS: Final = ("Cell barcode", "Batch date", "Cycle life", "Charging policy")


def read_mj1(path: Path) -> OperatingData:
    """Capacity checks against full cycles; the loss since the check before makes the interval."""
    table = read_table(path)
    table.require(*MJ1_COLUMNS)
    kelvin = np.array(table.numbers("temperature_k", 213, 393.2, "give kelvin"))
    cycles = np.array(table.numbers("equivalent_full_cycles", 0, 1e7, "give cycles since the cell was new"))
    soh = np.array(table.numbers("soh_percent", 0, 110, "give percent of the capacity when new"))
    parts = zip(table.labels("cell"), table.columns["temperature_k"], table.labels("replicate"), strict=True)
    names = [f"{cell} {float(temperature):g} K no. {replicate}" for cell, temperature, replicate in parts]
    order, cells, of_cell = cells_in_order(names)
    cycles, soh, kelvin = cycles[order], soh[order], kelvin[order]
    same = of_cell[1:] == of_cell[:-1]
    for row in np.flatnonzero(same & (np.diff(cycles) <= 0)):
        what = f"{cycles[row + 1]:g} does not come after {cycles[row]:g}"
        table.refuse(int(order[row + 1]), "equivalent_full_cycles", what, "give each cell's checks in order, each once")
    later = np.flatnonzero(same) + 1
    if set(range(len(cells))) - set(of_cell[later].tolist()):
        table.refuse(None, None, "a cell has a single check", "give each cell two or more: a loss is a difference")
    first = np.searchsorted(of_cell, np.arange(len(cells)))
    kept = of_cell[later]
    replicates = [name.rpartition(" ")[2] for name in cells]
    return OperatingData(
        source=path.name,
        cell=cells,
        of_cell=kept,
        soh_loss=(soh[later - 1] - soh[later]) / 100,
        full_cycles=cycles[later] - cycles[later - 1],
        days=None,
        temperature_k=kelvin[later],
        dod=None,
        utilisation=None,
        start_full_cycles=cycles[first],
        labels={"replicate": tuple(f"no. {name}" for name in replicates)},
        remarks=("the file has no depth, rate or time: what they did is part of cycle_rate",),
    )


def read_cycle_life(path: Path) -> OperatingData:
    """One interval a cell: from new to the end of life. u is the C-rate of the mean charge until 80 %."""
    table = read_table(path)
    table.require(*LIFE_COLUMNS)
    cells = table.labels("Cell barcode")
    for row, name in enumerate(cells):
        if name in cells[:row]:
            table.refuse(row, "Cell barcode", f"{shown(name)} is there twice", "give each cell one row")
    life = np.array(table.numbers("Cycle life", 1, 1e7, "give the cycles until 80 %"))
    policies = table.labels("Charging policy")
    rate = np.array([_mean_rate(table, row, policy) for row, policy in enumerate(policies)])
    return OperatingData(
        source=path.name,
        cell=tuple(cells),
        of_cell=np.arange(len(cells), dtype=np.int64),
        soh_loss=np.full(len(cells), END_OF_LIFE_LOSS),
        full_cycles=life,
        days=None,
        temperature_k=None,
        dod=None,
        utilisation=rate,
        utilisation_unit="C-rate of the mean charge up to 80 %",
        utilisation_reference=TEN_MINUTES_C,
        measured="life",
        cluster="policy",
        labels={"policy": tuple(policies), "batch": tuple(table.labels("Batch date"))},
        remarks=(
            "every cell was cycled at 30 °C and full depth, which the file does not vary: cycle_rate is for both",
        ),
    )


def _mean_rate(table: Table, row: int, policy: str) -> float:
    """(Q·C1 + (0.8 − Q)·C2) / 0.8: the rate at which the mean coulomb of fast charging goes in."""
    first, until, second = policy_parts(policy) or (0.0, 0.0, 0.0)
    if not (first > 0 and second > 0 and 0 <= until <= FAST_UNTIL):
        table.refuse(row, "Charging policy", f"{shown(policy)} is not a policy", "write it as 5.4C(60%)-3C, up to 80 %")
    return (until * first + (FAST_UNTIL - until) * second) / FAST_UNTIL


def policy_parts(policy: str) -> tuple[float, float, float] | None:
    """C1, Q as a fraction, and C2; None if the text is no policy."""
    match = _POLICY.fullmatch(policy.strip())
    return None if match is None else (float(match[1]), float(match[2]) / 100, float(match[3]))


KINDS: Final[dict[str, Callable[[Path], OperatingData]]] = {
    "operating": read_operating_data,
    "mj1": read_mj1,
    "cycle-life": read_cycle_life,
}
"""The shapes of files that can be read."""


def read_kind(path: Path, kind: str = "auto") -> OperatingData:
    """The file as one of KINDS; `auto` looks at its columns."""
    if kind == "auto":
        columns = read_table(path).columns
        kind = "mj1" if "soh_percent" in columns else "cycle-life" if "Cycle life" in columns else "operating"
    return KINDS[kind](path)
