"""`stowatt market register|revoke|submit` and `stowatt device`: who may trade, with which device and meter."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from eth_hash.auto import keccak

from stowatt.agent.admission import LATEST, Signed, certificate, credential, submit
from stowatt.agent.once import Step, catch_up
from stowatt.chain.client import MarketReader
from stowatt.cli.output import show_steps, standing_json
from stowatt.cli.session import Session, command_group, on_market
from stowatt.cli.values import energy, instant, share
from stowatt.credentials import DeviceCertificate, Role
from stowatt.data.decimals import WH_IN_KWH
from stowatt.errors import DeviceError

device_app = command_group("device", "Register storage devices and their meters' keys.")

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the signed statement instead of submitting it.")
]
_ROLES = {"sell": Role.SELL, "buy": Role.BUY, "both": Role.SELL | Role.BUY}


@on_market
def register(
    session: Session,
    account: Annotated[str, typer.Argument(help="The participant: an address or a key's name.")],
    did: Annotated[str | None, typer.Option("--did", help="Its decentralised identifier (default: did:pkh).")] = None,
    roles: Annotated[Literal["sell", "buy", "both"], typer.Option(help="What it may do.")] = "both",
    expires: Annotated[str | None, typer.Option(metavar="TIME", help="Last moment of validity.")] = None,
    out: Out = None,
) -> None:
    """Admit a participant: the key must be an issuer's."""
    address = session.address(account)
    name = did if did is not None else f"did:pkh:eip155:{session.reader.deployment.chain_id}:{address}"
    expiry = LATEST if expires is None else instant("expires", expires)
    _finish(session, credential(session.reader, session.account, address, name, _ROLES[roles], expiry), out)


@on_market
def revoke(
    session: Session,
    account: Annotated[str, typer.Argument(help="The participant: an address or a key's name.")],
) -> None:
    """Revoke a participant's admission: it can make no further commitment. The key must be an issuer's."""
    client, address = session.client, session.address(account)
    catch_up(client)
    known = client.participant(address)
    done = bool(known.roles) or not known.did
    if done:
        client.execute(client.calls.revoke(address))
    show_steps(session, [Step(-1, "revoked", done, address)])


@on_market
def submit_statement(
    session: Session,
    statement: Annotated[Path, typer.Argument(metavar="FILE", help="A file that --out wrote.")],
) -> None:
    """Submit an issuer's signed statement about a participant or a device. Anybody may."""
    show_steps(session, [submit(session.client, Signed.load(statement, session.reader))])


@device_app.command("register")
@on_market
def register_device(
    session: Session,
    serial: Annotated[str, typer.Option(help="Serial number, any text (it is hashed).")],
    usable: Annotated[str, typer.Option(metavar="KWH", help="Usable energy.")],
    export: Annotated[str, typer.Option(metavar="KW", help="Export cap.")],
    charge: Annotated[str, typer.Option(metavar="KW", help="Charging power.")] = "0",
    charge_efficiency: Annotated[str, typer.Option(help="Charging efficiency.")] = "0.95",
    discharge_efficiency: Annotated[str, typer.Option(help="Discharging efficiency.")] = "0.95",
    owner: Annotated[str | None, typer.Option(help="Its owner (default: the key).")] = None,
    meter: Annotated[str | None, typer.Option(help="The meter's key: name or address (default: the owner's).")] = None,
    valid_from: Annotated[str, typer.Option(metavar="TIME", help="The meter's key counts from then on.")] = "0",
    valid_to: Annotated[str | None, typer.Option(metavar="TIME", help="And until then.")] = None,
    out: Out = None,
) -> None:
    """Register a device with its meter's key: with an issuer's key, or in the open mode with its owner's."""
    holder = session.address(owner)
    statement = DeviceCertificate(
        owner=holder,
        usable_wh=_rating("usable", usable),
        export_w=_rating("export", export),
        charge_w=_rating("charge", charge),
        charge_efficiency=share("charge-efficiency", charge_efficiency),
        discharge_efficiency=share("discharge-efficiency", discharge_efficiency),
        serial=keccak(serial.encode()),
        meter_key=holder if meter is None else session.address(meter),
        valid_from=instant("valid-from", valid_from),
        valid_to=LATEST if valid_to is None else instant("valid-to", valid_to),
        nonce=session.reader.last_device_nonce(holder) + 1,
    )
    _finish(session, certificate(session.reader, session.account, statement), out)


@device_app.command("meter")
@on_market
def set_meter(
    session: Session,
    device: Annotated[int, typer.Argument(min=1, help="The device's number.")],
    meter: Annotated[str, typer.Argument(help="The meter's key: name or address.")],
    valid_from: Annotated[str, typer.Option(metavar="TIME", help="The key counts from then on.")] = "0",
    valid_to: Annotated[str | None, typer.Option(metavar="TIME", help="And until then; a past time ends it.")] = None,
) -> None:
    """Set or end the validity of a meter's key."""
    client, key = session.client, session.address(meter)
    last = LATEST if valid_to is None else instant("valid-to", valid_to)
    client.execute(client.calls.set_meter_key(device, key, instant("valid-from", valid_from), last))
    show_steps(session, [Step(-1, "meter key set", True, key, detail=f"device {device}")])


@device_app.command("revoke")
@on_market
def revoke_device(session: Session, device: Annotated[int, typer.Argument(min=1, help="The device's number.")]) -> None:
    """Take a device from its owner's account: it can sell no more."""
    client = session.client
    catch_up(client)
    owner = client.device(device).owner
    done = int(owner, 16) == 0 or client.participant(owner).device == device
    if done:
        client.execute(client.calls.revoke_device(device))
    show_steps(session, [Step(-1, "revoked", done, owner, detail=f"device {device}")])


@device_app.command("show")
@on_market
def show_device(
    session: Session,
    which: Annotated[
        str | None, typer.Argument(metavar="ACCOUNT", help="Its owner, or its number (default: the key's own).")
    ] = None,
) -> None:
    """Show the device that an account sells from: its limits, its reliability, what of its energy is promised."""
    reader = session.reader
    if which is not None and which.isascii() and which.isdigit():
        number, address = _registered(reader, which)
    else:
        address = session.address(which)
        number = reader.participant(address).device
        if not number:
            raise DeviceError(f"{address} has no device", "register one with `device register`, or give its number")
    known, progress = reader.device(number), reader.meter_progress(number)
    in_use = reader.participant(address).device == number
    value = {
        "device": number,
        "owner": known.owner,
        "in_use": in_use,
        "usable_wh": known.usable,
        "export_w": known.export_w,
        "limit_wh": known.limit,
        "fingerprint": "0x" + known.fingerprint.hex(),
        "last_counter": progress.counter,
        **((standing_json(reader, address) or {}) if in_use else {}),
    }
    rows = [(name.replace("_", " "), str(figure)) for name, figure in value.items() if name != "in_use"]
    if not in_use:
        rows.append(("", "not in use: its owner sells from another device, or from none"))
    session.show(value, ("", ""), rows)


def _registered(reader: MarketReader, text: str) -> tuple[int, str]:
    """A device's number, and its owner."""
    count = reader.device_count()
    if not 1 <= int(text[:20]) <= count or len(text) > 20:
        raise DeviceError(f"device {text[:20]} is not registered", f"the market has {count}, numbered from 1")
    return int(text), reader.device(int(text)).owner


def _finish(session: Session, signed: Signed, out: Path | None) -> None:
    """Submits a statement, or writes it to a file."""
    if out is None:
        show_steps(session, [submit(session.client, signed)])
        return
    signed.save(out, session.reader)
    session.show({"file": str(out)}, ("file",), [(str(out),)])


def _rating(name: str, text: str) -> int:
    """Thousandths: Wh of kWh, W of kW."""
    if WH_IN_KWH.count(text) is None:
        raise DeviceError(f"{name} is {text!r}", "give at most three decimals")
    return energy(text)
