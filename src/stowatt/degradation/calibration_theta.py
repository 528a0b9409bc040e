"""theta.json: the estimated law as a file, with the range of its data; checked when it is read.

    {"schema": "stowatt-theta-1", "source": "…", "utilisation_unit": "full cycles per day",
     "utilisation_reference": 1.0, "confidence": 0.95,
     "parameters": {"cycle_rate": {"value": 0.012, "low": 0.011, "high": 0.013, "status": "estimated"}, …},
     "range": {"temperature_k": [273.15, 298.15], "dod": null, "utilisation": null,
               "full_cycles": [0, 335.0], "days": null},
     "rmse": 0.0146, "measured": "loss"}

All nine parameters are there. `status` is estimated, fixed (given by the user) or absent (no part of the law: its value
is neutral). A `range` of null says that the data did not have this quantity.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np

from stowatt.data.decimals import shown
from stowatt.degradation.calibration_fit import Fit
from stowatt.degradation.calibration_model import (
    BY_NAME,
    NAMES,
    REFERENCE_CYCLES,
    REFERENCE_DAYS,
    Design,
    check_fixed,
    whole_theta,
)
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.operating_data import Floats, OperatingData

SCHEMA: Final = "stowatt-theta-1"
RANGES: Final = ("temperature_k", "dod", "utilisation", "full_cycles", "days")
STATUSES: Final = ("estimated", "fixed", "absent")

Range = tuple[float, float]


@dataclass(frozen=True)
class Theta:
    """The law with numbers in it, and where its data were."""

    values: dict[str, float]
    intervals: dict[str, Range]
    status: dict[str, str]
    ranges: dict[str, Range | None]
    source: str
    utilisation_unit: str
    utilisation_reference: float
    confidence: float
    rmse: float
    measured: str = "loss"

    def worked(self) -> Floats:
        """θ as the law works with it."""
        return whole_theta(self.values)

    def outside(self, **conditions: float) -> tuple[str, ...]:
        """Which of the conditions (names of RANGES) the data did not reach; empty where the law interpolates."""
        found = []
        for name, value in conditions.items():
            if name not in RANGES:
                raise CalibrationError(f"there is no condition {name!r}", f"choose from {', '.join(RANGES)}")
            reach = self.ranges[name]
            if reach is None:
                found.append(f"{name}: not in the data")
            elif not reach[0] <= value <= reach[1]:
                found.append(f"{name} = {value:g}: the data reach {reach[0]:g} to {reach[1]:g}")
        return tuple(found)

    def cycle_loss(self, dod: float, temperature_k: float, utilisation: float, full_cycles: Range) -> float:
        """Loss by cycling from full_cycles[0] to full_cycles[1] under these conditions, as a fraction."""
        if full_cycles[1] <= full_cycles[0]:
            return 0.0
        only = self.worked()
        only[6] = -np.inf
        return float(self._design(dod, temperature_k, utilisation, full_cycles, (0.0, 0.0)).steps(only)[0])

    def calendar_loss(self, temperature_k: float, days: Range) -> float:
        """Loss by time from days[0] to days[1], as a fraction."""
        only = self.worked()
        only[0] = -np.inf
        return float(self._design(1.0, temperature_k, 1.0, (0.0, 0.0), days).steps(only)[0])

    def _design(self, dod: float, temperature_k: float, utilisation: float, cycles: Range, days: Range) -> Design:
        one = np.ones(1)
        return Design(
            OperatingData(
                source=self.source,
                cell=("1",),
                of_cell=np.zeros(1, dtype=np.int64),
                soh_loss=np.zeros(1),
                full_cycles=one * (cycles[1] - cycles[0]),
                days=one * (days[1] - days[0]),
                temperature_k=one * temperature_k,
                dod=one * dod,
                utilisation=one * utilisation,
                utilisation_reference=self.utilisation_reference,
                start_full_cycles=one * cycles[0],
                start_days=one * days[0],
            )
        )

    def document(self) -> dict[str, Any]:
        """As theta.json has it."""
        parameters = {
            name: {
                "value": self.values[name],
                "low": self.intervals[name][0],
                "high": self.intervals[name][1],
                "status": self.status[name],
                "unit": BY_NAME[name].unit,
            }
            for name in NAMES
        }
        return {
            "schema": SCHEMA,
            "source": self.source,
            "utilisation_unit": self.utilisation_unit,
            "utilisation_reference": self.utilisation_reference,
            "confidence": self.confidence,
            "parameters": parameters,
            "range": {name: None if reach is None else list(reach) for name, reach in self.ranges.items()},
            "rmse": self.rmse,
            "measured": self.measured,
        }


def theta_of(fit: Fit) -> Theta:
    """The law that a fit found."""
    data = fit.data
    cycling = fit.design.cycling

    def reach(column: Floats | None) -> Range | None:
        return None if column is None or not len(column) else (float(column.min()), float(column.max()))

    def until(edges: tuple[Floats, Floats], unit: float, known: bool) -> Range | None:
        return (float(edges[0].min()) * unit, float(edges[1].max()) * unit) if known else None

    return Theta(
        values={estimate.name: estimate.value for estimate in fit.estimates},
        intervals={estimate.name: (estimate.low, estimate.high) for estimate in fit.estimates},
        status={estimate.name: estimate.status for estimate in fit.estimates},
        ranges={
            "temperature_k": reach(data.temperature_k),
            "dod": None if data.dod is None else reach(data.dod[cycling]),
            "utilisation": None if data.utilisation is None else reach(data.utilisation[cycling]),
            "full_cycles": until(fit.design.cycles, REFERENCE_CYCLES, data.full_cycles is not None),
            "days": until(fit.design.days, REFERENCE_DAYS, data.days is not None),
        },
        source=data.source,
        utilisation_unit=data.utilisation_unit,
        utilisation_reference=data.utilisation_reference,
        confidence=fit.confidence,
        rmse=fit.rmse,
        measured=data.measured,
    )


# ---- reading ----


def read_theta(path: Path) -> Theta:
    """A theta.json that was written by `stowatt wear fit --out`, or by hand; every value is checked."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CalibrationError(f"{path}: there is no such file", "check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path}: cannot be read ({error})", "check the file") from None
    except (ValueError, RecursionError) as error:
        raise CalibrationError(f"{path}: is not JSON ({error})", "write it with stowatt wear fit --out") from None
    return _Reader(str(path)).theta(document)


@dataclass(frozen=True, slots=True)
class _Reader:
    path: str

    def theta(self, document: Any) -> Theta:
        whole = self._object(document, "the document")
        if whole.get("schema") != SCHEMA:
            self._refuse("schema", whole.get("schema"), f"it must be {SCHEMA}")
        parameters = self._object(whole.get("parameters"), "parameters")
        if set(parameters) != set(NAMES):
            self._refuse("parameters", sorted(parameters), f"give exactly {', '.join(NAMES)}")
        values, intervals, status = {}, {}, {}
        for name in NAMES:
            one = self._object(parameters[name], name)
            values[name] = self._number(one.get("value"), f"{name}.value")
            intervals[name] = (
                self._number(one.get("low"), f"{name}.low"),
                self._number(one.get("high"), f"{name}.high"),
            )
            if not intervals[name][0] <= values[name] <= intervals[name][1]:
                self._refuse(name, values[name], "low ≤ value ≤ high")
            status[name] = self._choice(one.get("status"), f"{name}.status", STATUSES)
        self._check_values(values)
        reaches = self._object(whole.get("range"), "range")
        if set(reaches) != set(RANGES):
            self._refuse("range", sorted(reaches), f"give exactly {', '.join(RANGES)}")
        confidence = self._number(whole.get("confidence"), "confidence")
        if not 0 < confidence < 1:
            self._refuse("confidence", confidence, "give a fraction between 0 and 1")
        reference = self._number(whole.get("utilisation_reference"), "utilisation_reference")
        if not reference > 0:
            self._refuse("utilisation_reference", reference, "it must be above 0")
        rmse = self._number(whole.get("rmse"), "rmse")
        if rmse < 0:
            self._refuse("rmse", rmse, "it cannot be negative")
        return Theta(
            values=values,
            intervals=intervals,
            status=status,
            ranges={name: self._range(reaches[name], name) for name in RANGES},
            source=self._text(whole.get("source"), "source"),
            utilisation_unit=self._text(whole.get("utilisation_unit"), "utilisation_unit"),
            utilisation_reference=reference,
            confidence=confidence,
            rmse=rmse,
            measured=self._choice(whole.get("measured"), "measured", ("loss", "life")),
        )

    def _check_values(self, values: dict[str, float]) -> None:
        try:
            check_fixed(values)
        except CalibrationError as error:
            raise CalibrationError(f"{self.path}: {error.what}", error.way_out) from None

    def _range(self, value: Any, name: str) -> Range | None:
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            self._refuse(f"range.{name}", value, "give [lowest, highest] or null")
        low, high = (self._number(end, f"range.{name}") for end in value)
        if low > high:
            self._refuse(f"range.{name}", value, "the lowest comes first")
        return low, high

    def _object(self, value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._refuse(name, value, "it must be an object")
        return dict(value)

    def _number(self, value: Any, name: str) -> float:
        # A whole number may be too long for a float.
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300 or not isfinite(value):
            self._refuse(name, value, "give a finite number")
        return float(value)

    def _text(self, value: Any, name: str) -> str:
        return value if isinstance(value, str) else self._refuse(name, value, "give a text")

    def _choice(self, value: Any, name: str, known: tuple[str, ...]) -> str:
        return value if isinstance(value, str) and value in known else self._refuse(name, value, " or ".join(known))

    def _refuse(self, name: str, value: Any, way_out: str) -> Any:
        raise CalibrationError(f"{self.path}, {name}: {shown(repr(value))} cannot be used", way_out)
