"""Drawing on earnings and settling a window (26), (27), (32)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stowatt.agent.holdings import ids_of_window
from stowatt.agent.issue import claim
from stowatt.agent.once import Progress, Step, batches, catch_up, no_progress
from stowatt.audit.events import BuyerSettled, Defaulted, Drawn, SellerSettled
from stowatt.calendar import Phase, deadlines
from stowatt.chain.client import Done, MarketClient, phase_name
from stowatt.curves import Side
from stowatt.data.decimals import decimal_text
from stowatt.errors import SettlementError
from stowatt.rights import RightId


def draw(client: MarketClient, rights: Iterable[RightId]) -> list[Step]:
    """Pays out what sellers' rights have earned; where nothing is due, nothing is sent."""
    catch_up(client)
    steps = []
    for right in rights:
        number = right.encode()
        record = client.right(number)
        if client.entitlement(number) <= record.drawn:
            steps.append(Step(right.window, "nothing to draw", False, right.participant, number, standing=True))
            continue
        done = client.execute(client.calls.draw(number))
        amount = client.spell(sum(event.amount for event in done.of(Drawn)))
        steps.append(Step(right.window, "drawn", True, right.participant, number, amount))
    return steps


def settle(client: MarketClient, windows: Iterable[int], progress: Progress = no_progress) -> list[Step]:
    """Settles windows finally, for everybody: open claims and defaults first, then sellers, then buyers.

    Anybody may do each of these steps, and each skips what is done already.
    """
    catch_up(client)
    steps: list[Step] = []
    for window in windows:
        phase = client.phase(window)
        if phase in (Phase.NO_TRADE, Phase.VOID):
            steps += _done(claim(client, [window], progress=progress)) or [
                Step(window, "nothing to settle", False, standing=True)
            ]
            continue
        if phase is not Phase.SETTLEMENT:
            at = deadlines(client.calendar, window).reading
            raise SettlementError(
                f"window {window} is in phase {phase_name(phase)}",
                f"a traded window is settled from {at} on (unix time)",
            )
        steps += _done(claim(client, [window], progress=progress))
        steps += _declare_defaults(client, window)
        steps += _settle_rights(client, window, progress)
    return steps


def _declare_defaults(client: MarketClient, window: int) -> list[Step]:
    """Rights of buyers who did not pay in time."""
    steps = []
    for right in ids_of_window(client, window):
        number = right.encode()
        if right.final or right.side is Side.SELL or client.right(number).paid:
            continue
        done = client.execute(client.calls.declare_default(number))
        forfeited = client.spell(done.only(Defaulted).deposit)
        steps.append(Step(window, "in default", True, right.participant, number, f"{forfeited} forfeited"))
    return steps


def _settle_rights(client: MarketClient, window: int, progress: Progress) -> list[Step]:
    tokens = ids_of_window(client, window)
    waiting = [right for right in tokens if not right.final]
    settled = [Step(window, "settled", False, right.participant, right.encode()) for right in tokens if right.final]
    sells = [right for right in waiting if right.side is Side.SELL]
    buys = [right for right in waiting if right.side is Side.BUY]
    for batch in [*batches(sells), *batches(buys)]:
        numbers = [right.encode() for right in batch]
        call = client.calls.settle(numbers[0]) if len(numbers) == 1 else client.calls.settle_many(numbers)
        settled += _settled(client, batch, client.execute(call))
        progress(len(settled), len(tokens))
    return settled or [Step(window, "nothing to settle", False, standing=True)]


def _settled(client: MarketClient, batch: Sequence[RightId], done: Done) -> list[Step]:
    """What the events say of each right; one without an event was settled by somebody else meanwhile."""
    details: dict[int, str] = {}
    for sale in done.of(SellerSettled):
        ratio = decimal_text(sale.fulfilment, -4)
        paid, released = client.spell(sale.payment + sale.forfeit_share), client.spell(sale.released)
        details[sale.right_id] = f"fulfilled {ratio} %, {paid} to the holder, deposit back {released}"
    for purchase in done.of(BuyerSettled):
        compensation, released = client.spell(purchase.compensation), client.spell(purchase.released)
        details[purchase.right_id] = f"compensation {compensation}, deposit back {released}"
    steps = []
    for right in batch:
        number = right.encode()
        steps.append(
            Step(right.window, "settled", number in details, right.participant, number, details.get(number, ""))
        )
    return steps


def _done(steps: list[Step]) -> list[Step]:
    """Only what was sent now."""
    return [step for step in steps if step.done]
