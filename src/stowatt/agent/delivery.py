"""Reporting a meter's readings (§6): signed in order, each counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eth_account.signers.base import BaseAccount

from stowatt.agent.once import Progress, Step, batches, catch_up, no_progress
from stowatt.audit.events import ReadingAccepted
from stowatt.calendar import deadlines
from stowatt.chain.client import MarketClient, MarketReader, Refusal
from stowatt.errors import MeterError
from stowatt.metering import CounterFile, Reading, SignedReading, sign_reading
from stowatt.units import SECONDS_PER_HOUR, Wh


@dataclass(frozen=True, slots=True)
class Energy:
    """What a device discharged in one sub-slot."""

    window: int
    sub_slot: int
    energy: Wh


def due_readings(reader: MarketReader, device: int, energies: Sequence[Energy]) -> tuple[list[Energy], list[Energy]]:
    """(to send, in order; counted already): the chain takes a device's sub-slots in order, each once.

    A voucher may have counted some of them.
    """
    slots = reader.calendar.sub_slots
    counted = reader.meter_progress(device).position
    through = {window: reader.through(window, device) for window in {e.window for e in energies}}
    ordered = sorted(energies, key=lambda e: (e.window, e.sub_slot))
    for first, second in pairwise(ordered):
        if (first.window, first.sub_slot) == (second.window, second.sub_slot):
            raise MeterError(
                f"two readings for window {first.window}, sub-slot {first.sub_slot}", "give one for each sub-slot"
            )
    due: list[Energy] = []
    late: list[Energy] = []
    for e in ordered:
        passed = e.window * slots + e.sub_slot + 1 <= counted or e.sub_slot < through[e.window]
        (late if passed else due).append(e)
    return due, late


def report(
    client: MarketClient,
    device: int,
    meter: BaseAccount,
    energies: Sequence[Energy],
    counter: CounterFile,
    progress: Progress = no_progress,
) -> list[Step]:
    """Signs and sends readings; what was counted before is left alone, what cannot be counted is an error.

    Nothing is sent unless every reading passes the checks that can be made beforehand.
    """
    catch_up(client)
    due, late = due_readings(client, device, energies)
    steps = [Step(e.window, "counted", False, detail=_detail(e)) for e in late]
    if not due:
        return steps
    _check_device(client, device, meter, due)
    counter.raise_to(client.meter_progress(device).counter)
    domain = client.readings_domain
    signed = []
    for number, e in enumerate(due, start=1):
        reading = Reading(device, e.window, e.sub_slot, e.energy, counter.next())
        signed.append(sign_reading(domain, reading, meter))
        progress(number, len(due))
    if len(signed) == 1:
        client.execute(client.calls.submit(signed[0]))
        return [*steps, Step(due[0].window, "accepted", True, detail=_detail(due[0]))]
    return steps + _submit_many(client, signed)


def _submit_many(client: MarketClient, signed: Sequence[SignedReading]) -> list[Step]:
    """Sends batches; refused readings are skipped by the contract and reported here with the reason."""
    steps = []
    for batch in batches(signed, 64):
        done = client.execute(client.calls.submit_many(batch))
        accepted = {(e.window, e.sub_slot) for e in done.of(ReadingAccepted)}
        for row in batch:
            r = row.reading
            energy = Energy(r.window, r.sub_slot, r.energy)
            if (r.window, r.sub_slot) in accepted:
                steps.append(Step(r.window, "accepted", True, detail=_detail(energy)))
            else:
                steps.append(
                    Step(r.window, "refused", False, detail=f"{_detail(energy)}: {_reason(client, row)}", standing=True)
                )
    return steps


def _reason(client: MarketClient, signed: SignedReading) -> str:
    """Why the contract skipped a reading, by trying it alone."""
    try:
        client.try_call(client.calls.submit(signed))
    except Refusal as refusal:
        return refusal.what
    return "it would be accepted now"


def _check_device(client: MarketClient, device: int, meter: BaseAccount, due: Sequence[Energy]) -> None:
    """What the contract would refuse, found before anything is signed or sent."""
    known = client.device(device)
    if not known.export_w:
        raise MeterError(f"device {device} is not registered", "`device register` it first")
    calendar, now = client.calendar, client.ledger.time()
    most = -(-known.export_w * calendar.sub_slot // SECONDS_PER_HOUR)
    for e in due:
        place = f"window {e.window}, sub-slot {e.sub_slot}"
        if not 0 <= e.sub_slot < calendar.sub_slots:
            raise MeterError(f"{place}: there is no such sub-slot", f"number them 0 … {calendar.sub_slots - 1}")
        times = deadlines(calendar, e.window)
        end = times.start + (e.sub_slot + 1) * calendar.sub_slot
        if now < end:
            raise MeterError(f"{place} is not over", f"report it from {end} on (unix time)")
        if now >= times.reading:
            raise MeterError(f"{place}: readings closed at {times.reading} (unix time)", "leave it out")
        if e.energy > most:
            raise MeterError(f"{place}: {e.energy} Wh", f"the certified power allows at most {most} Wh a sub-slot")
        if not client.is_meter_key(device, meter.address, end):
            raise MeterError(
                f"{place}: {meter.address} is no valid meter key of device {device} then", "sign with its meter key"
            )


def _detail(e: Energy) -> str:
    return f"sub-slot {e.sub_slot}, {e.energy} Wh"
