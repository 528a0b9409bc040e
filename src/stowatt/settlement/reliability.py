"""§6, dynamic α: a seller's deposit coefficient falls with the reliability of its device.

Reliability r (ppm) is an exponentially weighted mean of the fulfilment ratios ρ of the device's settled sales, and 0
for a new device. A sale weighs as much as it takes of the device's window limit: many small sales cannot buy the trust
that one large sale then breaks (farming), and a new device starts at the highest α (whitewashing).
"""

from stowatt.errors import SettlementError
from stowatt.units import PPM, Ppm


def seller_alpha(alpha_new: int, alpha_proven: int, reliability: int) -> Ppm:
    """α_S(r) = α_new − ⌊(α_new − α_proven)·r / 10^6⌋ in ppm, rounded up: the escrow gains.

    alpha_new: α of a device without history; alpha_proven: α at r = 10^6, at most alpha_new. Fixed at the commitment.
    """
    if not 1 <= alpha_proven <= alpha_new <= PPM or not 0 <= reliability <= PPM:
        raise SettlementError(
            f"α between {alpha_new} and {alpha_proven} ppm at a reliability of {reliability} ppm",
            "use 1 ≤ proven ≤ new ≤ 10^6 ppm and a reliability of 0 … 10^6 ppm",
        )
    return Ppm(alpha_new - (alpha_new - alpha_proven) * reliability // PPM)


def updated(reliability: int, fulfilment: int, gain: int, obligation: int, limit: int) -> Ppm:
    """r' = ⌊(r·(10^6 − w) + ρ·w) / 10^6⌋ with the weight w = ⌊γ·Q_eff / limit⌋, all in ppm.

    obligation: Q_eff in Wh, 0 … limit; limit: Q_max of the device in a window, Wh; gain: γ, the weight of a sale of the
    whole limit. Both divisions round down: less trust, so the escrow gains, by less than one ppm of r. A sale whose
    weight rounds to 0 leaves r as it is.
    """
    if not (0 <= reliability <= PPM and 0 <= fulfilment <= PPM and 0 <= gain <= PPM):
        raise SettlementError(
            f"a reliability of {reliability}, ρ of {fulfilment} and γ of {gain} ppm", "use 0 … 10^6 ppm"
        )
    if not 0 <= obligation <= limit or limit == 0:
        raise SettlementError(f"an obligation of {obligation} Wh of a limit of {limit} Wh", "use 0 Wh … the limit")
    weight = gain * obligation // limit
    return Ppm((reliability * (PPM - weight) + fulfilment * weight) // PPM)
