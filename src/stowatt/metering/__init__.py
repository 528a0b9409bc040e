"""Meters (§6): signed readings, vouchers and sealed vouchers, and the counter that makes each reading count once."""

from stowatt.metering.counter import CounterFile
from stowatt.metering.readings import Reading, SignedReading, delivery_domain, reading_digest, sign_reading
from stowatt.metering.sealed import SealedVoucher, SignedSealed, sealed_digest, sign_sealed, verify_opening
from stowatt.metering.slots import SealedSlots
from stowatt.metering.vouchers import SignedVoucher, Voucher, sign_voucher, voucher_digest

__all__ = [
    "CounterFile",
    "Reading",
    "SealedSlots",
    "SealedVoucher",
    "SignedReading",
    "SignedSealed",
    "SignedVoucher",
    "Voucher",
    "delivery_domain",
    "reading_digest",
    "sealed_digest",
    "sign_reading",
    "sign_sealed",
    "sign_voucher",
    "verify_opening",
    "voucher_digest",
]
