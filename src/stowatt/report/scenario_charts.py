"""Who gains: the schemes side by side, and the homes from the greatest gain to the greatest loss."""

from collections.abc import Sequence
from typing import Any, Final

from stowatt.report.charts import LEFT, RIGHT, TOP, WIDTH
from stowatt.report.scenario_data import title
from stowatt.report.svg import Canvas, Scale, mark_text
from stowatt.report.text import MINUS, NONE, fixed

EURO: Final = 10**9
"""Base units · Wh in one unit of the currency."""
MOST_BARS: Final = 240
"""Bars of the plot of homes; of a greater community every so-manieth home is drawn."""

LEAST: Final = 0.05
"""An axis of money goes to this at least, EUR."""
GAPS: Final = 5
"""Bars wider than this have a gap between them."""

STYLES: Final = {
    "none": "none",
    "market": "market",
    "shared-battery": "shared",
    "shared-storage": "stored",
    "optimum": "optimum",
}


def style(scheme: str) -> str:
    """A scheme's class in the style sheet."""
    return STYLES.get(scheme, "market")


def euros(units: int, shown: int = 2) -> str:
    """Money of the tables for reading, to the nearest cent."""
    return fixed(units, 9, shown)


def ct(price: int | None) -> str:
    """A price in ct/kWh with two decimals; a dash without one."""
    return NONE if price is None else fixed(price, 4, 2)


def per_cent(ppm: int | None) -> str:
    """A share with one decimal, to the nearest; a dash without one."""
    return NONE if ppm is None else fixed(ppm, 4, 1) + "\u202f%"


def schemes_chart(schemes: Sequence[dict[str, Any]], most: int | None) -> str:
    """Gain of the community under each scheme, against no sharing; `most` is what no sharing of any kind could beat."""
    rows = [(title(row["scheme"]), style(row["scheme"]), row["gain"]) for row in schemes if row["scheme"] != "none"]
    if most is not None:
        rows.append(("the most that any sharing could gain", "owed", most))
    canvas = Canvas(
        "schemes",
        WIDTH,
        46 * len(rows) + 4,
        "Gain of the community by scheme",
        "Against no sharing: " + "; ".join(f"{words} {euros(gain, 0)} EUR" for words, _, gain in rows),
    )
    gains = [0, *(gain for _, _, gain in rows)]
    low, high = min(gains), max(gains)
    x = Scale(low / EURO, max(high / EURO, LEAST), 8 if low >= 0 else 50, WIDTH - 60)
    for place, (words, css, gain) in enumerate(rows):
        top = 46 * place
        canvas.text((8, top + 14), words)
        left, right = sorted((x(0.0), x(gain / EURO)))
        canvas.rect((left, top + 20), (max(1.0, right - left), 14), css if gain >= 0 else "short")
        canvas.text((right + 6, top + 31), euros(gain, 0))
    canvas.line((x(0.0), 16), (x(0.0), 46 * len(rows)), "axis")
    return canvas.render()


def homes_chart(gains: Sequence[tuple[str, int]], scheme: str) -> str:
    """Gain of each home in a scheme against no sharing, sorted; losers below the line and in another colour."""
    ranked = sorted(gains, key=lambda one: (-one[1], one[0]))
    every = -(-len(ranked) // MOST_BARS)
    drawn = ranked[::every]
    if drawn and drawn[-1] != ranked[-1]:
        drawn.append(ranked[-1])
    winners, losers = sum(1 for _, gain in ranked if gain > 0), sum(1 for _, gain in ranked if gain < 0)
    canvas = Canvas(
        "homes",
        WIDTH,
        240,
        f"Gain of each home: {title(scheme)} against no sharing",
        f"{len(ranked)} homes, sorted; {losers} lose. The figures are in the table.",
    )
    low = min((gain for _, gain in drawn), default=0) / EURO
    high = max((gain for _, gain in drawn), default=0) / EURO
    y = Scale(min(low * 1.08, 0.0), max(high * 1.05, LEAST if low == 0 else 0.0), 206, TOP + 16)
    levels(canvas, y, 5)
    canvas.text((4, TOP + 2), "Gain, EUR" + ("" if every == 1 else f" (every {every}. home)"))
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(drawn))
    gap = 0.1 if slot > GAPS else 0.0
    for place, (home, gain) in enumerate(drawn):
        top, foot = sorted((y(gain / EURO), y(0.0)))
        css = "gain" if gain >= 0 else "short"
        corner = (LEFT + slot * (place + gap), top)
        size = (slot * (1 - 2 * gap) if gap else slot + 0.5, max(0.6, foot - top))
        canvas.rect(corner, size, css, f"{home}: {euros(gain)} EUR")
    canvas.line((LEFT, y(0.0)), (WIDTH - RIGHT, y(0.0)), "axis")
    for place, (css, words) in enumerate((("gain", f"{winners} gain"), ("short", f"{losers} lose"))):
        canvas.rect((LEFT + 90 * place, 222), (12, 10), css)
        canvas.text((LEFT + 90 * place + 17, 231), words)
    return canvas.render()


def levels(canvas: Canvas, y: Scale, most: int, left: float = LEFT, right: float = WIDTH - RIGHT) -> None:
    """Horizontal lines with their values."""
    for mark in (marks := y.marks(most)):
        canvas.line((left, y(mark)), (right, y(mark)), "grid")
        canvas.text((left - 5, y(mark) + 4), mark_text(mark, marks), "", "end")


def keys(canvas: Canvas, lines: Sequence[tuple[str, str]], top: float, width: float, left: float = LEFT) -> float:
    """Samples and names of lines (words, class), side by side as far as there is room; gives the last base line."""
    x, base = left, top
    for words, css in lines:
        needed = 30 + 6.6 * len(words)
        if x > left and x + needed > width:
            x, base = left, base + 17
        canvas.line((x, base - 4), (x + 14, base - 4), f"line {css}")
        canvas.text((x + 18, base), words)
        x += needed
    return base


def key_rows(lines: Sequence[tuple[str, str]], width: float, left: float = LEFT) -> int:
    """How many rows `keys` needs."""
    unseen = Canvas("unseen", 0, 0, "", "")
    return round(keys(unseen, lines, 0.0, width, left) / 17) + 1 if lines else 0


def plain(number: float, decimals: int) -> str:
    """A float for reading, with a true minus sign."""
    return f"{number:,.{decimals}f}".replace(",", "\u202f").replace("-", MINUS)
