"""Integers as text for people: exact, in kWh and money, never through a float."""

from stowatt.report.model import Currency

THIN = "\u202f"
MINUS = "\u2212"
NONE = "\u2013"


def grouped(number: int) -> str:
    """1234567 as 1 234 567 with narrow spaces; a true minus sign."""
    return (MINUS if number < 0 else "") + f"{abs(number):,}".replace(",", THIN)


def fixed(number: int, decimals: int, shown: int) -> str:
    """`number` / 10^decimals with `shown` digits behind the point, to the nearest, half away from zero."""
    if shown < decimals:
        unit = 10 ** (decimals - shown)
        number = (abs(number) + unit // 2) // unit * (1 if number >= 0 else -1)
    else:
        number *= 10 ** (shown - decimals)
    if shown == 0:
        return grouped(number)
    whole, rest = divmod(abs(number), 10**shown)
    return (MINUS if number < 0 else "") + f"{grouped(whole)}.{rest:0{shown}d}"


def kwh(wh: int) -> str:
    """Energy in kWh, exact to the Wh."""
    return fixed(wh, 3, 3)


def price(tick: int | None, currency: Currency) -> str:
    """A price per kWh, exact when the tick size has at most six decimals; a dash without one."""
    if tick is None:
        return NONE
    units = tick * currency.tick_size
    shown = currency.decimals
    while shown > 2 and currency.tick_size % 10 ** (currency.decimals - shown + 1) == 0:
        shown -= 1
    return fixed(units, currency.decimals, shown)


def money(units: int, currency: Currency, shown: int = 4) -> str:
    """An amount, rounded for reading."""
    return fixed(units, currency.decimals, min(shown, currency.decimals))


def percent(ppm: int) -> str:
    """Parts per million as per cent, rounded down, so that 100 % means whole."""
    return f"{ppm // 10_000}{THIN}%"


def share(part: int, whole: int) -> str:
    """`part` of `whole` in per cent; a dash of nothing."""
    return percent(part * 1_000_000 // whole) if whole else NONE
