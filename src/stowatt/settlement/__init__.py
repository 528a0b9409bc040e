"""Money (§6): pure integer functions for each rule, and `ledger`, which applies them to one window step by step.

Amounts are base units of the settlement token, quantities Wh, prices ticks, coefficients ppm. Each function says which
way it rounds and who gains.
"""

from stowatt.settlement.default import compensation, effective_quantity, forfeit_share
from stowatt.settlement.deposits import bond_share, deposit, locked, part_deposit, reserve
from stowatt.settlement.payment import earnings_cap, payment
from stowatt.settlement.release import BETA_BUYER, fulfilment, release_coefficient, released
from stowatt.settlement.stream import entitlement, owed, part_drawn, part_entitlement

__all__ = [
    "BETA_BUYER",
    "bond_share",
    "compensation",
    "deposit",
    "earnings_cap",
    "effective_quantity",
    "entitlement",
    "forfeit_share",
    "fulfilment",
    "locked",
    "owed",
    "part_deposit",
    "part_drawn",
    "part_entitlement",
    "payment",
    "release_coefficient",
    "released",
    "reserve",
]
