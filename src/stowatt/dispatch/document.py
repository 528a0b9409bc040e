"""A dispatch plan as JSON, format `stowatt-dispatch` version 1; docs/dispatch.md lists its fields.

All numbers are whole: Wh, W, ppm, unix seconds, ticks. Token ids are 0x and hex digits. What is read back is equal to
what was written; an unknown version, a missing or further field, or a value of another kind is refused by name.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.feasibility import Limit
from stowatt.dispatch.schedules import DispatchPlan

FORMAT: Final = "stowatt-dispatch"
VERSION: Final = 1
_TOKENS: Final = frozenset({"rights", "sell", "buy"})
"""Fields that hold token ids: 241 bits, more than JSON's readers keep of a number."""
_MOST: Final = 2**63 - 1
_DEEPEST: Final = 16
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def to_json(plan: DispatchPlan) -> dict[str, Any]:
    """The plan as JSON values."""
    return {"format": FORMAT, "version": VERSION, **_plain(plan)}


def from_json(content: Any) -> DispatchPlan:
    """The plan of `to_json`'s values."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DispatchError("this is no dispatch plan", f"give a JSON object of format {FORMAT!r}")
    if content.get("version") != VERSION:
        raise DispatchError(f"a dispatch plan of version {content.get('version')!r}", f"version {VERSION} can be read")
    values = {name: value for name, value in content.items() if name not in ("format", "version")}
    plan: DispatchPlan = _made("plan", DispatchPlan, values)
    return plan


def read_plan(path: Path) -> DispatchPlan:
    """The plan of a file."""
    way_out = "name a file of `stowatt dispatch`"
    try:
        text = path.read_text(encoding="utf-8")
        if _depth(text) > _DEEPEST:
            raise DispatchError(f"{path} is nested more than {_DEEPEST} deep", way_out)
        return from_json(json.loads(text))
    except OSError as error:
        raise DispatchError(f"{path} cannot be read: {error.strerror}", way_out) from None
    except ValueError as error:
        raise DispatchError(f"{path} is not JSON: {error}", way_out) from None


def _depth(text: str) -> int:
    """How deep the brackets of a JSON text nest; the parser's own limit is the C stack, which a library can lift."""
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _plain(value: Any, name: str = "") -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), field.name) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(part, name) for part in value]
    return hex(value) if name in _TOKENS else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _made(place: str, hint: Any, value: Any, name: str = "") -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise _wrong(place, value, "a list")
        return tuple(_made(f"{place}[{number}]", get_args(hint)[0], part, name) for number, part in enumerate(value))
    if is_dataclass(hint):
        return _record(place, hint, value)
    if hint is bool or hint is str:
        if not isinstance(value, hint):
            raise _wrong(place, value, "true or false" if hint is bool else "text")
        return value
    if hint is Limit:
        if value not in list(Limit):
            raise _wrong(place, value, " or ".join(Limit))
        return Limit(value)
    return _token(place, value) if name in _TOKENS else _number(place, value)


def _record(place: str, kind: Any, value: Any) -> Any:
    hints = _hints(kind)
    if not isinstance(value, dict) or set(value) != set(hints):
        raise _wrong(place, value, f"an object with exactly {', '.join(hints)}")
    return kind(**{key: _made(f"{place}.{key}", hint, value[key], key) for key, hint in hints.items()})


def _number(place: str, value: Any) -> int:
    if type(value) is not int or not -_MOST <= value <= _MOST:
        raise _wrong(place, value, "a whole number of 64 bits")
    return value


def _token(place: str, value: Any) -> int:
    try:
        number = int(value, 16) if isinstance(value, str) and value.startswith("0x") else -1
    except ValueError:
        number = -1
    if not 0 <= number < 2**256:
        raise _wrong(place, value, "0x and hexadecimal digits")
    return number


def _wrong(place: str, value: Any, wanted: str) -> DispatchError:
    text = repr(value)
    return DispatchError(f"{place} is {text if len(text) <= 60 else text[:60] + '…'}", f"it must be {wanted}")
