"""The community's clock, window by window."""

from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np

from stowatt.data.homes import WINDOW
from stowatt.scenarios.community import Community, Int64s


def local_hours(community: Community) -> Int64s:
    """The hour in which each window starts, on the community's clock, whatever that does in spring and autumn."""
    zone, start = ZoneInfo(community.zone), community.start.astimezone(UTC)
    return np.array([(start + k * WINDOW).astimezone(zone).hour for k in range(community.windows)], np.int64)
