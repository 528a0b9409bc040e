"""A dispatch plan in the words of OpenADR 3.1: one program, and one event for each battery and each buyer.

Each object is the body of a request to a VTN, `POST /programs` and `POST /events`; the VTN assigns ids and times. Field
rules: openadr3.yaml 3.1.0 (programRequest, eventRequest, interval, valuesMap) and its enumerations.

A battery's interval carries
    DISPATCH_INSTRUCTION   "DISCHARGE"
    CONTROL_SETPOINT       kW at the terminals, negative: the specification's setpoints count consumption
    CHARGE_STATE_SETPOINT  kWh above the lowest permitted state at the interval's end, as the plan's model has it
    STOWATT_ENERGY         kWh that the meter has to show; exact, where kW are rounded up
a buyer's
    IMPORT_CAPACITY_RESERVATION  kW on average
    STOWATT_ENERGY               kWh of its rights

DISPATCH_SETPOINT is not used: its schema admits no value below 0, so that it cannot say "discharge". CONTROL_SETPOINT's
meaning is the program's to define, and this is ours. Payload types of one's own are allowed by the specification.

In 3.1 targets are plain strings; here `device-7` or the holder's address. They are only names: the VTN's operator
gives them to the resources.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.schedules import BatteryRow, BatterySchedule, BuyerRow, BuyerSchedule, DispatchPlan

VERSION: Final = "3.1.0"
PROGRAM_NAME: Final = "stowatt-dispatch"
ENERGY: Final = "STOWATT_ENERGY"
"""Our own payload type: energy over the interval, kWh."""
_IDS: Final = 2**31
"""An interval's id is an int32: the number of the window, which is below this in any real market."""
_BATTERY_UNITS: Final[dict[str, str | None]] = {
    "DISPATCH_INSTRUCTION": None,
    "CONTROL_SETPOINT": "KW",
    "CHARGE_STATE_SETPOINT": "KWH",
    ENERGY: "KWH",
}
_BUYER_UNITS: Final[dict[str, str | None]] = {"IMPORT_CAPACITY_RESERVATION": "KW", ENERGY: "KWH"}


def program(plan: DispatchPlan) -> dict[str, Any]:
    """The body of `POST /programs`."""
    body: dict[str, Any] = {
        "programName": PROGRAM_NAME,
        "payloadDescriptors": _descriptors(_BATTERY_UNITS | _BUYER_UNITS),
        "attributes": [{"type": "STOWATT_MARKET", "values": [plan.market]}],
    }
    if plan.windows:
        first, last = plan.windows[0].start, max(window.end for window in plan.windows)
        body["intervalPeriod"] = _period(first, last)
    return body


def events(plan: DispatchPlan, program_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and bodies of `POST /events`: batteries first. A battery or buyer with nothing to do has none.

    `program_id` is what the VTN answered to `POST /programs`.
    """
    if (
        not program_id
        or len(program_id) > 128
        or not all(c.isascii() and (c.isalnum() or c in "-_") for c in program_id)
    ):
        raise DispatchError(
            f"{program_id[:60]!r} is no OpenADR program id",
            "give 1 to 128 letters, digits, - and _, as the VTN answered",
        )
    for battery in plan.batteries:
        rows = [row for row in battery.rows if row.deliver_wh]
        if rows:
            yield f"device-{battery.device}", _battery_event(battery, rows, program_id)
    for buyer in plan.buyers:
        yield buyer.holder, _buyer_event(buyer, program_id)


def _battery_event(battery: BatterySchedule, rows: list[BatteryRow], program_id: str) -> dict[str, Any]:
    intervals = [
        {
            "id": row.window % _IDS,
            "intervalPeriod": _period(row.start, row.end),
            "payloads": [
                _payload("DISPATCH_INSTRUCTION", "DISCHARGE"),
                _payload("CONTROL_SETPOINT", -_kilo(row.average_w)),
                _payload("CHARGE_STATE_SETPOINT", _kilo(row.after_wh)),
                _payload(ENERGY, _kilo(row.deliver_wh)),
            ],
        }
        for row in rows
    ]
    name = f"discharge of device {battery.device}"
    return _event(name, program_id, f"device-{battery.device}", _BATTERY_UNITS, rows[0], intervals)


def _buyer_event(buyer: BuyerSchedule, program_id: str) -> dict[str, Any]:
    intervals = [
        {
            "id": row.window % _IDS,
            "intervalPeriod": _period(row.start, row.end),
            "payloads": [
                _payload("IMPORT_CAPACITY_RESERVATION", _kilo(row.average_w)),
                _payload(ENERGY, _kilo(row.wh)),
            ],
        }
        for row in buyer.rows
    ]
    return _event(f"energy for {buyer.holder}", program_id, buyer.holder, _BUYER_UNITS, buyer.rows[0], intervals)


def _event(
    name: str,
    program_id: str,
    target: str,
    units: dict[str, str | None],
    first: BatteryRow | BuyerRow,
    intervals: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "programID": program_id,
        "eventName": name,
        "targets": [target],
        "payloadDescriptors": _descriptors(units),
        "intervalPeriod": _period(first.start, first.end),
        "intervals": intervals,
    }


def _descriptors(units: dict[str, str | None]) -> list[dict[str, str]]:
    return [
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": kind} | ({"units": unit} if unit else {})
        for kind, unit in units.items()
    ]


def _payload(kind: str, value: float | str) -> dict[str, Any]:
    return {"type": kind, "values": [value]}


def _kilo(thousandths: int) -> float:
    """Wh as kWh, W as kW: the nearest double, which every reader of three decimals turns back into the same integer."""
    return thousandths / 1000


def _period(start: int, end: int) -> dict[str, str]:
    """RFC 3339 and ISO 8601."""
    try:
        text = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        raise DispatchError(f"a window starts at {start}", "no calendar date has that time") from None
    return {"start": text, "duration": duration(end - start)}


def duration(seconds: int) -> str:
    """ISO 8601 in hours, minutes and seconds: 900 is PT15M."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes) + f"{seconds}S" * bool(seconds)
    return f"PT{parts or '0S'}"
