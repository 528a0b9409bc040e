"""The OpenADR documents keep the specification's rules, and say what the plan says."""

import copy
import json
from typing import Any

import pytest

from stowatt.dispatch import DispatchError, build, cleared_market, openadr
from stowatt.dispatch.schedules import DispatchPlan
from tests.dispatch.markets import ORIGIN, Log, address, evening
from tests.dispatch.openadr_rules import DURATION, problems_of_event, problems_of_program


@pytest.fixture
def plan() -> DispatchPlan:
    return build(cleared_market(evening().events), at=ORIGIN + 5 * 900, stored_wh={2: 1_500})


def values(interval: dict[str, Any]) -> dict[str, Any]:
    return {payload["type"]: payload["values"] for payload in interval["payloads"]}


def test_the_program(plan: DispatchPlan) -> None:
    program = openadr.program(plan)
    assert problems_of_program(program) == []
    assert program["intervalPeriod"] == {"start": "2027-01-15T09:00:00Z", "duration": "PT30M"}


def test_every_event_keeps_the_rules(plan: DispatchPlan) -> None:
    found = dict(openadr.events(plan, "program-1"))
    assert list(found) == ["device-1", "device-2", *sorted(address(n) for n in ("b1", "b2", "b3"))]
    assert [problems_of_event(json.loads(json.dumps(event))) for event in found.values()] == [[]] * 5


def test_a_battery(plan: DispatchPlan) -> None:
    """570 Wh at the meter in window 5: 2.28 kW out."""
    event = dict(openadr.events(plan, "program-1"))["device-1"]
    assert event["targets"] == ["device-1"] and event["programID"] == "program-1"
    assert [interval["id"] for interval in event["intervals"]] == [4, 5]
    assert event["intervals"][1]["intervalPeriod"] == {"start": "2027-01-15T09:15:00Z", "duration": "PT15M"}
    assert values(event["intervals"][1]) == {
        "DISPATCH_INSTRUCTION": ["DISCHARGE"],
        "CONTROL_SETPOINT": [-2.28],
        "CHARGE_STATE_SETPOINT": [8.4],
        "STOWATT_ENERGY": [0.57],
    }


def test_a_buyer(plan: DispatchPlan) -> None:
    event = dict(openadr.events(plan, "program-1"))[address("b1")]
    assert event["targets"] == [address("b1")]
    assert values(event["intervals"][0]) == {"IMPORT_CAPACITY_RESERVATION": [3.6], "STOWATT_ENERGY": [0.9]}


def test_energy_comes_back_to_the_wh(plan: DispatchPlan) -> None:
    """Numbers of three decimals are exact for every reader that rounds to three decimals."""
    found = dict(openadr.events(plan, "p"))
    for battery in plan.batteries:
        intervals = json.loads(json.dumps(found[f"device-{battery.device}"]))["intervals"]
        read = [round(values(interval)["STOWATT_ENERGY"][0] * 1000) for interval in intervals]
        assert read == [row.deliver_wh for row in battery.rows]


def test_nothing_to_do_makes_no_event() -> None:
    log = Log.start()
    log.device("s1")
    log.trade(4, [("s1", 500)], [("b1", 500)], unpaid=["b1"])
    plan = build(cleared_market(log.events), at=ORIGIN + 4 * 900)
    assert list(openadr.events(plan, "p")) == []
    empty = build(cleared_market(Log.start().events))
    assert problems_of_program(openadr.program(empty)) == [] and "intervalPeriod" not in openadr.program(empty)


@pytest.mark.parametrize("program_id", ["", "a b", "ü", "x" * 129, "a/b"])
def test_no_such_program(plan: DispatchPlan, program_id: str) -> None:
    with pytest.raises(DispatchError, match="no OpenADR program id"):
        list(openadr.events(plan, program_id))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "PT0S"), (900, "PT15M"), (3600, "PT1H"), (5_400, "PT1H30M"), (86_461, "PT24H1M1S")]
)
def test_durations(seconds: int, text: str) -> None:
    assert openadr.duration(seconds) == text and DURATION.match(text)


def test_the_rules_see_what_is_wrong(plan: DispatchPlan) -> None:
    """The rules themselves: each altered document is refused."""
    good = dict(openadr.events(plan, "program-1"))["device-1"]

    def refused(change: Any) -> bool:
        body = copy.deepcopy(good)
        change(body)
        return bool(problems_of_event(body))

    assert not problems_of_event(good)
    assert refused(lambda body: body.pop("programID"))
    assert refused(lambda body: body.update(id="mine"))
    assert refused(lambda body: body.update(programID="a b"))
    assert refused(lambda body: body.update(targets=[""]))
    assert refused(lambda body: body["payloadDescriptors"][1].update(units="W"))
    assert refused(lambda body: body["payloadDescriptors"].pop())
    assert refused(lambda body: body["intervals"][0].update(id="4"))
    assert refused(lambda body: body["intervals"][0].update(id=5))
    assert refused(lambda body: body["intervals"][0]["intervalPeriod"].update(start="2027-01-15 09:00"))
    assert refused(lambda body: body["intervals"][0]["intervalPeriod"].update(duration="15M"))
    assert refused(lambda body: body["intervals"][0]["payloads"][0].update(type="DISCHARGE"))
    assert refused(lambda body: body["intervals"][0]["payloads"][2].update(values=[-1]))
    assert refused(lambda body: body["intervals"][0]["payloads"][1].update(type="DISPATCH_SETPOINT"))
