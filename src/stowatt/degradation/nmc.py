"""Capacity loss of an NMC/graphite cell: Molicel IHR18650A, 1.9 Ah.

Source: the ageing model that SimSES 1.3.12 (BSD 3-Clause; Technical University of Munich) ships for this cell,
made from tests of the kind described by S. F. Schuster et al., "Nonlinear aging characteristics of lithium-ion cells
under different operational conditions", Journal of Energy Storage 1 (2015) 44-53, doi 10.1016/j.est.2015.05.003.

    Q_cyc = k(DOD) · r(C-rate) · (charge passed, Ah of one 1.9 Ah cell, both ways)^0.5562          per unit
    Q_cal = k_T(T) · k_S(SOC) · (weeks)^0.75                                                     per unit

The tables are kept as what they are made of. k(DOD), 1001 rows, is two straight lines that meet at a depth of 0.27:
the three knots below miss no row by more than 1.5e-6 (0.15 % of the value). k_S is four straight lines, and k_T an
exponential, not Arrhenius' law: together they give all 4,141 entries of the calendar table to 1e-12.

k(DOD) is sometimes named the loss of one half cycle. It is the factor in front of a power of the charge: as a loss
of a half cycle it would end a cell after a hundred half cycles, where the power law gives about 1,000 full cycles to
80 %.

r: the published code multiplies by 1.1587 for each doubling of the discharge rate above C/2, but starts with a step
*down* by that factor at C/2. Here it starts at 1, which never wears less than the published one.

Covers: calendar ageing at 10 to 50 °C and any SOC; cycles of any depth, discharged at up to 2 C.

Cannot: *no temperature in its cycle part*; no mean SOC in its cycle part; nothing of the sudden death that the source
itself describes (all losses beyond about 20 % are extrapolated); no resistance; charging faster than C/2 wears more
than here. An 18650 of 2010: today's NMC home batteries differ.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.degradation.cell import Floats, ValidityRange, kelvin

CELL_AH: Final = 1.9
CYCLE_POWER: Final = 0.5562
DEPTH_KNOTS: Final = (0.0, 0.27, 1.0)
DEPTH_FACTORS: Final = (0.0, 0.00104, 0.0020452)
"""k at the knots, per unit and Ah^0.5562."""
DEPTH_ERROR: Final = 1.5e-6
"""The most by which the knots miss a row of the table."""

RATE_FACTOR: Final = 1.1587
"""For each doubling of the discharge rate."""
RATE_FROM: Final = 0.5
"""The rate from which it counts, 1/h."""

CALENDAR_POWER: Final = 0.75
PER_KELVIN: Final = 0.030372765087
"""k_T = exp(PER_KELVIN · (T - 298.15 K)): doubles with every 23 K."""
SOC_KNOTS: Final = (0.0, 0.1, 0.5, 0.9, 1.0)
SOC_FACTORS: Final = (
    0.0003574937084978,
    0.0004282530339656,
    0.0008489247116312,
    0.0013917872615166,
    0.0021349473729114,
)
"""k_S at 25 °C, per unit and week^0.75."""
REFERENCE_K: Final = 298.15
DAYS_A_WEEK: Final = 7.0


TESTED: Final = ValidityRange(temperature_c=(10.0, 50.0), soc=(0.0, 1.0), depth=(0.0, 1.0), c_rate=(0.0, 2.0))


@dataclass(frozen=True, slots=True)
class NMC:
    """The model above. Depth and rate refer to the present capacity, losses to the capacity when new."""

    name: str = "NMC"
    valid: ValidityRange = TESTED
    cycle_power: float = CYCLE_POWER
    calendar_power: float = CALENDAR_POWER

    def cycle_stress(self, depth: Floats) -> Floats:
        """(per-unit loss)^(1/0.5562) of one full cycle: the depth's charge passes twice."""
        factor = np.interp(depth, DEPTH_KNOTS, DEPTH_FACTORS)
        stress: Floats = factor ** (1 / CYCLE_POWER) * (2 * CELL_AH) * depth
        return stress

    def rate_factor(self, c_rate: Floats) -> Floats:
        """r^(1/0.5562); 1 up to C/2."""
        doublings = np.log2(np.maximum(c_rate, RATE_FROM) / RATE_FROM)
        factor: Floats = RATE_FACTOR ** (doublings / CYCLE_POWER)
        return factor

    def calendar_stress(self, soc: Floats, temperature_c: Floats) -> Floats:
        """(per-unit loss)^(4/3) of one day."""
        hot = np.exp(PER_KELVIN * (kelvin(temperature_c) - REFERENCE_K))
        factor = hot * np.interp(soc, SOC_KNOTS, SOC_FACTORS)
        stress: Floats = factor ** (1 / CALENDAR_POWER) / DAYS_A_WEEK
        return stress
