"""How the commands on a market print what they did."""

from collections.abc import Callable, Sequence
from typing import Any

from stowatt.agent import Position, Step
from stowatt.agent.holdings import Holding
from stowatt.chain.client import MarketReader, phase_name
from stowatt.cli.session import Session
from stowatt.cli.values import money_unit, tick_unit
from stowatt.data.decimals import WH_IN_KWH, decimal_text
from stowatt.errors import LedgerError
from stowatt.rights import RightId
from stowatt.units import Money


def show_steps(session: Session, steps: Sequence[Step]) -> None:
    """The steps; an error at the end if one of them was refused."""
    values = [_step_json(step) for step in steps]
    rows = [
        (
            str(step.window) if step.window >= 0 else "",
            session.name(step.participant) if step.participant else "",
            "" if step.right is None else session.right_text(RightId.decode(step.right)),
            f"{step.what} (before)" if step.repeated else step.what,
            step.detail,
        )
        for step in steps
    ]
    headings = ("window", "participant", "right", "what", "detail")
    used = [number for number in range(len(headings)) if number == 3 or any(row[number] for row in rows)]
    session.show(
        {"steps": values}, [headings[number] for number in used], [[row[number] for number in used] for row in rows]
    )
    refused = [step for step in steps if step.what == "refused"]
    if refused:
        raise LedgerError(f"{len(refused)} of {len(steps)} refused: {refused[0].detail}")


def _step_json(step: Step) -> dict[str, Any]:
    value: dict[str, Any] = {"what": step.what, "done": step.done}
    if step.window >= 0:
        value["window"] = step.window
    if step.participant:
        value["participant"] = step.participant
    if step.right is not None:
        value["right"] = hex(step.right)
        value["name"] = RightId.decode(step.right).text()
    if step.detail:
        value["detail"] = step.detail
    return value


def show_positions(session: Session, reader: MarketReader, found: Sequence[Position]) -> None:
    """What one account has in which window."""
    spell = money_text(reader)
    values = [
        {
            "window": p.window,
            "phase": phase_name(p.phase),
            "side": p.side.word,
            "state": p.state,
            "filled_wh": p.filled,
            "deposit": None if p.deposit is None else spell(p.deposit),
            "payment": None if p.payment is None else spell(p.payment),
        }
        for p in found
    ]
    rows = [
        (
            str(p.window),
            phase_name(p.phase),
            p.side.word,
            p.state,
            "" if p.filled is None else WH_IN_KWH.text(p.filled),
            "" if p.deposit is None else spell(p.deposit),
        )
        for p in found
    ]
    session.show({"positions": values}, ("window", "phase", "side", "state", "kWh filled", "deposit"), rows)


def standing_json(reader: MarketReader, account: str) -> dict[str, Any] | None:
    """What a seller's record and battery are worth now; None for an account without a device.

    Energies are Wh, rounded down; shares are decimals.
    """
    known = reader.admission(account)
    if not known.device:
        return None
    return {
        "device": known.device,
        "reliability": decimal_text(known.reliability, -6),
        "next_alpha": decimal_text(reader.next_terms(account).alpha, -6),
        "capacity_units": known.capacity,
        "promised_units": known.promised,
        "free_units": known.free,
        "capacity_wh": known.energy(known.capacity),
        "promised_wh": known.energy(known.promised),
        "free_wh": known.energy(known.free),
    }


def standing_text(value: dict[str, Any]) -> str:
    """The same in two short lines."""
    free, promised = WH_IN_KWH.text(value["free_wh"]), WH_IN_KWH.text(value["promised_wh"])
    return (
        f"device {value['device']}: reliability {value['reliability']}, next α {value['next_alpha']}\n"
        f"{promised} kWh promised, {free} kWh free"
    )


def holding_json(reader: MarketReader, h: Holding) -> dict[str, Any]:
    """All figures of a right or a settlement token."""
    spell = money_text(reader)

    def given(amount: Money | None) -> str | None:
        return None if amount is None else spell(amount)

    value: dict[str, Any] = {
        "right": hex(h.id.encode()),
        "name": h.id.text(),
        "holder": h.holder,
        "participant": h.id.participant,
        "window": h.id.window,
        "side": h.id.side.word,
        "phase": phase_name(h.phase),
        "state": h.state,
        "price": tick_unit(reader).text(h.price),
    }
    if h.right is not None:
        value |= {
            "quantity_wh": h.right.quantity,
            "of_wh": h.right.whole,
            "paid": h.right.paid,
            "deposit": given(h.deposit),
            "payment": given(h.payment),
            "earned": given(h.earned),
            "drawn": spell(h.right.drawn),
            "alpha": decimal_text(h.right.alpha, -6) if h.right.alpha else None,
            "units": h.right.units or None,
            "fulfilment": None if h.fulfilment is None else decimal_text(h.fulfilment, -6),
        }
    if h.settlement is not None:
        s = h.settlement
        value |= {
            "quantity_wh": s.quantity,
            "fulfilment": decimal_text(s.fulfilment, -6),
            "received": spell(s.amount),
            "deposit_released": spell(s.released),
        }
    return value


def show_holdings(session: Session, reader: MarketReader, found: Sequence[Holding], account: str) -> None:
    """The rights that an account holds, and what its own battery is worth."""
    standing = standing_json(reader, account)
    values = [holding_json(reader, h) for h in found]
    rows = [
        (
            session.right_text(h.id),
            phase_name(h.phase),
            h.state,
            WH_IN_KWH.text(value["quantity_wh"]),
            value["price"],
            str(value.get("deposit") or value.get("deposit_released") or ""),
            str(value.get("payment") or value.get("received") or ""),
        )
        for h, value in zip(found, values, strict=True)
    ]
    title = "Rights held" if standing is None else f"Rights held\n{standing_text(standing)}"
    columns = ("right", "phase", "state", "kWh", "price", "deposit", "payment")
    session.show({"rights": values, "seller": standing}, columns, rows, title=title)


def money_text(reader: MarketReader) -> Callable[[int], str]:
    """Amounts as decimals without the token's symbol, for JSON and narrow tables."""
    return money_unit(reader.deployment.token_decimals).text
