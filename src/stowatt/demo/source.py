"""The homes of the demo: the built-in grid, or a folder of the user's own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stowatt.data import folder, simbench
from stowatt.data.homes import WINDOW, Home, HomesError
from stowatt.demo.settings import DemoSettings
from stowatt.simulation.evening import Evening, EveningParameters, build_evening
from stowatt.simulation.worn import worn_asks


@dataclass(frozen=True, slots=True)
class Source:
    """Homes, where they come from, and what they would bid."""

    community: str
    credit: str
    """Origin and licence of the profiles."""
    day: date
    evening: Evening


def read_source(settings: DemoSettings) -> Source:
    """The evening that the settings ask for."""
    parameters = EveningParameters(
        first=settings.first, windows=settings.windows, zone=settings.zone, max_buyers=settings.max_buyers
    )
    try:
        ZoneInfo(settings.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise HomesError(f"unknown time zone {settings.zone!r}", "use a name like Europe/Berlin") from error
    if settings.homes is None:
        day = settings.day or simbench.DEMO_DAY
        homes = simbench.read_homes(day)
        community = "Rural grid LV3.101"
        credit = f"SimBench {simbench.GRID}, Meinecke et al. 2020, Open Database License 1.0"
    else:
        homes = folder.read_folder(settings.homes, settings.zone)
        day = settings.day or _first_evening(homes, parameters)
        community = settings.homes.resolve().name
        credit = f"the user's own homes in {settings.homes.resolve().name}/"
    evening = build_evening(homes, day, parameters, worn_asks)
    sells, buys = (sum(bid.curve.side == side for window in evening.windows for bid in window.bids) for side in (0, 1))
    if not sells or not buys:
        raise HomesError(
            f"on {day.isoformat()} from {settings.first:%H:%M} {'nobody sells' if not sells else 'nobody buys'}",
            "choose another date, or homes with a charged battery and homes with a load and no battery",
        )
    return Source(community, credit, day, evening)


def _first_evening(homes: list[Home], parameters: EveningParameters) -> date:
    """The first day whose windows all homes cover."""
    zone = ZoneInfo(parameters.zone)
    earliest, latest = max(home.start for home in homes), min(home.end for home in homes)
    day = earliest.astimezone(zone).date()
    while day <= latest.astimezone(zone).date():
        first = datetime.combine(day, parameters.first, zone).astimezone(UTC)
        if earliest <= first and first + WINDOW * parameters.windows <= latest:
            return day
        day += timedelta(days=1)
    raise HomesError(
        f"no evening lies in all profiles: {parameters.windows} windows from {parameters.first:%H:%M}",
        "extend the profiles, or choose --first and --windows inside them",
    )
