"""The report's page: one HTML file, styles and plots inside, no script and nothing from the network."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stowatt.curves import Segment
from stowatt.errors import OutputError
from stowatt.report import charts, text
from stowatt.report.model import Currency, DayReport, WindowReport

ROLES = ("seller", "buyer", "treasury")


def render(report: DayReport) -> str:
    """The whole page as text."""
    templates = environment().overlay()
    templates.filters = {**templates.filters, **_filters(report.currency)}
    clocks = {window.number: _clock(window) for window in report.windows}
    prices = charts.price_range(report.windows, report.currency)
    return templates.get_template("page.html.j2").render(
        report=report,
        style=Markup(_style()),
        counts=Counter(flow.role for flow in report.flows),
        troubles=[(_clock(window), words) for window in report.windows for words in window.troubles],
        clocks=clocks,
        roles=[(role, group) for role in ROLES if (group := [flow for flow in report.flows if flow.role == role])],
        deliveries=charts.deliveries_by_seller(report),
        charts={
            "evening": Markup(charts.evening_chart(report)),
            "windows": [Markup(charts.steps_chart(window, report.currency, prices)) for window in report.windows],
            "delivery": Markup(charts.delivery_chart(report)),
            "money": Markup(charts.money_chart(report.flows, report.currency)),
            "gas": Markup(charts.gas_chart(report.gas)),
        },
    )


def write(report: DayReport, file: Path) -> None:
    """The page as a file; an older one is replaced only when the new one is whole."""
    write_page(render(report), file)


def write_page(page: str, file: Path) -> None:
    """Text as a file; an older one is replaced only when the new one is whole."""
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.write_text(page, encoding="utf-8")
        os.replace(draft, file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputError(f"{file} cannot be written ({error.strerror})", "choose another place") from error


@cache
def environment() -> Environment:
    """The templates of this package; what is put into them is escaped."""
    made = Environment(
        loader=PackageLoader("stowatt.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["grouped"] = text.grouped
    return made


@cache
def _style() -> str:
    return (files("stowatt.report") / "templates" / "style.css").read_text(encoding="utf-8")


def _filters(currency: Currency) -> dict[str, Callable[..., object]]:
    return {
        "added": _added,
        "clock": _clock,
        "interval": lambda window: _interval(window, currency),
        "kwh": text.kwh,
        "money": lambda units, shown=4: text.money(units, currency, shown),
        "price": lambda tick: text.price(tick, currency),
        "share": text.share,
        "some": lambda units: text.money(units, currency) if units else text.NONE,
        "total": lambda segments: sum(width for _, width in segments),
    }


def _clock(window: WindowReport) -> str:
    return f"{window.start:%H:%M}\u2013{window.end:%H:%M}"


def _interval(window: WindowReport, currency: Currency) -> str:
    """[λ_lo, λ_hi] in words; a dash without a price."""
    if window.price is None:
        return text.NONE
    low = text.price(window.lowest, currency)
    if window.highest == window.lowest:
        return low
    return f"from {low}" if window.highest is None else f"{low}\u2013{text.price(window.highest, currency)}"


def _added(segments: Sequence[Segment]) -> Iterator[tuple[int, int, int]]:
    """Each step with the sum up to and including it."""
    total = 0
    for tick, width in segments:
        total += width
        yield tick, width, total
