"""What a home's battery does for its own home before the evening's market: surplus in, deficit out.

The greedy rule of self-consumption. Integers: every rounding leaves less energy in the battery than there would be.
"""

from stowatt.data.homes import Battery, Home
from stowatt.units import PPM, ceil_div


def stored_before(home: Home, battery: Battery, row: int) -> int:
    """Energy stored at the start of a row, Wh, when the battery served its own home since the profile's first row."""
    energy = battery.energy_wh
    for earlier in range(row):
        energy = step(battery, energy, home.net_load_wh(earlier))
    return energy


def step(battery: Battery, energy: int, net_load: int) -> int:
    """Energy stored after one window of self-consumption."""
    through = min(abs(net_load), battery.window_cap_wh())
    if net_load < 0:
        return min(battery.usable_wh, energy + through * battery.efficiency_ppm // PPM)
    return max(0, energy - ceil_div(through * PPM, battery.efficiency_ppm))
