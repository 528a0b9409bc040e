"""`stowatt meter`: report a device's readings."""

import csv
import io
from pathlib import Path
from typing import Annotated, Final

import typer

from stowatt.agent import report
from stowatt.agent.delivery import Energy
from stowatt.cli import gateway
from stowatt.cli.keys import home
from stowatt.cli.output import show_steps
from stowatt.cli.progress import counting
from stowatt.cli.session import Session, command_group, on_market
from stowatt.cli.values import energy, windows_of
from stowatt.cli.vouchers import MeterKey, MeterPassword, meter_account, redeem, sealed, voucher
from stowatt.data.decimals import shown
from stowatt.errors import MeterError, StowattError
from stowatt.metering import CounterFile
from stowatt.private_files import private_folder

meter_app = command_group("meter", "Report meter readings.")

meter_app.command("run")(gateway.run)
meter_app.command("voucher")(voucher)
meter_app.command("sealed")(sealed)
meter_app.command("redeem")(redeem)

COLUMNS: Final = ("window", "sub_slot", "energy")
_MOST_READINGS: Final = 100_000


@meter_app.callback()
def meter() -> None:
    """Report meter readings."""


@meter_app.command("report")
@on_market
def report_readings(
    session: Session,
    reading: Annotated[
        list[str] | None,
        typer.Option(metavar="W:SUBSLOT:KWH", help="A reading: what was discharged in a sub-slot of a window."),
    ] = None,
    readings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Or a CSV file: window,sub_slot,energy (kWh).")
    ] = None,
    device: Annotated[int | None, typer.Option(min=1, help="The device's number (default: the key's own).")] = None,
    meter_key: MeterKey = None,
    meter_password_file: MeterPassword = None,
) -> None:
    """Sign readings with the meter's key and send them; what was counted before is left alone."""
    client = session.client
    if bool(reading) == (readings is not None):
        raise MeterError("no readings are given, or two kinds of them", "give --reading or --readings FILE")
    rows = _of_file(readings) if readings is not None else [_reading(text) for text in reading or ()]
    number = device or client.participant(client.address).device
    if not number:
        raise MeterError(f"{client.address} has no device", "give --device, or register one")
    meter = meter_account(session, meter_key, meter_password_file)
    private_folder(home() / "meters")
    place = f"{client.deployment.chain_id}-{client.deployment.delivery.lower()}-{number}.counter"
    with counting("reporting") as progress:
        steps = report(client, number, meter, rows, CounterFile(home() / "meters" / place), progress)
    show_steps(session, steps)


def _reading(text: str) -> Energy:
    parts = text.split(":")
    if len(parts) != 3:
        raise MeterError(f"the reading {shown(text)} has {len(parts)} parts", "write window:sub-slot:kWh as 7:0:0.4")
    return _energy(*parts)


def _energy(window: str, sub_slot: str, amount: str) -> Energy:
    if not window.isdecimal() or not sub_slot.isdecimal() or len(sub_slot) > 5:
        raise MeterError(f"window {shown(window)}, sub-slot {shown(sub_slot)}", "give whole numbers from 0")
    (number,) = windows_of([window])
    return Energy(number, int(sub_slot), energy(amount))


def _of_file(path: Path) -> list[Energy]:
    """The readings of a CSV file; an error names the line."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise MeterError(f"{path} cannot be read: {error.strerror}", "check its name") from None
    except UnicodeDecodeError:
        raise MeterError(f"{path} is not UTF-8", "save it as UTF-8") from None
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[Energy] = []
    try:
        header = [cell.strip() for cell in next(lines, [])]
        for column in COLUMNS:
            if header.count(column) != 1:
                raise MeterError(f"{path}, line 1: column {column!r} is missing or double", f"use {','.join(COLUMNS)}")
        places = [header.index(column) for column in COLUMNS]
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise MeterError(
                    f"the row has {len(cells)} cells instead of {len(header)}", "give every column one cell"
                )
            found.append(_energy(*(cells[place].strip() for place in places)))
            if len(found) > _MOST_READINGS:
                raise MeterError(f"more than {_MOST_READINGS} readings", "split the file")
    except (StowattError, csv.Error) as error:
        if str(error).startswith(str(path)):
            raise
        raise MeterError(f"{path}, line {lines.line_num}: {error}") from None
    if not found:
        raise MeterError(f"{path} has no readings", f"give rows of {','.join(COLUMNS)}")
    return found
