"""What a home expects of its own load and PV.

`perfect` is the profile itself: the upper bound of what any forecast can do. `persistence` expects in each window
what the same window of the day before had, and nothing on the first day: the simplest forecast that a meter can make,
and the usual yardstick of better ones. Entry t is what is expected of window t by whoever looks at most `HORIZON`
windows ahead: when window t - HORIZON starts, yesterday's window t is just over.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stowatt.scenarios.community import Community, Int64s
from stowatt.scenarios.settings import FORECASTS
from stowatt.units import PPM

DAY: Final = 96
"""Windows of a day."""
HORIZON: Final = DAY - 1
"""Windows from the next one on that a home plans for: a day less the window in which it seals its bid."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Expected load − PV, and how wrong that is."""

    name: str
    net_wh: Int64s
    """(windows, homes)."""
    error_ppm: int
    """Σ |expected − actual| / Σ |actual| over all windows and homes, ppm, rounded down."""
    bias_ppm: int
    """Σ (expected − actual) / Σ |actual|, ppm, rounded towards −∞: above 0 if more load is expected than comes."""


def forecast_of(name: str, community: Community) -> Forecast:
    """A forecast by its name, one of `FORECASTS`."""
    actual = community.net_load_wh()
    if name == FORECASTS[1]:
        return Forecast(name, actual, 0, 0)
    expected = np.zeros_like(actual)
    expected[DAY:] = actual[:-DAY]
    wrong, size = expected - actual, max(1, int(np.abs(actual).sum()))
    return Forecast(name, expected, int(np.abs(wrong).sum()) * PPM // size, int(wrong.sum()) * PPM // size)
