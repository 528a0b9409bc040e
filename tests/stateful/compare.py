"""Every figure of one window on chain beside the model's."""

from stowatt.calendar import Status
from stowatt.chain.client import MarketReader
from stowatt.clearing import WindowResult
from stowatt.curves import Side
from stowatt.rights import RightId as TokenId
from stowatt.settlement.ledger import WindowBooks
from stowatt.settlement.records import RightId


def compare_window(
    reader: MarketReader, window: int, books: WindowBooks, now: int, result: WindowResult | None
) -> None:
    """Money, phase, counts, result and rights of the window; AssertionError at the first that differs."""
    money, state = reader.money(window), reader.state(window)
    assert money == (type(money))(books.pool, books.escrow, books.paid, books.forfeited)
    assert reader.phase(window) is books.phase(now)
    assert state.status is books.status
    assert (state.resolved, state.settled) == (books.resolved, books.settled + books.compensated)
    if books.status in (Status.TRADED, Status.NO_TRADE):
        counts = books.forfeiters
    else:
        counts = {side: sum(bid.side is side for bid in books.bids.values()) for side in Side}
    assert (state.sellers, state.buyers) == (counts[Side.SELL], counts[Side.BUY])
    _compare_result(reader, window, books, result)
    for key in books.rights:
        _compare_right(reader, window, key, books)


def _compare_result(reader: MarketReader, window: int, books: WindowBooks, result: WindowResult | None) -> None:
    found = reader.result(window)
    assert (found.tick, found.volume) == (books.price or 0, books.volume)
    if result is None or result.price is None:
        return
    rationed = [
        (side, cohort)
        for side, cohort in ((Side.SELL, result.supply), (Side.BUY, result.demand))
        if cohort.residual != cohort.size
    ]
    if rationed:
        ((side, cohort),) = rationed
        assert (found.rationed, found.residual, found.total) == (side, cohort.residual, cohort.size)


def _compare_right(reader: MarketReader, window: int, key: RightId, books: WindowBooks) -> None:
    right = books.rights[key]
    number = TokenId(key.participant, window, right.side, key.start).encode()
    found = reader.right(number)
    assert reader.holder(number) == right.holder
    have = (found.quantity, found.whole, found.device, found.paid, found.units, found.drawn)
    assert have == (right.wh, right.bid_wh, right.device, right.paid, right.units, right.drawn)
    assert found.alpha == (right.alpha if right.side is Side.SELL else 0)
    if right.device:
        assert reader.delivered(window, right.device) == books.metered.get(right.device, 0)
        assert reader.through(window, right.device) == books.counted.get(right.device, 0)
    if right.side is Side.SELL:
        assert reader.entitlement(number) == books.entitled(key)
        assert reader.fulfilment(number) == books.fulfilled(key)
