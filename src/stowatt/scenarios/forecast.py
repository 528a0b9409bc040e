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
CASES: Final = 8
"""What a careful buyer thinks possible, at most: each of the last seven days again, or nothing at all."""
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
    actual_wh: Int64s
    """What comes; only what is over is looked at."""

    def possible(self, window: int) -> Int64s:
        """(cases, homes): equally likely values of load − PV in a window.

        Of persistence, those of the same window on the last days, at most seven, and 0: a week is too short to call
        anything certain. Of perfect foresight, what comes.
        """
        if self.name == FORECASTS[1]:
            return self.net_wh[window : window + 1]
        days = min(window // DAY, CASES - 1)
        found = np.zeros((days + 1, self.actual_wh.shape[1]), np.int64)
        found[:days] = self.actual_wh[window - DAY * np.arange(1, days + 1)]
        return found


def forecast_of(name: str, community: Community) -> Forecast:
    """A forecast by its name, one of `FORECASTS`."""
    actual = community.net_load_wh()
    if name == FORECASTS[1]:
        return Forecast(name, actual, 0, 0, actual)
    expected = np.zeros_like(actual)
    expected[DAY:] = actual[:-DAY]
    wrong, size = expected - actual, max(1, int(np.abs(actual).sum()))
    error, bias = int(np.abs(wrong).sum()) * PPM // size, int(wrong.sum()) * PPM // size
    return Forecast(name, expected, error, bias, actual)
