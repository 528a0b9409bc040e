"""The field rules of OpenADR 3.1.0 for programs and events, written down anew: openadr3.yaml and its enumerations.

`problems` lists what a VTN that checks the specification would refuse. Unknown fields are problems too: the
specification's bodies do not name them.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

Rule = Callable[[Any], bool]

DURATION = re.compile(
    r"^(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)([DW]))?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$"
)
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
OBJECT_ID = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
UNITS = frozenset(
    ["KWH", "THERMS", "GHG", "VOLTS", "AMPS", "CELSIUS", "FAHRENHEIT", "PERCENT", "KW", "KVAH", "KVARH", "KVA", "KVAR"]
)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 128


def one(rule: Rule) -> Rule:
    return lambda values: len(values) == 1 and rule(values[0])


STANDARD: dict[str, Rule] = {
    "DISPATCH_SETPOINT": one(lambda value: is_number(value) and value >= 0),
    "DISPATCH_INSTRUCTION": lambda values: len(values) >= 1 and all(map(is_name, values)),
    "CONTROL_SETPOINT": one(lambda value: is_number(value) or isinstance(value, bool) or is_name(value)),
    "CHARGE_STATE_SETPOINT": one(lambda value: is_number(value) and value >= 0),
    "IMPORT_CAPACITY_RESERVATION": one(lambda value: is_number(value) and value >= 0),
}
"""Of the enumerated payload types those that could be met here."""
OWN = {"STOWATT_ENERGY": one(lambda value: is_number(value) and value >= 0)}


def problems_of_program(body: Any) -> list[str]:
    """What is wrong with a programRequest."""
    fields = {"intervalPeriod", "programDescriptions", "payloadDescriptors", "attributes", "targets"}
    found = list(_object("program", body, {"programName"}, fields))
    if not is_name(body.get("programName")):
        found.append("programName")
    found += _period("program", body["intervalPeriod"]) if "intervalPeriod" in body else []
    for descriptor in body.get("payloadDescriptors", []):
        found += _descriptor(descriptor)
    for attribute in body.get("attributes", []):
        found += _values_map(attribute, {})
    return found


def problems_of_event(body: Any) -> list[str]:
    """What is wrong with an eventRequest."""
    optional = {
        "eventName", "duration", "priority", "targets", "reportDescriptors", "payloadDescriptors", "intervalPeriod",
        "intervals",
    }  # fmt: skip
    found = list(_object("event", body, {"programID"}, optional))
    if not isinstance(body.get("programID"), str) or not OBJECT_ID.match(body["programID"]):
        found.append("programID")
    if not isinstance(body.get("eventName", ""), str):
        found.append("eventName")
    found += [f"target {target!r}" for target in body.get("targets", []) if not is_name(target)]
    found += _period("event", body["intervalPeriod"]) if "intervalPeriod" in body else []
    described = {d["payloadType"] for d in body.get("payloadDescriptors", [])}
    for descriptor in body.get("payloadDescriptors", []):
        found += _descriptor(descriptor)
    ids = [interval.get("id") for interval in body.get("intervals", [])]
    if len(set(ids)) != len(ids):
        found.append("two intervals have one id")
    for interval in body.get("intervals", []):
        found += _object("interval", interval, {"id", "payloads"}, {"intervalPeriod"})
        if type(interval["id"]) is not int or not -(2**31) <= interval["id"] < 2**31:
            found.append("id is no int32")
        found += _period("interval", interval["intervalPeriod"]) if "intervalPeriod" in interval else []
        for payload in interval["payloads"]:
            found += _values_map(payload, STANDARD | OWN)
            if payload["type"] not in described:
                found.append(f"{payload['type']} is not described")
    return found


def _object(name: str, body: Any, required: set[str], optional: set[str]) -> Iterator[str]:
    if not isinstance(body, dict):
        yield f"{name} is no object"
        return
    yield from (f"{name} lacks {field}" for field in sorted(required - set(body)))
    yield from (f"{name} has {field}" for field in sorted(set(body) - required - optional))


def _period(name: str, body: Any) -> list[str]:
    found = list(_object(f"{name}.intervalPeriod", body, set(), {"start", "duration", "randomizeStart"}))
    start, length = body.get("start", "0001-01-01T00:00:00Z"), body.get("duration", "PT0S")
    if not isinstance(start, str) or not RFC3339.match(start) or not datetime.fromisoformat(start).tzinfo:
        found.append(f"{name} starts at {start!r}")
    if not isinstance(length, str) or not DURATION.match(length):
        found.append(f"{name} lasts {length!r}")
    return found


def _descriptor(body: Any) -> list[str]:
    found = list(_object("descriptor", body, {"objectType", "payloadType"}, {"units", "currency"}))
    if body.get("objectType") != "EVENT_PAYLOAD_DESCRIPTOR" or not is_name(body.get("payloadType")):
        found.append("descriptor's types")
    if body.get("units") is not None and body["units"] not in UNITS:
        found.append(f"units {body['units']!r}")
    return found


def _values_map(body: Any, rules: dict[str, Rule]) -> list[str]:
    found = list(_object("valuesMap", body, {"type", "values"}, set()))
    if not is_name(body.get("type")) or not isinstance(body.get("values"), list):
        return [*found, "valuesMap's fields"]
    if rules and body["type"] not in rules:
        found.append(f"no payload type {body['type']}")
    if rules and not rules.get(body["type"], lambda _: True)(body["values"]):
        found.append(f"{body['type']} of {body['values']}")
    return found
