"""Reading a scenario's tables: every value is checked, every decimal is exact, every error names where it is.

An error is one line: file, table.key, the value, what is wrong with it, and the way out.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from stowatt.data.decimals import DecimalUnit, decimal_text
from stowatt.errors import UnitError
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.settings import Shares
from stowatt.units import PPM

Values = Mapping[str, object]

_LONGEST: Final = 60
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")


class Table:
    """One table of a scenario; what is not read from it by the end is unknown."""

    def __init__(self, source: str, name: str, values: object) -> None:
        self.source, self.name = source, name
        if not isinstance(values, Mapping):
            raise ScenarioError(f"{source}: {name} = {shown(values)} is not a table", f"write [{name}] above its keys")
        self.values: Values = values
        self._known: list[str] = []

    def error(self, key: str, problem: str, way_out: str) -> ScenarioError:
        """An error at a key of this table."""
        place = word(f"{self.name}.{key}" if self.name else key)
        value = f" = {shown(self.values[key])}" if key in self.values else ""
        return ScenarioError(f"{self.source}: {place}{value} {problem}", way_out)

    def has(self, key: str) -> bool:
        """Whether the key is given; it is known from now on."""
        self._known.append(key)
        return key in self.values

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self.values:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(set(self._known)))}"
                kind = "table" if not self.name and isinstance(self.values[key], Mapping) else "key"
                raise ScenarioError(
                    f"{self.source}: {word(f'{self.name}.{key}' if self.name else key)} is no known {kind}", hint
                )

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without a default it has to be there."""
        if not self.has(key) and default is not None:
            return default
        value = self.values.get(key)
        if key not in self.values:
            raise self.error(key, "is missing", f'write {key} = "…"')
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "is no text", f'write {key} = "…"')
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of the choices."""
        value = self.text(key, default)
        if value not in choices:
            raise self.error(key, "is not known", f"choose from {', '.join(choices)}")
        return value

    def whole(self, key: str, low: int, high: int, default: int) -> int:
        """A whole number."""
        if not self.has(key):
            return default
        value = self.values[key]
        if type(value) is not int:
            raise self.error(key, "is not a whole number", f"write a number from {low} to {high}")
        if not low <= value <= high:
            raise self.error(key, f"is outside {low} to {high}", "choose a value inside")
        return value

    def decimal(self, key: str, digits: int, low: int, high: int, default: int) -> int:
        """A decimal as a whole number of 10^-digits, exactly: TOML's number, or a text such as "0.40"."""
        if not self.has(key):
            return default
        return self._decimal(key, self.values[key], digits, low, high)

    def share(self, key: str, default: int) -> int:
        """A share from 0 to 1, ppm."""
        return self.decimal(key, 6, 0, PPM, default)

    def day(self, key: str) -> date | None:
        """A date; None if it is not given."""
        if not self.has(key):
            return None
        value = self.values[key]
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise self.error(key, "is not a date", "write it like 2016-01-01") from None
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.error(key, "is not a date", "write it like 2016-01-01")
        return value

    def shares(self, key: str, known: Sequence[str], default: Shares) -> Shares:
        """Shares by name that add up to 1, in the order of `known`; a name alone means all."""
        if not self.has(key):
            return default
        value = self.values[key]
        if isinstance(value, str):
            value = {value: 1}
        if not isinstance(value, Mapping):
            raise self.error(key, "are no shares", f"write {key} = {{ {known[0]} = 0.8, {known[-1]} = 0.2 }}")
        for name in value:
            if name not in known:
                raise self.error(key, f"has an unknown {shown(name)}", f"choose from {', '.join(known)}")
        found = [(name, self._decimal(key, value[name], 6, 0, PPM)) for name in known if name in value]
        if sum(share for _, share in found) != PPM:
            raise self.error(key, "does not add up to 1", "give shares that do")
        return tuple((name, share) for name, share in found if share)

    def names(self, key: str, known: Sequence[str], default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of known names, each once, at least one."""
        if not self.has(key):
            return default
        value = self.values[key]
        if not isinstance(value, list) or not value or not all(name in known for name in value):
            raise self.error(key, "is no list of what is known", f"choose from {', '.join(known)}")
        if len(set(value)) < len(value):
            raise self.error(key, "names something twice", "name each once")
        return tuple(value)

    def _decimal(self, key: str, value: object, digits: int, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise self.error(key, "is not a number", "write a plain decimal such as 0.25")
        try:
            found = DecimalUnit(1, -digits).count(str(value).strip())
        except UnitError as error:
            raise self.error(key, "is not a number", error.way_out) from error
        if found is None:
            raise self.error(key, "is not exact", f"write at most {digits} decimals")
        if not low <= found <= high:
            limits = f"{decimal_text(low, -digits)} to {decimal_text(high, -digits)}"
            raise self.error(key, f"is outside {limits}", "choose a value inside")
        return found


def word(key: str) -> str:
    """A key as it stands in an error: quoted if it would not be plain to read."""
    return key if _PLAIN.fullmatch(key) else shown(key)


def shown(value: object) -> str:
    """A value as it stands in an error: on one line, not too long."""
    if isinstance(value, Mapping):
        text = "{ " + ", ".join(f"{word(key)} = {shown(item)}" for key, item in value.items()) + " }"
    elif isinstance(value, list):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = repr(value)
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
