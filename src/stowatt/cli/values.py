"""What people write on the command line, as exact numbers: prices, energies, money, windows, durations, times."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stowatt.agent import Order
from stowatt.chain.client import MarketReader
from stowatt.curves import Curve, Side
from stowatt.data.book_file import read_book
from stowatt.data.decimals import WH_IN_KWH, DecimalUnit, shown
from stowatt.errors import BookError, UnitError
from stowatt.units import MAX_WIDTH_WH, PPM, Money, Ppm, Wh

_RANGE: Final = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")
_DURATION: Final = re.compile(r"([0-9]{1,9})(s|m|h|d)?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, None: 1}
_MOST_WINDOWS: Final = 100_000
_MAX_MONEY: Final = 2**96 - 1


def windows_of(texts: Iterable[str]) -> list[int]:
    """Windows such as `7` or `4-9`, without repetitions."""
    found: dict[int, None] = {}
    for text in texts:
        match = _RANGE.fullmatch(text)
        if match is None or int(match[1]) >= 1 << 32 or int(match[2] or 0) >= 1 << 32:
            raise UnitError(f"{shown(text)} is no window", "write a number such as 7, or a range such as 4-9")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + _MOST_WINDOWS:
            raise UnitError(f"{shown(text)} is no range of windows", f"write it upwards, at most {_MOST_WINDOWS} long")
        found.update(dict.fromkeys(range(first, last + 1)))
    return list(found)


def money_unit(decimals: int) -> DecimalUnit:
    """A base unit of a token."""
    return DecimalUnit(1, -decimals)


def amount(text: str, decimals: int) -> Money:
    """An amount of tokens in base units, more than 0."""
    value = money_unit(decimals).count(text)
    if value is None:
        raise UnitError(f"{shown(text)} is finer than the token", f"give at most {decimals} decimals")
    if not 0 < value <= _MAX_MONEY:
        raise UnitError(f"{shown(text)} is not an amount", "give more than 0 and less than 2^96 base units")
    return Money(value)


def tick_unit(reader: MarketReader) -> DecimalUnit:
    """The market's tick, in tokens per kWh."""
    return DecimalUnit(reader.calendar.tick_size, -reader.deployment.token_decimals)


def curve(reader: MarketReader, side: Side, steps: Sequence[str]) -> Curve:
    """The curve of steps such as `0.25:1.2`: price per kWh, then kWh."""
    pairs = []
    for number, step in enumerate(steps, start=1):
        price, colon, quantity = step.partition(":")
        if not colon:
            raise UnitError(f"step {number}, {shown(step)}, has no colon", "write price:kWh such as 0.25:1.2")
        try:
            pairs.append((_tick(reader, price), _width(quantity)))
        except UnitError as error:
            raise UnitError(f"step {number}, {shown(step)}: {error.what}", error.way_out) from None
    return Curve.of(side, pairs)


def orders_of_file(reader: MarketReader, path: Path, names: Sequence[str]) -> list[Order]:
    """The bids of a book file, all of one participant, whom `names` names."""
    orders = []
    for window, book in read_book(path, tick_unit(reader)).items():
        (number,) = windows_of([window]) if window.isdecimal() and len(window) < 11 else (None,)
        if number is None:
            raise BookError(f"{path}: window {shown(window)} is no number", "number the windows as the market does")
        for participant, bid in book.bids:
            if participant.lower() not in {name.lower() for name in names}:
                raise BookError(
                    f"{path}: window {window} has a bid of {shown(participant)}",
                    f"with this key, only rows of {' or '.join(names)} can be committed",
                )
            orders.append(Order(number, bid))
    if not orders:
        raise BookError(f"{path} has no bids", "give at least one row")
    return orders


def _tick(reader: MarketReader, text: str) -> int:
    unit, highest = tick_unit(reader), reader.calendar.ticks - 1
    tick = unit.count(text)
    if tick is None:
        raise UnitError(f"{shown(text)} is not a whole number of ticks of {unit.text(1)}", "round the price (§1)")
    if not 0 <= tick <= highest:
        raise UnitError(f"{shown(text)} is off the price grid", f"prices run from 0 to {unit.text(highest)}")
    return tick


def _width(text: str) -> int:
    width = WH_IN_KWH.count(text)
    if width is None:
        raise UnitError(f"{shown(text)} kWh is not a whole number of Wh", "give at most three decimals (§1)")
    if not 0 < width <= MAX_WIDTH_WH:
        raise UnitError(
            f"{shown(text)} kWh is out of range",
            f"give more than 0 and at most {WH_IN_KWH.text(MAX_WIDTH_WH)} kWh (§2)",
        )
    return width


def energy(text: str) -> Wh:
    """An energy in kWh, as whole Wh; zero is one."""
    count = WH_IN_KWH.count(text)
    if count is None:
        raise UnitError(f"{shown(text)} kWh is not a whole number of Wh", "give at most three decimals (§1)")
    if not 0 <= count <= MAX_WIDTH_WH:
        raise UnitError(f"{shown(text)} kWh is out of range", "give an energy from 0")
    return Wh(count)


def share(name: str, text: str, *, lowest: int = 1) -> Ppm:
    """A share such as 0.2 in ppm, at least `lowest` ppm."""
    count = DecimalUnit(1, -6).count(text)
    if count is None or not lowest <= count <= PPM:
        start = "above 0" if lowest else "from 0"
        raise UnitError(f"{name} is {shown(text)}", f"give a share {start} up to 1, with at most six decimals")
    return Ppm(count)


def duration(name: str, text: str) -> int:
    """Seconds of a text such as 90, 15m, 2h."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise UnitError(f"{name} is {shown(text)}", "give a duration such as 90s, 15m, 2h or 1d")
    return int(match[1]) * _SECONDS[match[2]]


def instant(name: str, text: str) -> int:
    """Unix seconds of `2026-11-22T17:00:00Z`, or of a number."""
    if text.isdecimal() and len(text) < 12:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.timestamp() != int(moment.timestamp()):
        raise UnitError(f"{name} is {shown(text)}", "give a time with its zone, such as 2026-11-22T17:00:00Z")
    return int(moment.timestamp())


def time_text(unix: int) -> str:
    """A time as people read it: UTC, to the second."""
    try:
        return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return str(unix)


def short_time(unix: int) -> str:
    """The same without the year, and without seconds if there are none."""
    text = time_text(unix)
    return text[5:].replace(":00Z", "Z") if text.endswith("Z") else text
