"""§1: decimals read and written exactly, as whole numbers of a unit; never through floating point."""

import re
from dataclasses import dataclass
from typing import Final

from stowatt.errors import UnitError

_NUMBER: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?")
_NOT_FINITE: Final = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_LONGEST: Final = 64
"""The longest number, in characters: far more than any price or quantity in range has."""
_SHOWN: Final = 40


def shown(value: str) -> str:
    """A value as error messages show it: quoted, on one line, not too long."""
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")


def parse_decimal(text: str) -> tuple[int, int]:
    """`text` as (mantissa, exponent of ten): a decimal, also with an exponent as spreadsheets write small ones."""
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or not (match[2] or match[3]):
        raise _not_a_number(text)
    sign, whole, fraction, exponent = match.groups(default="")
    mantissa = int(whole + fraction)
    return (-mantissa if sign == "-" else mantissa), int(exponent or 0) - len(fraction)


def _not_a_number(text: str) -> UnitError:
    if not text:
        return UnitError("is empty", "give a number such as 0.25")
    if _NOT_FINITE.fullmatch(text):
        return UnitError(f"{shown(text)} is not a finite number", "give a number such as 0.25, or leave the row out")
    if len(text) > _LONGEST:
        return UnitError(f"{shown(text)} is too long for a number", f"write at most {_LONGEST} characters")
    if re.fullmatch(r"[+-]?[0-9]*,[0-9]*", text):
        return UnitError(f"{shown(text)} is not a number", "write the decimal mark as a point")
    return UnitError(f"{shown(text)} is not a number", "write a plain decimal such as 0.25")


def decimal_text(mantissa: int, exponent: int) -> str:
    """mantissa × 10^exponent without an exponent and without trailing zeros: `0.1234`, `20`, `0`."""
    if exponent >= 0:
        return str(mantissa * 10**exponent)
    sign, digits = ("-" if mantissa < 0 else ""), str(abs(mantissa)).rjust(1 - exponent, "0")
    whole, fraction = digits[:exponent], digits[exponent:].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


@dataclass(frozen=True, slots=True)
class DecimalUnit:
    """The unit mantissa × 10^exponent > 0, such as a tick size of 0.0001 or a watt-hour as 0.001 kWh."""

    mantissa: int
    exponent: int

    @classmethod
    def parse(cls, text: str) -> "DecimalUnit":
        """A unit from its decimal text, between 10^-18 and 10^18."""
        mantissa, exponent = parse_decimal(text)
        if mantissa <= 0 or not 1 <= cls._times_ten_to(mantissa, exponent + 18) <= 10**36:
            raise UnitError(f"a tick size of {shown(text)} is out of range", "give a positive decimal such as 0.0001")
        return cls(mantissa, exponent)

    @staticmethod
    def _times_ten_to(mantissa: int, exponent: int) -> int:
        """mantissa × 10^exponent, rounded down; used for comparing only."""
        return int(mantissa * 10**exponent if exponent >= 0 else mantissa // 10**-exponent)

    def count(self, text: str) -> int | None:
        """How many units `text` is; None if that is not a whole number. UnitError if it is not a number."""
        mantissa, exponent = parse_decimal(text)
        shift = exponent - self.exponent
        numerator, denominator = mantissa * 10 ** max(shift, 0), self.mantissa * 10 ** max(-shift, 0)
        quotient, rest = divmod(numerator, denominator)
        return None if rest else quotient

    def text(self, count: int, *, per_thousand: bool = False) -> str:
        """`count` units as an exact decimal; with `per_thousand`, a thousandth of that (Wh at a price per kWh)."""
        return decimal_text(count * self.mantissa, self.exponent - (3 if per_thousand else 0))


WH_IN_KWH: Final = DecimalUnit(1, -3)
