"""How a window's deliveries are proved: readings, vouchers, or sealed sub-slots (docs/metering.md)."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from stowatt.audit.events import Event, ReadingAccepted, SealedOpened, VoucherRedeemed


class Evidence(StrEnum):
    """What the meters sign."""

    READINGS = "readings"
    """Each sub-slot, as it ends: the stream shows at once."""
    VOUCHERS = "vouchers"
    """The sum so far, off the chain; the last one is redeemed."""
    SEALED = "sealed"
    """A commitment for each sub-slot; only the sum is opened."""


def metered_by_device(events: Iterable[Event]) -> Counter[int]:
    """Wh that the chain counted for each device of one window."""
    metered: Counter[int] = Counter()
    for event in events:
        if isinstance(event, ReadingAccepted):
            metered[event.device] += event.energy
        elif isinstance(event, VoucherRedeemed | SealedOpened):
            metered[event.device] = event.energy
    return metered
