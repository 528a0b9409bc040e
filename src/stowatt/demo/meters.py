"""The batteries during the evening, and the meters that sign what leaves them.

A battery serves its own home first, as its seller planned, and delivers what was sold and paid for. The meter counts
what is discharged for the market, in whole Wh, and signs each sub-slot with the next number of its durable counter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

from stowatt.data.homes import Home
from stowatt.demo.community import Member
from stowatt.demo.settings import SUB_SLOT_S, WINDOW_S
from stowatt.metering import CounterFile, Reading, SignedReading, sign_reading
from stowatt.private_files import private_folder
from stowatt.simulation.strategies import split
from stowatt.typed_data import Domain
from stowatt.units import PPM, Wh

SUB_SLOTS = WINDOW_S // SUB_SLOT_S


@dataclass
class BatteryMeter:
    """One home's battery with its meter."""

    home: Home
    left: int
    """Wh that can still leave the terminals, losses taken off."""
    device: int
    key: LocalAccount
    counter: CounterFile
    trips: dict[int, int] = field(default_factory=dict)
    """The sub-slot from which on the inverter is off, for windows in which it trips."""

    def discharge(self, window: int, row: int, sub_slot: int, owed: int) -> Wh:
        """Wh for the market in one sub-slot of a window that owes `owed`; the home's own load comes first.

        The offer was cut to the power that the own load leaves, so energy is the only limit here.
        """
        own = split(max(0, self.home.net_load_wh(row)), SUB_SLOTS)[sub_slot]
        self.left = max(0, self.left - own)
        if sub_slot >= self.trips.get(window, SUB_SLOTS):
            return Wh(0)
        sold = min(split(owed, SUB_SLOTS)[sub_slot], self.left)
        self.left -= sold
        return Wh(sold)

    def sign(self, domain: Domain, window: int, sub_slot: int, energy: Wh) -> SignedReading:
        """The signed reading of a sub-slot."""
        return sign_reading(domain, Reading(self.device, window, sub_slot, energy, self.counter.next()), self.key)


def install_meters(members: list[Member], stored: Mapping[str, int], folder: Path) -> dict[str, BatteryMeter]:
    """A meter at each seller's battery, by account; `stored` is the energy in it at the first window, Wh."""
    private_folder(folder)
    meters = {}
    for member in members:
        if member.home.battery is not None:
            left = stored[member.name] * member.home.battery.efficiency_ppm // PPM
            counter = CounterFile(folder / f"{member.device}.counter")
            meters[member.address] = BatteryMeter(member.home, left, member.device, member.meter, counter)
    return meters
