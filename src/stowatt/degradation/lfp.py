"""Capacity loss of an LFP/graphite cell: Sony (Murata) US26650FTC1, 3 Ah.

Source: M. Naumann, M. Schimpe, P. Keil, H. C. Hesse, A. Jossen, "Analysis and modeling of calendar aging of a
commercial LiFePO4/graphite cell", Journal of Energy Storage 17 (2018) 153-169, doi 10.1016/j.est.2018.01.019, and
M. Naumann, F. Spingler, A. Jossen, "Analysis and modeling of cycle aging of a commercial LiFePO4/graphite cell",
Journal of Power Sources 451 (2020) 227666, doi 10.1016/j.jpowsour.2019.227666. The parameters are the authors' own, as
the row "Naumann" of SimSES 1.3.12 (BSD 3-Clause) repeats them.

    Q_cal = k_ref · exp(-Ea/R · (1/T - 1/298.15 K)) · (C_cal·(SOC - 0.5)³ + D_cal) · √t           per unit, t in s
    Q_cyc = (A·C-rate + B) · (C_cyc·(DOD - 0.6)³ + D_cyc) · √FEC                                 percent

The two rows of units are not a slip: the calendar k_ref is per unit and per √s, the cycle parameters give percent. Read
as percent, storage at 25 °C and full charge would cost 0.07 % in a year; the cells lost near 7 %. Read as per unit, the
cycle law would eat the whole cell in 22 full cycles.

Covers: calendar ageing at 0 to 60 °C and any SOC; cycles of any depth and of rates up to 2 C; both by a square root, so
that a young cell loses faster than an old one.

Cannot: cycling was tested at 25 and 40 °C and the law has *no temperature in its cycle part*, so it knows no
lithium plating in the cold and no faster cycling wear in the heat; it has no mean SOC in its cycle part; no sudden
death (knee); no resistance, so neither power nor efficiency fade; other LFP cells differ by more than the fit's error.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.degradation.cell import Floats, ValidityRange, kelvin

K_REF: Final = 1.2571e-5
"""Per unit and √s, at 25 °C."""
EA: Final = 17126.0
"""Activation energy, J/mol."""
C_CAL: Final = 2.8575
D_CAL: Final = 0.60225
A_CYC: Final = 0.063
"""Percent and hours."""
B_CYC: Final = 0.0971
"""Percent."""
C_CYC: Final = 4.0253
D_CYC: Final = 1.0923

GAS: Final = 8.3144598
"""J/(mol·K)."""
REFERENCE_K: Final = 298.15
SECONDS_A_DAY: Final = 86_400.0


TESTED: Final = ValidityRange(temperature_c=(0.0, 60.0), soc=(0.0, 1.0), depth=(0.0, 1.0), c_rate=(0.0, 2.0))


@dataclass(frozen=True, slots=True)
class LFP:
    """The model above. Depth and rate refer to the present capacity, losses to the capacity when new."""

    name: str = "LFP"
    valid: ValidityRange = TESTED
    cycle_power: float = 0.5
    calendar_power: float = 0.5

    def cycle_stress(self, depth: Floats) -> Floats:
        """(per-unit loss)² of one full cycle at A·C-rate + B = 1; a full cycle of depth d is d full equivalents."""
        per_unit = (C_CYC * (depth - 0.6) ** 3 + D_CYC) / 100
        stress: Floats = per_unit * per_unit * depth
        return stress

    def rate_factor(self, c_rate: Floats) -> Floats:
        """(A·C-rate + B)²."""
        factor: Floats = (A_CYC * c_rate + B_CYC) ** 2
        return factor

    def calendar_stress(self, soc: Floats, temperature_c: Floats) -> Floats:
        """(per-unit loss)² of one day."""
        arrhenius = np.exp(-EA / GAS * (1 / kelvin(temperature_c) - 1 / REFERENCE_K))
        k = K_REF * arrhenius * (C_CAL * (soc - 0.5) ** 3 + D_CAL)
        stress: Floats = k * k * SECONDS_A_DAY
        return stress
