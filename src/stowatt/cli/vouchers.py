"""`stowatt meter voucher`, `sealed` and `redeem`: one signed sum a window instead of many readings (§6)."""

from pathlib import Path
from typing import Annotated

import typer
from eth_account.signers.local import LocalAccount

from stowatt.agent import vouchers
from stowatt.agent.sealing import SealedFile
from stowatt.chain.client import Deployment
from stowatt.cli.keys import ask_password, home, key_store
from stowatt.cli.output import show_steps
from stowatt.cli.progress import counting
from stowatt.cli.session import Session, on_market
from stowatt.cli.values import energy, windows_of
from stowatt.data.decimals import WH_IN_KWH
from stowatt.errors import MeterError
from stowatt.metering import Voucher, sign_voucher

Device = Annotated[int, typer.Option(min=1, help="The device's number.")]
Window = Annotated[str, typer.Option(metavar="W", help="The window.")]
MeterKey = Annotated[str | None, typer.Option(metavar="NAME", help="The meter's key (default: the key).")]
MeterPassword = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The password of the meter's key (default: as of the key)."),
]


@on_market
def voucher(
    session: Session,
    device: Device,
    window: Window,
    through: Annotated[int, typer.Option(min=1, help="How many of the window's sub-slots, from its first, it covers.")],
    amount: Annotated[str, typer.Option("--energy", metavar="KWH", help="Discharged in all of them.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file for it.")],
    meter_key: MeterKey = None,
    meter_password_file: MeterPassword = None,
) -> None:
    """Sign a voucher, the sum of a window's sub-slots so far, into a file. No chain is needed.

    `meter redeem` sends it, at any time before the window's readings close; of several the highest wins.
    """
    deployment = Deployment.read(session.options.market)
    body = Voucher(device, _window(window), through, energy(amount))
    signed = sign_voucher(vouchers.domain_of(deployment), body, meter_account(session, meter_key, meter_password_file))
    vouchers.save(out, signed, deployment)
    _show(session, out, signed)


@on_market
def sealed(
    session: Session,
    device: Device,
    window: Window,
    amount: Annotated[
        list[str] | None, typer.Option("--energy", metavar="KWH", help="Discharged in the next sub-slot; repeat it.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new file for the signed sum over all sealed so far.")
    ] = None,
    through: Annotated[
        int | None, typer.Option(min=1, help="With --out: over the first so many only, such as all of the window's.")
    ] = None,
    meter_key: MeterKey = None,
    meter_password_file: MeterPassword = None,
) -> None:
    """Seal a window's sub-slots one by one, and sign their sum into a file. No chain is needed.

    Each sub-slot's energy stays in a private file of this machine; only the sum is opened, by `meter redeem`.
    """
    deployment, number = Deployment.read(session.options.market), _window(window)
    if not amount and out is None:
        raise MeterError("there is nothing to seal or to sign", "give --energy for each next sub-slot, or --out")
    if through is not None and out is None:
        raise MeterError("--through says what --out signs", "give --out too")
    energies = [energy(text) for text in amount or ()]
    meter = meter_account(session, meter_key, meter_password_file) if out is not None else None
    place = f"{deployment.chain_id}-{deployment.delivery.lower()}-{device}-{number}.sealed"
    file = SealedFile(home() / "meters" / place, device, number)
    count = file.seal(energies) if energies else 0
    if meter is None or out is None:
        value = {"device": device, "window": number, "sealed": count, "secrets": str(file.path)}
        session.show(value, tuple(value), [tuple(map(str, value.values()))])
        return
    signed = file.sign(vouchers.domain_of(deployment), meter, through)
    vouchers.save(out, signed, deployment)
    _show(session, out, signed)


@on_market
def redeem(
    session: Session,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files that `meter voucher` or `meter sealed` wrote.")
    ],
) -> None:
    """Send vouchers and opened sums: of each device and window the highest. Anybody may."""
    client = session.client
    found = [vouchers.load(path, client.deployment) for path in files]
    with counting("redeeming") as progress:
        steps = vouchers.redeem(client, found, progress)
    show_steps(session, steps)


def meter_account(session: Session, name: str | None, password_file: Path | None) -> LocalAccount:
    """The meter's key, unlocked; the session's own without a name."""
    if name is None:
        return session.account
    o = session.options
    store = key_store(o.keys)
    store.find(name)
    return store.unlock(name, ask_password(password_file or o.password_file, None if password_file else o.password_env))


def _window(text: str) -> int:
    numbers = windows_of([text])
    if len(numbers) != 1:
        raise MeterError(f"{text[:40]!r} is several windows", "give one")
    return numbers[0]


def _show(session: Session, path: Path, signed: vouchers.Signed) -> None:
    body = vouchers.body_of(signed)
    value = {"file": str(path), "device": body.device, "window": body.window, "through": body.through}
    row = (*map(str, value.values()), WH_IN_KWH.text(body.energy))
    session.show({**value, "energy_wh": body.energy}, (*value, "kWh"), [row])
