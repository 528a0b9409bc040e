"""Operating data {DOD, T, u, ΔSOH} of (28): what a battery did in each interval, and what it lost.

One row is the interval between two capacity checks of one cell (or battery):

- `cell`                name of the cell; without the column all rows are one cell. Rows of a cell are in time order.
- `dod`                 mean depth of discharge of the interval's cycles, fraction of usable capacity, 0 … 1.
- `temperature_c` or `temperature_k`   mean cell temperature, °C or K (exactly one of the two).
- `utilisation`         u: equivalent full cycles per day. One full cycle discharges the usable capacity once and
                        charges it again; u is thus 12 times the mean absolute current in C over the interval.
- `days`                length of the interval.
- `soh_loss`            ΔSOH: capacity lost in the interval, fraction of the capacity when new; noise may make it < 0.
- `start_full_cycles`, `start_days`   optional: what the cell had behind it before its first row (0 without them).

Every other column is a label (a site, a batch) that a held-out test can leave out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from stowatt.degradation.calibration_table import Table, read_table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KELVIN_AT_0_C: Final = 273.15
MOST_FULL_CYCLES_A_DAY: Final = 500.0
"""Faster than any cell turns over its capacity (10 C both ways); more is a wrong unit."""
LONGEST_DAYS: Final = 36525.0

Measured = Literal["loss", "life"]
"""Where the noise is: in the loss at given checks, or in the life until a given loss (one row for each cell)."""


@dataclass(frozen=True)
class OperatingData:
    """Intervals in columns. A quantity that the source does not tell is None, and nothing of it is estimated."""

    source: str
    cell: tuple[str, ...]
    """Names of the cells; `of_cell` points into it."""
    of_cell: Integers
    """Which cell each interval belongs to; the intervals of a cell are together and in order of time."""
    soh_loss: Floats
    """ΔSOH of each interval, fraction."""
    full_cycles: Floats | None
    """Equivalent full cycles in each interval."""
    days: Floats | None
    temperature_k: Floats | None
    dod: Floats | None
    utilisation: Floats | None
    """u, in the unit `utilisation_unit`."""
    utilisation_unit: str = "full cycles per day"
    utilisation_reference: float = 1.0
    """u0: the u at which `cycle_rate` holds."""
    start_full_cycles: Floats | None = None
    """Full cycles before the first interval of each cell; None for new cells."""
    start_days: Floats | None = None
    measured: Measured = "loss"
    cluster: str = "cell"
    """The label whose members share unknown errors: intervals of estimates hold them to be one observation."""
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Further names of each cell, for held-out tests and clusters."""
    remarks: tuple[str, ...] = ()
    """What a reader of the estimates has to know about the source."""

    def __len__(self) -> int:
        return len(self.soh_loss)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.cell)

    def groups(self, label: str) -> dict[str, Integers]:
        """The rows of each group of cells that share the label, in order of first appearance."""
        names = self.names(label)
        found: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            found.setdefault(name, []).append(number)
        return {name: np.flatnonzero(np.isin(self.of_cell, numbers)) for name, numbers in found.items()}

    def names(self, label: str) -> tuple[str, ...]:
        """The label's name of each cell. `cell` always exists, `temperature` (the cell's mean) if it was measured."""
        if label == "cell":
            return self.cell
        if label == "temperature" and self.temperature_k is not None and label not in self.labels:
            means = [float(self.temperature_k[self.of_cell == number].mean()) for number in range(self.cells)]
            return tuple(f"{round(mean - KELVIN_AT_0_C)} °C" for mean in means)
        if label not in self.labels:
            from stowatt.degradation.calibration_table import CalibrationError

            known = ", ".join(["cell", *(["temperature"] if self.temperature_k is not None else []), *self.labels])
            raise CalibrationError(f"{self.source} has no label {label!r}", f"choose one of {known}")
        return self.labels[label]

    def rows(self, chosen: Integers) -> OperatingData:
        """The data with these rows only (ascending); whole cells, so that what came before stays true."""
        numbers = np.unique(self.of_cell[chosen])
        renumbered = np.searchsorted(numbers, self.of_cell[chosen])

        def pick(column: Floats | None) -> Floats | None:
            return None if column is None else column[chosen]

        def of_cells(column: Floats | None) -> Floats | None:
            return None if column is None else column[numbers]

        return OperatingData(
            source=self.source,
            cell=tuple(self.cell[number] for number in numbers),
            of_cell=renumbered.astype(np.int64),
            soh_loss=self.soh_loss[chosen],
            full_cycles=pick(self.full_cycles),
            days=pick(self.days),
            temperature_k=pick(self.temperature_k),
            dod=pick(self.dod),
            utilisation=pick(self.utilisation),
            utilisation_unit=self.utilisation_unit,
            utilisation_reference=self.utilisation_reference,
            start_full_cycles=of_cells(self.start_full_cycles),
            start_days=of_cells(self.start_days),
            measured=self.measured,
            cluster=self.cluster,
            labels={label: tuple(names[number] for number in numbers) for label, names in self.labels.items()},
            remarks=self.remarks,
        )


REQUIRED: Final = ("dod", "utilisation", "days", "soh_loss")
OPTIONAL: Final = ("cell", "temperature_c", "temperature_k", "start_full_cycles", "start_days")


def read_operating_data(path: Path) -> OperatingData:
    """A CSV or Parquet file with the columns above."""
    table = read_table(path)
    table.require(*REQUIRED)
    temperature = _temperature(table)
    dod = np.array(table.numbers("dod", 0, 1, "give the depth as a fraction: 80 % is 0.8"))
    rate = np.array(
        table.numbers("utilisation", 0, MOST_FULL_CYCLES_A_DAY, "give equivalent full cycles per day, 0 in storage")
    )
    days = np.array(table.numbers("days", 1e-6, LONGEST_DAYS, "give the length of the interval in days, above 0"))
    loss = np.array(table.numbers("soh_loss", -1, 1, "give the loss as a fraction: 2 % is 0.02"))
    for row in np.flatnonzero((rate > 0) & (dod == 0)):
        table.refuse(int(row), "dod", "is 0 although utilisation is above 0", "a cycle has a depth; give it")
    names = table.labels("cell") if "cell" in table.columns else ["1"] * len(table.places)
    order, cells, of_cell = cells_in_order(names)
    first = np.searchsorted(of_cell, np.arange(len(cells)))
    labels = {
        name: _label_of_cells(table, name, order, of_cell, first)
        for name in table.columns
        if name not in REQUIRED + OPTIONAL and name
    }
    return OperatingData(
        source=path.name,
        cell=cells,
        of_cell=of_cell,
        soh_loss=loss[order],
        full_cycles=(rate * days)[order],
        days=days[order],
        temperature_k=temperature[order],
        dod=dod[order],
        utilisation=rate[order],
        start_full_cycles=_start(table, "start_full_cycles", 1e7, order, first),
        start_days=_start(table, "start_days", LONGEST_DAYS, order, first),
        labels={name: values for name, values in labels.items() if values},
    )


def cells_in_order(names: list[str]) -> tuple[Integers, tuple[str, ...], Integers]:
    """The order that brings the rows of each cell together, the cells' names, and the cell of each row so ordered."""
    cells = tuple(dict.fromkeys(names))
    number = {name: at for at, name in enumerate(cells)}
    unordered = np.array([number[name] for name in names], dtype=np.int64)
    order = np.argsort(unordered, kind="stable").astype(np.int64)
    return order, cells, unordered[order]


def _temperature(table: Table) -> Floats:
    """Kelvin, whichever of the two columns is there."""
    given = [name for name in ("temperature_c", "temperature_k") if name in table.columns]
    if len(given) != 1:
        what = "both temperature_c and temperature_k are there" if given else "there is no temperature column"
        table.refuse(None, None, what, "give one of temperature_c (°C) and temperature_k (K)")
    if given == ["temperature_c"]:
        return np.array(table.numbers("temperature_c", -60, 120, "give °C, or name K temperature_k")) + KELVIN_AT_0_C
    return np.array(table.numbers("temperature_k", 213, 393.2, "give K, or name °C temperature_c"))


def _start(table: Table, name: str, most: float, order: Integers, first: Integers) -> Floats | None:
    """What each cell had behind it: the value in its first row."""
    if name not in table.columns:
        return None
    values = np.array(table.numbers(name, 0, most, "give what the cell had behind it before its first row"))
    return values[order][first]


def _label_of_cells(table: Table, name: str, order: Integers, of_cell: Integers, first: Integers) -> tuple[str, ...]:
    """One name for each cell; nothing if the column changes within a cell: then it is no label of cells."""
    values = np.array([text.strip() for text in table.columns[name]], dtype=object)[order]
    of_first = values[first]
    return tuple(of_first) if bool((values == of_first[of_cell]).all()) else ()
