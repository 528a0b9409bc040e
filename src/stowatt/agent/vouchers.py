"""Vouchers and sealed vouchers as files, and their redemption (§6): of one window the highest wins."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from stowatt.agent.once import Progress, Step, batches, catch_up, no_progress
from stowatt.audit.events import VoucherRedeemed
from stowatt.chain.client import Deployment, MarketClient, Refusal
from stowatt.data.decimals import WH_IN_KWH
from stowatt.errors import MeterError
from stowatt.metering import SealedVoucher, SignedSealed, SignedVoucher, Voucher, delivery_domain
from stowatt.private_files import write_private
from stowatt.typed_data import Domain
from stowatt.units import Wh

FORMAT: Final = "stowatt voucher 1"
Signed = SignedVoucher | SignedSealed


def domain_of(deployment: Deployment) -> Domain:
    """What the market's meters sign for; no chain is asked."""
    return delivery_domain(deployment.chain_id, deployment.delivery)


def save(path: Path, signed: Signed, deployment: Deployment) -> None:
    """Writes a new file with mode 0600. A sealed voucher's holds what opens its sum, and no sub-slot."""
    body = body_of(signed)
    values: dict[str, Any] = {"device": body.device, "window": body.window, "through": body.through}
    values["energy_wh"] = body.energy
    if isinstance(body, SealedVoucher):
        values |= {"blinder": f"{body.blinder:#066x}", "points": f"0x{body.points.hex()}"}
    content = {
        "format": FORMAT,
        "chain_id": deployment.chain_id,
        "delivery": deployment.delivery,
        **values,
        "signature": f"0x{signed.signature.hex()}",
    }
    write_private(path, json.dumps(content, indent=2) + "\n")


def load(path: Path, deployment: Deployment) -> Signed:
    """The voucher of a file, checked to be for this market and signed by somebody."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MeterError(f"{path} cannot be read: {error.strerror}", "check its name") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise MeterError(f"{path} is no voucher", "give a file that `meter voucher` or `meter sealed` wrote")
    if (content.get("chain_id"), content.get("delivery")) != (deployment.chain_id, deployment.delivery):
        raise MeterError(f"{path} is a voucher for another market", "give --market of its market")
    try:
        values = (content["device"], content["window"], content["through"], Wh(content["energy_wh"]))
        signature = _bytes(content["signature"])
        if "points" in content:
            sealed = SealedVoucher(*values, int(content["blinder"], 16), _bytes(content["points"]))
            signed: Signed = SignedSealed(sealed, signature)
        else:
            signed = SignedVoucher(Voucher(*values), signature)
    except (KeyError, TypeError, ValueError, AttributeError, MeterError):
        raise MeterError(f"{path} is damaged", "have the meter sign it again") from None
    if signed.signer(domain_of(deployment)) is None:
        raise MeterError(f"{path} is signed by nobody", "have the meter sign it again")
    return signed


def redeem(client: MarketClient, vouchers: Iterable[Signed], progress: Progress = no_progress) -> list[Step]:
    """Counts the highest voucher of each device and window; what was counted before is left alone.

    A voucher that the contract refuses does not stop the others.
    """
    catch_up(client)
    steps: list[Step] = []
    open_ones: list[SignedVoucher] = []
    best, all_ = _highest(vouchers, steps), len(steps)
    for number, signed in enumerate(best, start=1):
        body = body_of(signed)
        call = client.calls.redeem(signed) if isinstance(signed, SignedVoucher) else client.calls.open_sealed(signed)
        counted = (client.through(body.window, body.device), client.delivered(body.window, body.device))
        if (body.through, body.energy) <= counted:
            steps.append(_step(signed, "counted", False))
            continue
        try:
            client.try_call(call)
        except Refusal as refusal:
            if len(best) == 1:
                raise
            steps.append(_step(signed, "refused", False, str(refusal)))
            continue
        if isinstance(signed, SignedVoucher):
            open_ones.append(signed)
        else:
            client.execute(call)
            steps.append(_step(signed, "opened"))
        progress(number, len(best))
    for batch in batches(open_ones):
        call = client.calls.redeem(batch[0]) if len(batch) == 1 else client.calls.redeem_many(batch)
        taken = {(e.device, e.window) for e in client.execute(call).of(VoucherRedeemed)}
        for one in batch:
            done = (one.voucher.device, one.voucher.window) in taken
            steps.append(_step(one, "redeemed" if done else "counted", done))
        progress(all_ + len(steps), all_ + len(best))
    return steps


def _highest(vouchers: Iterable[Signed], steps: list[Step]) -> list[Signed]:
    """One for each device and window; of the others a step says that they count for nothing."""
    best: dict[tuple[int, int], Signed] = {}
    for signed in vouchers:
        body = body_of(signed)
        place = (body.device, body.window)
        other = best.get(place)
        if other is not None:
            low, high = sorted((other, signed), key=lambda s: (body_of(s).through, body_of(s).energy))
            steps.append(_step(low, "superseded", False))
            best[place] = high
        else:
            best[place] = signed
    return list(best.values())


def body_of(signed: Signed) -> Voucher | SealedVoucher:
    """What was signed."""
    return signed.voucher if isinstance(signed, SignedVoucher) else signed.sealed


def _step(signed: Signed, what: str, done: bool = True, reason: str = "") -> Step:
    body = body_of(signed)
    figures = f"device {body.device}, {body.through} sub-slots, {WH_IN_KWH.text(body.energy)} kWh"
    standing = what in ("refused", "superseded")
    return Step(body.window, what, done, detail=f"{figures}: {reason}" if reason else figures, standing=standing)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
