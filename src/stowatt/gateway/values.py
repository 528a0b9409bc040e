"""Times and numbers as files and messages have them, read exactly: no value goes through floating point by itself.

A float that a file holds is taken as the exact rational that it is.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from stowatt.gateway.samples import MICROSECONDS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 2**40
"""The latest time, unix seconds: far beyond every calendar's use."""
LONGEST: Final = 40
"""The longest number or time, in characters."""
_EXPONENT: Final = 30


def parse_value(value: Any) -> Fraction | None:
    """A number, exactly; None for nothing (null, an empty cell); ValueError for what is no finite number."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError("no number")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("not finite")
        return Fraction(value)
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise ValueError("no number") from None
    if not number.is_finite() or len(number.as_tuple().digits) > LONGEST or abs(number.adjusted()) > _EXPONENT:
        raise ValueError("not finite, or too long")
    return Fraction(number)


def parse_time(value: Any) -> int:
    """Microseconds of a time: unix seconds as a number, or RFC 3339 text; text without an offset means UTC."""
    if isinstance(value, datetime):
        return _of_datetime(value)
    if isinstance(value, str):
        text = value.strip()
        if len(text) > LONGEST:
            raise ValueError("too long")
        if not text.replace(".", "", 1).isdecimal():
            try:
                return _of_datetime(datetime.fromisoformat(text))
            except OverflowError:
                raise ValueError("no time") from None
        value = text
    seconds = parse_value(value)
    if seconds is None or not 0 <= seconds < _LATEST:
        raise ValueError("no time")
    return int(seconds * MICROSECONDS)


def _of_datetime(value: datetime) -> int:
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    if not 0 <= microseconds < _LATEST * MICROSECONDS:
        raise ValueError("no time")
    return microseconds
