"""One battery over consecutive windows: what it can deliver from what it holds.

The model is energy and power, nothing else: a one-way efficiency each way, a usable band of stored energy, a power cap
each way. It knows no self-discharge, no derating with temperature, age or state of charge, and no reactive power.

In a window the sale comes first, then the own home; a window with a sale counts no charging (the battery may have to
discharge throughout). Integers: every rounding leaves less in the battery than there would be. Each step is monotone
– more stored before never means less stored after, more sold never means more stored after – and this is what the
strategy against overselling (`stowatt.simulation.portfolio`) rests on.
"""

from dataclasses import dataclass
from typing import Self

from stowatt.devices import MAX_RATING, DeviceParameters
from stowatt.dispatch.errors import DispatchError
from stowatt.units import PPM, SECONDS_PER_HOUR, Wh, ceil_div


@dataclass(frozen=True, slots=True)
class Storage:
    """A battery at the start of the first window."""

    usable_wh: int
    """Energy between the lowest and the highest permitted state of charge, Wh stored."""
    export_w: int
    """Highest discharge power at the terminals, W."""
    charge_w: int
    """Highest charge power at the terminals, W."""
    eta_c_ppm: int
    """Charging efficiency, ppm."""
    eta_d_ppm: int
    """Discharging efficiency, ppm."""
    stored_wh: int
    """Energy above the lowest permitted state of charge, Wh stored."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("usable_wh", 0, MAX_RATING),
            ("export_w", 0, MAX_RATING),
            ("charge_w", 0, MAX_RATING),
            ("eta_c_ppm", 1, PPM),
            ("eta_d_ppm", 1, PPM),
            ("stored_wh", 0, self.usable_wh),
        ):
            value: object = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise DispatchError(f"battery: {name} is {value!r}", f"give a whole number from {low} to {high}")

    @classmethod
    def of(cls, device: DeviceParameters, stored_wh: int | None = None) -> Self:
        """A certified device; full unless it is said what is stored, for the chain does not know."""
        return cls(
            device.usable_wh, device.export_w, device.charge_w, device.eta_c_ppm, device.eta_d_ppm,
            device.usable_wh if stored_wh is None else stored_wh,
        )  # fmt: skip

    def cap_wh(self, length_s: int) -> Wh:
        """The most that the power cap lets out in a window. Rounded down: never oversold."""
        return Wh(self.export_w * length_s // SECONDS_PER_HOUR)

    def charge_cap_wh(self, length_s: int) -> Wh:
        """The most that the power cap lets in in a window. Rounded down."""
        return Wh(self.charge_w * length_s // SECONDS_PER_HOUR)

    def limit_wh(self, length_s: int) -> Wh:
        """(1) Q_max of a window, as the registry computes it."""
        return Wh(min(self.usable_wh, self.cap_wh(length_s)))

    def draw(self, out_wh: int) -> int:
        """What leaves the store for `out_wh` at the terminals. Rounded up: less stays than there would be."""
        return ceil_div(out_wh * PPM, self.eta_d_ppm)

    def reach(self, stored_wh: int) -> int:
        """What `stored_wh` come to at the terminals. Rounded down; `draw(reach(e))` never exceeds e."""
        return stored_wh * self.eta_d_ppm // PPM


@dataclass(frozen=True, slots=True)
class Slot:
    """What one window asks of a battery; all energies are Wh at its terminals."""

    window: int
    start: int
    """Start of delivery, unix seconds."""
    length_s: int
    sale_wh: int = 0
    """Sold: has to be delivered."""
    own_wh: int = 0
    """What the own home wants from the battery."""
    charge_wh: int = 0
    """What PV surplus and permitted grid charging offer; taken only in a window without a sale."""

    def __post_init__(self) -> None:
        if self.length_s < 1 or min(self.sale_wh, self.own_wh, self.charge_wh) < 0:
            raise DispatchError(
                f"window {self.window}: {self.length_s} s, sale {self.sale_wh}, own {self.own_wh}, charge "
                f"{self.charge_wh} Wh",
                "use a length of at least a second and energies from 0",
            )
        if self.own_wh and self.charge_wh:
            raise DispatchError(
                f"window {self.window}: the battery serves {self.own_wh} Wh and charges {self.charge_wh} Wh at once",
                "net the two, or let the grid serve the home while it charges",
            )


@dataclass(frozen=True, slots=True)
class Step:
    """What a battery does in one window."""

    slot: Slot
    before_wh: int
    """Stored at the start."""
    after_wh: int
    """Stored at the end."""
    delivered_wh: int
    """Of the sale, at the terminals."""
    served_wh: int
    """Of the own home's wish, at the terminals."""

    @property
    def missing_wh(self) -> int:
        """What of the sale it cannot deliver."""
        return self.slot.sale_wh - self.delivered_wh

    @property
    def unserved_wh(self) -> int:
        """What the own home has to buy elsewhere."""
        return self.slot.own_wh - self.served_wh


def advance(storage: Storage, stored_wh: int, slot: Slot) -> Step:
    """One window: the sale first, then the own home, each as far as energy and power reach; or charging.

    The home is not metered in whole Wh: it takes the power cap rounded up. A battery that cannot give all that is
    wanted is empty afterwards, to the last fraction of a Wh. So what the model leaves is never more than what a battery
    without roundings has left.
    """
    reach, wanted = storage.reach(stored_wh), min(slot.sale_wh, storage.cap_wh(slot.length_s))
    sold = min(wanted, reach)
    most = min(slot.own_wh, ceil_div(storage.export_w * slot.length_s, SECONDS_PER_HOUR) - sold)
    served = min(most, reach - sold)
    emptied = sold < wanted or served < most
    left = 0 if emptied else stored_wh - storage.draw(sold + served)
    if not slot.sale_wh:
        taken = min(slot.charge_wh, storage.charge_cap_wh(slot.length_s)) * storage.eta_c_ppm // PPM
        left = min(storage.usable_wh, left + taken)
    return Step(slot, stored_wh, left, sold, served)
