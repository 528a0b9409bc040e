"""The report's plots. Each has a table beside it on the page with the exact figures."""

from collections.abc import Sequence

from stowatt.curves import Segment
from stowatt.report.model import Currency, DayReport, GasUse, MoneyFlow, WindowReport, fulfilment_ppm
from stowatt.report.svg import Canvas, Point, Scale, mark_text
from stowatt.report.text import grouped, kwh, money, percent, price
from stowatt.units import PPM

WIDTH = 380
LEFT = 46
RIGHT = 12
TOP = 12
ROW = 24


def steps_chart(window: WindowReport, currency: Currency, prices: tuple[float, float]) -> str:
    """Supply and demand steps, the interval [λ_lo, λ_hi], the price and the volume of one window."""
    height, bottom, top = 256, 218, 20
    clock = f"{window.start:%H:%M}\u2013{window.end:%H:%M}"
    canvas = Canvas(
        f"w{window.number}",
        WIDTH,
        height,
        f"Supply and demand, {clock}",
        f"Price {price(window.price, currency)} {currency.name}/kWh, volume {kwh(window.volume)} kWh. "
        f"Supply {kwh(_total(window.supply))} kWh, demand {kwh(_total(window.demand))} kWh.",
    )
    widest = max(_total(window.supply), _total(window.demand), 1) / 1000
    x = Scale(0.0, widest * 1.04, LEFT, WIDTH - RIGHT)
    y = Scale(*prices, bottom, top)
    _axes(canvas, x, y, "kWh", f"{currency.name}/kWh", bottom)
    supply = _outline(window.supply, x, y, currency, y.start, y.end)
    demand = _outline(window.demand, x, y, currency, y.end, y.start)
    if window.price is not None:
        _interval(canvas, window, x, y, currency)
    canvas.path(supply, "supply")
    canvas.path(demand, "demand")
    if window.price is not None:
        level = y(_value(window.price, currency))
        canvas.line((LEFT, level), (WIDTH - RIGHT, level), "lambda")
        canvas.line((x(window.volume / 1000), level), (x(window.volume / 1000), bottom), "lambda")
        canvas.dot((x(window.volume / 1000), level), 4, "lambda-dot")
    canvas.line((LEFT, height - 9), (LEFT + 18, height - 9), "supply")
    canvas.text((LEFT + 23, height - 5), "supply")
    canvas.line((LEFT + 78, height - 9), (LEFT + 96, height - 9), "demand")
    canvas.text((LEFT + 101, height - 5), "demand")
    if window.price is not None:
        canvas.line((LEFT + 164, height - 9), (LEFT + 182, height - 9), "lambda")
        canvas.text((LEFT + 187, height - 5), f"λ = {price(window.price, currency)}")
    else:
        canvas.text((LEFT + 164, height - 5), "no trade")
    return canvas.render()


def price_range(windows: Sequence[WindowReport], currency: Currency) -> tuple[float, float]:
    """One price axis for all windows, so that they can be compared."""
    ticks = [tick for window in windows for tick, _ in (*window.supply, *window.demand)]
    low, high = _value(min(ticks, default=0), currency), _value(max(ticks, default=0), currency)
    pad = max((high - low) * 0.08, high * 0.02, 1e-9)
    return max(0.0, low - pad), high + pad


def evening_chart(report: DayReport) -> str:
    """Price above, volume below, window by window."""
    windows, currency = report.windows, report.currency
    canvas = Canvas(
        "evening",
        WIDTH,
        286,
        "Price and volume over the evening",
        f"{len(windows)} windows; price and volume of each are in the table beside the plot.",
    )
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(windows))
    y = Scale(*_interval_range(windows, currency), 150, TOP + 14)
    volumes = Scale(0.0, max((window.volume for window in windows), default=0) / 1000 * 1.05, 262, 184)
    _levels(canvas, y, 4)
    _levels(canvas, volumes, 3)
    canvas.text((4, TOP + 2), f"Price, {currency.name}/kWh (pale: the whole interval of λ)")
    canvas.text((4, 176), "Volume, kWh")
    every = max(1, -(-len(windows) // 6))
    for place, window in enumerate(windows):
        left = LEFT + slot * place
        tip = f"{window.start:%H:%M}: {price(window.price, currency)} {currency.name}/kWh, {kwh(window.volume)} kWh"
        if window.price is not None:
            high = y(_value(window.price if window.highest is None else window.highest, currency))
            canvas.rect(
                (left + slot * 0.1, high - 1), (slot * 0.8, y(_value(window.lowest, currency)) - high + 2), "band"
            )
            level = y(_value(window.price, currency))
            canvas.rect((left + slot * 0.1, level - 1.5), (slot * 0.8, 3), "price", tip)
        else:
            canvas.text((left + slot / 2, 150), "\u00d7", "muted", "middle")
        top = volumes(window.volume / 1000)
        canvas.rect((left + slot * 0.15, top), (slot * 0.7, 262 - top), "volume", tip)
        if place % every == 0:
            canvas.text((left + slot / 2, 279), f"{window.start:%H:%M}", "", "middle")
    return canvas.render()


def delivery_chart(report: DayReport) -> str:
    """Delivered energy against the obligation, for each seller over the day."""
    rows = deliveries_by_seller(report)
    most = max((max(owed, came) for _, owed, came in rows), default=0) / 1000
    canvas = Canvas(
        "delivery",
        WIDTH,
        ROW * len(rows) + 30,
        "Delivered against right, by seller",
        f"{len(rows)} sellers; outline: energy owed, filled: energy delivered. The figures are in the table.",
    )
    x = Scale(0.0, most * 1.02, 78, WIDTH - 52)
    bottom = ROW * len(rows) + 8
    for mark in (marks := x.marks(4)):
        canvas.line((x(mark), 4), (x(mark), bottom), "grid")
        canvas.text((x(mark), bottom + 14), mark_text(mark, marks), "", "middle")
    canvas.text((WIDTH - 8, bottom + 14), "kWh", "muted", "end")
    for place, (seller, owed, came) in enumerate(rows):
        top = 6 + ROW * place
        ratio = fulfilment_ppm(came, owed)
        canvas.text((72, top + 14), _short(seller, 11), "", "end")
        canvas.rect(
            (x(0), top + 4), (x(came / 1000) - x(0), ROW - 10), "delivered" if ratio == PPM else "short", seller
        )
        canvas.rect((x(0), top + 2), (x(owed / 1000) - x(0), ROW - 6), "owed")
        canvas.text((WIDTH - 8, top + 14), percent(ratio), "" if ratio == PPM else "strong", "end")
    return canvas.render()


def money_chart(flows: Sequence[MoneyFlow], currency: Currency) -> str:
    """Net money of each participant over the day, from the greatest receiver to the greatest payer."""
    ranked = sorted(flows, key=lambda flow: (-flow.net, flow.participant))
    unit = 10**currency.decimals
    low = min((flow.net for flow in ranked), default=0) / unit
    high = max((flow.net for flow in ranked), default=0) / unit
    canvas = Canvas(
        "money",
        WIDTH,
        240,
        "Net money by participant",
        f"{len(ranked)} participants, sorted; sellers receive, buyers pay. The figures are in the table.",
    )
    y = Scale(min(low * 1.05, 0.0), max(high * 1.05, 0.0), 206, TOP + 16)
    _levels(canvas, y, 5)
    canvas.text((4, TOP + 2), f"Net, {currency.name}")
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(ranked))
    for place, flow in enumerate(ranked):
        top, foot = sorted((y(flow.net / unit), y(0.0)))
        css = {"seller": "volume", "buyer": "buyer"}.get(flow.role, "treasury")
        tip = f"{flow.participant} ({flow.role}): {money(flow.net, currency)} {currency.name}"
        canvas.rect((LEFT + slot * place + slot * 0.1, top), (slot * 0.8, max(0.6, foot - top)), css, tip)
    canvas.line((LEFT, y(0.0)), (WIDTH - RIGHT, y(0.0)), "axis")
    for place, (css, word) in enumerate((("volume", "seller"), ("buyer", "buyer"), ("treasury", "treasury"))):
        canvas.rect((LEFT + 90 * place, 222), (12, 10), css)
        canvas.text((LEFT + 90 * place + 17, 231), word)
    return canvas.render()


def gas_chart(gas: Sequence[GasUse]) -> str:
    """Gas of one bid, reading or right in each kind of transaction."""
    uses = [use for use in gas if not use.setup]
    canvas = Canvas(
        "gas",
        WIDTH,
        34 * len(uses) + 8,
        "Gas by operation",
        "Gas of one bid, right or reading in each kind of transaction; the table has the transactions' own gas.",
    )
    x = Scale(0.0, max((use.each for use in uses), default=1) * 1.0, 8, WIDTH - 76)
    for place, use in enumerate(uses):
        top = 34 * place
        canvas.text((8, top + 14), use.operation)
        canvas.rect((8, top + 18), (x(use.each) - 8, 11), "volume")
        canvas.text((x(use.each) + 6, top + 28), grouped(use.each))
    return canvas.render()


def deliveries_by_seller(report: DayReport) -> list[tuple[str, int, int]]:
    """(seller, owed, delivered) over the day in Wh, in order of first appearance.

    What one window delivers beyond its obligation does not make up for another, so it is not counted.
    """
    sums: dict[str, tuple[int, int]] = {}
    for item in report.deliveries:
        owed, came = sums.get(item.participant, (0, 0))
        sums[item.participant] = (owed + item.obligation, came + min(item.delivered, item.obligation))
    return [(seller, owed, came) for seller, (owed, came) in sums.items()]


def _axes(canvas: Canvas, x: Scale, y: Scale, x_name: str, y_name: str, bottom: float) -> None:
    _levels(canvas, y, 5)
    for mark in (marks := x.marks(5)):
        canvas.line((x(mark), bottom), (x(mark), bottom + 4), "axis")
        canvas.text((x(mark), bottom + 16), mark_text(mark, marks), "", "middle")
    canvas.line((LEFT, bottom), (WIDTH - RIGHT, bottom), "axis")
    canvas.text((WIDTH - RIGHT, bottom + 33), x_name, "muted", "end")
    canvas.text((4, 11), y_name, "muted")


def _levels(canvas: Canvas, y: Scale, most: int) -> None:
    for mark in (marks := y.marks(most)):
        canvas.line((LEFT, y(mark)), (WIDTH - RIGHT, y(mark)), "grid")
        canvas.text((LEFT - 5, y(mark) + 4), mark_text(mark, marks), "", "end")


def _interval_range(windows: Sequence[WindowReport], currency: Currency) -> tuple[float, float]:
    """The price axis of the evening: all intervals of λ."""
    traded = [window for window in windows if window.price is not None]
    low = min((window.lowest for window in traded), default=0)
    high = max((window.highest or window.lowest for window in traded), default=0)
    pad = max((high - low) // 8, 1)
    return _value(max(0, low - pad), currency), _value(high + pad, currency)


def _interval(canvas: Canvas, window: WindowReport, x: Scale, y: Scale, currency: Currency) -> None:
    """The band of all prices that clear the window."""
    if window.highest is not None:
        top = y(_value(window.highest, currency))
        canvas.rect((LEFT, top - 0.5), (x.end - LEFT, y(_value(window.lowest, currency)) - top + 1), "band")


def _outline(
    segments: Sequence[Segment], x: Scale, y: Scale, currency: Currency, before: float, after: float
) -> list[Point]:
    """The staircase of one side: a rise to the first step, the steps, and the wall at the end."""
    if not segments:
        return []
    points: list[Point] = [(x(0.0), before)]
    total = 0
    for tick, width in segments:
        level = y(_value(tick, currency))
        points.append((x(total / 1000), level))
        total += width
        points.append((x(total / 1000), level))
    return [*points, (x(total / 1000), after)]


def _value(tick: int, currency: Currency) -> float:
    return tick * currency.tick_size / float(10**currency.decimals)


def _total(segments: Sequence[Segment]) -> int:
    return sum(width for _, width in segments)


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "\u2026"
