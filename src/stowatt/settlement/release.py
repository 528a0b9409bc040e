"""§6, (26) and (30): the fulfilment ratio ρ, the release coefficient β and the deposits that come back.

The paper's (30) divides by q·Δτ, though q is energy already by (1); its β ∈ (0, 1] could not punish a total failure.
"""

from typing import Final

from stowatt.errors import SettlementError
from stowatt.units import PPM, Money, Ppm

BETA_BUYER: Final = Ppm(PPM)
"""β_B = 1 for a buyer who paid in time (26); one who did not has no deposit left."""


def fulfilment(metered: int, obligation: int, efficiency: int) -> Ppm:
    """(30) ρ = min(1, Σu_t / (η·Q_eff)) in ppm, rounded down: the pool gains, by less than one ppm of a deposit.

    With no obligation left (no buyer paid) nothing can be failed: ρ = 1.
    """
    if metered < 0 or obligation < 0 or not 0 < efficiency <= PPM:
        raise SettlementError(
            f"{metered} Wh metered of {obligation} Wh at an efficiency of {efficiency} ppm",
            "use Wh from 0, η in 1 … 10^6",
        )
    if obligation == 0:
        return Ppm(PPM)
    return Ppm(min(PPM, metered * PPM * PPM // (efficiency * obligation)))


def release_coefficient(ratio: int, tolerance: int) -> Ppm:
    """β_S = ρ, or 1 from the window's tolerance on (26). Exact."""
    return Ppm(PPM if ratio >= tolerance else ratio)


def released(deposit: int, beta: int) -> Money:
    """(26) P_S = β_S·D_S, rounded down: the rest of the deposit goes to the window's pool, which gains."""
    if deposit < 0 or not 0 <= beta <= PPM:
        raise SettlementError(f"a release of {beta} ppm of a deposit of {deposit}", "use 0 … 10^6 ppm of money from 0")
    return Money(deposit * beta // PPM)
