"""Meters (§6): device-signed readings and the counter that makes each of them count once."""

from stowatt.metering.counter import CounterFile
from stowatt.metering.readings import Reading, SignedReading, delivery_domain, reading_digest, sign_reading

__all__ = ["CounterFile", "Reading", "SignedReading", "delivery_domain", "reading_digest", "sign_reading"]
