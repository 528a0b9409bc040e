"""What data can determine: every parameter of θ that they cannot is refused with its reason and a remedy.

Three tests, in this order:

1. Structure, before any search: a stress that never changes has no exponent, one check-up a cell has no shape.
2. At the best θ: a parameter at the end of its range, or columns of the Jacobian that depend on each other.
3. The interval: one wider than `Parameter.vague` on either side says nothing, whatever its middle is. A stress whose
   wide interval excludes 0 at least tells that it wears, and stays.

Nothing is estimated partly: the refusal names all that it found, and `--fix` takes a value from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.degradation.calibration_model import BY_NAME, CALENDAR, CYCLE, NAMES, PARAMETERS
from stowatt.degradation.calibration_table import CalibrationError
from stowatt.degradation.operating_data import Floats, OperatingData

LEAST_KELVIN: Final = 1.0
"""Temperatures that differ by less are one temperature."""
LEAST_RATIO: Final = 1.02
"""Depths or rates of use that differ by less than this factor are one."""
DEPENDENT: Final = 1e-6
"""A singular value of the Jacobian (columns of length 1) below this: some combination of parameters has no effect."""
TOGETHER: Final = 0.9
"""Estimates with a correlation above this are named together."""


@dataclass(frozen=True, slots=True)
class Unidentified:
    """One parameter, or several together, that the data do not determine."""

    names: tuple[str, ...]
    why: str
    needs: str


class UnidentifiedError(CalibrationError):
    """The data cannot identify a parameter; `found` has every one."""

    def __init__(self, source: str, found: Sequence[Unidentified]) -> None:
        self.found = tuple(found)
        parts = "; ".join(f"{' and '.join(one.names)}: {one.why} (it takes {one.needs})" for one in found)
        first = next((name for one in found for name in one.names), NAMES[0])
        fixes = " ".join(f"--fix {name}=…" for name in dict.fromkeys([one.names[-1] for one in found] or [first]))
        super().__init__(f"{source} does not determine {parts}", f"bring such data, or give values yourself: {fixes}")


def absent(data: OperatingData) -> dict[str, str]:
    """The parameters that are not part of the law, because the source has no such column, and why."""
    found: dict[str, str] = {}
    columns = (
        (data.temperature_k, "temperature", ("cycle_activation", "cycle_bend", "calendar_activation")),
        (data.dod, "depth", ("depth_exponent",)),
        (data.utilisation, "utilisation", ("utilisation_exponent",)),
        (data.full_cycles, "full cycles", tuple(NAMES[at] for at in CYCLE)),
        (data.days, "days", tuple(NAMES[at] for at in CALENDAR)),
    )
    for column, name, parameters in columns:
        if column is None:
            found |= {parameter: f"no {name} in the data" for parameter in parameters}
    return found


def structure(data: OperatingData, free: Sequence[str]) -> list[Unidentified]:
    """What cannot be identified whatever the losses are."""
    found = []
    cycling = np.zeros(len(data), bool) if data.full_cycles is None else data.full_cycles > 0
    cycle_names = [name for name in free if name in NAMES[:6]]
    if cycle_names and not cycling.any():
        return [Unidentified(("cycle_rate",), "nothing was cycled", "rows with cycles, or cycle_rate=0")]
    if data.temperature_k is not None:
        for names, rows in ((("cycle_activation", "cycle_bend"), cycling), (("calendar_activation",), slice(None))):
            found += _temperatures(data.temperature_k[rows], [name for name in names if name in free])
    if data.dod is not None and "depth_exponent" in free:
        found += _ratio("depth_exponent", "depth of discharge", data.dod[cycling])
    if data.utilisation is not None and "utilisation_exponent" in free:
        found += _ratio("utilisation_exponent", "utilisation", data.utilisation[cycling])
    if data.measured == "life":
        shapes = [name for name in ("cycle_shape", "calendar_shape") if name in free]
        why = "each cell has only its life until one and the same loss"
        found += [Unidentified((name,), why, "checks at several losses of a cell") for name in shapes]
    return found


def _temperatures(kelvin: Floats, names: Sequence[str]) -> list[Unidentified]:
    found = []
    distinct = 1 + int((np.diff(np.sort(kelvin)) >= LEAST_KELVIN).sum()) if len(kelvin) else 0
    for name in names:
        least = 3 if name == "cycle_bend" else 2
        if distinct < least:
            shown = f"{kelvin.mean() - 273.15:.1f} °C" if len(kelvin) else "none"
            why = f"the temperature is {shown} in all rows" if distinct < 2 else "there are only two temperatures"
            found.append(Unidentified((name,), why, f"{'three' if least == 3 else 'two'} temperatures, 10 K apart"))
    return found


def _ratio(name: str, what: str, values: Floats) -> list[Unidentified]:
    if len(values) and values.max() / values.min() >= LEAST_RATIO:
        return []
    shown = f"{values.mean():.3g}" if len(values) else "unknown"
    return [Unidentified((name,), f"the {what} is {shown} in all rows", f"another {what}, best a factor of 2 away")]


def at_optimum(jacobian: Floats, theta: Floats, free: Sequence[int]) -> list[Unidentified]:
    """Parameters at the end of their range, and combinations that change no prediction."""
    found = []
    for at in free:
        parameter = PARAMETERS[at]
        margin = 1e-6 * (parameter.high - parameter.low)
        if theta[at] - parameter.low < margin or parameter.high - theta[at] < margin:
            low = theta[at] - parameter.low < margin
            if parameter.is_rate and low:
                why = f"no such loss can be told from 0; {parameter.name}=0 leaves it out"
            else:
                why = f"the search ran to the end of its range, {parameter.shown(float(theta[at])):g}"
            found.append(Unidentified((parameter.name,), why, "more checks, or less noise"))
    if found:
        return found
    lengths = np.linalg.norm(jacobian, axis=0)
    if (lengths == 0).any() or not np.isfinite(jacobian).all():
        names = tuple(NAMES[at] for at, length in zip(free, lengths, strict=True) if not length > 0)
        return [Unidentified(names or (NAMES[free[0]],), "it changes no prediction", "other conditions")]
    _, sizes, directions = np.linalg.svd(jacobian / lengths, full_matrices=False)
    if len(jacobian) < len(free):
        why = f"{len(jacobian)} checks cannot determine {len(free)} parameters"
        return [Unidentified(tuple(NAMES[at] for at in free), why, "more checks")]
    for size, direction in zip(sizes, directions, strict=True):
        if size < DEPENDENT * sizes[0]:
            weights = np.abs(direction)
            names = tuple(NAMES[at] for at, weight in zip(free, weights, strict=True) if weight > 0.1 * weights.max())
            found.append(Unidentified(names, "they change the predictions in the same way", _apart(names)))
    return found


def too_wide(free: Sequence[int], middles: Floats, halves: Floats, correlation: Floats) -> list[Unidentified]:
    """Parameters whose interval says nothing, each with the one that it cannot be told from."""
    found = []
    for number, at in enumerate(free):
        parameter = PARAMETERS[at]
        if halves[number] <= parameter.vague or (parameter.is_stress and abs(middles[number]) > halves[number]):
            continue
        others = np.abs(np.where(np.arange(len(free)) == number, 0.0, correlation[number]))
        partner = NAMES[free[int(others.argmax())]] if len(free) > 1 and others.max() > TOGETHER else ""
        width = (
            f"a factor of {np.exp(min(halves[number], 99)):.3g}"
            if parameter.is_rate
            else (f"{halves[number]:.3g} {parameter.unit}".strip())
        )
        why = f"the interval reaches {width} to either side"
        why += f", it cannot be told from {partner}" if partner else ""
        found.append(Unidentified((parameter.name,), why, _apart((parameter.name, partner) if partner else ())))
    return found


def _apart(names: Sequence[str]) -> str:
    """What would tell the parameters from each other."""
    known = [name for name in names if name in BY_NAME]
    if any(name.startswith("cycle") for name in known) and any(name.startswith("calendar") for name in known):
        return "storage without cycling, or cells with different full cycles per day"
    if {"utilisation_exponent", "depth_exponent"} <= set(known):
        return "depth and utilisation that do not change together"
    if any(name.endswith("activation") or name == "cycle_bend" for name in known):
        return "temperatures that do not change together with the other stress, further apart"
    return "more checks, less noise, or conditions further apart"
